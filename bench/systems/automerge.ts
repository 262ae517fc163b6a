import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { documentOf, type JsonObject } from '../documents.js';
import { peer } from '../peers.js';
import type { Endpoint, Replica, ReplicaRequest, System, Writer } from '../system.js';
import { until } from '../workload.js';
import { bytesOf } from './sharedb.js';

type Heads = readonly string[];
interface Handle {
  readonly url: string;
  doc(): JsonObject;
  heads(): Heads;
  change(act: (document: Record<string, unknown>) => void): void;
  whenReady(): Promise<void>;
  on(event: 'remote-heads', listener: (event: { readonly storageId: string; readonly heads: Heads }) => void): void;
}
interface Repo {
  create(value: JsonObject): Handle;
  find(url: string): Promise<Handle>;
  flush(): Promise<void>;
  subscribeToRemotes(storageIds: readonly string[]): void;
  storageId(): Promise<string>;
  readonly peerId: string;
  shutdown(): Promise<void>;
}
interface RepoModule {
  readonly Repo: new (options: object) => Repo;
}
interface ClientAdapter {
  readonly socket?: WebSocket;
  readonly peerMetadata?: unknown;
  connect(peerId: string, metadata: unknown): void;
  disconnect(): void;
}
interface NetworkModule {
  readonly WebSocketServerAdapter: new (server: WebSocketServer) => unknown;
  readonly WebSocketClientAdapter: new (url: string) => ClientAdapter;
}
interface StorageModule {
  readonly NodeFSStorageAdapter: new (folder: string) => unknown;
}
/** The server's own id for its store, and the address of each document asked for. */
interface Named {
  readonly storageId: string;
  readonly urls: Readonly<Record<string, string>>;
}

const load = async () =>
  await Promise.all([peer<RepoModule>('@automerge/automerge-repo'), peer<NetworkModule>('@automerge/automerge-repo-network-websocket')]);

/** Documents have ids of automerge's own: the server makes one for each of the names it is sent over HTTP. */
async function serve({ folder }: { readonly folder: string }): Promise<{ url: string }> {
  const [{ Repo }, { WebSocketServerAdapter }] = await load();
  const { NodeFSStorageAdapter } = await peer<StorageModule>('@automerge/automerge-repo-storage-nodefs');
  const data = join(folder, 'automerge');
  mkdirSync(data, { recursive: true });
  const urls = new Map<string, string>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const names = JSON.parse(body) as readonly string[];
      for (const name of names) if (!urls.has(name)) urls.set(name, repo.create(documentOf(name)).url);
      void repo.storageId().then((storageId) => response.end(JSON.stringify({ storageId, urls: Object.fromEntries(names.map((name) => [name, urls.get(name)!])) } satisfies Named)));
    });
  });
  const repo = new Repo({
    network: [new WebSocketServerAdapter(new WebSocketServer({ server }))],
    storage: new NodeFSStorageAdapter(data),
    sharePolicy: () => Promise.resolve(false),
    enableRemoteHeadsGossiping: true,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function namesOf(url: string, names: readonly string[]): Promise<Named> {
  return (await (await fetch(url, { method: 'POST', body: JSON.stringify(names) })).json()) as Named;
}

async function writer({ url }: Endpoint, id: string): Promise<Writer> {
  const [{ Repo }, { WebSocketClientAdapter }] = await load();
  const named = await namesOf(url, [id]);
  const repo = new Repo({ network: [new WebSocketClientAdapter(url.replace(/^http/, 'ws'))], enableRemoteHeadsGossiping: true });
  repo.subscribeToRemotes([named.storageId]);
  const handle = await repo.find(named.urls[id]!);
  await handle.whenReady();
  const waiting = new Map<string, () => void>();
  handle.on('remote-heads', ({ storageId, heads }) => {
    if (storageId !== named.storageId) return;
    for (const head of heads) {
      waiting.get(head)?.();
      waiting.delete(head);
    }
  });
  return {
    edit: (edit) =>
      new Promise((resolve) => {
        handle.change((document) => (document['views'] = edit.n));
        // Sequential edits of one writer: the server that has this head has all before it.
        waiting.set(handle.heads()[0]!, resolve);
      }),
    value: () => JSON.parse(JSON.stringify(handle.doc())) as JsonObject,
    close: () => repo.shutdown(),
  };
}

/** Everything as files of a folder, as in a desktop app. */
async function replica({ url }: Endpoint, { folder, ids }: ReplicaRequest): Promise<Replica> {
  const [{ Repo }, { WebSocketClientAdapter }] = await load();
  const { NodeFSStorageAdapter } = await peer<StorageModule>('@automerge/automerge-repo-storage-nodefs');
  const { storageId: server, urls } = await namesOf(url, ids);
  const adapter = new WebSocketClientAdapter(url.replace(/^http/, 'ws'));
  const repo = new Repo({ network: [adapter], storage: new NodeFSStorageAdapter(join(folder, 'local')), enableRemoteHeadsGossiping: true });
  repo.subscribeToRemotes([server]);
  const handles = new Map<string, Handle>();
  const serverHeads = new Map<string, string>();
  let metadata: unknown;
  return {
    async synced() {
      await Promise.all(
        ids.map(async (id) => {
          const handle = await repo.find(urls[id]!);
          await handle.whenReady();
          handle.on('remote-heads', ({ storageId, heads }) => void (storageId === server && serverHeads.set(id, heads.join())));
          handles.set(id, handle);
        }),
      );
      await repo.flush();
    },
    goOffline() {
      metadata = adapter.peerMetadata;
      adapter.disconnect();
      return Promise.resolve();
    },
    goOnline: () => adapter.connect(repo.peerId, metadata),
    edit: (id, n) => handles.get(id)!.change((document) => (document['views'] = n)),
    async flushed() {
      await until(() => ids.every((id) => serverHeads.get(id) === handles.get(id)!.heads().join()), 'that the server has every head', { timeoutMs: 60_000 });
    },
    value: (id) => JSON.parse(JSON.stringify(handles.get(id)?.doc())) as JsonObject,
    bytes: () => (adapter.socket === undefined ? { sent: 0, received: 0 } : bytesOf(adapter.socket)),
    close: () => repo.shutdown(),
  };
}

export const system: System = {
  title: 'Automerge-repo',
  acknowledged: 'the server tells the head as its own',
  packages: ['@automerge/automerge-repo'],
  workloads: ['W1', 'W5'],
  cannot: {
    W1p: 'its acknowledgements are told as the newest heads only, now and then',
    W2: 'its acknowledgements are told as the newest heads only, in which an edit among those of others is not found again',
    W3: 'each subscriber has to keep the document and the state of its sync',
    W4: '10,000 documents were not made on its server after 120 s',
    W6: '10,000 documents were not made on its server after 120 s',
  },
  postgres: false,
  serve,
  seed: async ({ url }, ids) => void (await namesOf(url, ids)),
  writer,
  replica,
};
