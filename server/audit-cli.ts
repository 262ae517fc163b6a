import { ConcordError, parseWorkspaceId, type WorkspaceId } from '@concord/core';
import { parseArguments, UsageError } from './arguments.js';
import { verifyWorkspace, type Verification } from './audit/verify.js';
import { runCommandLine, type Outcome, type Surroundings } from './command-line.js';

const usage = `Usage:
  npm run audit -- verify [--workspace ID] [--expect DIGEST]
      Computes the chain over the audit, the log included, again from the rows, and tells what was changed or is missing since it was
      sealed. Prints the newest digest of each workspace: keep it where nobody with access to the database can change it.

      --workspace ID    this workspace only (default: all, and the failed logins, which concern none)
      --expect DIGEST   a digest that was printed before; it must be one of the chain. Without it a chain that was written anew as a
                        whole, or cut off at its end, looks right. Needs --workspace.

Works on the data of a server that has started before, whether it runs now or not: in DATABASE_URL, or of the own PostgreSQL in
CONCORD_DATA. It only reads.
Exit status: 0 everything is as it was sealed, 1 something is not, 2 wrong arguments.
`;

interface Command {
  /** Null: all. */
  readonly workspaceId: WorkspaceId | null;
  readonly expect: string | null;
}

/** @throws UsageError that says what is wrong. */
function readCommand(args: readonly string[]): Command {
  const { values, positionals } = parseArguments({ args, allowPositionals: true, options: { workspace: { type: 'string' }, expect: { type: 'string' } } });
  const [kind, ...rest] = positionals;
  if (kind !== 'verify') throw new UsageError(kind === undefined ? 'Say what to do: verify.' : `Unknown argument: ${kind}. Say verify.`);
  if (rest.length > 0) throw new UsageError(`Unknown argument: ${rest.join(' ')}`);
  const workspaceId = values.workspace === undefined ? null : parseWorkspaceId(values.workspace);
  if (workspaceId !== null && !workspaceId.ok) throw new UsageError(`--workspace: ${workspaceId.error.message}`);
  const { expect } = values;
  if (expect !== undefined && !/^[0-9a-f]{64}$/.test(expect)) throw new UsageError('--expect needs a digest as verify prints it: 64 hexadecimal digits.');
  if (expect !== undefined && workspaceId === null) throw new UsageError('--expect needs --workspace: each has a chain of its own.');
  return { workspaceId: workspaceId?.value ?? null, expect: expect ?? null };
}

async function run({ workspaceId, expect }: Command, { database }: Surroundings): Promise<Outcome> {
  const { pool, prisma } = database;
  if (workspaceId !== null && (await prisma.workspace.findUnique({ where: { id: workspaceId } })) === null) {
    throw new ConcordError('WORKSPACE_NOT_FOUND', `There is no workspace ${workspaceId}.`);
  }
  const all = workspaceId === null ? ['', ...(await prisma.workspace.findMany({ select: { id: true }, orderBy: { id: 'asc' } })).map(({ id }) => id)] : [workspaceId];
  let text = '';
  let wrong = 0;
  for (const id of all) {
    const verification = await verifyWorkspace(pool, id, expect);
    if (verification.problems.length > 0) wrong += 1;
    text += report(id === '' ? '(no workspace)' : id, verification);
  }
  if (wrong > 0) text += `\n${wrong} of ${all.length} ${all.length === 1 ? 'chain is' : 'chains are'} not as sealed. Keep the database as it is, and compare it with a backup from before.\n`;
  return { text, status: wrong === 0 ? 0 : 1 };
}

function report(name: string, { seals, digest, unsealed, dropped, problems }: Verification): string {
  const notes = [unsealed === 0 ? '' : `${unsealed} rows not sealed yet`, dropped === 0 ? '' : `rows of ${dropped} seals gone by the retention`].filter((note) => note !== '');
  const state = problems.length === 0 ? 'as sealed' : 'NOT AS SEALED';
  const head = `${name}: ${state}, ${seals} seals${notes.length === 0 ? '' : ` (${notes.join(', ')})`}${digest === null ? '' : `, newest digest ${digest}`}\n`;
  return head + problems.slice(0, 20).map((problem) => `  ${problem}\n`).join('') + (problems.length > 20 ? `  and ${problems.length - 20} more.\n` : '');
}

runCommandLine({ usage, read: readCommand, run });
