import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArguments, readCommandLine } from '../server/arguments.js';
import { startRedisServer } from '../test/redis-server.js';
import { provenance } from './machine.js';
import { markdownTable, short, whole } from './markdown-table.js';
import { startNodes, startPostgres, type NodeGroup, type Postgres } from './node-group.js';
import { fanOut, oneDocument, ownDocuments, sight, type FanOut, type Load, type LoadSizes, type Waits } from './node-load.js';
import { putIntoScalingPage } from './scaling-page.js';

const usage = `Usage: npm run bench:nodes -- [options]

Measures one, two and three server processes on one PostgreSQL and prints the tables of docs/SCALING.md.
Needs a build (npm run build); the rows with Redis need redis-server on the PATH. About two minutes.
Exit status: 0, 1 when a run failed, 2 for wrong arguments.

Options:
  --write   put the tables into docs/SCALING.md
  --quick   small sizes: to see that it runs, not for figures
  --help    this text
`;

const built = fileURLToPath(new URL('../server/dist/main.js', import.meta.url));

const fullSizes: LoadSizes = { seconds: 4, warmUpSeconds: 3, writers: 24, inFlight: 64, workspaces: 8, hotWriters: 18, commits: 400, subscribers: 1_000, editsPerSecond: 20 };
const quickSizes: LoadSizes = { seconds: 1, warmUpSeconds: 0.5, writers: 12, inFlight: 64, workspaces: 4, hotWriters: 6, commits: 60, subscribers: 60, editsPerSecond: 20 };
const nodeCounts = [1, 2, 3] as const;

const print = (text: string) => process.stdout.write(`${text}\n`);
const open = new Set<() => Promise<void>>();

async function main(): Promise<number> {
  const told = readCommandLine(usage, (args) => parseArguments({ args, options: { write: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } } }).values);
  if ('status' in told) return told.status;
  const options = told.command;
  if (!existsSync(built)) {
    process.stderr.write('Concord is not built yet. Run: npm run build\n');
    return 2;
  }
  const stop = async () => {
    for (const close of [...open].reverse()) await close().catch(() => undefined);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      print(`${signal}: ending the servers …`);
      void stop().finally(() => process.exit(130));
    });
  }
  try {
    const text = await measure(options.quick ? quickSizes : fullSizes);
    print(`\n${text}`);
    if (options.write) print(`Written to ${putIntoScalingPage('bench:nodes', text)}`);
    return 0;
  } finally {
    await stop();
  }
}

async function measure(sizes: LoadSizes): Promise<string> {
  const before = provenance();
  const postgres = await startPostgres();
  open.add(postgres.stop);

  const sights: (readonly [string, Waits])[] = [];
  await on(postgres, 2, {}, async (group) => {
    const { acknowledged, here, there } = await sight(group, sizes);
    sights.push(['acknowledged to its author', acknowledged], ['seen by a subscriber of the same node', here], ['seen by a subscriber of another node, hint by LISTEN/NOTIFY', there]);
  });
  if (spawnSync('redis-server', ['--version']).status === 0) {
    const redis = await startRedisServer();
    const end = () => redis.close();
    open.add(end);
    await on(postgres, 2, { REDIS_URL: redis.url }, async (group) => {
      sights.push(['seen by a subscriber of another node, hint by Redis', (await sight(group, sizes)).there]);
    });
    open.delete(end);
    await end();
  } else {
    print('  without redis-server: no row for hints by Redis');
  }
  for (const [what, { p50, p99 }] of sights) print(`  ${what}: p50 ${ms(p50)}, p99 ${ms(p99)}`);

  const loads: (readonly [string, number, Load])[] = [];
  const fans: (readonly [number, FanOut])[] = [];
  for (const count of nodeCounts) {
    await on(postgres, count, {}, async (group) => {
      const took = (what: string, result: Load) => {
        loads.push([what, count, result]);
        print(`  ${count} node(s), ${what}: ${whole(result.perSecond)} edits/s, p50 ${ms(result.p50)}`);
      };
      // The first load also waits until the code is compiled.
      took('own documents, one workspace', await ownDocuments(group, { ...sizes, warmUpSeconds: 2 * sizes.warmUpSeconds }, 1));
      took(`own documents, ${sizes.workspaces} workspaces`, await ownDocuments(group, sizes, sizes.workspaces));
      took('one document', await oneDocument(group, sizes));
    });
    await on(postgres, count, {}, async (group) => {
      const result = await fanOut(group, sizes);
      fans.push([count, result]);
      print(`  ${count} node(s), ${sizes.subscribers} subscribers: ${whole(result.deliveriesPerSecond)} deliveries/s, p50 ${ms(result.p50)}`);
    });
  }
  open.delete(postgres.stop);
  await postgres.stop();
  return report(sizes, before, sights, loads, fans);
}

/** Nodes on a new database, for as long as `work` takes. */
async function on(postgres: Postgres, count: number, environment: Readonly<Record<string, string>>, work: (group: NodeGroup) => Promise<void>): Promise<void> {
  const group = await startNodes(postgres, count, environment);
  open.add(group.stop);
  await work(group);
  open.delete(group.stop);
  await group.stop();
}

function report(
  sizes: LoadSizes,
  before: string,
  sights: readonly (readonly [string, Waits])[],
  loads: readonly (readonly [string, number, Load])[],
  fans: readonly (readonly [number, FanOut])[],
): string {
  const groups = [...new Set(loads.map(([what]) => what))];
  return `${before} **All servers, PostgreSQL and the load share these ${cpus().length} cores**, so
rates say little about nodes here; processor time for an edit tells what more cores would carry.

A commit of one node, one at a time, from its push (${sizes.commits} commits):

${markdownTable(['', 'p50, ms', 'p99, ms'], sights.map(([what, { p50, p99 }]) => [what, short(p50), short(p99)]))}

${sizes.writers} writers, each on its own document, ${sizes.inFlight} edits in flight each, separately committed; and ${sizes.hotWriters} writers of one document, one edit at a time, each
done when it has come back to its author by the feed. Processor time for an edit, of all servers together, of PostgreSQL, and of the process that makes the load:

${markdownTable(
  ['', 'nodes', 'edits/s', 'p50, ms', 'p99, ms', 'servers, µs', 'PostgreSQL, µs', 'load, µs'],
  groups.flatMap((group) => loads.filter(([what]) => what === group).map(([what, count, result]) => [
    what, String(count), whole(result.perSecond), short(result.p50), short(result.p99), short(result.serversMicros), short(result.databaseMicros), short(result.driverMicros),
  ])),
)}

${perCore(loads)}

${whole(sizes.subscribers)} subscribers of one document over graphql-ws, one writer at ${sizes.editsPerSecond} edits/s:

${markdownTable(
  ['nodes', 'deliveries/s', 'p50, ms', 'p99, ms', 'servers, µs a delivery', 'memory of a node, MiB', 'of it for each subscriber, KiB', 'connections to PostgreSQL'],
  fans.map(([count, result]) => [
    String(count), whole(result.deliveriesPerSecond), short(result.p50), short(result.p99), short(result.serversMicros), whole(result.nodeKiB / 1024), short(result.subscriberKiB), String(result.databaseConnections),
  ]),
)}
`;
}

/** What a core would carry by the row of one node and several workspaces. */
function perCore(loads: readonly (readonly [string, number, Load])[]): string {
  const [, , load] = loads.find(([what, count]) => what.includes('workspaces') && count === 1)!;
  const edits = (micros: number) => whole(Math.round(1e6 / micros / 100) * 100);
  return `By the row of one node and several workspaces a core full of Concord carries about ${edits(load.serversMicros)} such edits a second, a core full of PostgreSQL about
${edits(load.databaseMicros)}: PostgreSQL and the servers need cores as 1 to ${short(load.serversMicros / load.databaseMicros)}.`;
}

const ms = (value: number): string => `${short(value)} ms`;

process.exitCode = await main();
