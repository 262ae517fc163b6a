import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './harness.js';
import { openRawSocket, openSession } from './raw-socket.js';

const who = '{ viewer { id } }';
const watch = 'subscription { document(id: "watched") { revision } }';

describe('Authentication', () => {
  let server: TestServer;
  let neighbour: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    neighbour = await startTestServer({ beside: server });
  });
  afterAll(async () => {
    await neighbour.close();
    await server.close();
  });

  const post = (authorization: string) => fetch(server.url, { method: 'POST', headers: { 'content-type': 'application/json', authorization }, body: JSON.stringify({ query: who }) });

  async function rows<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const client = new pg.Client({ connectionString: server.databaseUrl });
    await client.connect();
    const result = await client.query<Row>(sql, [...values]);
    await client.end();
    return result.rows;
  }

  async function newToken(): Promise<{ id: string; token: string; principalId: string }> {
    const { data } = await server.graphql(
      'mutation { createToken(label: "for a test", grant: { name: "Ann", role: EDITOR, workspaceId: "main" }) { id token principalId } }',
      {},
      server.adminToken,
    );
    return data?.['createToken'] as { id: string; token: string; principalId: string };
  }

  it('refuses an unknown id, a wrong secret and nonsense with one and the same answer', async () => {
    const [id = '', secret = ''] = server.token.split('.');
    const answers = await Promise.all(
      [`Bearer ${'0'.repeat(18)}.${secret}`, `Bearer ${id}.${'x'.repeat(32)}`, 'Bearer nonsense', `Bearer ${id}`].map(async (header) => {
        const response = await post(header);
        return { status: response.status, body: await response.text() };
      }),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.status).toBe(401);
    expect(answers[0]?.body).toContain('"code":"UNAUTHENTICATED"');
  });

  it('refuses another scheme than Bearer and says what to send', async () => {
    const response = await post('Basic dTpw');
    expect(response.status).toBe(401);
    expect(await response.text()).toContain('Bearer <id>.<secret>');
  });

  it('answers introspection, and nothing else, without a token', async () => {
    expect((await server.graphql('{ __schema { queryType { name } } }', {}, null)).errors).toEqual([]);
    expect((await server.graphql(who, {}, null)).errors[0]?.extensions['code']).toBe('UNAUTHENTICATED');
  });

  it('writes failed logins to the audit, without the secret', async () => {
    const [id = ''] = server.token.split('.');
    await post(`Bearer ${id}.${'y'.repeat(32)}`);
    const found = await rows<{ outcome: string; detail: unknown }>(`SELECT outcome, detail FROM audit WHERE action = 'LOGIN' ORDER BY id DESC LIMIT 1`);
    expect(found).toEqual([{ outcome: 'UNAUTHENTICATED', detail: { address: '127.0.0.1', tokenId: id } }]);
  });

  it('keeps only an Argon2id hash of a token', async () => {
    const { id, token } = await newToken();
    const [row] = await rows<{ hash: string }>('SELECT hash FROM tokens WHERE id = $1', [id]);
    expect(row?.hash).toMatch(/^\$argon2id\$/);
    expect(JSON.stringify(await rows('SELECT * FROM tokens JOIN principals ON principals.id = principal_id'))).not.toContain(token.split('.')[1]);
  });

  it('ends a revoked token at once: requests, sockets and event streams, on every node', async () => {
    const { id, token } = await newToken();
    expect((await server.graphql(who, {}, token)).errors).toEqual([]);
    expect((await neighbour.graphql(who, {}, token)).errors).toEqual([]);
    const sockets = await Promise.all([openSession(server.wsUrl, token), openSession(neighbour.wsUrl, token)]);
    const stream = await fetch(neighbour.url, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}` }, body: JSON.stringify({ query: watch }) });
    const streamed = stream.text();

    const { data } = await server.graphql('mutation ($id: ID!) { revokeToken(id: $id) }', { id }, server.adminToken);
    expect(data).toEqual({ revokeToken: true });
    expect((await server.graphql(who, {}, token)).status).toBe(401);
    for (const socket of sockets) expect(await socket.closed).toMatchObject({ code: 4401, reason: expect.stringMatching(/^UNAUTHENTICATED: /) as string });
    expect((await neighbour.graphql(who, {}, token)).status).toBe(401);
    const text = await streamed;
    expect(text).toContain('"code":"UNAUTHENTICATED"');
    expect(text).toContain('event: complete');
  });

  it('ends open streams when a role is taken away, and keeps the socket', async () => {
    const { token, principalId } = await newToken();
    await server.graphql('mutation { createDocument(id: "watched", value: {}) { __typename } }');
    const socket = await openSession(neighbour.wsUrl, token);
    socket.send({ id: '1', type: 'subscribe', payload: { query: watch } });
    expect(await socket.next()).toMatchObject({ type: 'next', payload: { data: { document: { revision: 1 } } } });
    const { errors } = await server.graphql('mutation ($id: ID!) { setRole(principalId: $id, role: null) }', { id: principalId }, server.adminToken);
    expect(errors).toEqual([]);
    const ended = await socket.next();
    expect(JSON.stringify(ended)).toMatch(/FORBIDDEN|WORKSPACE_NOT_FOUND/);
    socket.send({ id: '2', type: 'subscribe', payload: { query: who } });
    let answer = await socket.next();
    while (answer.id !== '2') answer = await socket.next();
    expect(answer).toMatchObject({ payload: { data: { viewer: { id: principalId } } } });
    expect((await neighbour.graphql('{ document(id: "watched") { id } }', {}, token)).errors[0]?.extensions['code']).toBe('WORKSPACE_NOT_FOUND');
    socket.close();
  });

  it('closes the socket of a wrong token with 4401', async () => {
    const socket = await openRawSocket(server.wsUrl);
    socket.send({ type: 'connection_init', payload: { authorization: 'Bearer wrong' } });
    expect(await socket.closed).toMatchObject({ code: 4401 });
  });

  it('refuses a token that has expired, and ends its socket at that moment', async () => {
    const { data } = await server.graphql('mutation ($at: DateTime!) { createToken(expiresAt: $at) { token } }', { at: new Date(Date.now() + 1_500).toISOString() });
    const { token } = data?.['createToken'] as { token: string };
    const socket = await openSession(server.wsUrl, token);
    expect(await socket.closed).toMatchObject({ code: 4401 });
    expect((await server.graphql(who, {}, token)).status).toBe(401);
  });

  it('lets only an owner give roles and tokens of the workspace, and audits who was refused', async () => {
    const { errors } = await server.graphql('mutation { createToken(grant: { name: "Eve", role: OWNER, workspaceId: "main" }) { id } }');
    expect(errors[0]?.extensions['code']).toBe('FORBIDDEN');
    expect(await rows(`SELECT action FROM audit WHERE workspace_id = 'main' AND action = 'CREATE_TOKEN' AND outcome = 'FORBIDDEN'`)).toHaveLength(1);
    const foreign = await server.newWorkspace();
    const other = await server.graphql('mutation ($ws: ID!) { setRole(principalId: "owner", workspaceId: $ws, role: VIEWER) }', { ws: foreign });
    expect(other.errors[0]?.extensions['code']).toBe('WORKSPACE_NOT_FOUND');
  });

  it('does not take the role of the last owner', async () => {
    const { errors } = await server.graphql('mutation { setRole(principalId: "owner", role: VIEWER, workspaceId: "main") }', {}, server.adminToken);
    expect(errors[0]).toMatchObject({ extensions: { code: 'INPUT_INVALID', path: '/role' } });
  });

  it('audits who tried to revoke a token of somebody else, and does not tell them that it exists', async () => {
    const { id } = await newToken();
    expect((await server.graphql('mutation ($id: ID!) { revokeToken(id: $id) }', { id })).data).toEqual({ revokeToken: false });
    const [row] = await rows<{ outcome: string; detail: unknown }>(`SELECT outcome, detail FROM audit WHERE action = 'REVOKE_TOKEN' ORDER BY id DESC LIMIT 1`);
    expect(row).toMatchObject({ outcome: 'FORBIDDEN', detail: { tokenId: id } });
  });

  it('makes workspaces whose maker owns them', async () => {
    const { token } = await newToken();
    const { data } = await server.graphql('mutation { createWorkspace(name: "Mine") { name role } }', {}, token);
    expect(data).toEqual({ createWorkspace: { name: 'Mine', role: 'OWNER' } });
    expect((await neighbour.graphql('{ workspaces { name } }', {}, token)).data).toEqual({ workspaces: expect.arrayContaining([{ name: 'Mine' }]) as unknown });
  });

  it('slows down an address that guesses', async () => {
    const strict = await startTestServer({ config: { rateLimit: { operationsPerSecond: 0, operationsBurst: 1, anonymousPerSecond: 0, editsPerSecond: 0, editsBurst: 1, failedLoginsPerMinute: 3 } } });
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 5; attempt++) statuses.push((await strict.graphql(who, {}, `guess${attempt}`)).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    const limited = await strict.graphql(who, {}, 'again');
    expect(limited.errors[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfter: expect.any(Number) as number });
    const socket = await openRawSocket(strict.wsUrl);
    socket.send({ type: 'connection_init', payload: { Authorization: 'Bearer again' } });
    expect(await socket.closed).toMatchObject({ code: 1013, reason: expect.stringMatching(/^RATE_LIMITED: /) as string });
    await strict.close();
  });
});
