import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './harness.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const [ann, ben] = ['a'.repeat(32), 'b'.repeat(32)];

async function push(replicaId: string, edits: readonly object[]): Promise<Record<string, unknown>[]> {
  const { data, errors } = await server.graphql(
    'mutation ($by: ID!, $edits: [EditInput!]!) { push(replicaId: $by, edits: $edits) { verdicts { __typename ... on Committed { revision position } ... on Refused { code message } } } }',
    { by: replicaId, edits },
  );
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return (data!['push'] as { verdicts: Record<string, unknown>[] }).verdicts;
}

const edit = (documentId: string, patchId: string, counter: number, base: number, action: object, more: object = {}) => ({ documentId, patchId: `${documentId}-${patchId}`, counter, clock: { epoch: 1, base }, action, ...more });
const set = (path: string, value: unknown) => ({ patch: [{ op: 'replace', path, value }] });

interface Loss {
  readonly documentId: string;
  readonly rule: string;
  readonly revision: number;
  readonly laterRevision: number | null;
  readonly lost: unknown;
  readonly lostBy: { readonly replicaId: string; readonly patchId: string; readonly author: string } | null;
  readonly wonBy: { readonly replicaId: string; readonly patchId: string } | null;
}

async function losses(replicaId: string, more: { since?: string | null; first?: number; after?: string } = {}): Promise<{ nodes: Loss[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } }> {
  const { data, errors } = await server.graphql(
    `query ($replicaId: ID!, $since: Cursor, $first: Int, $after: String) { losses(replicaId: $replicaId, since: $since, first: $first, after: $after) {
      nodes { documentId rule revision laterRevision lost lostBy { replicaId patchId author } wonBy { replicaId patchId } } pageInfo { hasNextPage endCursor }
    } }`,
    { replicaId, ...more },
  );
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return data!['losses'] as never;
}

/** The feed after a cursor, from the log. */
async function feed(after: string | null): Promise<{ rows: unknown[][]; changes: { losers: string[] }[]; cursor: string }> {
  const { data } = await server.graphql('query ($after: Cursor) { changes(after: $after, first: 1000) { ... on ChangeBatch { rows changes { losers } cursor } } }', { after });
  return data!['changes'] as never;
}

describe('the losses of a replica', () => {
  it('name both edits, and the feed names the replica that lost in the row of the change that won', async () => {
    await push(ann, [edit('quarrel', 'c', 1, 0, { create: { collection: 'notes', value: { a: 0, b: 0 } } })]);
    const { cursor } = await feed(null);
    await push(ann, [edit('quarrel', 'mine', 2, 1, set('/a', 'ann'))]);
    await push(ben, [edit('quarrel', 'theirs', 1, 1, set('/a', 'ben'))]);
    await push(ben, [edit('quarrel', 'quiet', 2, 3, set('/b', 1))]);
    const page = await feed(cursor);
    expect(page.rows.map((row) => row.slice(8))).toEqual([[], [null, null, [ann]], []]);
    expect(page.changes.map(({ losers }) => losers)).toEqual([[], [ann], []]);
    const { nodes } = await losses(ann);
    expect(nodes).toEqual([
      {
        documentId: 'quarrel',
        rule: 'replaceReplace',
        revision: 2,
        laterRevision: 3,
        lost: 'ann',
        lostBy: { replicaId: ann, patchId: 'quarrel-mine', author: expect.stringMatching(/^test-/) as string },
        wonBy: { replicaId: ben, patchId: 'quarrel-theirs' },
      },
    ]);
    expect((await losses(ben)).nodes).toEqual([]);
  });

  it('are told where the report comes from the one who won, and the server has to look up in the log who lost', async () => {
    await push(ann, [edit('reported', 'c', 1, 0, { create: { collection: 'notes', value: { a: 0 } } }), edit('reported', 'mine', 2, 0, set('/a', 'ann'))]);
    const conflict = {
      rule: 'replaceReplace', loser: 'earlier', path: ['a'], place: ['a'], lost: 'ann',
      losing: { patch: 0, operation: 0, op: { op: 'replace', path: ['a'], value: 'ann' } },
      winning: { patch: 0, operation: 0, op: { op: 'replace', path: ['a'], value: 'ben' } },
    };
    const { cursor } = await feed(null);
    await server.restart();
    await push(ben, [edit('reported', 'theirs', 1, 2, set('/a', 'ben'), { conflicts: [{ revision: 2, conflict }] })]);
    expect((await feed(cursor)).rows[0]!.slice(8)).toEqual([null, null, [ann]]);
    expect((await losses(ann, { since: cursor })).nodes).toMatchObject([{ documentId: 'reported', lostBy: { patchId: 'reported-mine' } }]);
  });

  it('hold the edits that went with a document whose deletion had not seen them', async () => {
    await push(ann, [edit('deleted', 'c', 1, 0, { create: { collection: 'notes', value: { a: 0 } } })]);
    await push(ann, [edit('deleted', 'mine', 2, 1, set('/a', 'ann'))]);
    const { cursor } = await feed(null);
    await push(ben, [edit('deleted', 'gone', 1, 1, { delete: true })]);
    expect((await feed(cursor)).rows[0]!.slice(8)).toEqual([null, null, [ann]]);
    expect((await losses(ann, { since: cursor })).nodes).toMatchObject([{ rule: 'editDeleted', revision: 2, laterRevision: 3, lost: 'ann', wonBy: { patchId: 'deleted-gone' } }]);
  });

  it('come a page at a time, each once, after a cursor of the feed, and from the start after one of a rewritten history', async () => {
    await push(ann, [edit('pages', 'c', 1, 0, { create: { collection: 'notes', value: { a: 0 } } })]);
    const { cursor } = await feed(null);
    for (let n = 0; n < 5; n++) {
      await push(ann, [edit('pages', `m${n}`, 2 + n, 1 + 2 * n, set('/a', `ann ${n}`))]);
      await push(ben, [edit('pages', `t${n}`, 1 + n, 1 + 2 * n, set('/a', `ben ${n}`))]);
    }
    const seen: unknown[] = [];
    for (let after: string | undefined; ; ) {
      const page = await losses(ann, { since: cursor, first: 2, ...(after === undefined ? {} : { after }) });
      seen.push(...page.nodes.map(({ lost }) => lost));
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor!;
    }
    expect(seen).toEqual(['ann 0', 'ann 1', 'ann 2', 'ann 3', 'ann 4']);
    const all = (await losses(ann)).nodes.length;
    expect(all).toBeGreaterThan(5);
    const { data } = await server.graphql('query ($r: ID!) { losses(replicaId: $r, first: 1000) { nodes { documentId } } }', { r: 'x' });
    expect(data).toBeNull();
  });
});
