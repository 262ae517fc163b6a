import type { Conflict, DocumentId, Position, Revision, WorkspaceId } from '@concord/core';
import type { ConflictRecord } from '@concord/schema';
import type { Queryable } from '../postgres/queryable.js';

/** The conflicts that changes had when they were committed, by `workspace\nposition`: a duplicate gets its first verdict again. */
export async function conflictsAt(
  db: Queryable,
  changes: readonly { readonly workspaceId: WorkspaceId; readonly position: Position }[],
): Promise<Map<string, ConflictRecord[]>> {
  const { rows } = await db.query<{ w: WorkspaceId; revision: Revision | null; position: Position; ordinal: number; document: DocumentId; against: Revision; detail: Conflict; created_at: Date }>({
    name: 'concord-first-conflicts',
    text: `
SELECT c.workspace_id AS w, c.position::float8 AS position, c.ordinal, c.document_id AS document, c.against_revision::float8 AS against, c.detail, c.created_at, c.revision::float8 AS revision
FROM jsonb_to_recordset($1::jsonb) AS k(w text, p bigint)
JOIN conflicts c ON c.workspace_id = k.w AND c.position = k.p
ORDER BY c.workspace_id, c.position, c.ordinal`,
    values: [JSON.stringify(changes.map(({ workspaceId, position }) => ({ w: workspaceId, p: position })))],
  });
  const found = new Map<string, ConflictRecord[]>();
  for (const row of rows) {
    const key = `${row.w}\n${row.position}`;
    const records = found.get(key) ?? [];
    if (records.length === 0) found.set(key, records);
    // The same change may be asked for twice in one batch.
    if (records.some(({ ordinal }) => ordinal === row.ordinal)) continue;
    records.push({ position: row.position, ordinal: row.ordinal, documentId: row.document, againstRevision: row.against, conflict: row.detail, createdAt: row.created_at, laterRevision: row.revision, lostBy: null, wonBy: null });
  }
  return found;
}
