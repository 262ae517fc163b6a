import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArguments, readCommandLine, UsageError, wholeNumber } from '../server/arguments.js';
import { ended, startServerProcess, withoutRates } from '../test/server-process.js';
import { provenance } from './machine.js';
import { markdownTable, short, whole } from './markdown-table.js';
import { startPostgres } from './node-group.js';
import { collectsOnSignal } from './processes.js';
import { putIntoScalingPage } from './scaling-page.js';
import { isInSmallNetwork, mostKernelBytes, runInSmallNetwork, smallNetworkNeeds } from './small-network.js';
import { measureStalled, type Stalled } from './stalled-rounds.js';

const usage = `Usage: npm run bench:stalled -- [options]        (after npm run build)

What subscribers that stop reading cost the server: its memory, and what a subscriber beside them waits. They stop in three ways; each time
changes are committed until the server keeps none of what they missed in memory, then they read again, and every change must
have come to each of them once and in order.
${smallNetworkNeeds}
Exit status: 0, 1 when a verification failed, 2 for wrong arguments or where there can be no such network.

Options:
  --sockets N   subscribers that stop (1,000)
  --mib N       committed while they do not read, each time (12)
  --most N      MiB that the server may take while they do not read, beyond what it takes for the same commits without
                them (64), and a batch of 128 KiB for each that stops in the log at a place of its own; four times as
                much while they all read again, which is work and its garbage
  --write       put the table into docs/SCALING.md
  --quick       50 sockets: to see that it runs, not for figures
  --help        this text
`;

const built = fileURLToPath(new URL('../server/dist/main.js', import.meta.url));
/** What the server makes at a time for a reader of the log (server/feed/batch-end.ts). */
const batchMiB = 0.125;
const databaseVariable = 'CONCORD_BENCH_DATABASE';

interface Options {
  readonly sockets: number;
  readonly mib: number;
  readonly most: number;
  readonly write: boolean;
}

/** @throws UsageError that says what is wrong. */
function readOptions(args: readonly string[]): Options {
  const { values } = parseArguments({
    args,
    options: { sockets: { type: 'string' }, mib: { type: 'string', default: '12' }, most: { type: 'string', default: '64' }, write: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
  });
  const sockets = wholeNumber('--sockets', values.sockets ?? (values.quick ? '50' : '1000'), 1, 20_000);
  const [mib, most] = [Number(values.mib), Number(values.most)];
  if (!(mib >= 1 && mib <= 1024)) throw new UsageError(`--mib needs a number from 1 to 1024, not ${JSON.stringify(values.mib)}.`);
  if (!(most > 0)) throw new UsageError(`--most needs a number above 0, not ${JSON.stringify(values.most)}.`);
  return { sockets, mib, most, write: values.write };
}

async function main(): Promise<number> {
  const told = readCommandLine(usage, readOptions);
  if ('status' in told) return told.status;
  const options = told.command;
  if (isInSmallNetwork()) return await measure(options, process.env[databaseVariable]!);
  if (!existsSync(built)) {
    process.stderr.write('Concord is not built yet. Run: npm run build\n');
    return 2;
  }
  // Outside, where it is not root that it runs for; its Unix socket reaches inside.
  const postgres = await startPostgres();
  try {
    const database = await postgres.newDatabase();
    const status = database.includes('?host=') ? await runInSmallNetwork({ [databaseVariable]: database }) : 'PostgreSQL has no Unix socket: the path of the folder for temporary files is too long for one.';
    if (typeof status === 'number') return status;
    process.stderr.write(`Not measured: ${status}\n\n${smallNetworkNeeds}\n`);
    return 2;
  } finally {
    await postgres.stop();
  }
}

async function measure({ sockets, mib, most, write }: Options, databaseUrl: string): Promise<number> {
  const before = provenance();
  // As in production, without rate limits. A small cache of documents, and no pings, which would end the sockets within half a minute: what is seen is what stalled sockets take.
  const { url, token, pid, process: child } = await startServerProcess({
    from: 'dist',
    environment: { DATABASE_URL: databaseUrl, NODE_ENV: 'production', TRUST_PROXY: '1', ...withoutRates, CACHE_BYTES: String(2 ** 20), PING_MS: '3600000' },
    nodeOptions: collectsOnSignal,
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void ended(child).finally(() => process.exit(130)));
  try {
    if (token === undefined) throw new Error('The new server printed no token.');
    const rounds = await measureStalled({ url, token, serverPid: pid, databasePid: null }, { sockets, mib, say: (text) => void process.stderr.write(`  ${text}\n`) });
    const text = `${before}\n\n${report(rounds, sockets)}`;
    process.stdout.write(text);
    const wrong = verify(rounds, sockets, most);
    for (const text of wrong) process.stderr.write(`The outcome is wrong: ${text}\n`);
    if (wrong.length > 0) return 1;
    if (write) process.stdout.write(`\nWritten to ${putIntoScalingPage('bench:stalled', text)}\n`);
    return 0;
  } finally {
    await ended(child);
  }
}

function verify(rounds: readonly Stalled[], sockets: number, most: number): readonly string[] {
  const [without, ...others] = rounds;
  const base = without!.mostMiB - without!.beforeMiB;
  const mayTake = (told: number | null) => most + (told === null ? sockets * batchMiB : 0);
  return others.flatMap(({ what, beforeMiB, mostMiB, againMiB, told, complete, wrong }) => [
    ...(wrong === null ? [] : [`${what}: ${wrong}`]),
    ...(complete === sockets ? [] : [`${what}: ${complete} of ${sockets} have every change`]),
    ...(told === null || told === sockets ? [] : [`${what}: ${told} of ${sockets} were told LAGGED`]),
    ...[['while they do not read', mostMiB, mayTake(told)] as const, ['while they read again', againMiB, 4 * mayTake(told)] as const].flatMap(([when, mib, limit]) =>
      mib - beforeMiB - base <= limit ? [] : [`${what}: ${when} the server takes ${whole(mib - beforeMiB - base)} MiB more than for the same commits without them, the limit is ${whole(limit)}`],
    ),
  ]);
}

function report(rounds: readonly Stalled[], sockets: number): string {
  const rows = rounds.map(({ what, told, takenKiB, committedMiB, beforeMiB, mostMiB, heldMiB, againMiB, p50, p99 }) => [
    what, told === null ? '–' : whole(told), takenKiB === null ? '–' : whole(takenKiB), short(committedMiB), whole(beforeMiB), whole(mostMiB), whole(heldMiB), againMiB === 0 ? '–' : whole(againMiB), short(p50), short(p99),
  ]);
  const head = [
    'how they stop', 'told `LAGGED`', 'had got before, KiB', 'committed, MiB', 'server before, MiB', 'most while they do not read', 'then, garbage collected', 'most while they read again', 'a reader beside them, p50, ms', 'p99, ms',
  ];
  return `${whole(sockets)} subscribers stop reading; the kernel takes ${mostKernelBytes / 1024} KiB for a socket in each direction. Memory is the resident memory of the server in MiB:\n\n${markdownTable(head, rows)}\n`;
}

process.exitCode = await main();
