import type { CombinedError } from '@urql/core';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WatchConflictsDocument } from '../index.js';
import { live, reaches, until, World } from './world.js';

describe('a replica without the right to be there', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  it('tells that its token is refused, does not storm the server, and goes on with a new one', async () => {
    const replica = await world.open({ token: 'nobody.nothing' });
    const status = await reaches(replica, ({ lastError, connection }) => lastError !== null && connection === 'offline');
    expect(status.lastError?.code).toBe('UNAUTHENTICATED');
    expect(status.lastError?.message).toMatch(/^The server refused the token: The token is unknown, .*"npm run token -- create"\. Get a valid one/);
    replica.collection('notes').create({ typed: 'offline' }, { id: 'typed' });
    const seen: string[] = [];
    replica.onStatus(({ connection }) => seen.push(connection));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(new Set(seen)).toEqual(new Set(['offline']));
    replica.setToken(world.server.token);
    await world.settle(replica);
    expect((await world.serverDocuments())['typed']).toEqual({ typed: 'offline' });
    expect(replica.status.lastError).toBeNull();
  });

  it('fails what waits for it at once while its token is refused, and no longer with a new one', async () => {
    const replica = await world.open({ token: 'nobody.nothing' });
    const refused = { code: 'UNAUTHENTICATED', message: expect.stringMatching(/^The server refused the token: .* call setToken\(\)\.$/) as string };
    await expect(replica.settled()).rejects.toMatchObject(refused);
    await expect(replica.settled({ timeoutMs: 60_000 })).rejects.toMatchObject(refused);
    const { error } = await new Promise<{ error?: CombinedError | undefined }>((resolve) => {
      const subscription = replica.client.subscription(WatchConflictsDocument, {}).subscribe((result) => {
        resolve(result);
        queueMicrotask(() => subscription.unsubscribe());
      });
    });
    expect(error?.networkError).toMatchObject(refused);
    replica.setToken(world.server.token);
    await replica.settled({ timeoutMs: 5_000 });
  });

  it('tries a token that it got while the one before was being refused', async () => {
    let asked: () => void = () => undefined;
    const inUse = new Promise<void>((resolve) => (asked = resolve));
    const replica = await world.open({
      token: () => {
        asked();
        return 'nobody.nothing';
      },
    });
    await inUse;
    replica.setToken(world.server.token);
    await replica.settled({ timeoutMs: 5_000 });
  });

  it('asks once more for a token when the one it had runs out, and settles with that', async () => {
    const revoke = (token: string) => world.server.graphql('mutation ($id: ID!) { revokeToken(id: $id) }', { id: token.split('.')[0]! }, world.server.adminToken);
    const first = await world.server.newToken('EDITOR');
    const second = await world.server.anotherToken(first);
    let given = first;
    const replica = await world.open({ token: () => given });
    await world.settle(replica);
    replica.collection('notes').create({ n: 1 }, { id: 'renewed' });
    await world.settle(replica);
    // From now on, as it is tried again within milliseconds of the end.
    given = second;
    const ended = reaches(replica, ({ connection }) => connection !== 'live').then(() => replica.settled({ timeoutMs: 5_000 }));
    await Promise.all([ended, revoke(first)]);
    const refused = reaches(replica, ({ connection }) => connection !== 'live').then(() => replica.settled());
    await Promise.all([expect(refused).rejects.toMatchObject({ code: 'UNAUTHENTICATED' }), revoke(second)]);
  });

  it('settles with a new token when the old one runs out while an edit is under way', async () => {
    const first = await world.server.newToken('EDITOR');
    const second = await world.server.anotherToken(first);
    let given = first;
    const replica = await world.open({ token: () => given });
    await world.settle(replica);
    const sql = new pg.Client({ connectionString: world.server.databaseUrl });
    await sql.connect();
    await sql.query(`BEGIN; SELECT FROM workspaces WHERE id = 'main' FOR UPDATE`);
    replica.collection('notes').create({ n: 1 }, { id: 'under-way' });
    const settled = replica.settled({ timeoutMs: 10_000 });
    await until(async () => (await sql.query(`SELECT FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid`)).rowCount === 1);
    given = second;
    const ended = reaches(replica, ({ connection }) => connection !== 'live');
    await world.server.graphql('mutation ($id: ID!) { revokeToken(id: $id) }', { id: first.split('.')[0]! }, world.server.adminToken);
    await ended;
    await sql.query('ROLLBACK');
    await sql.end();
    await settled;
    expect((await world.serverDocuments())['under-way']).toEqual({ n: 1 });
  });

  it('is disconnected when its token is revoked', async () => {
    const token = await world.server.newToken('EDITOR');
    const replica = await world.open({ token });
    await world.settle(replica);
    const { data, errors } = await world.server.graphql('mutation ($id: ID!) { revokeToken(id: $id) }', { id: token.split('.')[0]! }, world.server.adminToken);
    expect(errors).toEqual([]);
    expect(data).toEqual({ revokeToken: true });
    const status = await reaches(replica, ({ connection, lastError }) => connection === 'offline' && lastError?.code === 'UNAUTHENTICATED');
    expect(status.lastError?.code).toBe('UNAUTHENTICATED');
  });

  it('purges its cache when its role is taken away, and keeps in quarantine what it had not sent', async () => {
    const token = await world.server.newToken('EDITOR');
    const replica = await world.open({ token });
    replica.collection('notes').create({ secret: true }, { id: 'secret' });
    await world.settle(replica);
    await replica.goOffline();
    replica.collection('notes').edit('secret', [{ op: 'replace', path: '/secret', value: 'mine' }]);
    await world.server.graphql('mutation { patchDocument(id: "secret", patch: [{op: "replace", path: "/secret", value: "theirs"}]) { __typename } }');
    replica.goOnline();
    await world.settle(replica);
    expect(replica.conflicts()).toHaveLength(1);
    const { data } = await world.server.graphql('{ viewer { id } }', {}, token);
    const { id } = data!['viewer'] as { id: string };
    await replica.goOffline();
    replica.collection('notes').edit('secret', [{ op: 'add', path: '/mine', value: 1 }]);
    await world.server.graphql('mutation ($id: ID!) { setRole(principalId: $id, workspaceId: "main") }', { id }, world.server.adminToken);
    replica.goOnline();
    const { lastError } = await reaches(replica, ({ connection, lastError }) => connection === 'offline' && lastError !== null && lastError.code !== 'UNAVAILABLE');
    expect(['FORBIDDEN', 'WORKSPACE_NOT_FOUND']).toContain(lastError?.code);
    await expect(replica.settled()).rejects.toMatchObject({ code: lastError?.code });
    expect(replica.get('secret')).toBeUndefined();
    expect(replica.conflicts()).toEqual([]);
    expect(replica.quarantined()).toMatchObject([{ documentId: 'secret', patch: [{ op: 'add', path: '/mine', value: 1 }] }]);
  });

  it('keeps the edits of a VIEWER pending and tells why', async () => {
    const token = await world.server.newToken('VIEWER');
    const replica = await world.open({ token });
    await live(replica);
    replica.collection('notes').create({ a: 1 }, { id: 'viewer-wrote' });
    const { lastError, connection } = await reaches(replica, (status) => status.lastError !== null);
    expect(lastError?.code).toBe('FORBIDDEN');
    expect(connection).toBe('live');
    expect(replica.pending()).toMatchObject([{ documentId: 'viewer-wrote', kind: 'CREATE' }]);
    // Waiting would not help, whether it began before or after the refusal.
    await expect(replica.settled()).rejects.toMatchObject({ code: 'FORBIDDEN', message: lastError?.message });
    await replica.goOffline();
    replica.goOnline();
    await expect(replica.settled()).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('sends the edits of a VIEWER as soon as it is given a new token after the VIEWER was made an EDITOR', async () => {
    const token = await world.server.newToken('VIEWER');
    const replica = await world.open({ token });
    await live(replica);
    replica.collection('notes').create({ a: 1 }, { id: 'promoted' });
    await expect(replica.settled()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const { data } = await world.server.graphql('{ viewer { id } }', {}, token);
    const { id } = data!['viewer'] as { id: string };
    const raised = await world.server.graphql('mutation ($id: ID!) { setRole(principalId: $id, workspaceId: "main", role: EDITOR) }', { id }, world.server.adminToken);
    expect(raised.errors).toEqual([]);
    replica.setToken(await world.server.anotherToken(token));
    await replica.settled({ timeoutMs: 10_000 });
    expect((await world.serverDocuments())['promoted']).toEqual({ a: 1 });
  });

  it('tells of an address without an endpoint that it is the address', async () => {
    const replica = await world.open({ url: new URL('/', world.server.url).href });
    const { lastError } = await reaches(replica, (status) => status.lastError !== null);
    expect(lastError?.message).toMatch(/no GraphQL endpoint at the address \(HTTP 404\).* \/graphql\.$/);
  });

  it('stays offline where it is told to go, and is given another token on the way', async () => {
    const replica = await world.open({ token: await world.server.newToken('VIEWER') });
    await live(replica);
    replica.collection('notes').create({ a: 1 }, { id: 'on-the-way' });
    await expect(replica.settled()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const offline = replica.goOffline();
    const seen: string[] = [];
    replica.onStatus(({ connection }) => seen.push(connection));
    replica.setToken(world.server.token);
    await offline;
    expect(replica.status.connection).toBe('offline');
    expect(seen).not.toContain('connecting');
  });
});
