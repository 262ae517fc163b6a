/**
 * Where the server's time for one durable edit goes, beside what the parts can do at best: pushes of W1 (16 clients, one edit each
 * under way) and of W1p (64 each) against a server of its own process and a PostgreSQL with fsync on. /proc gives the microseconds;
 * a profile of the same load, a moment later, gives the shares.
 *
 * What the parts can do is measured in the same run, right before and right after the load, on the same PostgreSQL, with messages and
 * statements as large as those of the load (bench/parts.ts): a machine that shares its cores is up to twice as fast at one moment as
 * at another, so constants of another day would tell of the machine rather than of the server.
 *
 *     npm run bench:cost -- [seconds]          after npm run build
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { parseArguments, readCommandLine, UsageError, wholeNumber } from '../server/arguments.js';
import { startEmbedded } from '../server/postgres/embedded.js';
import { ended, startServerProcess } from '../test/server-process.js';
import { closeAll, repeat } from './acknowledged-edits.js';
import { sent } from './concord-connection.js';
import { profiledOnSignal, profileOf, shares, type Part } from './cpu-shares.js';
import { startParts, type Parts, type PartsCost, type PartsLoad } from './parts.js';
import { cpuSeconds } from './processes.js';
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

const usage = `Usage: npm run bench:cost -- [seconds]        (after npm run build)

Shows where the server's time for a durable edit goes, under load of so many seconds (5; 1 to 999), beside what its parts take in
the same run.
Exit status: 0, 1 when a run failed, 2 for wrong arguments.

Options:
  --help   this text
`;

const told = readCommandLine(usage, (args) => {
  const [given = '5', ...rest] = parseArguments({ args: [...args], allowPositionals: true }).positionals;
  if (rest.length > 0) throw new UsageError(`Unknown argument: ${rest.join(' ')}`);
  return wholeNumber('seconds', given, 1, 999);
});
if ('status' in told) process.exit(told.status);
const seconds = told.command;
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

interface Limit {
  readonly of: readonly Part[];
  /** Microseconds for an edit. */
  readonly limit: number;
  readonly name: string;
}

/** The parts that make up each of the limits, and what of it was measured. */
function groups({ load: { editsPerMessage, editsPerStatement }, parts: [before, after] }: Cost): readonly Limit[] {
  const mean = (of: keyof PartsCost) => (before[of] + after[of]) / 2;
  const both = (of: keyof PartsCost) => `${before[of].toFixed(1)} and ${after[of].toFixed(1)} µs`;
  const message = editsPerMessage === 1 ? 'a graphql-ws message' : `a graphql-ws message of ${editsPerMessage} edits`;
  const statement = `a patch in a recordset statement of ${editsPerStatement}`;
  return [
    { of: ['socket read', 'messages', 'GraphQL', 'socket write'], limit: mean('message') / editsPerMessage, name: `${message}, ${both('message')}` },
    { of: ['append', 'pg driver'], limit: mean('node'), name: `${statement}, in node, ${both('node')}` },
    { of: ['rights and limits', 'decide', 'commit loop', 'feed', 'garbage collection', 'other'], limit: 0, name: 'nothing: what Concord does beside' },
    { of: [], limit: mean('postgres'), name: `${statement}, in PostgreSQL, ${both('postgres')}` },
  ];
}

function report(cost: Cost): string {
  const spent = (part: Part) => cost.shares.get(part)! * cost.node;
  const lines: string[] = [];
  const line = (name: string, value: number, limit?: number, text = '') => lines.push(`  ${name.padEnd(28)} ${value.toFixed(1).padStart(7)} ${limit === undefined ? ''.padStart(7) : limit.toFixed(1).padStart(7)}  ${text}`.trimEnd());
  let sum = 0;
  for (const { of, limit, name } of groups(cost)) {
    for (const part of of) line(`  ${part}`, spent(part));
    if (of.length > 0) line('together', of.reduce((total, part) => total + spent(part), 0), limit, name);
    else line('PostgreSQL', cost.postgres, limit, name);
    sum += limit;
  }
  const all = cost.node + cost.postgres;
  const ratio = all / sum;
  line('all', all, sum, `${ratio.toFixed(2)} times the sum of the parts; asked: within 2: ${ratio <= 2 ? 'met' : 'not met'}`);
  return [
    `${cost.name}: ${Math.round(cost.perSecond).toLocaleString('en-US')} edits/s, ${cost.edits} edits, ${cost.editsPerMessage.toFixed(1)} a message, ${cost.editsPerStatement.toFixed(1)} a statement`,
    `  ${'µs of CPU for an edit'.padEnd(28)} ${'server'.padStart(7)} ${'limit'.padStart(7)}  the limit is of, in this run, just before and just after`,
    ...lines,
  ].join('\n');
}

const data = join(folder, 'postgres');
mkdirSync(data);
const postgres = await startEmbedded({ dataFolder: data, log: pino({ level: 'silent' }) });
const sql = new pg.Client({ connectionString: postgres.connectionString });
try {
  await sql.connect();
  const server = await startServerProcess({
    from: 'dist',
    environment: { CONCORD_DATA: folder, DATABASE_URL: postgres.connectionString, RATE_OPERATIONS: '0', RATE_EDITS: '0', NODE_ENV: 'production', TRUST_PROXY: '1' },
    nodeOptions: profiledOnSignal(profileFile),
    detached: true,
  });
  const costs: Cost[] = [];
  try {
    const endpoint: Endpoint = { url: server.url, token: server.token!, serverPid: server.pid, databasePid: postgres.pid };
    const parts = await startParts(postgres);
    try {
      costs.push(await measure('W1', endpoint, sql, parts, 1), await measure('W1p', endpoint, sql, parts, fullSizes.inFlight));
    } finally {
      await parts.stop();
    }
  } finally {
    await ended(server.process);
  }
  process.stdout.write(`${costs.map(report).join('\n\n')}\n`);
} finally {
  await sql.end();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}
