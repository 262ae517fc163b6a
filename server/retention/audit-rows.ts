import type pg from 'pg';

/** Rows deleted in one statement. */
const defaultSlice = 1000;

/**
 * Deletes the rows of the audit from before a moment, a workspace (and what concerns none) after the other, in slices. Rows are
 * written in order of time, so it ends with the first slice that reaches into the younger ones. Returns how many are gone.
 */
export async function dropAudit(pool: pg.Pool, olderThan: Date, { slice = defaultSlice, signal }: { readonly slice?: number; readonly signal?: AbortSignal } = {}): Promise<number> {
  let dropped = 0;
  for (let workspaceId: string | null = ''; workspaceId !== null; workspaceId = await nextWorkspace(pool, workspaceId)) {
    for (let after = 0, reached = false; !reached && signal?.aborted !== true; ) {
      const { rows } = await pool.query<{ last: number | null; reached: boolean; gone: number }>({
        name: 'concord-drop-audit',
        text: `
WITH page AS (
  SELECT id, at FROM audit WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3
), gone AS (
  DELETE FROM audit a USING page WHERE a.workspace_id = $1 AND a.id = page.id AND page.at < $4 RETURNING 1
)
SELECT max(id)::float8 AS last, (array_agg(at ORDER BY id DESC))[1] >= $4 AS reached, (SELECT count(*)::int FROM gone) AS gone FROM page`,
        values: [workspaceId, after, slice, olderThan],
      });
      const page = rows[0];
      if (page === undefined || page.last === null) break;
      dropped += page.gone;
      after = page.last;
      reached = page.reached;
    }
  }
  return dropped;
}

async function nextWorkspace(pool: pg.Pool, after: string): Promise<string | null> {
  const { rows } = await pool.query<{ id: string | null }>({ name: 'concord-next-workspace', text: 'SELECT min(id) AS id FROM workspaces WHERE id > $1', values: [after] });
  return rows[0]?.id ?? null;
}
