import { parseArgs } from 'node:util';
import { ConcordError, parseWorkspaceId, type WorkspaceId } from '@concord/core';
import { readConfig, type Config } from './config.js';
import { openDatabase, type Database } from './database.js';
import { loadEnvironmentFile } from './environment.js';
import { createLog } from './log.js';
import { startEmbedded } from './postgres/embedded.js';
import { migrate } from './postgres/migrate.js';
import { compactWorkspace, type Compaction } from './retention/compact.js';
import { applyRetention, type RetentionPolicy } from './retention/run.js';

const usage = `Usage:
  npm run compact -- [--days N] [--audit-days N] [--workspace ID] [--dry-run]
      Compacts away changes that are older than the retention, now instead of at the next hour, and says what is gone.
      Documents, tombstones and conflicts stay. A replica that was away for longer takes a snapshot.

      --days N         keep changes of N days (default: RETENTION_DAYS; 0: all)
      --audit-days N   keep rows of the audit of N days (default: AUDIT_RETENTION_DAYS; 0: all)
      --workspace ID   the changes of this workspace only, and no audit (default: all)
      --dry-run        only says how much would go

Works on DATABASE_URL, or on the own PostgreSQL in CONCORD_DATA, whether the server runs or not. PostgreSQL uses the space
again by itself; VACUUM FULL gives it back to the disk.
`;

class UsageError extends Error {}

interface Command {
  readonly policy: RetentionPolicy;
  readonly workspaceId: WorkspaceId | null;
  readonly dryRun: boolean;
}

/** @throws UsageError that says what is wrong. */
function readCommand(args: readonly string[], defaults: Config['retention']): Command {
  const { values } = parse(args);
  const days = (name: 'days' | 'audit-days', fallback: number): number => {
    const given = values[name];
    if (given === undefined) return fallback;
    if (!/^\d{1,5}$/.test(given)) throw new UsageError(`--${name} needs a whole number from 0 to 99999, not ${JSON.stringify(given)}.`);
    return Number(given);
  };
  const workspaceId = values.workspace === undefined ? null : parseWorkspaceId(values.workspace);
  if (workspaceId !== null && !workspaceId.ok) throw new UsageError(`--workspace: ${workspaceId.error.message}`);
  return {
    policy: { changesDays: days('days', defaults.changesDays), auditDays: days('audit-days', defaults.auditDays) },
    workspaceId: workspaceId?.value ?? null,
    dryRun: values['dry-run'] === true,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { days: { type: 'string' }, 'audit-days': { type: 'string' }, workspace: { type: 'string' }, 'dry-run': { type: 'boolean' } } });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

const before = (days: number, now: Date): Date => new Date(now.getTime() - days * 86_400_000);

async function preview({ policy, workspaceId }: Command, { pool }: Database, now: Date): Promise<string> {
  const { rows } = await pool.query<{ changes: number; bytes: string; audit: number }>(
    `SELECT (SELECT count(*)::int FROM changes WHERE $1::timestamptz IS NOT NULL AND committed_at < $1 AND ($2::text IS NULL OR workspace_id = $2)) AS changes,
      (SELECT pg_size_pretty(coalesce(sum(pg_column_size(c.*)), 0)) FROM changes c WHERE committed_at < $1 AND ($2::text IS NULL OR workspace_id = $2)) AS bytes,
      (SELECT count(*)::int FROM audit_entries WHERE at < $3 AND $2::text IS NULL) AS audit`,
    [policy.changesDays === 0 ? null : before(policy.changesDays, now), workspaceId, policy.auditDays === 0 ? null : before(policy.auditDays, now)],
  );
  const { changes, bytes, audit } = rows[0] ?? { changes: 0, bytes: '0 bytes', audit: 0 };
  return `${changes} changes (${bytes}) and ${audit} rows of the audit would go.\n`;
}

const line = (workspaceId: WorkspaceId, { changes, retainedFrom, complete }: Compaction): string =>
  `${workspaceId}: ${changes} changes are gone, ${complete ? `the log begins after position ${retainedFrom}` : 'another compaction is at work on the others'}.\n`;

interface Outcome {
  readonly text: string;
  /** 1: something could not be compacted. */
  readonly status: 0 | 1;
}

const done = (text: string): Outcome => ({ text, status: 0 });

async function run(command: Command, database: Database, log: ReturnType<typeof createLog>): Promise<Outcome> {
  const { policy, workspaceId, dryRun } = command;
  const now = () => new Date();
  const { pool, prisma } = database;
  if (workspaceId !== null && (await prisma.workspace.findUnique({ where: { id: workspaceId } })) === null) {
    throw new ConcordError('WORKSPACE_NOT_FOUND', `There is no workspace ${workspaceId}. Nothing was compacted.`);
  }
  if (dryRun) return done(await preview(command, database, now()));
  if (workspaceId !== null) {
    if (policy.changesDays === 0) return done('Changes are kept for ever: give --days, or set RETENTION_DAYS.\n');
    return done(line(workspaceId, await compactWorkspace(pool, { workspaceId, olderThan: before(policy.changesDays, now()), now })));
  }
  let text = '';
  const { changes, auditRows, failed } = await applyRetention({ pool, log, now, compacted: (id, compaction) => (text += line(id, compaction)) }, policy);
  text += `${changes} changes and ${auditRows} rows of the audit are gone.\n`;
  return failed === 0 ? done(text) : { text: `${text}${failed} workspaces could not be compacted, see above; run it again when the cause is mended.\n`, status: 1 };
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  loadEnvironmentFile();
  const config = readConfig({ ...process.env, NODE_ENV: 'development' });
  let command: Command;
  try {
    command = readCommand(args, config.retention);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}`);
    return 2;
  }
  const log = createLog({ logLevel: 'warn', logPretty: true });
  const embedded = config.databaseUrl === null ? await startEmbedded({ dataFolder: config.dataFolder, log }) : null;
  const connectionString = config.databaseUrl ?? embedded?.connectionString ?? '';
  try {
    await migrate(connectionString, log);
    const database = openDatabase({ connectionString, poolSize: 2, log });
    try {
      const { text, status } = await run(command, database, log);
      process.stdout.write(text);
      return status;
    } finally {
      await database.close();
    }
  } finally {
    await embedded?.stop();
  }
}

main(process.argv.slice(2)).then(
  (status) => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
