import { request } from 'node:http';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './harness.js';

/** Reads the table that is held; commits do not. */
const stuck = '{ conflicts { nodes { revision } } }';

describe('The reads of one principal', () => {
  let server: TestServer;
  let holder: pg.Client;
  /** What a transaction sees of the activity does not change. */
  let watcher: pg.Client;
  beforeAll(async () => {
    server = await startTestServer({ config: { reads: { statementMs: 1_500, msPerSecond: 0 } } });
    holder = new pg.Client({ connectionString: server.databaseUrl });
    watcher = new pg.Client({ connectionString: server.databaseUrl });
    await Promise.all([holder.connect(), watcher.connect()]);
    await server.graphql('mutation { createDocument(id: "d", value: { n: 0 }) { __typename } }');
  });
  afterEach(async () => {
    await holder.query('ROLLBACK');
  });
  afterAll(async () => {
    await Promise.all([holder.end(), watcher.end()]);
    await server.close();
  });

  const hold = async (): Promise<void> => {
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE conflicts IN ACCESS EXCLUSIVE MODE');
  };
  const waiting = async (): Promise<number> =>
    Number((await watcher.query<{ count: string }>(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%conflicts%' AND pid <> pg_backend_pid()`)).rows[0]!.count);

  it('that wait for the database keep no commit, no other principal and no /ready waiting', async () => {
    await hold();
    const slow = Array.from({ length: 10 }, () => server.graphql(stuck));
    while ((await waiting()) === 0) await watcher.query('SELECT pg_sleep(0.01)');
    const other = await server.newToken('EDITOR');
    const answers = await Promise.all([
      server.graphql('mutation { patchDocument(id: "d", patch: [{ op: "inc", path: "/n", value: 1 }]) { __typename } }', {}, other),
      server.graphql('{ documents { nodes { id } } }', {}, other),
      server.graphql('{ document(id: "d") { value } }', {}, other),
    ]);
    expect(answers.flatMap(({ errors }) => errors)).toEqual([]);
    expect((await fetch(new URL('/ready', server.url))).status).toBe(200);
    expect(await waiting()).toBeGreaterThan(0);
    await holder.query('ROLLBACK');
    await Promise.all(slow);
  });

  it('are stopped after a while, and told why', async () => {
    await hold();
    const { errors } = await server.graphql(stuck);
    expect(errors[0]).toMatchObject({ message: expect.stringMatching(/^The read was stopped after 1500 ms\./) as string, extensions: { code: 'QUERY_TOO_COMPLEX', limit: 1500 } });
    expect(await waiting()).toBe(0);
  });

  it('end in the database when the caller leaves', async () => {
    await hold();
    const sent = request(server.url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token}` } });
    sent.on('error', () => undefined);
    sent.end(JSON.stringify({ query: stuck }));
    while ((await waiting()) === 0) await watcher.query('SELECT pg_sleep(0.01)');
    const left = performance.now();
    sent.destroy();
    while ((await waiting()) > 0) await watcher.query('SELECT pg_sleep(0.01)');
    // Well before they would be stopped.
    expect(performance.now() - left).toBeLessThan(1_000);
  });

  it('may take so much of its time, and the refusal says how long to wait', async () => {
    const strict = await startTestServer({ config: { reads: { statementMs: 300, msPerSecond: 20 } } });
    const own = new pg.Client({ connectionString: strict.databaseUrl });
    await own.connect();
    await own.query('BEGIN');
    await own.query('LOCK TABLE conflicts IN ACCESS EXCLUSIVE MODE');
    expect((await strict.graphql(stuck)).errors[0]?.extensions['code']).toBe('QUERY_TOO_COMPLEX');
    const { errors } = await strict.graphql('{ documents { nodes { id } } }');
    expect(errors[0]).toMatchObject({ message: expect.stringMatching(/more of the database than 20 ms a second/) as string, extensions: { code: 'RATE_LIMITED', retryAfter: expect.any(Number) as number } });
    expect((await strict.graphql('{ documents { nodes { id } } }', {}, await strict.newToken('EDITOR'))).errors).toEqual([]);
    // An edit that is committed is answered.
    expect((await strict.graphql('mutation { createDocument(value: 1) { __typename } }')).data).toEqual({ createDocument: { __typename: 'Edited' } });
    await own.end();
    await strict.close();
  });

  it('may have some megabytes in one operation, however many lists it asks for', async () => {
    for (let index = 0; index < 6; index++) await server.graphql('mutation ($value: JSON) { createDocument(collection: "large", value: $value) { __typename } }', { value: 'x'.repeat(1_000_000) });
    const { errors } = await server.graphql('{ a: documents(collection: "large") { nodes { value } } b: documents(collection: "large") { nodes { value } } c: documents(collection: "large") { nodes { value } } }');
    expect(errors[0]).toMatchObject({ message: expect.stringMatching(/Ask in several operations/) as string, extensions: { code: 'QUERY_TOO_COMPLEX', limit: 4 * 1024 * 1024 } });
    expect((await server.graphql('{ a: documents(collection: "large") { nodes { value } } }')).errors).toEqual([]);
  });
});
