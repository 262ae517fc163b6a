import { createServer, type Agent, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CountingAgent } from '../counted-http.js';
import { documentOf, edited, type JsonObject } from '../documents.js';
import { peer } from '../peers.js';
import type { Endpoint, Replica, ReplicaRequest, System, Writer } from '../system.js';

interface Stored {
  readonly _id: string;
  readonly _rev: string;
  readonly value: JsonObject;
}
interface Sync {
  cancel(): void;
  on(event: 'complete' | 'error', listener: (event: unknown) => void): Sync;
}
interface Database {
  get(id: string): Promise<Stored>;
  put(document: object): Promise<{ readonly rev: string }>;
  bulkDocs(documents: readonly object[]): Promise<readonly object[]>;
  readonly replicate: { from(source: unknown, options: object): Sync; to(target: unknown, options: object): Sync };
  close(): Promise<void>;
}
interface Pouch {
  new (name: string, options?: object): Database;
  defaults(options: object): Pouch;
  fetch(url: string, options: RequestInit & { readonly agent?: Agent }): Promise<Response>;
}
type App = RequestListener & { use(path: string, app: unknown): void };

const pouch = async (): Promise<Pouch> => (await peer<{ default: Pouch }>('pouchdb')).default;

async function serve({ folder }: { readonly folder: string }): Promise<{ url: string }> {
  const [PouchDB, { default: expressPouch }, { default: express }] = await Promise.all([
    pouch(),
    peer<{ default: (pouch: Pouch, options: object) => unknown }>('express-pouchdb'),
    peer<{ default: () => App }>('express'),
  ]);
  const data = join(folder, 'pouch');
  mkdirSync(data, { recursive: true });
  const app = express();
  app.use('/', expressPouch(PouchDB.defaults({ prefix: `${data}/` }), { inMemoryConfig: true, mode: 'minimumForPouchDB', logPath: join(folder, 'pouch.log') }));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/bench` };
}

async function seed({ url }: Endpoint, ids: readonly string[]): Promise<void> {
  const remote = new (await pouch())(url);
  for (let start = 0; start < ids.length; start += 500) {
    await remote.bulkDocs(ids.slice(start, start + 500).map((id) => ({ _id: id, value: documentOf(id) })));
  }
}

async function writer({ url }: Endpoint, id: string): Promise<Writer> {
  const remote = new (await pouch())(url, { skip_setup: true });
  let stored = await remote.get(id);
  return {
    async edit(edit) {
      const value = edited(edit, stored.value);
      const { rev } = await remote.put({ ...stored, value });
      stored = { ...stored, value, _rev: rev };
    },
    value: () => stored.value,
    close: () => remote.close(),
  };
}

async function replica({ url }: Endpoint, { folder, ids, purpose }: ReplicaRequest): Promise<Replica> {
  const PouchDB = await pouch();
  const agent = new CountingAgent();
  const remote = new PouchDB(url, { skip_setup: true, fetch: (address: string, options: RequestInit) => PouchDB.fetch(address, { ...options, agent }) });
  const local = new PouchDB(join(folder, 'local'));
  const options = { batch_size: 1000, batches_limit: 10, ...(purpose === 'offline edits' ? { doc_ids: ids } : {}) };
  const finished = (sync: Sync): Promise<void> =>
    new Promise((resolve, reject) => sync.on('complete', () => resolve()).on('error', (error) => reject(error instanceof Error ? error : new Error(JSON.stringify(error)))));
  let running: Sync | undefined;
  return {
    synced: () => finished(local.replicate.from(remote, options)),
    goOffline: () => {
      running?.cancel();
      return Promise.resolve();
    },
    goOnline() {
      agent.reset();
      if (purpose === 'resume') running = local.replicate.from(remote, { ...options, live: true, retry: true });
    },
    async edit(id, n) {
      const stored = await local.get(id);
      await local.put({ ...stored, value: edited({ kind: 'views', n }, stored.value) });
    },
    flushed: () => finished(local.replicate.to(remote, options)),
    value: async (id) => (await local.get(id)).value,
    bytes: () => agent.bytes(),
    async close() {
      running?.cancel();
      await local.close();
      agent.destroy();
    },
  };
}

export const system: System = {
  title: 'PouchDB, express-pouchdb',
  acknowledged: 'in leveldb',
  packages: ['pouchdb', 'express-pouchdb', 'express'],
  workloads: ['W1', 'W4', 'W5', 'W6'],
  cannot: {
    W1p: 'the next edit of a document needs the revision that the answer to the last one tells',
    W2: 'edits that meet stay branches of the document until the app chooses between them',
    W3: 'followers ask for each change over HTTP after they were told of it',
  },
  postgres: false,
  serve,
  seed,
  writer,
  replica,
};
