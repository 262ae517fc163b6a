import { join } from 'node:path';
import { openReplica, type Replica } from '@concord/client';
import { conflictRules, type JsonValue } from '@concord/core';
import { isShared, planEdits, sharedPart, type Side } from './edits.js';
import { endpoint } from './endpoint.js';
import type { Input, Skipped } from './input.js';
import { median, type Progress } from './progress.js';
import type { DemoServer } from './server.js';
import { contentOfReplica, contentOfServer, differences, type Content } from './verify.js';

export interface Outcome {
  readonly documents: number;
  readonly documentBytes: number;
  readonly skipped: readonly Skipped[];
  readonly shared: number;
  /** Of the shared ones: how many either side deleted while offline. */
  readonly deleted: number;
  /** How many edits were made, by when. */
  readonly edits: { readonly imports: number; readonly preparing: number; readonly online: number; readonly offline: number };
  readonly crashed: boolean;
  /** How often each rule of the merge had to drop or weaken something: what the replicas recorded when they rebased. */
  readonly conflicts: ReadonlyMap<string, { readonly explanation: string; readonly count: number }>;
  /** Edits the server refused (of deleted documents), kept by the replicas. */
  readonly quarantined: number;
  readonly bytes: { readonly sent: number; readonly received: number };
  readonly timings: {
    readonly importMs: number;
    readonly pushMs: number;
    readonly firstSyncMs: number;
    readonly editMs: number;
    readonly otherReplicaMs: number;
    readonly reconnectMs: number;
  };
  readonly contents: readonly Content[];
  readonly different: readonly string[];
}

export interface DemoOptions {
  readonly server: DemoServer;
  readonly input: Input;
  /** Where the SQLite files go. */
  readonly folder: string;
  /** How many documents both sides edit while they are offline. */
  readonly shared: number;
  readonly seed: number;
  /** Kill the server in the middle of the reconnect. */
  readonly crash: boolean;
  readonly progress: Progress;
}

const collection = 'demo';
const settledWithin = { timeoutMs: 120_000 };

/** The whole way: import, first sync, live edits, offline edits on both sides, restart while offline, reconnect, verify. */
export async function runDemo({ server, input, folder, shared, seed, crash, progress }: DemoOptions): Promise<Outcome> {
  const { url, token } = server;
  const ask = endpoint(url, token);
  const { createWorkspace } = await ask<{ createWorkspace: { id: string } }>('mutation { createWorkspace(name: "demo") { id } }');
  const workspaceId = createWorkspace.id;
  let bytes = { sent: 0, received: 0 };
  const open = (side: Side, online: boolean) => openReplica({ url, token, workspaceId, database: join(folder, `${side}.db`), online, retry: { firstMs: 50, longestMs: 1000 } });
  const close = async (replica: Replica): Promise<void> => {
    await replica.close();
    const { sent, received } = replica.bytes();
    bytes = { sent: bytes.sent + sent, received: bytes.received + received };
  };
  const random = seeded(seed);

  let a = await open('A', false);
  const importMs = await importInto(a, input, progress.stage('Importing into A'));
  const pushMs = await timed(async () => {
    a.goOnline();
    await drained(a, progress.stage('Pushing to the server'));
  });
  let b = await open('B', false);
  const firstSyncMs = await timed(async () => {
    b.goOnline();
    await b.settled(settledWithin);
  });

  const ids = a.collection<JsonValue>(collection).query().all().filter(({ value }) => isShared(value)).map(({ id }) => id).slice(0, shared);
  for (const id of ids) a.collection(collection).edit(id, sharedPart);
  await a.settled(settledWithin);
  await b.settled(settledWithin);
  const otherReplicaMs = ids[0] === undefined ? Number.NaN : await liveLatency(a, b, ids[0], progress.stage('Editing while both are online'));

  await Promise.all([a.goOffline(), b.goOffline()]);
  const editTimes: number[] = [];
  const deleted = new Set<string>();
  let offline = 0;
  const bar = progress.stage('Editing both sides offline');
  ids.forEach((id, index) => {
    for (const [side, replica] of [['A', a], ['B', b]] as const) {
      offline += editOffline(replica, side, id, random, editTimes);
      if (replica.get(id)?.deleted !== false) deleted.add(id);
    }
    bar(index + 1, ids.length);
  });

  await Promise.all([close(a), close(b)]);
  [a, b] = [await open('A', false), await open('B', false)];
  const reconnect = progress.stage(crash ? 'Reconnecting (the server is killed)' : 'Reconnecting');
  const reconnectMs = await timed(async () => {
    a.goOnline();
    b.goOnline();
    if (crash) {
      await someAcknowledged(a);
      await server.crash?.();
    }
    await Promise.all([drained(a, reconnect), drained(b, () => undefined)]);
    // Each may have seen its own edits confirmed before the other's were committed.
    await Promise.all([a.settled(settledWithin), b.settled(settledWithin)]);
  });

  const contents = [contentOfReplica('replica A', a, [collection]), contentOfReplica('replica B', b, [collection]), await contentOfServer(url, token, workspaceId)];
  const conflicts = conflictsByRule([a, b]);
  const quarantined = a.quarantined().length + b.quarantined().length;
  await Promise.all([close(a), close(b)]);
  return {
    documents: input.documents.length,
    documentBytes: input.documents.reduce((sum, { value }) => sum + JSON.stringify(value).length, 0),
    skipped: input.skipped,
    shared: ids.length,
    deleted: deleted.size,
    edits: { imports: input.documents.length, preparing: ids.length, online: ids.length === 0 ? 0 : liveEdits, offline },
    crashed: crash,
    conflicts,
    quarantined,
    bytes,
    timings: { importMs, pushMs, firstSyncMs, editMs: median(editTimes), otherReplicaMs, reconnectMs },
    contents,
    different: differences(contents),
  };
}

async function importInto(replica: Replica, { documents }: Input, bar: (done: number, total: number) => void): Promise<number> {
  return timed(async () => {
    for (const [index, { source, value }] of documents.entries()) {
      replica.collection(collection).create(value, { id: `d${String(index).padStart(6, '0')}`, title: source.slice(-256) });
      bar(index + 1, documents.length);
      if (index % 100 === 99) await new Promise(setImmediate);
    }
  });
}

const liveEdits = 100;

/** Median of the time from an edit on A to the callback on B, both online. */
async function liveLatency(a: Replica, b: Replica, id: string, bar: (done: number, total: number) => void): Promise<number> {
  const times: number[] = [];
  for (let edit = 1; edit <= liveEdits; edit++) {
    const wanted = (b.get<Visited>(id)?.value.concordDemo.visits ?? 0) + 1;
    const arrived = new Promise<void>((resolve) => {
      const stop = b.watch<Visited>(id, (document) => {
        if (document?.value.concordDemo.visits !== wanted) return;
        queueMicrotask(() => stop());
        resolve();
      });
    });
    times.push(
      await timed(async () => {
        a.collection(collection).increment(id, '/concordDemo/visits');
        await arrived;
      }),
    );
    bar(edit, liveEdits);
  }
  await a.settled(settledWithin);
  return median(times);
}

interface Visited {
  readonly concordDemo: { readonly visits: number };
}

/** Makes one side's edits of a document; says how many there were. */
function editOffline(replica: Replica, side: Side, id: string, random: () => number, times: number[]): number {
  const documents = replica.collection<JsonValue>(collection);
  const document = documents.get(id);
  if (document === undefined) return 0;
  const edits = planEdits(document.value, side, random);
  for (const edit of edits) {
    const start = performance.now();
    if (edit.kind === 'delete') documents.delete(id);
    else documents.edit(id, edit.operations);
    times.push(performance.now() - start);
  }
  return edits.length;
}

/** Resolves when the replica is settled, and tells meanwhile how far its outbox is drained. */
async function drained(replica: Replica, bar: (done: number, total: number) => void): Promise<void> {
  const total = replica.status.pending;
  const stop = replica.onStatus(({ pending }) => bar(Math.max(0, total - pending), Math.max(total, pending)));
  await replica.settled(settledWithin);
  bar(total, total);
  stop();
}

/** Resolves in the middle of the push: something is confirmed, something is not. */
function someAcknowledged(replica: Replica): Promise<void> {
  const total = replica.status.pending;
  return new Promise((resolve) => {
    const stop = replica.onStatus(({ pending }) => {
      if (pending >= total && pending > 0) return;
      queueMicrotask(() => stop());
      resolve();
    });
  });
}

function conflictsByRule(replicas: readonly Replica[]): Outcome['conflicts'] {
  const rules = new Map<string, { explanation: string; count: number }>();
  for (const { conflict } of replicas.flatMap((replica) => replica.conflicts())) {
    rules.set(conflict.rule, { explanation: conflictRules[conflict.rule], count: (rules.get(conflict.rule)?.count ?? 0) + 1 });
  }
  return rules;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
