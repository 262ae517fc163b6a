import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openSession } from './raw-socket.js';
import { startTestServer, type TestServer } from './harness.js';

const rateLimit = { operationsPerSecond: 0, operationsBurst: 1, anonymousPerSecond: 0, editsPerSecond: 0, editsBurst: 1, failedLoginsPerMinute: 0 };

describe('Two servers of one database with Redis', () => {
  const opened: TestServer[] = [];
  let one: TestServer;
  let two: TestServer;
  beforeAll(async () => {
    one = await start();
    two = await start(one);
  });
  afterAll(async () => {
    for (const server of opened.reverse()) await server.close();
  });

  async function start(beside?: TestServer, limits: Partial<typeof rateLimit> = {}): Promise<TestServer> {
    const server = await startTestServer({ ...(beside === undefined ? {} : { beside }), config: { redisUrl: inject('redisUrl'), rateLimit: { ...rateLimit, ...limits }, feedPollMs: 60_000 } });
    opened.push(server);
    return server;
  }

  it('tell each other of commits', async () => {
    await one.graphql('mutation { createDocument(id: "d", value: { n: 0 }) { __typename } }');
    const socket = await openSession(two.wsUrl, two.token);
    socket.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { document(id: "d") { value } }' } });
    expect(await socket.next()).toMatchObject({ payload: { data: { document: { value: { n: 0 } } } } });
    await one.graphql('mutation { patchDocument(id: "d", patch: [{ op: "inc", path: "/n", value: 1 }]) { __typename } }');
    expect(await socket.next()).toMatchObject({ payload: { data: { document: { value: { n: 1 } } } } });
    socket.close();
  });

  it('end the sockets of a token that is revoked on the other', async () => {
    const token = await one.newToken('EDITOR');
    const socket = await openSession(two.wsUrl, token);
    await one.graphql('mutation ($id: ID!) { revokeToken(id: $id) }', { id: token.split('.')[0] }, one.adminToken);
    expect(await socket.closed).toMatchObject({ code: 4401 });
    expect((await two.graphql('{ viewer { id } }', {}, token)).status).toBe(401);
  });

  it('end the sockets of a token that is revoked on the command line', async () => {
    const token = await one.newToken('EDITOR');
    const sockets = await Promise.all([openSession(one.wsUrl, token), openSession(two.wsUrl, token)]);
    const cli = fileURLToPath(new URL('../token-cli.ts', import.meta.url));
    const environment = { ...process.env, DATABASE_URL: one.databaseUrl, REDIS_URL: inject('redisUrl') };
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@concord/source', '--import', 'tsx', cli, 'revoke', token.split('.')[0]!], { env: environment, timeout: 25_000, killSignal: 'SIGKILL' });
    expect(stdout).toMatch(/^Revoked \w+\.\n$/);
    for (const socket of sockets) expect(await socket.closed).toMatchObject({ code: 4401 });
  });

  it('are said once not to be told, and why, when Redis is away while a token is revoked on the command line', async () => {
    const token = await one.newToken('EDITOR');
    const cli = fileURLToPath(new URL('../token-cli.ts', import.meta.url));
    const environment = { ...process.env, DATABASE_URL: one.databaseUrl, REDIS_URL: 'redis://:geheim@127.0.0.1:1' };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--conditions=@concord/source', '--import', 'tsx', cli, 'revoke', token.split('.')[0]!], { env: environment, timeout: 25_000, killSignal: 'SIGKILL' });
    expect(stdout).toMatch(/^Revoked \w+\. Running servers could not be told, so connections that are open end within a minute: the Redis of REDIS_URL cannot be reached at 127\.0\.0\.1:1 \(ECONNREFUSED\)\. .*\n$/);
    expect(stderr).toBe('');
  });

  it('count the operations of a principal together, and each principal for itself', async () => {
    const strict = await start(undefined, { operationsPerSecond: 1, operationsBurst: 4 });
    const beside = await start(strict, { operationsPerSecond: 1, operationsBurst: 4 });
    const calls = Array.from({ length: 6 }, () => [strict, beside]).flat().map((server) => server.graphql('{ viewer { id } }', {}, strict.token));
    const refused = (await Promise.all(calls)).flatMap(({ errors }) => errors);
    // One or two more pass where the twelve take longer than a second.
    expect(refused.length).toBeGreaterThanOrEqual(6);
    expect(refused.length).toBeLessThanOrEqual(8);
    expect(refused[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfter: expect.any(Number) as number });
    expect((await beside.graphql('{ viewer { id } }', {}, strict.adminToken)).errors).toEqual([]);
  });

  it('count the failed logins of an address together', async () => {
    const strict = await start(undefined, { failedLoginsPerMinute: 4 });
    const beside = await start(strict, { failedLoginsPerMinute: 4 });
    const statuses: number[] = [];
    for (let guess = 0; guess < 3; guess++) {
      for (const server of [strict, beside]) statuses.push((await server.graphql('{ viewer { id } }', {}, `guess${guess}`)).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 429, 429]);
  });

  it('say how to go on when Redis is not there at the start', async () => {
    await expect(startTestServer({ config: { redisUrl: 'redis://:geheim@127.0.0.1:1' } })).rejects.toThrow(/^the Redis of REDIS_URL cannot be reached at 127\.0\.0\.1:1 \(ECONNREFUSED\)\. Start it, correct the address, or leave REDIS_URL out/);
  });
});
