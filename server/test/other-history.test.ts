import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { copyDatabase, dropDatabase, startTestServer, type TestServer } from './harness.js';

// One server whose database is exchanged under the same address, as an operator would do it: all ids are the same.

let server: TestServer;
const databases: string[] = [];

beforeAll(async () => {
  server = await startTestServer();
  for (const n of [1, 2, 3]) await edit(n);
});
afterAll(async () => {
  await server.close();
  for (const database of databases) await dropDatabase(database);
});

async function edit(n: number): Promise<void> {
  const { errors } = await server.graphql('mutation ($id: ID!, $value: JSON) { createDocument(id: $id, value: $value) { __typename } }', { id: `d${n}`, value: { n } });
  expect(errors).toEqual([]);
}

const ask = async (query: string, variables: Record<string, unknown> = {}) => {
  const { data, errors } = await server.graphql(query, variables);
  return errors[0]?.extensions['code'] ?? data;
};
const head = async (): Promise<string> => ((await ask('{ workspaces { head } }')) as { workspaces: { head: string }[] }).workspaces[0]!.head;
const pulled = async (after: string): Promise<unknown> => ((await ask('query ($after: Cursor) { changes(after: $after) { __typename ... on Resync { reason } ... on ChangeBatch { upToDate } } }', { after })) as { changes: unknown }).changes;
const pushed = (after: string): Promise<unknown> =>
  ask('mutation ($after: Cursor, $edits: [EditInput!]!) { push(replicaId: "0123456789abcdef0123456789abcdef", after: $after, edits: $edits) { verdicts { __typename } } }', {
    after,
    edits: [{ documentId: 'd1', patchId: 'on-another-history', counter: 1, clock: { epoch: 1, base: 1 }, action: { patch: [{ op: 'add', path: '/mine', value: true }] } }],
  });

/** The first event of a subscription. */
async function followed(after: string): Promise<unknown> {
  const client = createClient({ url: server.wsUrl, webSocketImpl: WebSocket, connectionParams: { authorization: `Bearer ${server.token}` }, retryAttempts: 0 });
  const stream = client.iterate({ query: 'subscription ($after: Cursor) { changes(after: $after) { __typename ... on Resync { reason } ... on ChangeBatch { upToDate } } }', variables: { after } });
  const { value } = (await stream.next()) as { value: { data?: { changes: unknown } } };
  await client.dispose();
  return value.data?.changes;
}

const otherHistory = { __typename: 'Resync', reason: 'OTHER_HISTORY' };

/** Runs with another database, then goes back to the first. */
async function onDatabase(databaseUrl: string, work: () => Promise<void>): Promise<void> {
  await server.restart({ databaseUrl });
  try {
    await work();
  } finally {
    await server.restart();
  }
}

async function backup(): Promise<string> {
  await server.stop();
  const copy = await copyDatabase(server.databaseUrl);
  databases.push(copy);
  await server.restart();
  return copy;
}

async function run(databaseUrl: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(sql);
  await client.end();
}

async function expectOtherHistory(cursor: string): Promise<void> {
  expect(await pulled(cursor)).toEqual(otherHistory);
  expect(await followed(cursor)).toEqual(otherHistory);
  expect(await pushed(cursor)).toBe('OTHER_HISTORY');
  expect(((await ask('{ document(id: "d1") { value } }')) as { document: { value: unknown } }).document.value).not.toHaveProperty('mine');
}

describe('a cursor of another history', () => {
  it('is told when the database is another one with the same ids, positions and changes', async () => {
    const copy = await backup();
    await run(copy, 'UPDATE workspaces SET history = gen_random_uuid()');
    const cursor = await head();
    expect(await pulled(cursor)).toEqual({ __typename: 'ChangeBatch', upToDate: true });
    await onDatabase(copy, () => expectOtherHistory(cursor));
    expect(await followed(cursor)).toEqual({ __typename: 'ChangeBatch', upToDate: true });
  });

  it('is told when an older backup was restored, with fewer changes, as many, or more than the cursor', async () => {
    const copy = await backup();
    const before = await head();
    await edit(4);
    const cursor = await head();
    await onDatabase(copy, async () => {
      await expectOtherHistory(cursor);
      await edit(5);
      await expectOtherHistory(cursor);
      await edit(6);
      await expectOtherHistory(cursor);
      // Whoever had seen nothing of what was lost goes on.
      expect(await pulled(before)).toEqual({ __typename: 'ChangeBatch', upToDate: true });
      expect(await pushed(before)).toMatchObject({ push: { verdicts: [{ __typename: 'Committed' }] } });
    });
  });

  it('asks for a resync where the operator has raised the epoch, and is told again when the database with the higher epoch is gone', async () => {
    const copy = await backup();
    await run(copy, 'UPDATE workspaces SET epoch = epoch + 1');
    const cursor = await head();
    let newer = '';
    await onDatabase(copy, async () => {
      expect(await pulled(cursor)).toEqual({ __typename: 'Resync', reason: 'EPOCH_CHANGED' });
      newer = await head();
    });
    await expectOtherHistory(newer);
  });

  it('is checked by the last change that was compacted away, and by the history alone before that', async () => {
    const cursor = await head();
    await edit(7);
    const copy = await backup();
    const last = await head();
    await run(
      copy,
      `UPDATE workspaces w SET retained_from = w.position, retained_patch_id = (SELECT patch_id FROM changes c WHERE c.workspace_id = w.id AND c.position = w.position) WHERE id = 'main'; DELETE FROM changes`,
    );
    await onDatabase(copy, async () => {
      expect(await pulled(last)).toEqual({ __typename: 'ChangeBatch', upToDate: true });
      expect(await pulled(cursor)).toEqual({ __typename: 'Resync', reason: 'CURSOR_EXPIRED' });
      await server.stop();
      await run(copy, `UPDATE workspaces SET retained_patch_id = 'another'`);
      await server.restart({ databaseUrl: copy });
      expect(await pulled(last)).toEqual(otherHistory);
    });
  });

  it('from before cursors named a history is answered with a resync', async () => {
    expect(await pulled(Buffer.from('1.1').toString('base64url'))).toEqual({ __typename: 'Resync', reason: 'CURSOR_EXPIRED' });
  });

  it('is told to who is live when the database is set back under the running server', async () => {
    const client = createClient({ url: server.wsUrl, webSocketImpl: WebSocket, connectionParams: { authorization: `Bearer ${server.token}` }, retryAttempts: 0 });
    const stream = client.iterate({ query: 'subscription { changes { __typename ... on Resync { reason } } }' });
    await stream.next();
    const waiting = stream.next();
    await run(server.databaseUrl, 'UPDATE workspaces SET history = gen_random_uuid()');
    expect((await waiting).value).toMatchObject({ data: { changes: otherHistory } });
    await client.dispose();
  });
});

describe('a push', () => {
  it('that names another principal than the token is refused before anything is looked at', async () => {
    const { viewer } = (await ask('{ viewer { id } }')) as { viewer: { id: string } };
    const push = (principalId: string): Promise<unknown> => ask('mutation ($principalId: ID) { push(replicaId: "0123456789abcdef0123456789abcdef", principalId: $principalId, edits: []) { verdicts { __typename } } }', { principalId });
    expect(await push(viewer.id)).toEqual({ push: { verdicts: [] } });
    expect(await push('somebody-else')).toBe('OTHER_PRINCIPAL');
  });
});
