import path from 'node:path';
import { parseArguments, UsageError } from '../arguments.js';
import { auditRow } from '../audit.js';
import { newCredential } from '../auth/credentials.js';
import { runCommandLine, type Surroundings } from '../command-line.js';
import type { Database } from '../database.js';
import { restoreBackup } from './restore.js';

const usage = `Usage:
  npm run restore -- FILE [--without-tokens]
      Restores what npm run backup has written into an empty database, which it makes ready first: a new one in DATABASE_URL, or the
      own PostgreSQL in a CONCORD_DATA that is not there yet. The file is checked as a whole before anything is written.

      --without-tokens   leaves all tokens and invitations out, and prints a new token of an owner

Every workspace gets the next epoch, so that replicas resync: what was committed after the backup is gone from the server.
Exit status: 0 done, 1 not done, 2 wrong arguments.
`;

interface Command {
  readonly file: string;
  readonly withTokens: boolean;
}

/** @throws UsageError that says what is wrong. */
function readCommand(args: readonly string[]): Command {
  const { values, positionals } = parseArguments({ args, allowPositionals: true, options: { 'without-tokens': { type: 'boolean' } } });
  const [file, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`Unknown argument: ${rest.join(' ')}`);
  if (file === undefined) throw new UsageError('Give the file to restore, as in: npm run restore -- concord.backup');
  return { file: path.resolve(file), withTokens: values['without-tokens'] !== true };
}

/** Of an owner of `main`, or else of the workspace that was made first. Null: nobody owns any. */
async function newOwnerToken({ prisma }: Database, now: Date): Promise<string | null> {
  const owners = await prisma.membership.findMany({ where: { role: 'OWNER' }, orderBy: { createdAt: 'asc' } });
  const owner = owners.find(({ workspaceId }) => workspaceId === 'main') ?? owners[0];
  if (owner === undefined) return null;
  const { id, token, hash } = await newCredential();
  const { principalId, workspaceId } = owner;
  await prisma.$transaction([
    prisma.token.create({ data: { id, principalId, label: 'restore', hash } }),
    prisma.auditEntry.create({ data: auditRow({ workspaceId, principalId: null, action: 'CREATE_TOKEN', outcome: 'OK', detail: { tokenId: id, for: principalId, by: 'restore' } }, now) }),
  ]);
  return `${token}\n(of ${principalId}, an owner of the workspace "${workspaceId}"; shown this once)\n`;
}

async function run({ file, withTokens }: Command, { connectionString, database, log }: Surroundings): Promise<string> {
  const { header, workspaces } = await restoreBackup({ connectionString, file, withTokens, log });
  const documents = header.tables.find(({ name }) => name === 'documents')?.rows ?? 0;
  const done = `Restored ${documents} documents in ${workspaces} workspaces, as they were at ${header.madeAt}. Every workspace has the next epoch: replicas resync.\n`;
  if (withTokens) return done;
  const token = await newOwnerToken(database, new Date());
  return `${done}All tokens were left out. ${token === null ? 'No workspace has an owner.\n' : `A new one:\n${token}`}`;
}

runCommandLine({ usage, read: readCommand, needs: 'empty', run: async (command, surroundings) => ({ text: await run(command, surroundings), status: 0 }) });
