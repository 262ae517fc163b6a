import type pg from 'pg';
import { sealWorkspace } from '../audit/seal.js';

/** Rows deleted in one statement. */
const defaultSlice = 1000;

/**
 * Deletes the rows of the audit from before a moment, a workspace (and what concerns none) after the other, in slices. The edits
 * that the log still holds stay in the audit as long as in the log. They are sealed before, and go by whole seals, from the first on: the seals
 * themselves stay, with a row in the audit that tells which are without their rows, so that the chain can still be followed.
 * Returns how many rows are gone.
 */
export async function dropAudit(pool: pg.Pool, olderThan: Date, { slice = defaultSlice, signal, now = () => new Date() }: { readonly slice?: number; readonly signal?: AbortSignal; readonly now?: () => Date } = {}): Promise<number> {
  const ended = (): boolean => signal?.aborted === true;
  let dropped = 0;
  for (let workspaceId: string | null = ''; workspaceId !== null && !ended(); workspaceId = await nextWorkspace(pool, workspaceId)) {
    if (!(await hasOlder(pool, workspaceId, olderThan))) continue;
    await sealWorkspace(pool, workspaceId, now, { olderThan, ...(signal === undefined ? {} : { signal }) });
    await markSeals(pool, workspaceId, olderThan, now());
    for (let gone = slice; gone === slice && !ended(); dropped += gone) {
      const { rowCount } = await pool.query({ name: 'concord-drop-audit', text: dropRows, values: [workspaceId, slice] });
      gone = rowCount ?? 0;
    }
  }
  return dropped;
}

async function hasOlder(pool: pg.Pool, workspaceId: string, olderThan: Date): Promise<boolean> {
  const { rows } = await pool.query({ name: 'concord-has-older-audit', text: 'SELECT 1 FROM audit_entries WHERE workspace_id = $1 AND at < $2 LIMIT 1', values: [workspaceId, olderThan] });
  return rows.length > 0;
}

/** Before the rows go, so that a crash in between leaves rows that the next run deletes, and never seals that seem to miss theirs. */
async function markSeals(pool: pg.Pool, workspaceId: string, olderThan: Date, now: Date): Promise<void> {
  await pool.query({
    name: 'concord-drop-seals',
    text: `
WITH marked AS (
  UPDATE audit_seals SET dropped = true
  WHERE workspace_id = $1 AND NOT dropped AND number < coalesce(
    (SELECT min(number) FROM audit_seals WHERE workspace_id = $1 AND NOT dropped AND newest_at >= $2),
    9223372036854775807
  ) RETURNING number
)
INSERT INTO audit_entries (workspace_id, at, principal_id, action, outcome, detail)
SELECT $1, $3, '', 'DROP_AUDIT', 'OK', jsonb_build_object('through', max(number), 'olderThan', $2::timestamptz) FROM marked HAVING count(*) > 0`,
    values: [workspaceId, olderThan, now],
  });
}

const dropRows = `
DELETE FROM audit_entries WHERE workspace_id = $1 AND id IN (
  SELECT a.id FROM audit_entries a
  JOIN (SELECT max(number) AS number, max(to_position) AS position FROM audit_seals WHERE workspace_id = $1 AND dropped) d
    ON (a.seal BETWEEN 1 AND d.number AND a.position IS NULL) OR (a.position IS NOT NULL AND a.position <= d.position)
  WHERE a.workspace_id = $1 AND a.action <> 'DROP_AUDIT' LIMIT $2
)`;

async function nextWorkspace(pool: pg.Pool, after: string): Promise<string | null> {
  const { rows } = await pool.query<{ id: string | null }>({ name: 'concord-next-workspace', text: 'SELECT min(id) AS id FROM workspaces WHERE id > $1', values: [after] });
  return rows[0]?.id ?? null;
}
