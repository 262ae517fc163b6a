import { ConcordError, type Conflict, type Counter, type DocumentId, type Position, type ReplicaId, type Revision, type WorkspaceId } from '@concord/core';
import type { ChangeRecord, ConflictRecord, Page } from '@concord/schema';
import { changeRecord, type ChangeRow } from '../feed/log.js';
import type { Queryable } from '../postgres/queryable.js';

/** The changes of a document, newest first. The row key is the revision. */
export async function readHistory(
  db: Queryable,
  workspaceId: WorkspaceId,
  documentId: DocumentId,
  { first, after }: { readonly first: number; readonly after: string | null },
): Promise<Page<ChangeRecord>> {
  const before = after === null ? Number.MAX_SAFE_INTEGER : parseNumbers(after, 1)[0];
  const { rows } = await db.query<ChangeRow>({
    name: 'concord-read-history',
    text: `
SELECT position::float8 AS position, document_id, revision::float8 AS revision, kind, collection, title, replica_id, counter::float8 AS counter, patch_id, principal_id, patch, committed_at
FROM changes WHERE workspace_id = $1 AND document_id = $2 AND changes.revision < $3 ORDER BY changes.revision DESC LIMIT $4`,
    values: [workspaceId, documentId, before, first + 1],
  });
  return {
    rows: rows.slice(0, first).map((row) => ({ row: changeRecord(workspaceId, row), key: String(row.revision) })),
    hasNextPage: rows.length > first,
  };
}

/** The conflicts of a document, or of the workspace, newest first. The row key is `position.ordinal`. */
export async function readConflicts(
  db: Queryable,
  workspaceId: WorkspaceId,
  { documentId, first, after }: { readonly documentId: DocumentId | null; readonly first: number; readonly after: string | null },
): Promise<Page<ConflictRecord>> {
  const [position, ordinal] = after === null ? [Number.MAX_SAFE_INTEGER, 0] : parseNumbers(after, 2);
  const { rows } = await db.query<{ position: Position; ordinal: number; document_id: DocumentId; against: Revision; detail: Conflict; created_at: Date }>({
    name: documentId === null ? 'concord-read-conflicts' : 'concord-read-document-conflicts',
    text: `
SELECT c.position::float8 AS position, c.ordinal, c.document_id, c.against_revision::float8 AS against, c.detail, c.created_at
FROM conflicts c
WHERE c.workspace_id = $1 AND (c.position < $2 OR (c.position = $2 AND c.ordinal > $3)) ${documentId === null ? '' : 'AND c.document_id = $5'}
ORDER BY c.position DESC, c.ordinal LIMIT $4`,
    values: [workspaceId, position, ordinal, first + 1, ...(documentId === null ? [] : [documentId])],
  });
  return {
    rows: rows.slice(0, first).map((row) => ({
      row: { position: row.position, ordinal: row.ordinal, documentId: row.document_id, againstRevision: row.against, conflict: row.detail, createdAt: row.created_at },
      key: `${row.position}.${row.ordinal}`,
    })),
    hasNextPage: rows.length > first,
  };
}

/** The vector clock of a document: empty when there is none. */
export async function readClock(db: Queryable, workspaceId: WorkspaceId, documentId: DocumentId): Promise<{ epoch: number; vector: ReadonlyMap<ReplicaId, Counter> }> {
  const { rows } = await db.query<{ epoch: number; replica: ReplicaId | null; newest: Counter }>({
    name: 'concord-read-clock',
    text: `
SELECT w.epoch, c.replica_id AS replica, c.newest FROM workspaces w LEFT JOIN (
  SELECT replica_id, max(counter)::float8 AS newest FROM changes WHERE workspace_id = $1 AND document_id = $2 GROUP BY replica_id
) c ON true WHERE w.id = $1`,
    values: [workspaceId, documentId],
  });
  const vector = new Map<ReplicaId, Counter>();
  for (const { replica, newest } of rows) if (replica !== null) vector.set(replica, newest);
  return { epoch: rows[0]?.epoch ?? 1, vector };
}

function parseNumbers(key: string, count: 1): [number];
function parseNumbers(key: string, count: 2): [number, number];
function parseNumbers(key: string, count: number): number[] {
  const numbers = /^\d{1,16}(\.\d{1,9})?$/.test(key) ? key.split('.').map(Number) : [];
  if (numbers.length === count) return numbers;
  throw new ConcordError('CURSOR_INVALID', 'The row key given as `after` is not one of this list; give an `endCursor` of the same query');
}
