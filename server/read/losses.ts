import type { Conflict, Cursor, DocumentId, Position, ReplicaId, Revision, WorkspaceId } from '@concord/core';
import type { ConflictRecord } from '@concord/schema';
import { parseCursor } from '../feed/cursor.js';
import type { Queryable } from '../postgres/queryable.js';
import { partiesOf, partyColumns, type PartyRow } from './conflict-parties.js';
import { parseNumbers } from './history.js';
import { fitting, sizeSql, type SizedPage } from './size-sql.js';

/** The losses of `$2` found after a position of the epoch `$3`; those of another epoch are all asked for. */
const wanted = `
  k.workspace_id = $1 AND k.losing_replica_id = $2
  AND (k.position, k.ordinal) > (greatest($6::bigint, (SELECT CASE WHEN w.epoch = $3 THEN $4 ELSE 0 END::bigint FROM workspaces w WHERE w.id = $1)), CASE WHEN $6::bigint IS NULL THEN 2147483647 ELSE $7::int END)
ORDER BY k.position, k.ordinal LIMIT $5`;

interface LossRow extends PartyRow {
  readonly position: Position;
  readonly ordinal: number;
  readonly document: DocumentId;
  readonly against: Revision;
  readonly detail: Conflict;
  readonly created_at: Date;
}

/** What edits of one replica lost, oldest first; a page also ends at about 4 MiB. The row key is `position.ordinal`. */
export async function readLosses(
  db: Queryable,
  workspaceId: WorkspaceId,
  { replicaId, since, first: asked, after }: { readonly replicaId: ReplicaId; readonly since: Cursor | null; readonly first: number; readonly after: string | null },
): Promise<SizedPage<ConflictRecord>> {
  const place = since === null ? { epoch: 0, position: 0 } : parseCursor(since);
  const key = after === null ? null : parseNumbers(after, 2);
  const values = [workspaceId, replicaId, place.epoch, place.position];
  const from = [key?.[0] ?? null, key?.[1] ?? null];
  const { first, bytes } = await fitting(db, `SELECT ${sizeSql('k.detail')} AS size FROM conflicts k WHERE ${wanted}`, [...values, asked, ...from]);
  const { rows } = await db.query<LossRow>({
    name: 'concord-losses',
    text: `
SELECT k.position::float8 AS position, k.ordinal, k.document_id AS document, k.against_revision::float8 AS against, k.detail, k.created_at, ${partyColumns('k')}
FROM conflicts k WHERE ${wanted}`,
    values: [...values, first + 1, ...from],
  });
  return {
    rows: rows.slice(0, first).map((row) => ({
      row: {
        position: row.position,
        ordinal: row.ordinal,
        documentId: row.document,
        againstRevision: row.against,
        conflict: row.detail,
        createdAt: row.created_at,
        ...partiesOf(row),
      },
      key: `${row.position}.${row.ordinal}`,
    })),
    hasNextPage: rows.length > first,
    bytes,
  };
}
