import { ConcordError, parseDocumentId, type Cursor, type DocumentId, type WorkspaceId } from '@concord/core';
import type { DocumentFilter, SnapshotPage } from '@concord/schema';
import type { Queryable } from '../postgres/queryable.js';
import { conditionsSql } from '../read/conditions-sql.js';
import { documentColumns, documentRecord, type DocumentRow } from '../read/documents.js';
import { pageBytes, sizeSql } from '../read/size-sql.js';
import { formatCursor, mismatch, otherHistory, parseCursor } from './cursor.js';
import { readPlaces } from './log.js';
import { noSuchWorkspace } from '../read/require-role.js';

/**
 * Living documents by id. The pages are not one snapshot of the database: what changes while they are read comes through the
 * feed, from the cursor that was taken before the first page. So nothing is held open between pages.
 */
export async function readSnapshot(
  db: Queryable,
  workspaceId: WorkspaceId,
  { first, after, filter }: { readonly first: number; readonly after: string | null; readonly filter: DocumentFilter },
): Promise<SnapshotPage & { readonly bytes: number }> {
  const place = (await readPlaces(db, [workspaceId])).get(workspaceId);
  if (place === undefined) throw noSuchWorkspace(workspaceId);
  const token = after === null ? null : parseToken(after);
  const cursor = token?.cursor ?? formatCursor(place);
  if (token !== null) {
    const reason = mismatch(parseCursor(cursor), { ...place, head: place.position }, null);
    if (reason === 'OTHER_HISTORY') throw otherHistory();
    if (reason !== null) throw new ConcordError('EPOCH_CHANGED', 'The history was rewritten while the snapshot was read; start it again');
  }

  const values: unknown[] = [workspaceId, token?.lastId ?? '', first + 1, filter.collection ?? null, filter.ids ?? null];
  const where = conditionsSql('value', filter.where ?? [], values);
  const { rows } = await db.query<DocumentRow & { readonly before: number; readonly size: number }>({
    ...(values.length === 5 ? { name: 'concord-snapshot' } : {}),
    text: `
SELECT * FROM (
  SELECT page.*, (sum(size) OVER (ORDER BY id) - size)::float8 AS before FROM (
    SELECT ${documentColumns}, ${sizeSql('value')} AS size FROM documents
    WHERE workspace_id = $1 AND id > $2 AND NOT deleted AND ($4::text IS NULL OR collection = $4) AND ($5::text[] IS NULL OR id = ANY($5)) AND ${where}
    ORDER BY id LIMIT $3
  ) page
) sized WHERE before < ${pageBytes} ORDER BY id`,
    values,
  });
  // One row more than asked for, or a page that was cut by size, says that there is a next page.
  const documents = rows.slice(0, first);
  const last = documents.at(-1);
  const more = rows.length > first || (last !== undefined && rows.length > 0 && (await hasMore(db, workspaceId, last.id, rows.length, first)));
  return {
    documents: documents.map((row) => documentRecord(workspaceId, row)),
    cursor,
    epoch: place.epoch,
    bytes: rows.reduce((sum, { size }) => sum + Number(size), 0),
    history: place.history,
    next: more && last !== undefined ? formatToken(cursor, last.id) : null,
  };
}

/** Only a page with fewer rows than asked for may have been cut by size: then the next page decides, empty or not. */
function hasMore(db: Queryable, workspaceId: WorkspaceId, lastId: DocumentId, got: number, first: number): Promise<boolean> {
  if (got > first) return Promise.resolve(true);
  return db
    .query<{ more: boolean }>({
      name: 'concord-snapshot-more',
      text: 'SELECT EXISTS (SELECT 1 FROM documents WHERE workspace_id = $1 AND id > $2) AS more',
      values: [workspaceId, lastId],
    })
    .then(({ rows }) => rows[0]?.more ?? false);
}

const formatToken = (cursor: Cursor, lastId: DocumentId): string => Buffer.from(JSON.stringify([cursor, lastId])).toString('base64url');

function parseToken(token: string): { cursor: Cursor; lastId: DocumentId } {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (Array.isArray(parsed) && typeof parsed[0] === 'string') {
      parseCursor(parsed[0] as Cursor);
      const lastId = parseDocumentId(parsed[1]);
      if (lastId.ok) return { cursor: parsed[0] as Cursor, lastId: lastId.value };
    }
  } catch {
    // Falls through: whatever it was, this server did not make it.
  }
  throw new ConcordError('CURSOR_INVALID', 'This is not the `next` of a snapshot page; start the snapshot again without it');
}

