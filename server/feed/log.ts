import type { Counter, DocumentId, NormalPatch, PatchId, Position, PrincipalId, ReplicaId, Revision, WorkspaceId } from '@concord/core';
import type { ChangeRecord, DocumentFilter } from '@concord/schema';
import { toldPatch, type PublishedChange } from '../commit/verdict.js';
import type { Queryable } from '../postgres/queryable.js';
import { pageBytes, sizeSql } from '../read/size-sql.js';
import { noSuchWorkspace } from '../read/require-role.js';
import type { Head, Place } from './cursor.js';

export interface LogPage {
  readonly changes: readonly PublishedChange[];
  /** Everything up to here was looked at, though the filter may have left changes out. */
  readonly to: Position;
  /** Of the change at `to`, and of the one at the position asked for; null: there is none, or it was compacted away. */
  readonly toPatchId: PatchId | null;
  readonly afterPatchId: PatchId | null;
  /** Head of the workspace in the same snapshot. */
  readonly head: Position;
  readonly epoch: number;
  /** Id of the workspace's history. */
  readonly history: string;
  /** True: changes after the position asked for were compacted away, so what is here has a hole before it. */
  readonly expired: boolean;
}

/** The patch id of the change at a position of the workspace `$1`, whose row is `w`. */
const patchIdAt = (position: string): string => `coalesce(
    (SELECT e.patch_id FROM changes e WHERE e.workspace_id = $1 AND e.position = ${position}),
    CASE WHEN w.retained_from = ${position} THEN w.retained_patch_id END
  )`;

/** `end`: the last position that is looked at. The place is materialized, so that what is read for it is read once and not for each change. */
const readStatement = (condition: string, end: string): string => `
WITH place AS MATERIALIZED (
  SELECT w.epoch, w.history, w.position::float8 AS head, w.retained_from > $2 AS expired, ${patchIdAt(end)} AS end_patch_id, ${patchIdAt('$2')} AS after_patch_id
  FROM workspaces w WHERE w.id = $1
), c AS MATERIALIZED (
  SELECT * FROM (
    SELECT page.*, sum(size) OVER (ORDER BY page.position) - size AS before FROM (
      SELECT position::float8 AS position, document_id, revision::float8 AS revision, kind, collection, title, replica_id, counter::float8 AS counter, patch_id, principal_id, patch, committed_at,
        ${sizeSql('patch')} AS size
      FROM changes
      WHERE workspace_id = $1 AND changes.position > $2${condition}
      ORDER BY changes.position LIMIT $3
    ) page
  ) sized WHERE before < $4
), lost AS (
  SELECT position::float8 AS position, array_agg(DISTINCT losing_replica_id) AS losers FROM conflicts
  WHERE workspace_id = $1 AND conflicts.position > $2 AND conflicts.position <= (SELECT max(position)::bigint FROM c)
    AND losing_replica_id IS NOT NULL AND detail ->> 'loser' = 'earlier'
  GROUP BY conflicts.position
)
SELECT place.*, c.*, lost.losers
FROM place LEFT JOIN c ON true LEFT JOIN lost ON lost.position = c.position
ORDER BY c.position`;

const readWhole = readStatement('', 'w.position');
/**
 * A page with a filter looks at so many positions at most: one that lets little through would read all the rest of the log in one
 * statement, and where PostgreSQL has no statistics yet it takes filters for so selective that it would also sort it, for each page.
 */
const filteredPositions = 10_000;
const readFiltered = readStatement(' AND changes.position <= $5 AND ($6::text IS NULL OR collection = $6) AND ($7::text[] IS NULL OR document_id = ANY($7))', 'least(w.position, $5)');

/**
 * The log after a position, in order, in one statement: what is not in the result and not after `to` will never appear,
 * because positions are given in commit order. Whether the log still reaches back so far is told by the same snapshot, so a
 * compaction that overtakes a reader is seen by it and never makes a hole (I4). `where` of the filter is not applied here: it
 * looks at documents. A page ends after `limit` changes or with the one that reaches `mostBytes`; one with a filter may end before
 * that, even without a change.
 *
 * @throws ConcordError WORKSPACE_NOT_FOUND.
 */
export async function readLog(db: Queryable, workspaceId: WorkspaceId, after: number, limit: number, filter: DocumentFilter = {}, mostBytes = pageBytes): Promise<LogPage> {
  const { collection, ids } = filter;
  const isFiltered = collection !== undefined || ids !== undefined;
  const end = isFiltered ? after + filteredPositions : Infinity;
  const values = [workspaceId, after, limit, mostBytes];
  const { rows } = await db.query<LogRow>(
    isFiltered
      ? { name: 'concord-read-log-filtered', text: readFiltered, values: [...values, end, collection ?? null, ids ?? null] }
      : { name: 'concord-read-log', text: readWhole, values },
  );
  const [first] = rows;
  if (first === undefined) throw noSuchWorkspace(workspaceId);
  const changes = rows.filter((row) => row.position !== null).map((row) => ({ record: changeRecord(workspaceId, row), bytes: 400 + (row.size ?? 0) * 2 }));
  const last = rows.at(-1);
  const cut = changes.length === limit || (last?.size ?? 0) + (last?.before === undefined ? 0 : Number(last.before)) >= mostBytes;
  const lookedAt = Math.max(after, Math.min(first.head, end)) as Position;
  const lastRecord = cut ? changes.at(-1)?.record : undefined;
  return {
    changes,
    to: lastRecord?.position ?? lookedAt,
    toPatchId: lastRecord?.patchId ?? first.end_patch_id,
    afterPatchId: first.after_patch_id,
    head: first.head,
    epoch: first.epoch,
    history: first.history,
    expired: first.expired,
  };
}

export interface ChangeRow {
  readonly position: Position;
  readonly document_id: DocumentId;
  readonly revision: Revision;
  readonly kind: ChangeRecord['kind'];
  readonly collection: string;
  readonly title: string | null;
  readonly replica_id: ReplicaId;
  readonly counter: Counter;
  readonly patch_id: PatchId;
  readonly principal_id: PrincipalId;
  readonly patch: NormalPatch;
  readonly committed_at: Date;
  readonly losers?: readonly ReplicaId[] | null;
}

interface LogRow extends ChangeRow {
  readonly history: string;
  readonly end_patch_id: PatchId | null;
  readonly after_patch_id: PatchId | null;
  readonly epoch: number;
  readonly head: Position;
  readonly expired: boolean;
  readonly size: number | null;
  readonly before: string | null;
}

export const changeRecord = (workspaceId: WorkspaceId, row: ChangeRow): ChangeRecord => ({
  workspaceId,
  position: row.position,
  documentId: row.document_id,
  revision: row.revision,
  kind: row.kind,
  collection: row.collection,
  title: row.kind === 'CREATE' ? row.title : null,
  replicaId: row.replica_id,
  counter: row.counter,
  patchId: row.patch_id,
  principalId: row.principal_id,
  patch: toldPatch(row.kind, row.patch),
  committedAt: row.committed_at,
  ...(row.losers == null ? {} : { losers: row.losers }),
});

/** Where workspaces stand now. A workspace that is gone is left out. */
export async function readPlaces(db: Queryable, workspaceIds: readonly WorkspaceId[]): Promise<Map<WorkspaceId, Place>> {
  const { rows } = await db.query<PlaceRow & { id: WorkspaceId }>({
    name: 'concord-read-places',
    text: `
SELECT w.id, w.epoch, w.position::float8 AS position, w.history, coalesce(c.patch_id, CASE WHEN w.retained_from = w.position THEN w.retained_patch_id END) AS patch_id
FROM workspaces w LEFT JOIN changes c ON c.workspace_id = w.id AND c.position = w.position
WHERE w.id = ANY($1::text[])`,
    values: [workspaceIds],
  });
  return new Map(rows.map(({ id, patch_id, ...place }) => [id, { ...place, patchId: patch_id }]));
}

/** Where a workspace stands now, and the patch id of its change at `position`; null: not kept. @throws ConcordError WORKSPACE_NOT_FOUND. */
export async function readHeadAnd(db: Queryable, workspaceId: WorkspaceId, position: Position): Promise<{ readonly head: Head; readonly patchId: PatchId | null }> {
  const { rows } = await db.query<PlaceRow>({
    name: 'concord-read-head-and',
    text: `SELECT w.epoch, w.position::float8 AS position, w.history, ${patchIdAt('$2')} AS patch_id FROM workspaces w WHERE w.id = $1`,
    values: [workspaceId, position],
  });
  const [row] = rows;
  if (row === undefined) throw noSuchWorkspace(workspaceId);
  return { head: { epoch: row.epoch, head: row.position, history: row.history }, patchId: row.patch_id };
}

interface PlaceRow {
  readonly epoch: number;
  readonly position: Position;
  readonly history: string;
  readonly patch_id: PatchId | null;
}
