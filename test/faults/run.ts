import { setTimeout as delay } from 'node:timers/promises';
import { canonicalJson, type JsonValue } from '@concord/core';
import { FaultedCluster } from './cluster.js';
import { diskFull, faults, type Fault } from './faults.js';
import { RawWriter, ReplicaWriter, sharedDocument, type Writer } from './writers.js';

export interface FaultsOptions {
  readonly seconds: number;
  /** The same seed, the same faults in the same order. */
  readonly seed: number;
  readonly from: 'dist' | 'source';
  readonly replicas: number;
  readonly rawWriters: number;
  readonly tell: (line: string) => void;
}

export interface FaultTold {
  readonly name: string;
  times: number;
  /** Milliseconds from the end of the cause until every writer had an edit acknowledged that it made after that. */
  longestRecoveryMs: number;
}

export interface FaultsReport {
  readonly faults: readonly FaultTold[];
  /** Why a fault could not be tried here. */
  readonly notTried: readonly string[];
  readonly made: number;
  readonly acknowledged: number;
  /** Acknowledged and neither in the log nor in what was compacted. */
  readonly lost: readonly string[];
  /** Committed more than once. */
  readonly double: readonly string[];
  /** What is not the same everywhere, or not what was made. */
  readonly differences: readonly string[];
  readonly nodesEndedByThemselves: number;
}

const healMs = 90_000;
const calmMs = 300;

/** Edits on all writers while fault after fault happens; then everything is compared. */
export async function runFaults(options: FaultsOptions): Promise<FaultsReport> {
  const { tell } = options;
  const chance = randomOf(options.seed);
  const cluster = await FaultedCluster.start(options.from);
  const writers: Writer[] = [];
  try {
    const replicas: ReplicaWriter[] = [];
    for (let index = 0; index < options.replicas; index++) replicas.push(await ReplicaWriter.open(cluster, index));
    const raw = Array.from({ length: options.rawWriters }, (_, index) => new RawWriter(cluster, index));
    writers.push(...replicas, ...raw);
    await allMoveOn(writers);

    const told = new Map<string, FaultTold>();
    const deadline = performance.now() + options.seconds * 1_000;
    const all = cluster.hasOwnDisk ? [...faults, diskFull] : faults;
    let left: readonly Fault[] = [];
    while (performance.now() < deadline) {
      if (left.length === 0) left = shuffled(all, chance);
      const [fault, ...rest] = left as readonly [Fault, ...Fault[]];
      left = rest;
      const before = performance.now();
      await fault.happen(cluster, chance);
      const over = performance.now();
      await allMoveOn(writers);
      const recoveryMs = performance.now() - over;
      const entry = told.get(fault.name) ?? { name: fault.name, times: 0, longestRecoveryMs: 0 };
      entry.times += 1;
      entry.longestRecoveryMs = Math.max(entry.longestRecoveryMs, recoveryMs);
      told.set(fault.name, entry);
      tell(`${fault.name}: ${Math.round(over - before)} ms, all go on after ${Math.round(recoveryMs)} ms`);
      await delay(calmMs);
    }
    await cluster.ready();
    const acknowledged = writers.flatMap((writer) => writer.acknowledged());
    for (const writer of writers) await writer.finish(healMs);
    const made = writers.flatMap((writer) => writer.made);
    return {
      faults: [...told.values()],
      notTried: [...all.filter(({ name }) => !told.has(name)).map(({ name }) => `${name}: no time was left`), ...(cluster.hasOwnDisk ? [] : [`${diskFull.name}: this machine lets us mount no disk`])],
      made: made.length,
      acknowledged: acknowledged.length,
      ...(await compare(cluster, { made, acknowledged, replicas, raw })),
      nodesEndedByThemselves: cluster.endedByThemselves,
    };
  } catch (error) {
    tell(await cluster.postgresLog());
    throw error;
  } finally {
    for (const writer of writers) await writer.close().catch(() => undefined);
    await cluster.close();
  }
}

/** Every writer has had an edit acknowledged that it made after this call. */
async function allMoveOn(writers: readonly Writer[]): Promise<void> {
  const before = writers.map(({ made }) => made.length);
  const deadline = performance.now() + healMs;
  for (const [index, writer] of writers.entries()) {
    while (writer.acknowledged().length <= before[index]!) {
      if (performance.now() > deadline) throw new Error(`Writer ${index} has had no edit acknowledged for ${healMs / 1000} s: ${writer.acknowledged().length} of ${writer.made.length}.`);
      await delay(20);
    }
  }
}

interface Written {
  readonly made: readonly string[];
  readonly acknowledged: readonly string[];
  readonly replicas: readonly ReplicaWriter[];
  readonly raw: readonly RawWriter[];
}

async function compare(cluster: FaultedCluster, { made, acknowledged, replicas, raw }: Written): Promise<Pick<FaultsReport, 'lost' | 'double' | 'differences'>> {
  // The view has the rows of the log and of what was compacted.
  const committed = await cluster.sql<{ patch_id: string; times: number }>(
    `SELECT patch_id, count(*)::int AS times FROM audit WHERE workspace_id = 'main' AND outcome = 'OK' AND patch_id IS NOT NULL GROUP BY patch_id`,
  );
  const times = new Map(committed.map((row) => [row.patch_id, row.times]));
  const lost = [...new Set([...acknowledged, ...made])].filter((patchId) => !times.has(patchId));
  const double = committed.filter((row) => row.times > 1).map((row) => row.patch_id);

  const expected = new Map<string, number>([[sharedDocument, replicas.reduce((sum, writer) => sum + writer.made.length / 2, 0)]]);
  for (const writer of replicas) expected.set(writer.documentId, writer.made.length / 2);
  for (const writer of raw) expected.set(writer.documentId, writer.made.length - 1);

  const differences: string[] = [];
  const look = (where: string, id: string, value: unknown): void => {
    const wanted = canonicalJson({ n: expected.get(id)! });
    const found = value === undefined ? 'nothing' : canonicalJson(value as JsonValue);
    if (found !== wanted) differences.push(`${where}: ${id} is ${found} instead of ${wanted}`);
  };
  for (const index of [0, 1]) {
    const values = await readAll(cluster, index, [...expected.keys()]);
    for (const id of expected.keys()) look(`node ${index}`, id, values.get(id));
  }
  for (const { replica, documentId } of replicas) {
    await replica.settled({ timeoutMs: healMs });
    for (const id of expected.keys()) look(`the replica of ${documentId}`, id, replica.get(id)?.value);
    for (const { reason } of replica.quarantined() as readonly { readonly reason?: unknown }[]) differences.push(`the replica of ${documentId} has put an edit aside: ${JSON.stringify(reason)}`);
  }
  // The feed has every position from where the log begins to its head, once (I4).
  const [log] = await cluster.sql<{ position: string; retained: string; changes: string; first: string | null; last: string | null }>(
    `SELECT w.position, w.retained_from AS retained, count(c.*) AS changes, min(c.position) AS first, max(c.position) AS last
    FROM workspaces w LEFT JOIN changes c ON c.workspace_id = w.id WHERE w.id = 'main' GROUP BY w.id`,
  );
  const head = Number(log?.position);
  if (Number(log?.changes) !== head - Number(log?.retained)) differences.push(`the log has a hole: ${JSON.stringify(log)}`);
  if (head !== committed.reduce((sum, row) => sum + row.times, 0)) differences.push(`the head is ${head}, but ${committed.length} edits were committed`);
  return { lost, double, differences };
}

async function readAll(cluster: FaultedCluster, index: number, ids: readonly string[]): Promise<ReadonlyMap<string, JsonValue>> {
  const response = await fetch(cluster.url(index), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${cluster.token}` },
    body: JSON.stringify({ query: 'query ($ids: [ID!]!) { documents(ids: $ids, first: 100) { nodes { id value } } }', variables: { ids } }),
  });
  const { data } = (await response.json()) as { readonly data?: { readonly documents: { readonly nodes: readonly { readonly id: string; readonly value: JsonValue }[] } } };
  return new Map(data?.documents.nodes.map(({ id, value }) => [id, value]));
}

/** mulberry32: the same sequence for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<T>(items: readonly T[], chance: () => number): readonly T[] {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(chance() * left.length), 1)[0]!);
}
