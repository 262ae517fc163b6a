import type pg from 'pg';

/** Rows deleted in one statement. */
const defaultSlice = 1000;

/**
 * Deletes the rows of the audit from before a moment, a workspace (and what concerns none) after the other, in slices. The edits
 * that the log still holds stay in the audit as long as in the log. Returns how many rows are gone.
 */
export async function dropAudit(pool: pg.Pool, olderThan: Date, { slice = defaultSlice, signal }: { readonly slice?: number; readonly signal?: AbortSignal } = {}): Promise<number> {
  let dropped = 0;
  for (let workspaceId: string | null = ''; workspaceId !== null; workspaceId = await nextWorkspace(pool, workspaceId)) {
    for (let gone = slice; gone === slice && signal?.aborted !== true; dropped += gone) {
      const { rowCount } = await pool.query({
        name: 'concord-drop-audit',
        text: `
DELETE FROM audit_entries WHERE workspace_id = $1 AND id IN (
  SELECT id FROM audit_entries WHERE workspace_id = $1 AND at < $2 ORDER BY at LIMIT $3
)`,
        values: [workspaceId, olderThan, slice],
      });
      gone = rowCount ?? 0;
    }
  }
  return dropped;
}

async function nextWorkspace(pool: pg.Pool, after: string): Promise<string | null> {
  const { rows } = await pool.query<{ id: string | null }>({ name: 'concord-next-workspace', text: 'SELECT min(id) AS id FROM workspaces WHERE id > $1', values: [after] });
  return rows[0]?.id ?? null;
}
