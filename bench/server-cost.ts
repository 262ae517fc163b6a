/**
 * Where the server's time for one durable edit goes, beside what the parts can do at best: pushes of W1 (16 clients, one edit each
 * under way) and of W1p (64 each) against a server of its own process and a PostgreSQL with fsync on. /proc gives the microseconds;
 * a profile of the same load, a moment later, gives the shares. And where its time for a delivery of W3 goes (bench/fan-out-cost.ts).
 *
 * What the parts can do is measured in the same run, right before and right after the load, on the same PostgreSQL, with messages and
 * statements as large as those of the load (bench/parts.ts): a machine that shares its cores is up to twice as fast at one moment as
 * at another, so constants of another day would tell of the machine rather than of the server.
 *
 *     npm run bench:cost -- [seconds] [--write]          after npm run build
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { parseArguments, readCommandLine, UsageError, wholeNumber } from '../server/arguments.js';
import { startEmbedded } from '../server/postgres/embedded.js';
import { ended, startServerProcess, withoutRates } from '../test/server-process.js';
import { closeAll, repeat } from './acknowledged-edits.js';
import { sent } from './concord-connection.js';
import { profiledOnSignal, profileOf, shares, type Part } from './cpu-shares.js';
import { measureFanOut, type FanOutCost } from './fan-out-cost.js';
import { provenance } from './machine.js';
import { markdownTable, whole } from './markdown-table.js';
import { startParts, type Parts, type PartsCost, type PartsLoad } from './parts.js';
import { cpuSeconds } from './processes.js';
import { putIntoScalingPage } from './scaling-page.js';
import { loadSystem, type Endpoint } from './system.js';
import { check, fullSizes } from './workload.js';

interface Cost {
  readonly name: string;
  readonly edits: number;
  readonly perSecond: number;
  readonly editsPerMessage: number;
  readonly editsPerStatement: number;
  /** Microseconds of CPU for an edit. */
  readonly node: number;
  readonly postgres: number;
  /** Of node. */
  readonly shares: ReadonlyMap<Part, number>;
  readonly load: PartsLoad;
  /** What the parts took for that load, before and after. */
  readonly parts: readonly [PartsCost, PartsCost];
}

const usage = `Usage: npm run bench:cost -- [seconds] [--write]        (after npm run build)

Shows where the server's time for a durable edit goes, under load of so many seconds (5; 1 to 999), beside what its parts take in
the same run, and where that for a delivery to one of many subscribers goes.
Exit status: 0, 1 when a run failed, 2 for wrong arguments.

Options:
  --write  put the table into docs/SCALING.md
  --help   this text
`;

const told = readCommandLine(usage, (args) => {
  const { values, positionals } = parseArguments({ args, allowPositionals: true, options: { write: { type: 'boolean', default: false } } });
  const [given = '5', ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`Unknown argument: ${rest.join(' ')}`);
  return { seconds: wholeNumber('seconds', given, 1, 999), write: values.write };
});
if ('status' in told) process.exit(told.status);
const { seconds, write } = told.command;
const before = provenance();
const folder = mkdtempSync(join(tmpdir(), 'concord-cost-'));
const profileFile = join(folder, 'server.cpuprofile');

/** So long without a measurement, then so long to see how large messages and statements become. */
const warmUpSeconds = 3;
const sizingSeconds = 1;

async function measure(name: string, endpoint: Endpoint, sql: pg.Client, parts: Parts, inFlight: number): Promise<Cost> {
  const concord = await loadSystem('concord');
  const { clients } = fullSizes;
  const ids = Array.from({ length: clients }, (_, client) => `${name}-${client}`);
  await concord.seed(endpoint, ids);
  const writers = await Promise.all(ids.map((id) => concord.writer(endpoint, id)));
  const counts = ids.map(() => 0);
  const workers = writers.flatMap((writer, index) => Array.from({ length: inFlight }, () => () => writer.edit({ kind: 'views', n: ++counts[index]! })));
  await repeat(warmUpSeconds, workers);
  const sizes = await counted(sql, () => repeat(sizingSeconds, workers));
  const load: PartsLoad = { clients, inFlight, editsPerMessage: Math.round(sizes.edits / sizes.messages), editsPerStatement: Math.round(sizes.edits / sizes.statements) };
  const before = await parts.measure(load, seconds / 2);
  const nodeBefore = cpuSeconds(endpoint.serverPid);
  const postgresBefore = cpuSeconds(endpoint.databasePid!);
  let [elapsed, node, postgres] = [0, 0, 0];
  const { edits, messages, statements } = await counted(sql, async () => {
    const start = performance.now();
    await repeat(seconds, workers);
    elapsed = (performance.now() - start) / 1000;
    node = cpuSeconds(endpoint.serverPid) - nodeBefore;
    postgres = cpuSeconds(endpoint.databasePid!) - postgresBefore;
  });
  const after = await parts.measure(load, seconds / 2);
  const profile = await profileOf(endpoint.serverPid, profileFile, () => repeat(seconds, workers));
  await closeAll(writers);
  return {
    name, edits, perSecond: edits / elapsed, editsPerMessage: edits / messages, editsPerStatement: edits / statements,
    node: (node * 1e6) / edits, postgres: (postgres * 1e6) / edits, shares: shares(profile), load, parts: [before, after],
  };
}

/** What is sent and committed while `act` runs. Each statement is a transaction of its own. */
async function counted(sql: pg.Client, act: () => Promise<unknown>): Promise<{ readonly edits: number; readonly messages: number; readonly statements: number }> {
  const { rows: [position] } = await sql.query<{ at: string }>('SELECT max(position)::text AS at FROM changes');
  const sentBefore = sent.pushes;
  await act();
  const messages = sent.pushes - sentBefore;
  const { rows: [logged] } = await sql.query<{ edits: number; statements: number }>('SELECT count(*)::int AS edits, count(DISTINCT xmin::text)::int AS statements FROM changes WHERE position > $1', [position!.at]);
  check(logged!.edits > 0, () => 'nothing was committed');
  return { ...logged!, messages };
}

/** Some parts of the server, and what the same takes where it is all that is done. */
interface Group {
  readonly name: string;
  readonly of: readonly Part[];
  /** Microseconds for an edit. */
  readonly spent: number;
  readonly limit: number;
}

function groups({ load: { editsPerMessage }, parts: [first, last], shares: of, node, postgres }: Cost): readonly Group[] {
  const mean = (part: keyof PartsCost) => (first[part] + last[part]) / 2;
  const group = (name: string, parts: readonly Part[], limit: number): Group => ({ name, of: parts, spent: parts.reduce((sum, part) => sum + of.get(part)! * node, 0), limit });
  return [
    group('message, GraphQL, answer', ['socket read', 'messages', 'GraphQL', 'socket write'], mean('message') / editsPerMessage),
    group('statement, in node', ['append', 'pg driver'], mean('node')),
    group('what Concord does beside', ['rights and limits', 'decide', 'commit loop', 'feed', 'garbage collection', 'other'], 0),
    { name: 'PostgreSQL', of: [], spent: postgres, limit: mean('postgres') },
  ];
}

/** Asked of the server: at most so many times the sum of its parts. */
const mostTimes = 2;
const micros = (value: number): string => value.toFixed(1);

function report(costs: readonly Cost[], fanOut: FanOutCost): string {
  const columns = costs.map(groups);
  const sums = columns.map((column) => ({ spent: column.reduce((sum, { spent }) => sum + spent, 0), limit: column.reduce((sum, { limit }) => sum + limit, 0) }));
  const summaries = costs.map(({ name, perSecond, editsPerMessage, editsPerStatement, load, parts }, index) => {
    const times = sums[index]!.spent / sums[index]!.limit;
    const [before, after] = parts.map(({ message, node, postgres }) => micros(message / load.editsPerMessage + node + postgres));
    return `- ${name}: ${whole(perSecond)} edits/s, ${micros(editsPerMessage)} a message, ${micros(editsPerStatement)} a statement; ${times.toFixed(2)} times the sum of the parts (${before!} µs just before, ${after!} just after), asked: at most ${mostTimes}, ${times <= mostTimes ? 'met' : '**not met**'}.`;
  });
  const rows = columns[0]!.flatMap(({ name, of }, index) => [
    ...of.map((part) => [part, ...costs.flatMap((cost) => [micros(cost.shares.get(part)! * cost.node), ''])]),
    [`**${name}**`, ...columns.flatMap((column) => [micros(column[index]!.spent), micros(column[index]!.limit)])],
  ]);
  return `${before}

${summaries.join('\n')}

${markdownTable(['µs of processor time for an edit', ...costs.flatMap(({ name }) => [name, 'its parts'])], [...rows, ['**all**', ...sums.flatMap(({ spent, limit }) => [micros(spent), micros(limit)])]])}

A delivery of W3 (${fullSizes.subscribers} subscribers, ${fullSizes.editsPerSecond} edits/s), of which each has its share of a commit:

${markdownTable(['µs of processor time for a delivery', 'W3'], [...[...fanOut.shares].filter(([, share]) => share >= 0.01).map(([part, share]) => [part, micros(share * fanOut.perDelivery)]), ['**all**', micros(fanOut.perDelivery)]])}
`;
}

const data = join(folder, 'postgres');
mkdirSync(data);
const postgres = await startEmbedded({ dataFolder: data, log: pino({ level: 'silent' }) });
const sql = new pg.Client({ connectionString: postgres.connectionString });
try {
  await sql.connect();
  const server = await startServerProcess({
    from: 'dist',
    environment: { CONCORD_DATA: folder, DATABASE_URL: postgres.connectionString, ...withoutRates, NODE_ENV: 'production', TRUST_PROXY: '1' },
    nodeOptions: profiledOnSignal(profileFile),
    detached: true,
  });
  const costs: Cost[] = [];
  let fanOut: FanOutCost;
  try {
    const endpoint: Endpoint = { url: server.url, token: server.token!, serverPid: server.pid, databasePid: postgres.pid };
    const parts = await startParts(postgres);
    try {
      costs.push(await measure('W1', endpoint, sql, parts, 1), await measure('W1p', endpoint, sql, parts, fullSizes.inFlight));
    } finally {
      await parts.stop();
    }
    fanOut = await measureFanOut(endpoint, profileFile, seconds);
  } finally {
    await ended(server.process);
  }
  const text = report(costs, fanOut);
  process.stdout.write(text);
  if (write) process.stdout.write(`\nWritten to ${putIntoScalingPage('bench:cost', text)}\n`);
} finally {
  await sql.end();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}
