import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { DocumentFilter, FeedEvent } from '@concord/schema';
import { nextHead, NextFrames, textFrame, type Frame } from '../frames.js';
import type { Pushing } from '../feed/pushing.js';
import { atHead, create, documentId, openWorld, patch, type Node, type World } from './engine-world.js';
import { startTestServer, type TestServer } from './harness.js';
import { postgresUrl } from './postgres-url.js';
import { SocketWriter } from '../socket-writer.js';
import { openSession, type Message, type RawSocket } from './raw-socket.js';

describe('A frame', () => {
  let server: WebSocketServer;
  let client: WebSocket;
  let request: IncomingMessage;
  beforeAll(async () => {
    server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: true });
    await once(server, 'listening');
    client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    [, request] = (await once(server, 'connection')) as [WebSocket, IncomingMessage];
    await once(client, 'open');
  });
  afterAll(() => {
    client.terminate();
    server.close();
  });

  async function received({ parts }: Frame): Promise<string> {
    const message = once(client, 'message') as Promise<[Buffer, boolean]>;
    for (const part of parts) request.socket.write(part);
    const [data, isBinary] = await message;
    expect(isBinary).toBe(false);
    return data.toString();
  }

  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])('of %i bytes is read by ws', async (length) => {
    const text = 'a'.repeat(length);
    const frame = textFrame(text);
    expect(frame.bytes).toBe(Buffer.concat(frame.parts).length);
    expect(await received(frame)).toBe(text);
  });

  it.each([10, 16_384, 16_385, 70_000])('of a shared result of %i bytes is read by ws, whatever the id', async (length) => {
    const payload = JSON.stringify({ data: 'ü'.repeat(length / 2) });
    const frames = new NextFrames(Buffer.from(payload));
    for (const id of ['1', '1', 'ä "quoted" 🦊', '2']) {
      const head = nextHead(id);
      const frame = frames.for(head);
      expect(frame.bytes).toBe(Buffer.concat(frame.parts).length);
      const text = await received(frame);
      expect(text).toBe(`{"id":${JSON.stringify(id)},"type":"next","payload":${payload}}`);
      expect(frames.message(head).toString()).toBe(text);
      expect(frames.messageBytes(head)).toBe(Buffer.byteLength(text));
    }
    expect(frames.for(nextHead('2'))).toBe(frames.for(nextHead('2')));
  });

  it.each([2, 20_000, 70_000, 1_000_000])('of a shared result of %i bytes that was compressed once is read by ws, whatever the id', async (length) => {
    const payload = JSON.stringify({ data: Array.from({ length: length / 10 }, (_, n) => `${n} ü`) });
    const frames = new NextFrames(Buffer.from(payload));
    expect(frames.compressedFor(nextHead('1'))).toBeUndefined();
    await Promise.all([frames.compress(), frames.compress()]);
    for (const id of ['1', 'ä "quoted" 🦊', 'x'.repeat(60_000)]) {
      const frame = frames.compressedFor(nextHead(id))!;
      expect(frame.bytes).toBe(Buffer.concat(frame.parts).length);
      expect(await received(frame)).toBe(`{"id":${JSON.stringify(id)},"type":"next","payload":${payload}}`);
    }
    expect(frames.compressedFor(nextHead('x'.repeat(70_000)))).toBeUndefined();
  });

  it('waits for room behind what the kernel has not taken, and for none once the stream is gone', async () => {
    const accepted = once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>;
    const stalling = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [socket, { socket: stream }] = await accepted;
    await once(stalling, 'open');
    stalling.pause();
    const writer = new SocketWriter(socket, stream, Infinity, false);
    expect(writer.room()).toBeUndefined();
    while (stream.writableLength === 0) {
      void writer.send('x'.repeat(1_000_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const room = writer.room();
    expect(room).toBeInstanceOf(Promise);
    stream.destroy();
    expect(socket.readyState).toBe(WebSocket.OPEN);
    expect(writer.room()).toBeUndefined();
    await room;
    stalling.terminate();
  });
});

describe('A live follower', () => {
  let world: World;
  let node: Node;
  beforeAll(async () => {
    world = await openWorld(postgresUrl());
    node = await world.node();
    await node.commit.push(world.editor, world.workspaceId, [atHead('d', create({ n: 0, always: true }))]);
  });
  afterAll(() => world.close());

  const follow = (filter: DocumentFilter = {}) => node.feed.follow(world.reader, world.workspaceId, { after: null, filter })[Symbol.asyncIterator]() as AsyncIterator<FeedEvent> & Pushing<FeedEvent>;
  const bump = (id = 'd') => node.commit.push(world.editor, world.workspaceId, [atHead(id, patch({ op: 'inc', path: '/n', value: 1 }))]);
  const revisionsOf = (events: readonly FeedEvent[]) => events.flatMap((event) => (event.type === 'ChangeBatch' ? event.changes.map(({ revision }) => Number(revision)) : []));

  it('is handed what comes while a `next` waits, and that `next` gets what is refused', async () => {
    const stream = follow();
    const pushed: FeedEvent[] = [];
    let taking = true;
    stream.pushTo((event) => taking && pushed.push(event) > 0);
    await bump();
    // The mark of the head is asked for; before that nothing is pushed.
    const pulled = [((await stream.next()) as { value: FeedEvent }).value];
    const first = revisionsOf(pulled).length;
    const waiting = stream.next();
    await bump();
    await bump();
    expect(revisionsOf(pushed)).toHaveLength(2);
    taking = false;
    await bump();
    pulled.push(((await waiting) as { value: FeedEvent }).value);
    expect(revisionsOf(pulled)).toHaveLength(first + 1);
    taking = true;
    // Nobody waits now: it is kept for the `next` to come.
    await bump();
    expect(revisionsOf(pushed)).toHaveLength(2);
    pulled.push(((await stream.next()) as { value: FeedEvent }).value);
    const end = stream.next();
    await bump();
    const all = [...revisionsOf(pushed), ...revisionsOf(pulled)].sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: all.length }, (_, index) => all[0]! + index));
    expect(revisionsOf(pushed)).toHaveLength(3);
    await stream.return?.();
    expect(await end).toEqual({ done: true, value: undefined });
    await bump();
    expect(revisionsOf(pushed)).toHaveLength(3);
  });

  it('with conditions on values is handed what matches, and told once of what does not any more', async () => {
    const stream = follow({ where: [{ path: ['always'], operator: 'EQUALS', value: true }] });
    const pushed: FeedEvent[] = [];
    let taking = true;
    stream.pushTo((event) => taking && pushed.push(event) > 0);
    await stream.next();
    const waiting = stream.next();
    const always = (value: boolean) => node.commit.push(world.editor, world.workspaceId, [atHead('d', patch({ op: 'replace', path: '/always', value }))]);
    await bump();
    expect(revisionsOf(pushed)).toHaveLength(1);
    taking = false;
    await always(false);
    // What was refused is the result of the `next`, the document that left included.
    expect((await waiting).value).toMatchObject({ changes: [], left: ['d'] });
    taking = true;
    const later = stream.next();
    await bump();
    expect(pushed).toHaveLength(1);
    await always(true);
    expect(pushed[1]).toMatchObject({ changes: [{ documentId: 'd' }], left: [] });
    await stream.return?.();
    await later;
  });

  it('is handed nothing after its right was taken away', async () => {
    const stream = follow();
    const pushed: FeedEvent[] = [];
    stream.pushTo((event) => pushed.push(event) > 0);
    await stream.next();
    const end = expect(stream.next()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await world.sql.query(`DELETE FROM memberships WHERE principal_id = 'rea'`);
    await node.memberships.changed({ principalId: world.reader.principalId, workspaceId: world.workspaceId });
    await end;
    await bump();
    expect(pushed).toEqual([]);
    await world.sql.query(`INSERT INTO memberships (workspace_id, principal_id, role) VALUES ('w1', 'rea', 'VIEWER')`);
    await node.memberships.changed({ principalId: world.reader.principalId, workspaceId: world.workspaceId });
  });

  it('is told once and in order when many follow and commits come faster than a round goes', async () => {
    const streams = Array.from({ length: 600 }, () => follow({ ids: [documentId('d')] }));
    const got = streams.map((): FeedEvent[] => []);
    await Promise.all(streams.map((stream) => stream.next()));
    streams.forEach((stream, index) => stream.pushTo((event) => got[index]!.push(event) > 0));
    const waiting = streams.map((stream) => stream.next());
    await Promise.all(Array.from({ length: 30 }, () => bump()));
    while (got.some((events) => revisionsOf(events).length < 30)) await new Promise((resolve) => setImmediate(resolve));
    const [expected] = got.map(revisionsOf);
    for (const events of got) expect(revisionsOf(events)).toEqual(expected);
    expect(expected).toEqual(Array.from({ length: 30 }, (_, index) => expected![0]! + index));
    for (const stream of streams) await stream.return?.();
    expect((await Promise.all(waiting)).every(({ done }) => done)).toBe(true);
  });
});

describe('Subscribers over sockets', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    await server.graphql('mutation { createDocument(id: "d", value: { n: 0 }) { __typename } }');
  });
  afterAll(() => server.close());

  const fields = '__typename ... on ChangeBatch { changes { position documentId revision patch } left cursor upToDate }';
  const write = (value: unknown, id = 'd') =>
    server.graphql('mutation ($id: ID!, $patch: JSON!) { patchDocument(id: $id, patch: $patch) { ... on Edited { document { revision } } } }', { id, patch: [{ op: 'add', path: '/v', value }] });
  const subscribe = async (socket: RawSocket, id: string): Promise<Message> => {
    socket.send({ id, type: 'subscribe', payload: { query: `subscription { changes { ${fields} } }` } });
    return socket.next();
  };

  it('get what the log says, with any id, compressed or not, large changes and small ones in order', async () => {
    // Offers permessage-deflate, as a client does by default.
    const sockets = [await openSession(server.wsUrl, server.token), await openSession(server.wsUrl, server.token), await openSession(server.wsUrl, server.token, { perMessageDeflate: false }), await openSession(server.wsUrl, server.token, { perMessageDeflate: { serverMaxWindowBits: 10 } })];
    const ids = ['1', 'ä "quoted" 🦊', '1', '2'];
    const marks = await Promise.all(sockets.map((socket, index) => subscribe(socket, ids[index]!)));
    const { cursor } = (marks[0]!.payload as { data: { changes: { cursor: string } } }).data.changes;
    // Of every size from one that is copied to one that is compressed and one that is not put together with others.
    const values = [1, 'x'.repeat(20_000), 2, 'y'.repeat(100), 'z'.repeat(150_000), 3, 4].flatMap((value) => [value, 'small']);
    await Promise.all(values.map((value) => write(value)));
    const { data } = await server.graphql(`query ($after: Cursor) { changes(after: $after) { ${fields} } }`, { after: cursor });
    const logged = (data!['changes'] as { changes: unknown[] }).changes;
    expect(logged).toHaveLength(values.length);
    for (const [index, socket] of sockets.entries()) {
      const got: unknown[] = [];
      while (got.length < logged.length) {
        const { id, type, payload } = await socket.next();
        expect([id, type]).toEqual([ids[index], 'next']);
        got.push(...(payload as { data: { changes: { changes: unknown[] } } }).data.changes.changes);
      }
      expect(got).toEqual(logged);
      socket.close();
    }
  });

  it('are sent nothing more once they have completed, and their socket goes on', async () => {
    const socket = await openSession(server.wsUrl, server.token);
    await subscribe(socket, 'gone');
    await write('seen');
    expect((await socket.next()).id).toBe('gone');
    socket.send({ id: 'gone', type: 'complete' });
    socket.send({ type: 'ping' });
    expect((await socket.next()).type).toBe('pong');
    await write('unseen');
    socket.send({ id: 'q', type: 'subscribe', payload: { query: '{ workspaces { id } }' } });
    expect([await socket.next(), await socket.next()].map(({ id, type }) => [id, type])).toEqual([['q', 'next'], ['q', 'complete']]);
    await subscribe(socket, 'twice');
    socket.send({ id: 'twice', type: 'subscribe', payload: { query: `subscription { changes { ${fields} } }` } });
    expect(await socket.closed).toMatchObject({ code: 4409 });
  });

  it('get the error of their stream after what was sent before', async () => {
    const token = await server.newToken('VIEWER');
    const socket = await openSession(server.wsUrl, token);
    await subscribe(socket, 's');
    const { data } = await server.graphql('{ viewer { id } }', {}, token);
    await write('before');
    const first = await socket.next();
    expect(first.type).toBe('next');
    const { errors } = await server.graphql('mutation ($id: ID!) { setRole(principalId: $id, role: null) }', { id: (data!['viewer'] as { id: string }).id }, server.adminToken);
    expect(errors).toEqual([]);
    await write('after');
    const last = await socket.next();
    expect(last).toMatchObject({ id: 's', type: 'error', payload: [{ extensions: { code: 'FORBIDDEN' } }] });
    socket.close();
  });

  it('leave no socket open that talks another protocol', async () => {
    const socket = new WebSocket(server.wsUrl);
    expect(await new Promise((resolve) => socket.once('close', resolve))).toBe(4406);
  });
});
