import { createServer, type AddressInfo, type Socket } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { live, reaches, World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

const never = new Promise<string>(() => undefined);

describe('a replica whose connection hangs', () => {
  it('tells that its token function does not answer, and goes on with another token', async () => {
    const replica = await world.open({ token: () => never, answerTimeoutMs: 150 });
    const { lastError } = await reaches(replica, (status) => status.lastError !== null);
    expect(lastError).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('token function did not answer within 150 ms') as string });
    replica.setToken(world.server.token);
    await live(replica);
    expect(replica.status.lastError).toBeNull();
  });

  it('takes another token while it still waits for the first one, without waiting for that to fail', async () => {
    const replica = await world.open({ token: () => never });
    await reaches(replica, ({ connection }) => connection === 'connecting');
    replica.setToken(world.server.token);
    await live(replica);
  });

  it('asks again where the function hung once, and tells what a failing one says', async () => {
    let asked = 0;
    const replica = await world.open({
      answerTimeoutMs: 150,
      token: () => {
        asked++;
        if (asked === 1) return never;
        if (asked === 2) throw new Error('no network at the login');
        return world.server.token;
      },
    });
    const told: string[] = [];
    replica.onStatus(({ lastError }) => told.push(lastError?.message ?? ''));
    await live(replica);
    expect(asked).toBe(3);
    expect(told.join('\n')).toMatch(/did not answer[^]*no network at the login/);
  });

  it('tells that the server accepts the connection and nothing more, and comes back by goOnline', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const replica = await world.open({ url: `http://127.0.0.1:${port}/graphql`, answerTimeoutMs: 150 });
    const { lastError } = await reaches(replica, (status) => status.lastError !== null);
    expect(lastError).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('150 ms') as string });
    await replica.goOffline();
    const again = new Promise((resolve) => silent.once('connection', resolve));
    replica.goOnline();
    await again;
    await replica.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('tells that the feed does not begin, where the database behind the server hangs', async () => {
    const replica = await world.open({ answerTimeoutMs: 200 });
    await world.settle(replica);
    await replica.goOffline();
    // So that nothing of the workspace is in memory.
    await world.server.restart();
    const sql = new pg.Client({ connectionString: world.server.databaseUrl });
    await sql.connect();
    await sql.query('BEGIN; LOCK TABLE changes, workspaces IN ACCESS EXCLUSIVE MODE');
    replica.goOnline();
    const { lastError } = await reaches(replica, (status) => status.lastError !== null);
    expect(lastError).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('200 ms') as string });
    await sql.query('ROLLBACK');
    await sql.end();
    await world.settle(replica);
  });
});

describe('edits that wait longer than they should', () => {
  it('show in the status while the replica is live, and no longer once they are committed', async () => {
    const replica = await world.open();
    await world.settle(replica);
    expect(replica.status).toMatchObject({ delayed: false, oldestPendingSince: null });
    const sql = new pg.Client({ connectionString: world.server.databaseUrl });
    await sql.connect();
    await sql.query(`BEGIN; SELECT FROM workspaces WHERE id = 'main' FOR UPDATE`);
    replica.collection('notes').create({ n: 1 }, { id: 'slow' });
    const since = replica.pending()[0]!.createdAt;
    expect(await reaches(replica, ({ pending }) => pending === 1)).toMatchObject({ delayed: false, oldestPendingSince: since });
    expect(await reaches(replica, ({ delayed }) => delayed)).toMatchObject({ connection: 'live', oldestPendingSince: since });
    await sql.query('ROLLBACK');
    await sql.end();
    expect(await reaches(replica, ({ pending }) => pending === 0)).toMatchObject({ delayed: false, oldestPendingSince: null });
  });

  it('are not called late for the time that the replica was offline, and are known after a restart', async () => {
    const database = world.newFile();
    let replica = await world.open({ database, online: false, now: () => Date.parse('2026-01-01') });
    replica.collection('notes').create({ n: 1 }, { id: 'old' });
    replica.collection('notes').increment('old', '/n');
    await replica.close();
    replica = await world.open({ database, online: false });
    expect(replica.status).toMatchObject({ delayed: false, oldestPendingSince: '2026-01-01T00:00:00.000Z' });
    const late: boolean[] = [];
    replica.onStatus(({ delayed }) => late.push(delayed));
    replica.goOnline();
    await world.settle(replica);
    expect(late).not.toContain(true);
    expect(replica.status.oldestPendingSince).toBeNull();
  });
});
