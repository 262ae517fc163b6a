import type { AddressInfo } from 'node:net';
import type { Server as HttpServer } from 'node:http';
import { WebSocket } from 'ws';
import { documentOf, itemStep, type Edit, type JsonObject } from '../documents.js';
import { peer } from '../peers.js';
import type { Endpoint, Replica, ReplicaRequest, System, Writer } from '../system.js';
import { bytesOf } from './sharedb.js';

interface YMap {
  set(key: string, value: unknown): void;
  get(key: string): unknown;
  toJSON(): JsonObject;
}
interface YArray {
  readonly length: number;
  insert(at: number, items: readonly unknown[]): void;
  delete(at: number, count: number): void;
}
interface YDoc {
  getMap(name: string): YMap;
  transact(act: () => void): void;
  destroy(): void;
}
interface Yjs {
  readonly Doc: new () => YDoc;
  readonly Map: new () => YMap;
  readonly Array: new () => YArray;
  encodeStateAsUpdate(doc: YDoc): Uint8Array;
  applyUpdate(doc: YDoc, update: Uint8Array): void;
}
interface ServerModule {
  readonly Server: new (options: object) => { listen(): Promise<unknown>; readonly httpServer: HttpServer };
}
interface Provider {
  readonly document: YDoc;
  readonly unsyncedChanges: number;
  readonly synced: boolean;
  on(event: 'synced' | 'unsyncedChanges', listener: (event: { readonly number: number; readonly state: boolean }) => void): void;
  attach(): void;
  destroy(): void;
}
interface ProviderSocket {
  readonly webSocket: WebSocket | null;
  connect(): Promise<unknown>;
  disconnect(): void;
  destroy(): void;
}
interface ProviderModule {
  readonly HocuspocusProvider: new (options: object) => Provider;
  readonly HocuspocusProviderWebsocket: new (options: object) => ProviderSocket;
}

const yjs = () => peer<Yjs>('yjs');

function fill(Y: Yjs, doc: YDoc, id: string): void {
  const root = doc.getMap('value');
  doc.transact(() => {
    for (const [key, value] of Object.entries(documentOf(id))) {
      if (key === 'items') root.set(key, new Y.Array());
      else if (key === 'counts') root.set(key, new Y.Map());
      else root.set(key, value);
    }
  });
}

/** Documents are made when they are first asked for, and kept as updates in memory while nobody has them open. */
async function serve(): Promise<{ url: string }> {
  const [Y, { Server }] = await Promise.all([yjs(), peer<ServerModule>('@hocuspocus/server')]);
  const stored = new Map<string, Uint8Array>();
  const server = new Server({
    port: 0,
    address: '127.0.0.1',
    quiet: true,
    stopOnSignals: false,
    onLoadDocument({ document, documentName }: { readonly document: YDoc; readonly documentName: string }) {
      const update = stored.get(documentName);
      if (update === undefined) {
        fill(Y, document, documentName);
        // Made once: the same content made again would be a second, concurrent one.
        stored.set(documentName, Y.encodeStateAsUpdate(document));
      } else Y.applyUpdate(document, update);
      return Promise.resolve(document);
    },
    onStoreDocument({ document, documentName }: { readonly document: YDoc; readonly documentName: string }) {
      stored.set(documentName, Y.encodeStateAsUpdate(document));
      return Promise.resolve();
    },
  });
  await server.listen();
  return { url: `ws://127.0.0.1:${(server.httpServer.address() as AddressInfo).port}` };
}

function act(doc: YDoc, edit: Edit): void {
  const root = doc.getMap('value');
  if (edit.kind === 'views') return root.set('views', edit.n);
  doc.transact(() => {
    const items = root.get('items') as YArray;
    const step = itemStep(edit, items.length);
    (root.get('counts') as YMap).set(edit.writer, edit.n);
    if ('add' in step) items.insert(step.at, [step.add]);
    else items.delete(step.remove, 1);
  });
}

async function socketTo(url: string): Promise<ProviderSocket> {
  const { HocuspocusProviderWebsocket } = await peer<ProviderModule>('@hocuspocus/provider');
  return new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: PlainWebSocket, delay: 50, minDelay: 50, initialDelay: 0, jitter: false });
}

class PlainWebSocket extends WebSocket {
  constructor(address: string | URL) {
    super(address, { perMessageDeflate: false });
  }
}

async function attach(socket: ProviderSocket, id: string): Promise<{ readonly provider: Provider; readonly synced: Promise<void> }> {
  const [Y, { HocuspocusProvider }] = await Promise.all([yjs(), peer<ProviderModule>('@hocuspocus/provider')]);
  const provider = new HocuspocusProvider({ websocketProvider: socket, name: id, document: new Y.Doc(), awareness: null });
  const synced = new Promise<void>((resolve) => provider.on('synced', ({ state }) => state && resolve()));
  provider.attach();
  return { provider, synced };
}

async function writer({ url }: Endpoint, id: string): Promise<Writer> {
  const socket = await socketTo(url);
  const { provider, synced } = await attach(socket, id);
  await synced;
  // The server answers each update in order; the provider only counts those that are open.
  const open: (() => void)[] = [];
  provider.on('unsyncedChanges', ({ number }) => {
    while (open.length > number) open.shift()!();
  });
  return {
    edit: (edit) =>
      new Promise((resolve) => {
        // Counted by the provider inside of the change, before it is entered here.
        act(provider.document, edit);
        open.push(resolve);
      }),
    value: () => provider.document.getMap('value').toJSON(),
    close: () => {
      provider.destroy();
      socket.destroy();
      provider.document.destroy();
    },
  };
}

/** Messages are `<name> <type> …` with variable length numbers; a Sync message (0) with an update (2) is a change. */
function subscribe({ url }: Endpoint, id: string, onChanges: (count: number) => void): Promise<{ close(): void }> {
  const socket = new PlainWebSocket(url);
  const name = Buffer.from(id);
  const head = Buffer.concat([Buffer.from([name.length]), name]);
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => {
      socket.send(Buffer.concat([head, Buffer.from([2, 0, 0])]));
      socket.send(Buffer.concat([head, Buffer.from([0, 0, 1, 0])]));
    });
    socket.on('message', (data: Buffer) => {
      const type = data[head.length];
      const step = data[head.length + 1];
      if (type === 0 && step === 2) onChanges(1);
      else if ((type === 0 || type === 4) && step === 1) resolve({ close: () => socket.close() });
    });
  });
}

async function replica({ url }: Endpoint, { ids }: ReplicaRequest): Promise<Replica> {
  const socket = await socketTo(url);
  const attached = await Promise.all(ids.map(async (id) => [id, await attach(socket, id)] as const));
  const providers = new Map(attached.map(([id, { provider }]) => [id, provider]));
  let disconnected = 0;
  return {
    async synced() {
      await Promise.all(attached.map(([, { synced }]) => synced));
    },
    async goOffline() {
      const raw = socket.webSocket;
      socket.disconnect();
      while (raw !== null && raw.readyState !== WebSocket.CLOSED) await new Promise((resolve) => setTimeout(resolve, 1));
      disconnected++;
    },
    goOnline: () => void socket.connect(),
    edit: (id, n) => act(providers.get(id)!.document, { kind: 'views', n }),
    async flushed() {
      const all = [...providers.values()];
      while (!all.every((provider) => provider.synced && provider.unsyncedChanges === 0)) await new Promise((resolve) => setTimeout(resolve, 1));
      if (disconnected === 0) throw new Error('it was never offline');
    },
    value: (id) => providers.get(id)?.document.getMap('value').toJSON(),
    bytes: () => (socket.webSocket === null ? { sent: 0, received: 0 } : bytesOf(socket.webSocket)),
    close: () => {
      for (const provider of providers.values()) provider.destroy();
      socket.destroy();
      return Promise.resolve();
    },
  };
}

export const system: System = {
  title: 'Hocuspocus/Yjs',
  acknowledged: 'in memory',
  packages: ['@hocuspocus/server', '@hocuspocus/provider', 'yjs'],
  workloads: ['W1', 'W1p', 'W2', 'W3', 'W4', 'W5', 'W6'],
  postgres: false,
  serve,
  seed: () => Promise.resolve(),
  writer,
  subscribe,
  replica,
};
