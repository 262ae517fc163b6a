import { afterEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './harness.js';
import { openRawSocket, openSession } from './raw-socket.js';

describe('Connections', () => {
  const opened: TestServer[] = [];
  const start = async (limits: Partial<{ perAddress: number; perPrincipal: number; anonymousMs: number }>): Promise<TestServer> => {
    const server = await startTestServer({ config: { connections: { perAddress: 0, perPrincipal: 0, anonymousMs: 60_000, ...limits } } });
    opened.push(server);
    return server;
  };
  afterEach(async () => {
    for (const server of opened.splice(0)) await server.close();
  });

  it('of one address are so many, and one that closes makes room for another', async () => {
    const server = await start({ perAddress: 2 });
    const sockets = [await openSession(server.wsUrl, server.token), await openSession(server.wsUrl, server.token)];
    await expect(openRawSocket(server.wsUrl)).rejects.toThrow('429');
    sockets[0]!.close();
    await sockets[0]!.closed;
    await expect.poll(() => openSession(server.wsUrl, server.token).then((socket) => (socket.close(), true), () => false), { interval: 20, timeout: 5_000 }).toBe(true);
    sockets[1]!.close();
  });

  it('of one principal are so many, event streams too, while others have theirs', async () => {
    const server = await start({ perPrincipal: 1 });
    const socket = await openSession(server.wsUrl, server.token);
    const second = await openRawSocket(server.wsUrl);
    second.send({ type: 'connection_init', payload: { Authorization: `Bearer ${server.token}` } });
    expect(await second.closed).toMatchObject({ code: 1013, reason: expect.stringMatching(/^RATE_LIMITED: .* 1 sockets and streams/) as string });
    const stream = await fetch(server.url, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${server.token}` }, body: JSON.stringify({ query: 'subscription { changes { __typename } }' }) });
    expect(stream.status).toBe(429);
    const other = await openSession(server.wsUrl, await server.newToken('EDITOR'));
    for (const one of [socket, other]) one.close();
  });

  it('without a token are closed after a while, whether acknowledged or not', async () => {
    const server = await start({ anonymousMs: 300 });
    const silent = await openRawSocket(server.wsUrl);
    const acknowledged = await openRawSocket(server.wsUrl);
    acknowledged.send({ type: 'connection_init' });
    expect((await acknowledged.next()).type).toBe('connection_ack');
    const session = await openSession(server.wsUrl, server.token);
    for (const socket of [silent, acknowledged]) expect(await socket.closed).toMatchObject({ code: 4401, reason: expect.stringMatching(/^UNAUTHENTICATED: A socket without a token/) as string });
    session.send({ id: '1', type: 'subscribe', payload: { query: '{ viewer { id } }' } });
    expect((await session.next()).type).toBe('next');
    session.close();
  });
});

describe('Tokens and workspaces', () => {
  it('are made one after the other, and so many at once by one principal, each of several fields counted', async () => {
    const server = await startTestServer();
    const fields = Array.from({ length: 14 }, (_, index) => `a${index}: createWorkspace(name: "w") { id }`).join(' ');
    const codes: unknown[] = [];
    for (let round = 0; round < 6; round++) codes.push(...(await server.graphql(`mutation { ${fields} b: createToken(label: "x") { id } }`)).errors.map(({ extensions }) => extensions['code']));
    expect(codes.length).toBeGreaterThan(0);
    expect(new Set(codes)).toEqual(new Set(['RATE_LIMITED']));
    expect((await server.graphql('mutation { createWorkspace(name: "of another") { id } }', {}, server.adminToken)).errors).toEqual([]);
    await server.close();
  });
});
