/**
 * Commits a second of the engine alone, in process, on a real PostgreSQL with fsync and synchronous_commit on: no GraphQL and
 * no sockets, so what is measured is decide, append and publish. Each workload is verified against the tables.
 *
 * It starts a PostgreSQL of its own unless CONCORD_TEST_POSTGRES names one in which it may create databases.
 *
 *     npx tsx --conditions=@concord/source bench/server-commit.ts [seconds] [workload…]
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { parsePatch, type JsonValue, type Patch } from '@concord/core';
import type { Edit } from '@concord/schema';
import { pino } from 'pino';
import { startEmbedded } from '../server/postgres/embedded.js';
import { committed, create, edit, openWorld, type Node, type World } from '../server/test/engine-world.js';
import { postgresUrl } from '../server/test/postgres-url.js';

let seconds = 1.5;
const measuredSeconds = Number(process.argv[2] ?? 3);
const only = process.argv.slice(3);
const writers = 16;

/** About 600 bytes, as in the other benchmarks. */
const document = (): JsonValue => ({
  title: 'A document of about six hundred bytes',
  count: 0,
  tags: ['one', 'two', 'three'],
  address: { street: 'Long Street 17', city: 'Town', zip: '12345' },
  body: 'Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore. '.repeat(3),
  rows: [{ name: 'a', value: 1 }, { name: 'b', value: 2 }],
});

const parsed = (...operations: readonly object[]): Patch => {
  const result = parsePatch(operations);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

interface Run {
  readonly acks: number;
  readonly waits: number[];
  readonly elapsed: number;
}

/** Each writer keeps so many pushes under way until the time is over. */
async function drive(inFlight: number, push: (writer: number, lane: number) => Promise<void>): Promise<Run> {
  const waits: number[] = [];
  let acks = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  await Promise.all(
    Array.from({ length: writers * inFlight }, async (_, index) => {
      while (performance.now() < end) {
        const before = performance.now();
        await push(index % writers, Math.floor(index / writers));
        waits.push(performance.now() - before);
        acks += 1;
      }
    }),
  );
  return { acks, waits, elapsed: (performance.now() - start) / 1000 };
}

/** W1, W1p: each writer on its own document; patches in flight are chained, as a client would send them. */
async function ownDocuments(world: World, node: Node, inFlight: number): Promise<Run> {
  const counters = new Array<number>(writers).fill(1);
  const seen = new Array<number>(writers).fill(1);
  await node.commit.push(world.editor, world.workspaceId, counters.map((_, writer) => edit(`own${inFlight}-${writer}`, `w${writer}`, 1, 0, create(document()))));
  return drive(inFlight, async (writer) => {
    const counter = (counters[writer] = counters[writer]! + 1);
    const made = edit(`own${inFlight}-${writer}`, `w${writer}`, counter, seen[writer]!, parsed({ op: 'replace', path: '/count', value: counter }));
    const [verdict] = await node.commit.push(world.editor, world.workspaceId, [made]);
    seen[writer] = Math.max(seen[writer]!, committed(verdict).revision);
  });
}

/** W2: all writers on one document, each on the newest revision that an answer has told it. */
async function hotDocument(world: World, node: Node): Promise<Run> {
  await node.commit.push(world.editor, world.workspaceId, [edit('hot', 'creator', 1, 0, create(document()))]);
  const counters = new Array<number>(writers).fill(0);
  const seen = new Array<number>(writers).fill(1);
  return drive(1, async (writer) => {
    const counter = (counters[writer] = counters[writer]! + 1);
    const operation = counter % 2 === 0 ? { op: 'inc', path: '/count', value: 1 } : { op: 'str_ins', path: '/body', pos: (writer * 7) % 40, str: 'x' };
    const made: Edit = edit('hot', `h${writer}`, counter, seen[writer]!, parsed(operation));
    const [verdict] = await node.commit.push(world.editor, world.workspaceId, [made]);
    seen[writer] = committed(verdict).revision;
    if (counter % 64 === 63) await node.commit.push(world.editor, world.workspaceId, [edit('hot', `h${writer}`, (counters[writer] = counter + 1), seen[writer], parsed({ op: 'str_del', path: '/body', pos: 0, len: 60 }))]);
  });
}

/** W5: 5,000 offline patches on 100 documents, in pushes of 250. */
async function flush(world: World, node: Node): Promise<Run> {
  const documents = Array.from({ length: 100 }, (_, index) => `flush-${index}`);
  await node.commit.push(world.editor, world.workspaceId, documents.map((id) => edit(id, 'other', 1, 0, create(document()))));
  // Somebody else was there in the meantime, so every chain goes over a bridge.
  await node.commit.push(world.editor, world.workspaceId, documents.map((id) => edit(id, 'other', 2, 1, parsed({ op: 'inc', path: '/count', value: 1 }))));
  const edits = documents.flatMap((id) => Array.from({ length: 50 }, (_, index) => edit(id, 'offline', index + 1, 1, parsed({ op: 'replace', path: '/address/zip', value: String(index) }))));
  const start = performance.now();
  const waits: number[] = [];
  for (let from = 0; from < edits.length; from += 250) {
    const before = performance.now();
    for (const verdict of await node.commit.push(world.editor, world.workspaceId, edits.slice(from, from + 250))) committed(verdict);
    waits.push(performance.now() - before);
  }
  return { acks: edits.length, waits, elapsed: (performance.now() - start) / 1000 };
}

const workloads: Readonly<Record<string, (world: World, node: Node) => Promise<Run>>> = {
  W1: (world, node) => ownDocuments(world, node, 1),
  W1p: (world, node) => ownDocuments(world, node, 64),
  W2: hotDocument,
  W5: flush,
};

const postgres = process.env['CONCORD_TEST_POSTGRES'] === undefined ? await ownPostgres() : { connectionString: postgresUrl(), stop: () => Promise.resolve() };
const world = await openWorld(postgres.connectionString);
try {
  // The first second is the compiler's.
  const warm = await world.node();
  await ownDocuments(world, warm, 4);
  await warm.close();
  seconds = measuredSeconds;
  for (const [name, workload] of Object.entries(workloads)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const node = await world.node();
    const cpu = process.cpuUsage();
    const before = await count();
    const { acks, waits, elapsed } = await workload(world, node);
    const used = process.cpuUsage(cpu);
    const backends = await backendMicroseconds();
    await node.close();
    const logged = (await count()) - before;
    if (logged < acks) throw new Error(`${name}: ${acks} acknowledged, ${logged} in the log`);
    waits.sort((a, b) => a - b);
    const at = (share: number) => (waits[Math.floor((waits.length - 1) * share)] ?? 0).toFixed(2);
    process.stdout.write(`${name.padEnd(4)} ${Math.round(acks / elapsed)} patches/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${((used.user + used.system) / logged).toFixed(1)} µs of Node and ${(backends / logged).toFixed(1)} µs of PostgreSQL a patch\n`);
  }
} finally {
  await world.close();
  await postgres.stop();
}

async function ownPostgres(): Promise<{ readonly connectionString: string; stop(): Promise<void> }> {
  const folder = await mkdtemp('/tmp/concord-bench-');
  const started = await startEmbedded({ dataFolder: folder, log: pino({ level: 'warn' }) });
  return {
    connectionString: started.connectionString,
    async stop() {
      await started.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** CPU time of this database's connections so far, where the PostgreSQL runs on this machine and it has /proc. */
async function backendMicroseconds(): Promise<number> {
  const { rows } = await world.sql.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()');
  const ticks = rows.map(async ({ pid }) => {
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')).split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  });
  return (await Promise.all(ticks)).reduce((sum, each) => sum + each, 0) * 10_000;
}

async function count(): Promise<number> {
  const { rows } = await world.sql.query<{ count: number }>('SELECT count(*)::int AS count FROM changes');
  return rows[0]?.count ?? 0;
}

