import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import pg from 'pg';
import type { JsonValue, WorkspaceId } from '@concord/core';
import { openReplica, type Replica } from '../../client/index.js';
import { compactWorkspace } from '../../server/retention/compact.js';
import { startTestServer, type TestServer } from '../../server/test/harness.js';
import { CReplica } from './c-replica.js';

/** Values of sync_engine_connection and sync_engine_event_kind. */
export const OFFLINE = 1;
export const LIVE = 4;
export const DOCUMENT = 1;
export const CONNECTION = 3;

/** A real server for the tests of one file, with C and TypeScript replicas on real files that are closed after each test. */
export let server: TestServer;
let folder: string;
let files = 0;
let documents = 0;
const cReplicas: CReplica[] = [];
const tsReplicas: Replica[] = [];

beforeAll(async () => {
  server = await startTestServer();
  folder = mkdtempSync(join(tmpdir(), 'concord-c-'));
});

afterEach(async () => {
  // Null: killed by the test. A sanitizer that found something ends the driver with a status of its own.
  for (const replica of cReplicas.splice(0)) expect([0, null]).toContain(await replica.close());
  await Promise.all(tsReplicas.splice(0).map((replica) => replica.close()));
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

export const newFile = (): string => join(folder, `replica-${files++}.db`);
export const newId = (): string => `doc-${documents++}`;

export function openC(file = newFile(), url = server.url, token = server.token): CReplica {
  const replica = CReplica.open(file, url, token);
  cReplicas.push(replica);
  return replica;
}

export async function openTs(): Promise<Replica> {
  const replica = await openReplica({ url: server.url, token: server.token, database: newFile(), retry: { firstMs: 20, longestMs: 200 } });
  tsReplicas.push(replica);
  return replica;
}

/** The value on the server; null when there is no such document. */
export async function onServer(id: string): Promise<JsonValue> {
  const { data } = await server.graphql('query ($id: ID!) { document(id: $id) { value } }', { id });
  return (data?.['document'] as { value: JsonValue } | null)?.value ?? null;
}

/** How many changes the document has had. */
export async function revisions(id: string): Promise<number> {
  const { data } = await server.graphql('query ($id: ID!) { history(documentId: $id, first: 1000) { nodes { revision } } }', { id });
  return (data?.['history'] as { nodes: unknown[] }).nodes.length;
}

/** What the retention does after a very long time: nothing of the log is left. */
export async function compactAll(): Promise<void> {
  const pool = new pg.Pool({ connectionString: server.databaseUrl, max: 1 });
  await compactWorkspace(pool, { workspaceId: 'main' as WorkspaceId, olderThan: new Date(Date.now() + 60_000), now: () => new Date() });
  await pool.end();
}

/** Someone else edits at the head. */
export async function edit(id: string, patch: unknown): Promise<void> {
  const { data, errors } = await server.graphql('mutation ($id: ID!, $patch: JSON!) { patchDocument(id: $id, patch: $patch) { __typename } }', { id, patch });
  expect(errors).toEqual([]);
  expect(data?.['patchDocument']).toEqual({ __typename: 'Edited' });
}
