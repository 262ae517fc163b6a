import path from 'node:path';
import { parseArguments, UsageError } from '../arguments.js';
import { runCommandLine } from '../command-line.js';
import { formatBytes } from './describe.js';
import { writeBackup } from './write.js';

const usage = `Usage:
  npm run backup -- FILE
      Writes everything into a new file: one moment of the whole database, compressed, with a checksum. Servers may go on meanwhile.

Works on the data of a server that has started before, whether it runs now or not: in DATABASE_URL (a standby will do), or of the own
PostgreSQL in CONCORD_DATA. Needs no pg_dump. The file has all documents and the hashes of the tokens: keep it as safe as the
database. npm run restore reads it.
Exit status: 0 done, 1 not done, 2 wrong arguments.
`;

/** @throws UsageError that says what is wrong. */
function readCommand(args: readonly string[]): { readonly file: string } {
  const { positionals } = parseArguments({ args, allowPositionals: true, options: {} });
  const [file, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`Unknown argument: ${rest.join(' ')}`);
  if (file === undefined) throw new UsageError('Give the file to write, as in: npm run backup -- concord.backup');
  return { file: path.resolve(file) };
}

runCommandLine({
  usage,
  read: readCommand,
  needs: 'as it is',
  run: async ({ file }, { connectionString }) => {
    const { header, bytes } = await writeBackup({ connectionString, file, now: () => new Date() });
    const rowsOf = (name: string): number => header.tables.find((table) => table.name === name)?.rows ?? 0;
    return {
      text: `${file}: ${rowsOf('documents')} documents and ${rowsOf('changes')} changes in ${rowsOf('workspaces')} workspaces, as they were at ${header.madeAt} (${formatBytes(bytes)}).\n`,
      status: 0,
    };
  },
});
