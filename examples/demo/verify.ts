import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '@concord/core';
import type { Replica } from '@concord/client';
import { endpoint } from './endpoint.js';

/** Content of one place: a hash over every living document, independent of key order. */
export interface Content {
  readonly where: string;
  readonly documents: number;
  readonly hash: string;
  readonly byId: ReadonlyMap<string, string>;
}

export function contentOfReplica(where: string, replica: Replica, collections: readonly string[]): Content {
  const rows = collections.flatMap((name) => replica.collection<JsonValue>(name).query().all());
  return content(where, rows.map(({ id, title, value }) => [id, canonicalJson({ title, value })]));
}

/** Reads every document with a plain GraphQL query: a path that shares nothing with the replicas. */
export async function contentOfServer(url: string, token: string, workspaceId: string): Promise<Content> {
  const rows: [string, string][] = [];
  let after: string | null = null;
  do {
    const { documents }: { documents: { nodes: { id: string; title: string; value: JsonValue }[]; pageInfo: { endCursor: string | null; hasNextPage: boolean } } } = await endpoint(url, token)(
      'query ($workspaceId: ID!, $after: String) { documents(workspaceId: $workspaceId, first: 1000, after: $after) { nodes { id title value } pageInfo { endCursor hasNextPage } } }',
      { workspaceId, after },
    );
    rows.push(...documents.nodes.map(({ id, title, value }): [string, string] => [id, canonicalJson({ title, value })]));
    after = documents.pageInfo.hasNextPage ? documents.pageInfo.endCursor : null;
  } while (after !== null);
  return content('server', rows);
}

function content(where: string, rows: readonly (readonly [string, string])[]): Content {
  const byId = new Map([...rows].sort(([a], [b]) => (a < b ? -1 : 1)));
  const hash = createHash('sha256');
  for (const [id, text] of byId) hash.update(id).update('\0').update(text).update('\n');
  return { where, documents: byId.size, hash: hash.digest('hex'), byId };
}

/** Ids whose content is not the same everywhere. */
export function differences(contents: readonly Content[]): readonly string[] {
  const [first, ...others] = contents;
  if (first === undefined) return [];
  const ids = new Set(contents.flatMap(({ byId }) => [...byId.keys()]));
  return [...ids].filter((id) => others.some(({ byId }) => byId.get(id) !== first.byId.get(id)));
}
