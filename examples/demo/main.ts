import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArguments, readCommandLine, UsageError, wholeNumber } from '../../server/arguments.js';
import { runDemo } from './demo.js';
import { WrongAddress } from './endpoint.js';
import { installedPackages, readInput } from './input.js';
import { Progress } from './progress.js';
import { report } from './report.js';
import { demoServer } from './server.js';

const usage = `Usage: npm run demo -- [options] [file or folder …]

Imports JSON and NDJSON documents into replica A, syncs them to replica B, edits the same documents on both while they
are offline, reconnects, and verifies that A, B and the server hold the same content. Without arguments it takes the
package.json files of the installed packages. Needs no running server; uses the one in CONCORD_URL (with CONCORD_TOKEN).

Options:
  --crash       kill the server with SIGKILL in the middle of the reconnect and start it again (own server only)
  --shared N    how many documents both sides edit (200)
  --seed N      seed of the random choices (1)
  --keep        keep the two SQLite files and say where they are
  --help        this text

Exit status: 0 all the same, 1 something differs or failed, 2 wrong arguments.
`;

process.exitCode = await main();

/** @throws UsageError that says what is wrong. */
function readOptions(args: readonly string[]) {
  const { values, positionals } = parseArguments({
    args,
    allowPositionals: true,
    options: {
      crash: { type: 'boolean', default: false },
      shared: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      keep: { type: 'boolean', default: false },
    },
  });
  const missing = positionals.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new UsageError(`There is no file or folder ${missing.join(', ')}.`);
  return { crash: values.crash, keep: values.keep, shared: wholeNumber('--shared', values.shared, 0, 1_000_000), seed: wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1), paths: positionals };
}

async function main(): Promise<number> {
  const told = readCommandLine(usage, readOptions);
  if ('status' in told) return told.status;
  const { crash, keep, shared, seed, paths } = told.command;
  if (process.env['CONCORD_URL'] && !process.env['CONCORD_TOKEN']) {
    process.stderr.write('CONCORD_URL is set but CONCORD_TOKEN is not. Set it to a token as printed at the first start of that server, or unset CONCORD_URL.\n');
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'concord-replicas-'));
  try {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const input = paths.length > 0 ? await readInput(paths) : installedPackages(root);
    if (input.documents.length === 0) {
      process.stderr.write(`No JSON documents in ${paths.length > 0 ? paths.join(', ') : 'node_modules; run npm ci first'}.\n`);
      return 2;
    }
    const server = await demoServer(process.env);
    try {
      if (crash && server.crash === undefined) {
        process.stderr.write('--crash kills only a server of the demo\'s own: unset CONCORD_URL.\n');
        return 2;
      }
      const outcome = await runDemo({ server, input, folder, shared, seed, crash, progress: new Progress() });
      process.stdout.write(report(outcome));
      if (keep) process.stdout.write(`The replicas are in ${folder}\n`);
      return outcome.different.length === 0 ? 0 : 1;
    } finally {
      await server.close();
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(error instanceof WrongAddress ? `${message}\n` : `The demo failed: ${message}\n`);
    return 1;
  } finally {
    if (!keep) rmSync(folder, { recursive: true, force: true });
  }
}
