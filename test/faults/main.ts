import { parseArguments, readCommandLine, wholeNumber } from '../../server/arguments.js';
import { runFaults, type FaultsReport } from './run.js';

const usage = `Usage:
  npm run faults -- [--minutes N] [--seed S] [--replicas N] [--writers N]
      Two servers on one PostgreSQL are edited by replicas and by plain pushes while servers, PostgreSQL and its backends are stopped,
      killed and frozen, the database is read-only, its disk is full and its log is compacted. Counts what was acknowledged, lost and
      committed twice, and compares all values and positions at the end.

      --minutes N    how long (default: 2)
      --seed S       the same seed tries the same faults in the same order (default: 1)
      --replicas N   real replicas with a file each (default: 3)
      --writers N    programs that push over HTTP (default: 3)

Needs npm run build before. As root, the data lies on a small disk of its own (tmpfs), so that it can be full.
Exit status: 0 nothing was lost, doubled or different, 1 something was, 2 wrong arguments.
`;

const told = readCommandLine(usage, (args) => {
  const { values } = parseArguments({ args, options: { minutes: { type: 'string' }, seed: { type: 'string' }, replicas: { type: 'string' }, writers: { type: 'string' } } });
  const number = (name: keyof typeof values, fallback: number, least: number, most: number) => {
    const given = values[name];
    return given === undefined ? fallback : wholeNumber(`--${name}`, given, least, most);
  };
  return { minutes: number('minutes', 2, 1, 10_000), seed: number('seed', 1, 0, 2 ** 32 - 1), replicas: number('replicas', 3, 1, 50), rawWriters: number('writers', 3, 1, 50) };
});
if ('status' in told) process.exit(told.status);

const { minutes, ...others } = told.command;
try {
  const report = await runFaults({ ...others, seconds: minutes * 60, from: 'dist', tell: (line) => process.stdout.write(`  ${line}\n`) });
  process.stdout.write(table(report));
  process.exit(report.lost.length + report.double.length + report.differences.length === 0 ? 0 : 1);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}

function table({ faults, notTried, made, acknowledged, lost, double, differences, nodesEndedByThemselves }: FaultsReport): string {
  const rows = faults.map(({ name, times, longestRecoveryMs }) => `| ${name} | ${times} | ${(longestRecoveryMs / 1000).toFixed(1)} |`);
  return `
| fault | times | s until all went on, at most |
| --- | ---: | ---: |
${rows.join('\n')}
${notTried.map((why) => `\nNot tried: ${why}.`).join('')}

| edits | |
| --- | ---: |
| made | ${made} |
| acknowledged while faults happened | ${acknowledged} |
| lost | ${lost.length} |
| double | ${double.length} |
| differences between nodes, replicas and what was made | ${differences.length} |

Nodes that ended by themselves (their PostgreSQL could not be started) and were started again: ${nodesEndedByThemselves}
${differences.map((difference) => `${difference}\n`).join('')}`;
}
