import { ConcordError, type Conflict, type Counter, type DocumentId, type NormalPatch, type PatchId, type Position, type PrincipalId, type ReplicaId, type Revision, type WorkspaceId } from '@concord/core';
import type { ChangeRecord, ConflictRecord } from '@concord/schema';
import { changeRecord } from '../feed/log.js';
import type { PrismaClient } from '../generated/prisma/client.js';
import type { Queryable } from '../postgres/queryable.js';
import { partiesOf } from './conflict-parties.js';
import { fitting, sizeSql, type SizedPage } from './size-sql.js';

/** The changes of a document, newest first; a page also ends at about 4 MiB. The row key is the revision. */
export async function readHistory(
  db: Queryable,
  prisma: PrismaClient,
  workspaceId: WorkspaceId,
  documentId: DocumentId,
  { first: asked, after }: { readonly first: number; readonly after: string | null },
): Promise<SizedPage<ChangeRecord>> {
  const before = after === null ? undefined : { lt: BigInt(parseNumbers(after, 1)[0]) };
  const { first, bytes } = await fitting(
    db,
    `SELECT ${sizeSql('patch')} AS size FROM changes WHERE workspace_id = $1 AND document_id = $2 AND ($3::bigint IS NULL OR revision < $3) ORDER BY revision DESC LIMIT $4`,
    [workspaceId, documentId, before === undefined ? null : String(before.lt), asked],
  );
  const rows = await prisma.change.findMany({
    where: { workspaceId, documentId, ...(before === undefined ? {} : { revision: before }) },
    orderBy: { revision: 'desc' },
    take: first + 1,
  });
  return {
    rows: rows.slice(0, first).map((row) => ({
      row: changeRecord(workspaceId, {
        position: Number(row.position) as Position,
        document_id: documentId,
        revision: Number(row.revision) as Revision,
        kind: row.kind,
        collection: row.collection,
        title: row.title,
        replica_id: row.replicaId as ReplicaId,
        counter: Number(row.counter) as Counter,
        patch_id: row.patchId as PatchId,
        principal_id: row.principalId as PrincipalId,
        patch: row.patch as unknown as NormalPatch,
        committed_at: row.committedAt,
      }),
      key: String(row.revision),
    })),
    hasNextPage: rows.length > first,
    bytes,
  };
}

/** The conflicts of a document, or of the workspace, newest first; a page also ends at about 4 MiB. The row key is `position.ordinal`. */
export async function readConflicts(
  db: Queryable,
  prisma: PrismaClient,
  workspaceId: WorkspaceId,
  { documentId, first: asked, after }: { readonly documentId: DocumentId | null; readonly first: number; readonly after: string | null },
): Promise<SizedPage<ConflictRecord>> {
  const key = after === null ? null : parseNumbers(after, 2);
  const { first, bytes } = await fitting(
    db,
    `SELECT ${sizeSql('detail')} AS size FROM conflicts WHERE workspace_id = $1 AND ($2::text IS NULL OR document_id = $2)
      AND ($3::bigint IS NULL OR position < $3 OR (position = $3 AND ordinal > $4)) ORDER BY position DESC, ordinal LIMIT $5`,
    [workspaceId, documentId, key === null ? null : key[0], key === null ? null : key[1], asked],
  );
  const rows = await prisma.conflict.findMany({
    where: {
      workspaceId,
      ...(documentId === null ? {} : { documentId }),
      ...(key === null ? {} : { OR: [{ position: { lt: BigInt(key[0]) } }, { position: BigInt(key[0]), ordinal: { gt: key[1] } }] }),
    },
    orderBy: [{ position: 'desc' }, { ordinal: 'asc' }],
    take: first + 1,
  });
  return {
    rows: rows.slice(0, first).map((row) => ({
      row: {
        position: Number(row.position) as Position,
        ordinal: row.ordinal,
        documentId: row.documentId as DocumentId,
        againstRevision: Number(row.againstRevision) as Revision,
        conflict: row.detail as unknown as Conflict,
        createdAt: row.createdAt,
        ...partiesOf({
          revision: row.revision === null ? null : Number(row.revision),
          losing_replica_id: row.losingReplicaId,
          losing_patch_id: row.losingPatchId,
          losing_author: row.losingAuthor,
          winning_replica_id: row.winningReplicaId,
          winning_patch_id: row.winningPatchId,
          winning_author: row.winningAuthor,
        }),
      },
      key: `${row.position}.${row.ordinal}`,
    })),
    hasNextPage: rows.length > first,
    bytes,
  };
}

/** The vector clock of a document, compacted changes included: empty when there is none. One statement, so a compaction is seen whole or not at all. */
export async function readClock(
  db: Queryable,
  workspaceId: WorkspaceId,
  documentId: DocumentId,
): Promise<{ epoch: number; vector: ReadonlyMap<ReplicaId, Counter>; patchIds: ReadonlyMap<ReplicaId, PatchId> }> {
  const { rows } = await db.query<{ epoch: number; replica: ReplicaId | null; counter: Counter; patch: PatchId }>({
    name: 'concord-read-clock',
    text: `
SELECT w.epoch, e.replica_id AS replica, e.counter::float8 AS counter, coalesce(
  (SELECT c.patch_id FROM changes c WHERE c.workspace_id = $1 AND c.document_id = $2 AND c.replica_id = e.replica_id AND c.counter = e.counter),
  (SELECT c.patch_id FROM retired_counters c WHERE c.workspace_id = $1 AND c.document_id = $2 AND c.replica_id = e.replica_id)
) AS patch
FROM workspaces w LEFT JOIN (
  SELECT replica_id, max(counter) AS counter FROM (
    SELECT replica_id, counter FROM changes WHERE workspace_id = $1 AND document_id = $2
    UNION ALL SELECT replica_id, counter FROM retired_counters WHERE workspace_id = $1 AND document_id = $2
  ) edits GROUP BY replica_id
) e ON true
WHERE w.id = $1 ORDER BY e.replica_id`,
    values: [workspaceId, documentId],
  });
  const vector = new Map<ReplicaId, Counter>();
  const patchIds = new Map<ReplicaId, PatchId>();
  for (const { replica, counter, patch } of rows) {
    if (replica === null) continue;
    vector.set(replica, counter);
    patchIds.set(replica, patch);
  }
  return { epoch: rows[0]?.epoch ?? 1, vector, patchIds };
}

export function parseNumbers(key: string, count: 1): [number];
export function parseNumbers(key: string, count: 2): [number, number];
export function parseNumbers(key: string, count: number): number[] {
  const numbers = /^\d{1,16}(\.\d{1,9})?$/.test(key) ? key.split('.').map(Number) : [];
  if (numbers.length === count) return numbers;
  throw new ConcordError('CURSOR_INVALID', 'The row key given as `after` is not one of this list; give an `endCursor` of the same query');
}
