import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { documentOf, type JsonObject } from '../documents.js';
import { peer } from '../peers.js';
import type { Endpoint, System, Writer } from '../system.js';

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
  shutdown(): Promise<void>;
}
interface RepoModule {
  readonly Repo: new (options: object) => Repo;
}
interface NetworkModule {
  readonly WebSocketServerAdapter: new (server: WebSocketServer) => unknown;
  readonly WebSocketClientAdapter: new (url: string) => unknown;
}

const load = async () =>
  await Promise.all([peer<RepoModule>('@automerge/automerge-repo'), peer<NetworkModule>('@automerge/automerge-repo-network-websocket')]);

/** Documents have ids of automerge's own: the server makes one for each name it is asked for, at `/<name>` over HTTP. */
async function serve({ folder }: { readonly folder: string }): Promise<{ url: string }> {
  const [{ Repo }, { WebSocketServerAdapter }] = await load();
  const { NodeFSStorageAdapter } = await peer<{ readonly NodeFSStorageAdapter: new (folder: string) => unknown }>('@automerge/automerge-repo-storage-nodefs');
  const data = join(folder, 'automerge');
  mkdirSync(data, { recursive: true });
  const urls = new Map<string, string>();
  const server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    if (!urls.has(name)) urls.set(name, repo.create(documentOf(name)).url);
    void repo.storageId().then((storageId) => response.end(JSON.stringify({ url: urls.get(name), storageId })));
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

async function writer({ url }: Endpoint, id: string): Promise<Writer> {
  const [{ Repo }, { WebSocketClientAdapter }] = await load();
  const named = (await (await fetch(`${url}/${id}`)).json()) as { readonly url: string; readonly storageId: string };
  const repo = new Repo({ network: [new WebSocketClientAdapter(url.replace(/^http/, 'ws'))], enableRemoteHeadsGossiping: true });
  repo.subscribeToRemotes([named.storageId]);
  const handle = await repo.find(named.url);
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

export const system: System = {
  title: 'Automerge-repo',
  acknowledged: 'the server tells the head as its own',
  packages: ['@automerge/automerge-repo'],
  workloads: ['W1'],
  postgres: false,
  serve,
  seed: async ({ url }, ids) => void (await Promise.all(ids.map((id) => fetch(`${url}/${id}`)))),
  writer,
};
