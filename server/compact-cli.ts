import { ConcordError, parseWorkspaceId, type WorkspaceId } from '@concord/core';
import { parseArguments, UsageError, wholeNumber } from './arguments.js';
import { runCommandLine, type Outcome, type Surroundings } from './command-line.js';
import type { Database } from './database.js';
import { compactWorkspace, type Compaction } from './retention/compact.js';
import { applyRetention, daysBefore, type RetentionPolicy } from './retention/run.js';

const usage = `Usage:
  npm run compact -- [--days N] [--audit-days N] [--workspace ID] [--dry-run]
      Compacts away changes that are older than the retention, now instead of at the next hour, and says what is gone.
      Documents, tombstones and conflicts stay. A replica that was away for longer takes a snapshot.

      --days N         keep changes of N days, 1 to 99999 (default: RETENTION_DAYS; 0: all are kept)
      --audit-days N   keep rows of the audit of N days, 1 to 99999 (default: AUDIT_RETENTION_DAYS; 0: all are kept)
      --workspace ID   the changes of this workspace only, and no audit (default: all)
      --dry-run        only says how much would go

Works on the data of a server that has started before, whether it runs now or not: in DATABASE_URL, or of the own PostgreSQL in
CONCORD_DATA. PostgreSQL uses the space again by itself; VACUUM FULL gives it back to the disk.
Exit status: 0 done, 1 something could not be compacted, 2 wrong arguments.
`;

interface Command {
  /** Null: as configured. */
  readonly changesDays: number | null;
  readonly auditDays: number | null;
  /** Null: all. */
  readonly workspaceId: WorkspaceId | null;
  readonly dryRun: boolean;
}

/** @throws UsageError that says what is wrong. */
function readCommand(args: readonly string[]): Command {
  const { values } = parseArguments({
    args,
    options: { days: { type: 'string' }, 'audit-days': { type: 'string' }, workspace: { type: 'string' }, 'dry-run': { type: 'boolean' } },
  });
  const days = (name: 'days' | 'audit-days'): number | null => {
    const given = values[name];
    return given === undefined ? null : wholeNumber(`--${name}`, given, 0, 99_999);
  };
  const workspaceId = values.workspace === undefined ? null : parseWorkspaceId(values.workspace);
  if (workspaceId !== null && !workspaceId.ok) throw new UsageError(`--workspace: ${workspaceId.error.message}`);
  return { changesDays: days('days'), auditDays: days('audit-days'), workspaceId: workspaceId?.value ?? null, dryRun: values['dry-run'] === true };
}

async function preview(policy: RetentionPolicy, workspaceId: WorkspaceId | null, { pool }: Database, now: Date): Promise<string> {
  const { rows } = await pool.query<{ changes: number; bytes: string; audit: number }>(
    `SELECT (SELECT count(*)::int FROM changes WHERE $1::timestamptz IS NOT NULL AND committed_at < $1 AND ($2::text IS NULL OR workspace_id = $2)) AS changes,
      (SELECT pg_size_pretty(coalesce(sum(pg_column_size(c.*)), 0)) FROM changes c WHERE committed_at < $1 AND ($2::text IS NULL OR workspace_id = $2)) AS bytes,
      (SELECT count(*)::int FROM audit_entries WHERE at < $3 AND $2::text IS NULL) AS audit`,
    [policy.changesDays === 0 ? null : daysBefore(policy.changesDays, now), workspaceId, policy.auditDays === 0 ? null : daysBefore(policy.auditDays, now)],
  );
  const { changes, bytes, audit } = rows[0] ?? { changes: 0, bytes: '0 bytes', audit: 0 };
  return `${changes} changes (${bytes}) and ${audit} rows of the audit would go.\n`;
}

const line = (workspaceId: WorkspaceId, { changes, retainedFrom, complete }: Compaction): string =>
  `${workspaceId}: ${changes} changes are gone, ${complete ? `the log begins after position ${retainedFrom}` : 'another compaction is at work on the others'}.\n`;

const done = (text: string): Outcome => ({ text, status: 0 });

async function run({ changesDays, auditDays, workspaceId, dryRun }: Command, { database, config, log }: Surroundings): Promise<Outcome> {
  const policy: RetentionPolicy = { changesDays: changesDays ?? config.retention.changesDays, auditDays: auditDays ?? config.retention.auditDays };
  const now = () => new Date();
  const { pool, prisma } = database;
  if (workspaceId !== null && (await prisma.workspace.findUnique({ where: { id: workspaceId } })) === null) {
    throw new ConcordError('WORKSPACE_NOT_FOUND', `There is no workspace ${workspaceId}. Nothing was compacted.`);
  }
  const kept = policy.changesDays === 0 ? 'No change is compacted: 0 days keeps them all. To compact older ones give --days N, or set RETENTION_DAYS.\n' : '';
  if (kept !== '' && (workspaceId !== null || policy.auditDays === 0)) return done(kept);
  if (dryRun) return done(kept + (await preview(policy, workspaceId, database, now())));
  if (workspaceId !== null) {
    return done(line(workspaceId, await compactWorkspace(pool, { workspaceId, olderThan: daysBefore(policy.changesDays, now()), now })));
  }
  let text = kept;
  const { changes, auditRows, failed } = await applyRetention({ pool, log, now, compacted: (id, compaction) => (text += line(id, compaction)) }, policy);
  text += `${changes} changes and ${auditRows} rows of the audit are gone.\n`;
  return failed === 0 ? done(text) : { text: `${text}${failed} workspaces could not be compacted, see above; run it again when the cause is mended.\n`, status: 1 };
}

runCommandLine({ usage, read: readCommand, run });
