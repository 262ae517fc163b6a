import { canonicalJson } from '@concord/core';
import pg from 'pg';
import { repeat } from './acknowledged-edits.js';
import { ConcordConnection, feedSubscription } from './concord-connection.js';
import { ConcordWriter } from './concord-writer.js';
import type { NodeGroup } from './node-group.js';
import { heldKiB } from './processes.js';
import { system as concord } from './systems/concord.js';
import { ascending, check, percentile, until } from './workload.js';

export interface LoadSizes {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly writers: number;
  readonly inFlight: number;
  readonly workspaces: number;
  readonly hotWriters: number;
  readonly commits: number;
  readonly subscribers: number;
  readonly editsPerSecond: number;
}

export interface Waits {
  readonly p50: number;
  readonly p99: number;
}

/** Edits and what they cost in processor time. */
export interface Load extends Waits {
  readonly perSecond: number;
  /** Microseconds of all servers together, of PostgreSQL, of the process that makes the load. */
  readonly serversMicros: number;
  readonly databaseMicros: number;
  readonly driverMicros: number;
}

const waitsOf = (values: readonly number[]): Waits => {
  const sorted = ascending(values);
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
};

/** From the push of a commit on the first node to the sight of it by a subscriber there and by one on the last node, one after the other. */
export async function sight({ endpoints }: NodeGroup, { commits }: LoadSizes): Promise<{ readonly acknowledged: Waits; readonly here: Waits; readonly there: Waits }> {
  const id = 'seen';
  const writing = new ConcordConnection(endpoints[0]!);
  await writing.push([{ documentId: id, counter: 1, base: 0, action: { create: { collection: 'bench', title: id, value: { n: 0 } } } }]);
  const readers = await Promise.all([endpoints[0]!, endpoints.at(-1)!].map((endpoint) => follow(new ConcordConnection(endpoint), id)));
  const waits: [number[], number[], number[]] = [[], [], []];
  const warmUp = commits >> 2;
  for (let n = 1; n <= warmUp + commits; n++) {
    const start = performance.now();
    const measured = (list: number[]) => () => {
      if (n > warmUp) list.push(performance.now() - start);
    };
    await Promise.all([
      writing.push([{ documentId: id, counter: n + 1, base: n, action: { patch: [{ op: 'replace', path: '/n', value: n }] } }]).then(measured(waits[0])),
      ...readers.map(({ revision }, index) => revision(n + 1).then(measured(waits[index + 1]!))),
    ]);
  }
  writing.close();
  for (const { close } of readers) close();
  return { acknowledged: waitsOf(waits[0]), here: waitsOf(waits[1]), there: waitsOf(waits[2]) };
}

interface Follower {
  /** Resolves when the change of this revision has come. */
  readonly revision: (wanted: number) => Promise<void>;
  readonly close: () => void;
}

async function follow(connection: ConcordConnection, id: string): Promise<Follower> {
  let newest = 0;
  let arrived = () => {};
  await new Promise<void>((ready, failed) => {
    connection.subscribe<{ readonly changes: { readonly changes: readonly { readonly revision: number }[] } }>(
      feedSubscription,
      { ids: [id] },
      {
        next({ changes: { changes } }) {
          newest = changes.at(-1)?.revision ?? newest;
          arrived();
          ready();
        },
        failed,
      },
    );
  });
  return {
    async revision(wanted) {
      while (newest < wanted) await new Promise<void>((resolve) => (arrived = resolve));
    },
    close: () => connection.close(),
  };
}

/** Light writers spread over the nodes, each on its own document, many edits in flight. */
export async function ownDocuments(group: NodeGroup, sizes: LoadSizes, workspaces: number): Promise<Load> {
  const { endpoints } = group;
  const spaces = workspaces === 1 ? ['main'] : await Promise.all(Array.from({ length: workspaces }, (_, index) => group.newWorkspace(`Space ${index}`)));
  const places = Array.from({ length: sizes.writers }, (_, index) => ({ id: `own-${workspaces}-${index}`, workspaceId: spaces[index % spaces.length]!, endpoint: endpoints[index % endpoints.length]! }));
  for (const space of spaces) await group.seed(places.filter(({ workspaceId }) => workspaceId === space).map(({ id }) => id), space);
  const writers = await Promise.all(places.map(({ endpoint, id, workspaceId }) => ConcordWriter.open(endpoint, id, { workspaceId })));
  const counts = writers.map(() => 0);
  const load = await measured(group, sizes, writers.flatMap((writer, index) => Array.from({ length: sizes.inFlight }, () => () => writer.edit({ kind: 'views', n: ++counts[index]! }))));
  for (const writer of writers) writer.close();
  for (const [index, { id, workspaceId }] of places.entries()) {
    const reader = await ConcordWriter.open(endpoints.at(-1)!, id, { workspaceId });
    check(reader.value()['views'] === counts[index], () => `${id}: views is ${JSON.stringify(reader.value()['views'])} after ${counts[index]} acknowledged edits`);
    reader.close();
  }
  return load;
}

/** Writers of one document spread over the nodes; an edit is done when it is acknowledged and has come back to its author by the feed. */
export async function oneDocument(group: NodeGroup, sizes: LoadSizes): Promise<Load> {
  const id = 'hot-nodes';
  await group.seed([id]);
  const writers = await Promise.all(Array.from({ length: sizes.hotWriters }, (_, index) => ConcordWriter.open(group.endpoints[index % group.endpoints.length]!, id)));
  const counts = writers.map(() => 0);
  const load = await measured(group, sizes, writers.map((writer, index) => () => writer.edit({ kind: 'hot', writer: `w${index}`, n: ++counts[index]!, place: (counts[index]! * 0.37) % 1 })));
  const expected = canonicalJson(Object.fromEntries(counts.map((count, index) => [`w${index}`, count])));
  await until(() => writers.every((writer) => canonicalJson(writer.value()['counts']!) === expected), 'that every writer sees the last edit of each');
  const [first, ...others] = writers.map((writer) => canonicalJson(writer.value()));
  check(others.every((other) => other === first), () => 'the writers differ');
  for (const writer of writers) writer.close();
  return load;
}

async function measured(group: NodeGroup, { warmUpSeconds, seconds }: LoadSizes, workers: readonly (() => Promise<void>)[]): Promise<Load> {
  await repeat(warmUpSeconds, workers);
  const before = group.cpu();
  const start = performance.now();
  const waits = await repeat(seconds, workers);
  const elapsed = (performance.now() - start) / 1000;
  const after = group.cpu();
  const micros = (part: keyof typeof before) => ((after[part] - before[part]) * 1e6) / waits.length;
  return { perSecond: waits.length / elapsed, ...waitsOf(waits), serversMicros: micros('servers'), databaseMicros: micros('database'), driverMicros: micros('driver') };
}

export interface FanOut extends Waits {
  readonly deliveriesPerSecond: number;
  /** Of all servers together, for one delivery. */
  readonly serversMicros: number;
  /** Resident memory of a node with its share of the subscribers, and what each of them adds to it. KiB. */
  readonly nodeKiB: number;
  readonly subscriberKiB: number;
  /** Connections of all nodes to PostgreSQL. */
  readonly databaseConnections: number;
}

/** Subscribers of one document spread over the nodes, and one writer at a steady pace. */
export async function fanOut({ endpoints, seed, databaseUrl, cpu }: NodeGroup, sizes: LoadSizes): Promise<FanOut> {
  const id = 'fan';
  await seed([id]);
  const writer = await ConcordWriter.open(endpoints[0]!, id);
  // So many come and go before memory is measured: the code they run is compiled, as in any server that has run for a while.
  for (let n = 0; n < sizes.subscribers / 4; n++) (await concord.subscribe!(endpoints[n % endpoints.length]!, id, () => undefined)).close();
  const memory = async () => (await Promise.all(endpoints.map(({ serverPid }) => heldKiB(serverPid)))).reduce((sum, held) => sum + held);
  const before = await memory();
  const sentAt: number[] = [];
  const waits: number[] = [];
  const counts = new Int32Array(sizes.subscribers);
  const subscribers: { close(): void }[] = [];
  for (let index = 0; index < sizes.subscribers; index++) {
    subscribers.push(await concord.subscribe!(endpoints[index % endpoints.length]!, id, (count) => {
      const now = performance.now();
      // One writer and one order: the nth change that comes is the nth that was made.
      for (let n = 0; n < count; n++) waits.push(now - sentAt[counts[index]!++]!);
    }));
  }
  const settled = await memory();
  const edits = sizes.seconds * sizes.editsPerSecond;
  const cpuBefore = cpu();
  const start = performance.now();
  const acknowledged: Promise<void>[] = [];
  for (let n = 1; n <= edits; n++) {
    const wait = start + ((n - 1) * 1000) / sizes.editsPerSecond - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    sentAt.push(performance.now());
    acknowledged.push(writer.edit({ kind: 'views', n }));
  }
  await Promise.all(acknowledged);
  await until(() => counts.every((count) => count >= edits), 'that every subscriber gets every change');
  const elapsed = (performance.now() - start) / 1000;
  const used = cpu().servers - cpuBefore.servers;
  check(counts.every((count) => count === edits), () => `changes came more than once: ${Math.max(...counts)} for ${edits}`);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ connections: number }>(`SELECT count(*)::int AS connections FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'concord%'`);
  await client.end();
  for (const subscriber of subscribers) subscriber.close();
  writer.close();
  return {
    ...waitsOf(waits),
    deliveriesPerSecond: waits.length / elapsed,
    serversMicros: (used * 1e6) / waits.length,
    nodeKiB: settled / endpoints.length,
    subscriberKiB: (settled - before) / sizes.subscribers,
    databaseConnections: rows[0]!.connections,
  };
}
