import { apply, type DocumentId, type JsonValue, type NormalPatch, type Revision, type WorkspaceId } from '@concord/core';
import type { Queryable } from '../postgres/queryable.js';

/**
 * The values of documents at old revisions: the snapshot before each and the log from there, all in one statement. A document
 * whose log does not reach back so far any more is left out.
 */
export async function rebuild(
  db: Queryable,
  workspaceId: WorkspaceId,
  wanted: readonly { readonly id: DocumentId; readonly revision: Revision }[],
): Promise<ReadonlyMap<DocumentId, JsonValue>> {
  const { rows } = await db.query<{ id: DocumentId; at: number; start: number; value: JsonValue; patches: readonly NormalPatch[] | null }>({
    name: 'concord-rebuild',
    text: `
SELECT k.d AS id, k.v::float8 AS at, coalesce(s.revision, 0)::float8 AS start, s.value,
  (SELECT jsonb_agg(t.patch ORDER BY t.revision) FROM changes t
    WHERE t.workspace_id = $1 AND t.document_id = k.d AND t.revision > coalesce(s.revision, 0) AND t.revision <= k.v) AS patches
FROM jsonb_to_recordset($2::jsonb) AS k(d text, v bigint) LEFT JOIN LATERAL (
  SELECT revision, value FROM snapshots WHERE workspace_id = $1 AND document_id = k.d AND revision <= k.v ORDER BY revision DESC LIMIT 1
) s ON true`,
    values: [workspaceId, JSON.stringify(wanted.map(({ id, revision }) => ({ d: id, v: revision })))],
  });
  const values = new Map<DocumentId, JsonValue>();
  for (const { id, at, start, value: kept, patches } of rows) {
    // With a change missing, its patches would replay to another value.
    if ((patches?.length ?? 0) !== at - start) continue;
    let value = kept ?? null;
    for (const patch of patches ?? []) {
      const next = apply(value, patch);
      if (!next.ok) throw new Error(`invariant: the log of document ${id} does not replay to revision ${at}: ${next.error.message}`);
      value = next.value;
    }
    values.set(id, value);
  }
  return values;
}
