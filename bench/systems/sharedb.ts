import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { JsonValue } from '@concord/core';
import pg from 'pg';
import { WebSocket, WebSocketServer } from 'ws';
import { documentOf, itemStep, type Edit, type JsonObject } from '../documents.js';
import { peer } from '../peers.js';
import type { Endpoint, Replica, ReplicaRequest, System, Writer } from '../system.js';

interface Backend {
  listen(stream: Duplex): void;
  connect(): Connection;
}
interface ShareDb {
  readonly default: new (options?: { readonly db?: unknown }) => Backend;
}
type Callback = (error?: unknown) => void;
interface Doc {
  readonly id: string;
  readonly data: JsonObject | undefined;
  /** True: edits made while one is under way stay operations of their own. */
  preventCompose: boolean;
  subscribe(callback: Callback): void;
  fetch(callback: Callback): void;
  create(data: JsonObject, callback: Callback): void;
  submitOp(op: readonly unknown[], callback?: Callback): void;
  whenNothingPending(callback: () => void): void;
}
interface Connection {
  get(collection: string, id: string): Doc;
  bindToSocket(socket: WebSocket): void;
  startBulk(): void;
  endBulk(): void;
  close(): void;
}
interface ShareDbClient {
  readonly default: { readonly Connection: new (socket: WebSocket) => Connection };
}

const collection = 'bench';
const called = (act: (callback: Callback) => void): Promise<void> =>
  new Promise((resolve, reject) => act((error) => (error ? reject(error instanceof Error ? error : new Error(JSON.stringify(error))) : resolve())));

/** The messages of a socket as the object stream that ShareDB listens to. */
function streamOf(socket: WebSocket): Duplex {
  const stream = new Duplex({
    objectMode: true,
    read: () => undefined,
    write(message: unknown, _encoding, next) {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
      next();
    },
  });
  socket.on('message', (data: Buffer) => stream.push(JSON.parse(data.toString())));
  socket.on('close', () => {
    stream.push(null);
    stream.end();
    stream.destroy();
  });
  return stream;
}

export async function serveShareDb(postgres: string | null): Promise<{ url: string }> {
  const { default: Backend } = await peer<ShareDb>('sharedb');
  let db: unknown;
  if (postgres !== null) {
    const { default: PostgresDb } = await peer<{ default: new (options: pg.PoolConfig) => unknown }>('sharedb-postgres');
    const client = new pg.Client({ connectionString: postgres });
    await client.connect();
    await client.query(readFileSync(fileURLToPath(new URL('../node_modules/sharedb-postgres/structure.sql', import.meta.url)), 'utf8'));
    await client.end();
    db = new PostgresDb({ connectionString: postgres, max: 10 });
  }
  const backend = new Backend(db === undefined ? {} : { db });
  const server = createServer();
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => backend.listen(streamOf(socket)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const open = (url: string): WebSocket => new WebSocket(url, { perMessageDeflate: false });

async function connect(url: string): Promise<Connection & { readonly socket: WebSocket }> {
  const { default: client } = await peer<ShareDbClient>('sharedb/lib/client/index.js');
  const socket = open(url);
  return Object.assign(new client.Connection(socket), { socket });
}

async function seed({ url }: Endpoint, ids: readonly string[]): Promise<void> {
  const connection = await connect(url);
  for (let start = 0; start < ids.length; start += 500) {
    await Promise.all(ids.slice(start, start + 500).map((id) => called((done) => connection.get(collection, id).create(documentOf(id), done))));
  }
  connection.close();
}

function opOf(edit: Edit, data: JsonObject): readonly unknown[] {
  if (edit.kind === 'views') return [{ p: ['views'], od: data['views'], oi: edit.n }];
  const items = data['items'] as readonly JsonValue[];
  const step = itemStep(edit, items.length);
  const count = (data['counts'] as JsonObject)[edit.writer];
  return [
    { p: ['counts', edit.writer], ...(count === undefined ? {} : { od: count }), oi: edit.n },
    'add' in step ? { p: ['items', step.at], li: step.add } : { p: ['items', step.remove], ld: items[step.remove] },
  ];
}

async function writer({ url }: Endpoint, id: string): Promise<Writer> {
  const connection = await connect(url);
  const doc = connection.get(collection, id);
  await called((done) => doc.subscribe(done));
  // The subscribers of W3 count changes.
  doc.preventCompose = id.startsWith('fan-');
  return {
    edit: (edit) => called((done) => doc.submitOp(opOf(edit, doc.data!), done)),
    value: () => doc.data!,
    close: () => connection.close(),
  };
}

/** The client's part of ShareDB's protocol: a handshake, a subscription, then one message for each operation. */
function subscribe({ url }: Endpoint, id: string, onChanges: (count: number) => void): Promise<{ close(): void }> {
  const socket = open(url);
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (text.includes('"a":"op"')) onChanges(1);
      else if (text.includes('"a":"init"')) socket.send(JSON.stringify({ a: 'hs', id: null, protocol: 1, protocolMinor: 1 }));
      else if (text.includes('"a":"hs"')) socket.send(JSON.stringify({ a: 's', c: collection, d: id, v: null }));
      else if (text.includes('"a":"s"')) resolve({ close: () => socket.close() });
    });
  });
}

async function replica({ url }: Endpoint, { ids }: ReplicaRequest): Promise<Replica> {
  const connection = await connect(url);
  let { socket } = connection;
  const docs = new Map(ids.map((id) => [id, connection.get(collection, id)]));
  return {
    async synced() {
      connection.startBulk();
      const all = [...docs.values()].map((doc) => called((done) => doc.subscribe(done)));
      connection.endBulk();
      await Promise.all(all);
    },
    goOffline: () =>
      new Promise((resolve) => {
        socket.once('close', () => setImmediate(resolve));
        socket.close();
      }),
    goOnline() {
      socket = open(url);
      connection.bindToSocket(socket);
    },
    edit: (id, n) => {
      const doc = docs.get(id)!;
      doc.submitOp(opOf({ kind: 'views', n }, doc.data!));
    },
    async flushed() {
      await Promise.all([...docs.values()].map((doc) => new Promise<void>((resolve) => doc.whenNothingPending(resolve))));
    },
    value: (id) => docs.get(id)?.data,
    bytes: () => bytesOf(socket),
    close: () => {
      connection.close();
      return Promise.resolve();
    },
  };
}

export function bytesOf(socket: WebSocket): { readonly sent: number; readonly received: number } {
  const { _socket: raw } = socket as unknown as { readonly _socket: { readonly bytesRead: number; readonly bytesWritten: number } | null };
  return { sent: raw?.bytesWritten ?? 0, received: raw?.bytesRead ?? 0 };
}

export const system: System = {
  title: 'ShareDB on PostgreSQL',
  acknowledged: 'committed in PostgreSQL',
  packages: ['sharedb', 'sharedb-postgres', 'ot-json0'],
  workloads: ['W1', 'W1p', 'W2', 'W3', 'W4', 'W5', 'W6'],
  postgres: true,
  serve: ({ postgres }) => serveShareDb(postgres),
  seed,
  writer,
  subscribe,
  replica,
};
