import { setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { canonicalJson } from '@concord/core';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import { WebSocket, WebSocketServer } from 'ws';
import { CountingAgent, post } from '../counted-http.js';
import { documentOf, edited, type JsonObject } from '../documents.js';
import { peer } from '../peers.js';
import type { Endpoint, Replica, ReplicaRequest, System, Writer } from '../system.js';

interface Row {
  readonly id: string;
  readonly value: JsonObject;
  readonly _deleted: boolean;
}
interface PushRow {
  readonly assumedMasterState?: Row | null;
  readonly newDocumentState: Row;
}
interface Pulled {
  readonly documents: readonly Row[];
  readonly checkpoint: { readonly seq: number } | null;
}
interface RxDocument {
  readonly value: JsonObject;
  incrementalModify(change: (row: Row) => Row): Promise<unknown>;
}
interface Collection {
  findOne(id: string): { exec(): Promise<RxDocument | null> };
  bulkInsert(rows: readonly object[]): Promise<unknown>;
}
interface Database {
  addCollections(collections: object): Promise<{ readonly bench: Collection }>;
  close(): Promise<unknown>;
}
interface Replication {
  readonly error$: { subscribe(listener: (error: Error) => void): unknown };
  awaitInitialReplication(): Promise<void>;
  awaitInSync(): Promise<unknown>;
  cancel(): Promise<unknown>;
}
interface Core {
  readonly createRxDatabase: (options: object) => Promise<Database>;
}
interface ReplicationModule {
  readonly replicateGraphQL: (options: object) => Replication;
}
interface StorageModule {
  readonly getRxStorageMemory: () => unknown;
}

const typeDefs = /* GraphQL */ `
  scalar JSON
  type Doc { id: ID!, value: JSON!, _deleted: Boolean! }
  type Checkpoint { seq: Float! }
  type Pulled { documents: [Doc!]!, checkpoint: Checkpoint }
  input DocInput { id: ID!, value: JSON!, _deleted: Boolean! }
  input PushRow { assumedMasterState: DocInput, newDocumentState: DocInput! }
  type Query { pull(seq: Float!, limit: Int!, prefix: String!): Pulled! }
  type Mutation { push(rows: [PushRow!]!): [Doc!]! }
  type Subscription { stream(prefix: String!): Pulled! }
`;

/** The server RxDB's documentation describes: pull by checkpoint, push with the state assumed, a stream of whole documents. In memory. */
async function serve(): Promise<{ url: string }> {
  // In order of seq: a document that changes goes to the end.
  const rows = new Map<string, { readonly row: Row; readonly seq: number }>();
  let seq = 0;
  const channel = createPubSub<{ change: [prefix: string, pulled: Pulled] }>({ eventTarget: unlimited(new EventTarget()) });
  // How many follow the documents of a prefix: nobody is woken for those of others.
  const followed = new Map<string, number>();
  const schema = createSchema({
    typeDefs,
    resolvers: {
      Query: {
        pull: (_root: unknown, { seq: after, limit, prefix }: { seq: number; limit: number; prefix: string }): Pulled => {
          const documents: Row[] = [];
          let last = after;
          for (const { row, seq: at } of rows.values()) {
            if (at <= after) continue;
            if (documents.length === limit) break;
            last = at;
            if (row.id.startsWith(prefix)) documents.push(row);
          }
          return { documents, checkpoint: { seq: last } };
        },
      },
      Mutation: {
        push: (_root: unknown, { rows: pushed }: { rows: readonly PushRow[] }): readonly Row[] => {
          const conflicts: Row[] = [];
          const changed: Row[] = [];
          for (const { assumedMasterState, newDocumentState } of pushed) {
            const master = rows.get(newDocumentState.id)?.row;
            if (master !== undefined && (!assumedMasterState || canonicalJson(assumedMasterState.value) !== canonicalJson(master.value))) {
              conflicts.push(master);
              continue;
            }
            rows.delete(newDocumentState.id);
            rows.set(newDocumentState.id, { row: newDocumentState, seq: ++seq });
            changed.push(newDocumentState);
          }
          for (const prefix of followed.keys()) {
            const own = changed.filter(({ id }) => id.startsWith(prefix));
            if (own.length > 0) channel.publish('change', prefix, { documents: own, checkpoint: { seq } });
          }
          return conflicts;
        },
      },
      Subscription: {
        stream: {
          subscribe: async function* (_root: unknown, { prefix }: { prefix: string }) {
            followed.set(prefix, (followed.get(prefix) ?? 0) + 1);
            try {
              yield* channel.subscribe('change', prefix);
            } finally {
              const others = followed.get(prefix)! - 1;
              if (others === 0) followed.delete(prefix);
              else followed.set(prefix, others);
            }
          },
          resolve: (pulled: Pulled) => pulled,
        },
      },
    },
  });
  const yoga = createYoga({ schema, logging: false, maskedErrors: false, graphiql: false });
  const server = createServer((request, response) => void yoga(request, response));
  interface Enveloped {
    readonly execute: unknown;
    readonly subscribe: unknown;
    readonly contextFactory: () => Promise<unknown>;
    readonly parse: (query: string) => unknown;
  }
  interface Payload {
    readonly query: string;
    readonly variables?: Record<string, unknown>;
  }
  const { useServer } = await peer<{ readonly useServer: (options: object, server: WebSocketServer) => unknown }>('graphql-ws/lib/use/ws');
  useServer(
    {
      execute: (args: { rootValue: { execute(args: unknown): unknown } }) => args.rootValue.execute(args),
      subscribe: (args: { rootValue: { subscribe(args: unknown): unknown } }) => args.rootValue.subscribe(args),
      onSubscribe: async (_context: unknown, { payload }: { readonly payload: Payload }) => {
        const { execute, subscribe, contextFactory, parse } = yoga.getEnveloped({ params: payload }) as Enveloped;
        return { schema, document: parse(payload.query), variableValues: payload.variables, contextValue: await contextFactory(), rootValue: { execute, subscribe } };
      },
    },
    new WebSocketServer({ server, path: '/graphql' }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql` };
}

async function seed({ url }: Endpoint, ids: readonly string[]): Promise<void> {
  const query = 'mutation Push($rows: [PushRow!]!) { push(rows: $rows) { id } }';
  for (let start = 0; start < ids.length; start += 500) {
    const rows = ids.slice(start, start + 500).map((id) => ({ newDocumentState: { id, value: documentOf(id), _deleted: false } }));
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query, variables: { rows } }) });
    if (!response.ok) throw new Error(await response.text());
  }
}

/** Every subscriber listens to it. */
function unlimited(target: EventTarget): EventTarget {
  setMaxListeners(0, target);
  return target;
}

let databases = 0;

async function open(): Promise<{ readonly database: Database; readonly bench: Collection }> {
  const [{ createRxDatabase }, { getRxStorageMemory }] = await Promise.all([peer<Core>('rxdb/plugins/core'), peer<StorageModule>('rxdb/plugins/storage-memory')]);
  const database = await createRxDatabase({ name: `bench${databases++}`, storage: getRxStorageMemory(), multiInstance: false, eventReduce: true });
  const { bench } = await database.addCollections({
    bench: {
      schema: {
        title: 'bench', version: 0, primaryKey: 'id', type: 'object',
        properties: { id: { type: 'string', maxLength: 100 }, value: { type: 'object' } },
        required: ['id', 'value'],
      },
    },
  });
  return { database, bench };
}

const fields = 'documents { id value _deleted } checkpoint { seq }';
const streamOperation = `subscription Stream($prefix: String!) { stream(prefix: $prefix) { ${fields} } }`;

async function replicate(url: string, collection: Collection, prefix: string, agent: CountingAgent): Promise<Replication> {
  const { replicateGraphQL } = await peer<ReplicationModule>('rxdb/plugins/replication-graphql');
  const replication = replicateGraphQL({
    collection,
    // A socket is shared by all replications with the same address; each client is to have its own.
    url: { http: url, ws: `${url.replace(/^http/, 'ws')}?client=${databases++}` },
    replicationIdentifier: 'bench',
    waitForLeadership: false,
    live: true,
    retryTime: 200,
    fetch: async (request: Request) => await post(request.url, request.headers, await request.text(), agent),
    pull: {
      batchSize: 1000,
      queryBuilder: (checkpoint: { readonly seq: number } | undefined, limit: number) => ({
        query: `query Pull($seq: Float!, $limit: Int!, $prefix: String!) { pull(seq: $seq, limit: $limit, prefix: $prefix) { ${fields} } }`,
        variables: { seq: checkpoint?.seq ?? 0, limit, prefix },
      }),
      streamQueryBuilder: () => ({ query: streamOperation, variables: { prefix } }),
    },
    push: {
      batchSize: 500,
      queryBuilder: (rows: readonly PushRow[]) => ({
        query: 'mutation Push($rows: [PushRow!]!) { push(rows: $rows) { id value _deleted } }',
        variables: { rows: rows.map(({ assumedMasterState, newDocumentState }) => ({ newDocumentState: bare(newDocumentState), ...(assumedMasterState ? { assumedMasterState: bare(assumedMasterState) } : {}) })) },
      }),
    },
  });
  // It tries again by itself; what goes wrong must be seen all the same.
  replication.error$.subscribe((error) => process.stderr.write(`RxDB: ${error.message}\n`));
  return replication;
}

const bare = ({ id, value, _deleted }: Row): Row => ({ id, value, _deleted });

/** Of W3, which counts changes, where a replica would send two edits as one: a push for each. */
function plainWriter({ url }: Endpoint, id: string): Writer {
  let value = documentOf(id);
  const agent = new CountingAgent();
  const query = 'mutation Push($rows: [PushRow!]!) { push(rows: $rows) { id } }';
  let last: Promise<void> = Promise.resolve();
  return {
    edit(edit) {
      const assumedMasterState = { id, value, _deleted: false };
      value = edited(edit, value);
      const rows = [{ assumedMasterState, newDocumentState: { id, value, _deleted: false } }];
      last = last.then(async () => {
        const answer = await post(url, new Headers({ 'content-type': 'application/json' }), JSON.stringify({ query, variables: { rows } }), agent);
        const text = await answer.text();
        if (text !== '{"data":{"push":[]}}') throw new Error(`the push was answered by ${text}`);
      });
      return last;
    },
    value: () => value,
    close: () => agent.destroy(),
  };
}

/** A plain graphql-ws stream of Yoga, as RxDB's client opens it. */
function subscribe({ url }: Endpoint, id: string, onChanges: (count: number) => void): Promise<{ close(): void }> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws', { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => socket.send('{"type":"connection_init"}'));
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (text.includes('"type":"next"')) onChanges(1);
      else if (text.includes('"type":"connection_ack"')) {
        socket.send(JSON.stringify({ id: 'stream', type: 'subscribe', payload: { query: streamOperation, variables: { prefix: id } } }));
        // It does not tell that it has begun; it has by the time that another message has gone there and back twice.
        socket.send('{"type":"ping","payload":{"n":1}}');
      } else if (text.includes('"type":"pong"') && text.includes('"n":1')) socket.send('{"type":"ping","payload":{"n":2}}');
      else if (text.includes('"type":"pong"')) resolve({ close: () => socket.close() });
      else reject(new Error(`the subscription ended: ${text}`));
    });
  });
}

async function writer(endpoint: Endpoint, id: string): Promise<Writer> {
  if (id.startsWith('fan-')) return plainWriter(endpoint, id);
  const { url } = endpoint;
  const { database, bench } = await open();
  const agent = new CountingAgent();
  const replication = await replicate(url, bench, id, agent);
  await replication.awaitInitialReplication();
  const found = await bench.findOne(id).exec();
  if (found === null) throw new Error(`there is no document ${id}`);
  const current = async (): Promise<RxDocument> => (await bench.findOne(id).exec())!;
  return {
    async edit(edit) {
      for (;;) {
        await (await current()).incrementalModify((row) => ({ ...row, value: edited(edit, row.value) }));
        await replication.awaitInSync();
        // Where two edits meet, the server's document wins: then the edit is made again.
        if (edit.kind === 'views' || ((await current()).value['counts'] as JsonObject)[edit.writer] === edit.n) return;
      }
    },
    value: async () => JSON.parse(JSON.stringify((await current()).value)) as JsonObject,
    async close() {
      await replication.cancel();
      await database.close();
      agent.destroy();
    },
  };
}

async function replica({ url }: Endpoint, { ids, purpose }: ReplicaRequest): Promise<Replica> {
  const { database, bench } = await open();
  const prefix = purpose === 'offline edits' ? ids[0]!.replace(/\d+$/, '') : '';
  const agent = new CountingAgent();
  let replication: Replication | Promise<Replication> = await replicate(url, bench, prefix, agent);
  return {
    synced: async () => await (await replication).awaitInitialReplication(),
    goOffline: async () => void (await (await replication).cancel()),
    goOnline() {
      agent.reset();
      replication = replicate(url, bench, prefix, agent);
    },
    edit: async (id, n) => void (await (await bench.findOne(id).exec())!.incrementalModify((row) => ({ ...row, value: edited({ kind: 'views', n }, row.value) }))),
    flushed: async () => {
      await (await replication).awaitInitialReplication();
      await (await replication).awaitInSync();
    },
    value: async (id) => (await bench.findOne(id).exec())?.value,
    bytes: () => agent.bytes(),
    async close() {
      await (await replication).cancel();
      await database.close();
      agent.destroy();
    },
  };
}

export const system: System = {
  title: 'RxDB, GraphQL by Yoga',
  acknowledged: 'in memory',
  packages: ['rxdb', 'rxjs'],
  workloads: ['W1', 'W2', 'W3', 'W4', 'W5', 'W6'],
  cannot: { W1p: 'its replication sends what has become of a document, not each edit, one batch after the other' },
  postgres: false,
  serve,
  seed,
  writer,
  subscribe,
  replica,
};
