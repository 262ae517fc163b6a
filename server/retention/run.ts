import type { WorkspaceId } from '@concord/core';
import type pg from 'pg';
import type { Logger } from 'pino';
import { dropAudit } from './audit-rows.js';
import { compactWorkspace, workspacesWithOlder, type Compaction } from './compact.js';

const pageWorkspaces = 1000;

/** The moment so many days before another. */
export const daysBefore = (days: number, now: Date): Date => new Date(now.getTime() - days * 86_400_000);

export interface RetentionPolicy {
  /** Days that changes are kept; 0: for ever. */
  readonly changesDays: number;
  /** Days that rows of the audit are kept; 0: for ever. */
  readonly auditDays: number;
}

export interface RetentionRun {
  readonly changes: number;
  readonly auditRows: number;
  /** Workspaces whose compaction failed, each of which is in the log of the server. */
  readonly failed: number;
}

export interface RunParts {
  readonly pool: pg.Pool;
  readonly log: Logger;
  readonly now: () => Date;
  readonly signal?: AbortSignal;
  /** Told of each workspace of which something was compacted. */
  readonly compacted?: (workspaceId: WorkspaceId, compaction: Compaction) => void;
}

/** Compacts every workspace that holds older changes. One that fails is logged and does not keep the others from their turn. */
export async function applyRetention({ pool, log, now, signal, compacted }: RunParts, { changesDays, auditDays }: RetentionPolicy): Promise<RetentionRun> {
  let changes = 0;
  let failed = 0;
  if (changesDays > 0) {
    const olderThan = daysBefore(changesDays, now());
    const ended = () => signal?.aborted === true;
    for (let after = ''; !ended(); ) {
      const page = await workspacesWithOlder(pool, olderThan, after, pageWorkspaces);
      for (const workspaceId of page) {
        if (ended()) break;
        after = workspaceId;
        try {
          const compaction = await compactWorkspace(pool, { workspaceId, olderThan, now, ...(signal === undefined ? {} : { signal }) });
          changes += compaction.changes;
          if (compaction.changes > 0) compacted?.(workspaceId, compaction);
        } catch (error) {
          failed += 1;
          log.error({ err: error, workspaceId }, 'The log of a workspace could not be compacted; it is tried again with the next run.');
        }
      }
      if (page.length < pageWorkspaces) break;
    }
  }
  const auditRows = auditDays > 0 ? await dropAudit(pool, daysBefore(auditDays, now()), { now, ...(signal === undefined ? {} : { signal }) }) : 0;
  return { changes, auditRows, failed };
}
