/**
 * Where the server's time for one durable edit goes, beside what the parts can do at best: pushes of W1 (16 clients, one edit each
 * under way) and of W1p (64 each) against a server of its own process and a PostgreSQL with fsync on, with a CPU profile of the
 * load alone. The profile gives the shares, /proc the microseconds; profiling itself costs some of them.
 *
 *     npm run bench:cost -- [seconds]          after npm run build
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { startEmbedded } from '../server/postgres/embedded.js';
import { ended, startServerProcess } from '../test/server-process.js';
import { closeAll, timed } from './acknowledged-edits.js';
import { sent } from './concord-connection.js';
import { shares, type CpuProfile, type Part, type Span } from './cpu-shares.js';
import { cpuSeconds } from './processes.js';
import { loadSystem, type Endpoint } from './system.js';
import { check, fullSizes } from './workload.js';

/**
 * Microseconds that a part took where it was measured alone, on two shared cores: a graphql-ws message with cached documents, of
 * that its sockets, and a patch in one JSON recordset statement of so many, in node and in PostgreSQL.
 */
const limits = {
  message: 34,
  statements: [
    { patches: 1, node: 70, postgres: 131 },
    { patches: 10, node: 9, postgres: 25 },
    { patches: 32, node: 3.4, postgres: 15 },
    { patches: 100, node: 1.3, postgres: 11 },
  ],
} as const;

interface Cost {
  readonly name: string;
  readonly edits: number;
  readonly perSecond: number;
  readonly editsPerMessage: number;
  readonly editsPerStatement: number;
  /** Microseconds of CPU for an edit. */
  readonly node: number;
  readonly postgres: number;
  readonly span: Span;
}

const given = process.argv[2] ?? '5';
const seconds = /^[1-9]\d{0,2}$/.test(given) ? Number(given) : Number.NaN;
if (Number.isNaN(seconds) || process.argv.length > 3) {
  const help = given === '--help' || given === '-h';
  (help ? process.stdout : process.stderr).write(`${help ? '' : `Unknown argument: ${process.argv.slice(2).join(' ')}\n\n`}Usage: npm run bench:cost -- [seconds]        (after npm run build)\n\nShows where the server's time for a durable edit goes, under load of so many seconds (5).\n`);
  process.exit(help ? 0 : 2);
}
const folder = mkdtempSync(join(tmpdir(), 'concord-cost-'));
const microseconds = () => Number(process.hrtime.bigint() / 1000n);

async function measure(name: string, endpoint: Endpoint, sql: pg.Client, inFlight: number): Promise<Cost> {
  const concord = await loadSystem('concord');
  const ids = Array.from({ length: fullSizes.clients }, (_, client) => `${name}-${client}`);
  await concord.seed(endpoint, ids);
  const writers = await Promise.all(ids.map((id) => concord.writer(endpoint, id)));
  const counts = ids.map(() => 0);
  const workers = writers.flatMap((writer, index) => Array.from({ length: inFlight }, () => () => writer.edit({ kind: 'views', n: ++counts[index]! })));
  await timed(endpoint, { ...fullSizes, warmUpSeconds: 3, seconds: 0.1 }, workers);
  const { rows: [position] } = await sql.query<{ at: string }>('SELECT max(position)::text AS at FROM changes');
  const sentBefore = sent.pushes;
  const nodeBefore = cpuSeconds(endpoint.serverPid);
  const postgresBefore = cpuSeconds(endpoint.databasePid!);
  const from = microseconds();
  await timed(endpoint, { ...fullSizes, warmUpSeconds: 0, seconds }, workers);
  const until = microseconds();
  const node = cpuSeconds(endpoint.serverPid) - nodeBefore;
  const postgres = cpuSeconds(endpoint.databasePid!) - postgresBefore;
  const messages = sent.pushes - sentBefore;
  await closeAll(writers);
  // Each statement is a transaction of its own.
  const { rows: [logged] } = await sql.query<{ edits: number; statements: number }>('SELECT count(*)::int AS edits, count(DISTINCT xmin::text)::int AS statements FROM changes WHERE position > $1', [position!.at]);
  const { edits, statements } = logged!;
  check(edits > 0, () => 'nothing was committed');
  return { name, edits, perSecond: edits / ((until - from) / 1e6), editsPerMessage: edits / messages, editsPerStatement: edits / statements, node: (node * 1e6) / edits, postgres: (postgres * 1e6) / edits, span: { from, until } };
}

/** Of one patch in a statement of so many, between the sizes that were measured. */
function statementCost(patches: number, of: 'node' | 'postgres'): number {
  const { statements } = limits;
  const above = statements.find((size) => size.patches >= patches) ?? statements.at(-1)!;
  const below = statements.findLast((size) => size.patches <= patches) ?? statements[0];
  if (above.patches === below.patches) return above[of];
  const way = Math.log(patches / below.patches) / Math.log(above.patches / below.patches);
  return below[of] * (above[of] / below[of]) ** way;
}

/** The parts that make up each of the limits, the limit in microseconds for an edit of this load, and its name. */
function groups({ editsPerMessage, editsPerStatement }: Cost): readonly { readonly of: readonly Part[]; readonly limit: number; readonly name: string }[] {
  return [
    { of: ['socket read', 'messages', 'GraphQL', 'socket write'], limit: limits.message / editsPerMessage, name: `a graphql-ws message, ${limits.message} µs for ${editsPerMessage.toFixed(1)} edits` },
    { of: ['append', 'pg driver'], limit: statementCost(editsPerStatement, 'node'), name: `a recordset statement of ${editsPerStatement.toFixed(0)} patches, in node` },
    { of: ['rights and limits', 'decide', 'commit loop', 'feed', 'garbage collection', 'other'], limit: 0, name: 'nothing: what Concord does beside' },
  ];
}

function report(cost: Cost, profile: CpuProfile): string {
  const share = shares(profile, cost.span);
  const spent = (part: Part) => share.get(part)! * cost.node;
  const lines: string[] = [];
  const line = (name: string, value: number, limit?: number, text = '') => lines.push(`  ${name.padEnd(28)} ${value.toFixed(1).padStart(7)} ${limit === undefined ? ''.padStart(7) : limit.toFixed(1).padStart(7)}  ${text}`.trimEnd());
  let sum = 0;
  for (const { of, limit, name } of groups(cost)) {
    for (const part of of) line(`  ${part}`, spent(part));
    line('together', of.reduce((total, part) => total + spent(part), 0), limit, name);
    sum += limit;
  }
  const postgres = statementCost(cost.editsPerStatement, 'postgres');
  line('PostgreSQL', cost.postgres, postgres, `a recordset statement of ${cost.editsPerStatement.toFixed(0)} patches, in PostgreSQL`);
  const all = cost.node + cost.postgres;
  const ratio = all / (sum + postgres);
  line('all', all, sum + postgres, `${ratio.toFixed(2)} times the sum of the parts; asked: within 2: ${ratio <= 2 ? 'met' : 'not met'}`);
  return [`${cost.name}: ${Math.round(cost.perSecond).toLocaleString('en-US')} edits/s, ${cost.edits} edits`, `  ${'µs of CPU for an edit'.padEnd(28)} ${'server'.padStart(7)} ${'limit'.padStart(7)}  the limit is of`, ...lines].join('\n');
}

const data = join(folder, 'postgres');
mkdirSync(data);
const postgres = await startEmbedded({ dataFolder: data, log: pino({ level: 'silent' }) });
const sql = new pg.Client({ connectionString: postgres.connectionString });
try {
  await sql.connect();
  const profiles = join(folder, 'profiles');
  const server = await startServerProcess({
    from: 'dist',
    environment: { CONCORD_DATA: folder, DATABASE_URL: postgres.connectionString, RATE_OPERATIONS: '0', RATE_EDITS: '0', NODE_ENV: 'production', TRUST_PROXY: '1' },
    nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${profiles}`, '--cpu-prof-interval=500'],
    detached: true,
  });
  const costs: Cost[] = [];
  try {
    const endpoint: Endpoint = { url: server.url, token: server.token!, serverPid: server.pid, databasePid: postgres.pid };
    costs.push(await measure('W1', endpoint, sql, 1), await measure('W1p', endpoint, sql, fullSizes.inFlight));
  } finally {
    await ended(server.process);
  }
  const largest = readdirSync(profiles).map((name) => readFileSync(join(profiles, name), 'utf8')).sort((a, b) => b.length - a.length)[0]!;
  const profile = JSON.parse(largest) as CpuProfile;
  process.stdout.write(`${costs.map((cost) => report(cost, profile)).join('\n\n')}\n`);
} finally {
  await sql.end();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}
