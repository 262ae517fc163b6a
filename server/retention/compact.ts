import type { DocumentId, PatchId, Position, Revision, WorkspaceId } from '@concord/core';
import type pg from 'pg';
import { changeContentSql } from '../audit/row-digests.js';
import { rebuild } from '../commit/rebuild.js';
import { sizeSql } from '../read/size-sql.js';

/** What is compacted away in one transaction: changes, and bytes of their patches, which are replayed in memory. */
const defaultSlice = { changes: 1000, bytes: 16 * 1024 * 1024 };
/** Documents whose value is replayed by one statement. */
const replayedAtOnce = { documents: 250, bytes: 4 * 1024 * 1024 };
/** The first half of the key of PostgreSQL's advisory locks that compactions take; the other is the hash of the workspace. */
const lockClass = 0x436f6d70;

export interface CompactionRequest {
  readonly workspaceId: WorkspaceId;
  /** Changes committed before this moment go. The log stays whole from the first one on that is younger. */
  readonly olderThan: Date;
  readonly now: () => Date;
  /** Changes in one transaction, at most. Default: 1,000. */
  readonly slice?: number;
  /** A slice ends with the change that reaches so many bytes of patches. Default: 16 MiB. */
  readonly sliceBytes?: number;
  /** Ends it after the slice at work. */
  readonly signal?: AbortSignal;
}

export interface Compaction {
  /** Changes that are gone now. */
  readonly changes: number;
  /** The log of the workspace holds everything after this position. */
  readonly retainedFrom: Position;
  /** False: another node was at it, or it was asked to end. */
  readonly complete: boolean;
}

/**
 * Compacts what is old in the log of one workspace, slice by slice, each in a transaction of its own that leaves everything right:
 *
 * - a snapshot of every document in the slice, where its retained log begins, so that any later base can be rebuilt;
 * - the counters and newest edits of the replicas in it, so that nothing is committed twice however late it is sent again;
 * - their rows in the audit, which until then are those of the log, with a digest of what they did, so that the chain over it still holds;
 * - the changes gone, and `retained_from` of the workspace at their end, so that a reader is told instead of missing them; with
 *   the patch id of the last of them, which a cursor may name.
 *
 * Heads, tombstones and conflicts stay. Commits do not wait for it: what it deletes no commit touches, and the row of
 * the workspace, which every commit locks, is taken last, for the length of the COMMIT. One compaction of a workspace at a
 * time, on any node; a slice that loses its connection is undone by the database.
 *
 * @throws the driver's error; what the slices before have done stays done.
 */
export async function compactWorkspace(pool: pg.Pool, { workspaceId, olderThan, now, slice = defaultSlice.changes, sliceBytes = defaultSlice.bytes, signal }: CompactionRequest): Promise<Compaction> {
  let changes = 0;
  let retainedFrom = 0 as Position;
  while (signal?.aborted !== true) {
    const started = performance.now();
    const done = await withClient(pool, (client) => compactSlice(client, workspaceId, olderThan, now(), { changes: slice, bytes: sliceBytes }));
    if (done === null) return { changes, retainedFrom, complete: false };
    retainedFrom = done.to;
    changes += done.to - done.from;
    if (done.to === done.from) return { changes, retainedFrom, complete: true };
    // No more than half of the time, so that a long backlog does not take the disk from the commits.
    await pause(performance.now() - started);
  }
  return { changes, retainedFrom, complete: false };
}

/** The ids of workspaces that hold changes from before a moment, `first` of them after an id. One look at the oldest change of each. */
export async function workspacesWithOlder(pool: pg.Pool, olderThan: Date, after: string, first: number): Promise<WorkspaceId[]> {
  const { rows } = await pool.query<{ id: WorkspaceId }>({
    name: 'concord-workspaces-with-older',
    text: `
SELECT w.id FROM workspaces w
WHERE w.id > $1 AND w.position > w.retained_from
  AND (SELECT c.committed_at FROM changes c WHERE c.workspace_id = w.id AND c.position > w.retained_from ORDER BY c.position LIMIT 1) < $2
ORDER BY w.id LIMIT $3`,
    values: [after, olderThan, first],
  });
  return rows.map(({ id }) => id);
}

async function withClient<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // The statement at work rejects as well; an error event that nobody listens to would end the process.
  const onError = (error: Error) => (broken = error);
  client.on('error', onError);
  try {
    return await work(client);
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => (broken = failure));
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

type Slice = typeof defaultSlice;

/** Positions: everything after `from` up to `to` is gone. Null: another compaction of the workspace runs. */
async function compactSlice(client: pg.PoolClient, workspaceId: WorkspaceId, olderThan: Date, now: Date, most: Slice): Promise<{ readonly from: Position; readonly to: Position } | null> {
  await client.query('BEGIN');
  const range = (await lock(client, workspaceId)) ? await findSlice(client, workspaceId, olderThan, most) : null;
  if (range === null || range.to === range.from) {
    await client.query('ROLLBACK');
    return range;
  }
  const values = [workspaceId, range.from, range.to] as const;
  await keepSnapshots(client, workspaceId, range, now);
  await client.query({ name: 'concord-compact-counters', text: keepCounters, values: [...values] });
  await client.query({ name: 'concord-compact-snapshots', text: dropSnapshots, values: [...values] });
  await client.query({ name: 'concord-compact-audit', text: keepAudit, values: [...values] });
  const { rows: last } = await client.query<{ patch_id: PatchId }>({
    name: 'concord-compact-changes',
    text: `
WITH gone AS (DELETE FROM changes WHERE workspace_id = $1 AND position > $2 AND position <= $3 RETURNING position, patch_id)
SELECT patch_id FROM gone WHERE position = $3`,
    values: [...values],
  });
  // From here on commits of this workspace wait, until the COMMIT.
  const { rowCount } = await client.query({
    name: 'concord-compact-retained',
    text: 'UPDATE workspaces SET retained_from = $3, retained_patch_id = $4 WHERE id = $1 AND retained_from = $2',
    values: [...values, last[0]?.patch_id ?? null],
  });
  await client.query(rowCount === 1 ? 'COMMIT' : 'ROLLBACK');
  return rowCount === 1 ? range : null;
}

/** Held until the end of the transaction, so it works through a pooler and ends with the connection. */
async function lock(client: pg.PoolClient, workspaceId: WorkspaceId): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>({
    name: 'concord-compact-lock',
    text: 'SELECT pg_try_advisory_xact_lock($1::int, hashtext($2)) AS locked',
    values: [lockClass, workspaceId],
  });
  return rows[0]?.locked === true;
}

/** The oldest changes of the log as long as they are old enough: a clock that went wrong on one node never makes a hole. */
async function findSlice(client: pg.PoolClient, workspaceId: WorkspaceId, olderThan: Date, most: Slice): Promise<{ readonly from: Position; readonly to: Position } | null> {
  const { rows } = await client.query<{ from: Position; to: Position }>({
    name: 'concord-compact-slice',
    text: `
SELECT w.retained_from::float8 AS "from", coalesce((
  SELECT coalesce(min(c.position) FILTER (WHERE c.committed_at >= $2) - 1, max(c.position)) FROM (
    SELECT position, committed_at, sum(size) OVER (ORDER BY position) - size AS before FROM (
      SELECT position, committed_at, ${sizeSql('patch')} AS size FROM changes WHERE workspace_id = w.id AND position > w.retained_from ORDER BY position LIMIT $3
    ) sized
  ) c WHERE c.before < $4
), w.retained_from)::float8 AS "to"
FROM workspaces w WHERE w.id = $1`,
    values: [workspaceId, olderThan, most.changes, most.bytes],
  });
  return rows[0] ?? null;
}

/** The value of each document where its retained log will begin: its head where nothing came later, else replayed. */
async function keepSnapshots(client: pg.PoolClient, workspaceId: WorkspaceId, { from, to }: { readonly from: Position; readonly to: Position }, now: Date): Promise<void> {
  await client.query({
    name: 'concord-compact-heads',
    text: `
INSERT INTO snapshots (workspace_id, document_id, revision, value, created_at)
SELECT d.workspace_id, d.id, d.revision, d.value, $4 FROM documents d
WHERE d.workspace_id = $1 AND d.position <= $3
  AND d.id IN (SELECT document_id FROM changes WHERE workspace_id = $1 AND position > $2 AND position <= $3)
ON CONFLICT DO NOTHING`,
    values: [workspaceId, from, to, now],
  });
  const { rows } = await client.query<ToReplay>({
    name: 'concord-compact-to-replay',
    text: `
SELECT c.document_id AS id, c.revision::float8 AS revision, ${sizeSql('d.value')} AS bytes
FROM (SELECT document_id, max(revision) AS revision FROM changes WHERE workspace_id = $1 AND position > $2 AND position <= $3 GROUP BY document_id) c
JOIN documents d ON d.workspace_id = $1 AND d.id = c.document_id
WHERE NOT EXISTS (SELECT 1 FROM snapshots s WHERE s.workspace_id = $1 AND s.document_id = c.document_id AND s.revision = c.revision)`,
    values: [workspaceId, from, to],
  });
  for (const some of portions(rows)) {
    const values = await rebuild(client, workspaceId, some);
    const made = some.map(({ id, revision }) => {
      const value = values.get(id);
      if (value === undefined) throw new Error(`invariant: the log of document ${id} in workspace ${workspaceId} has a hole before revision ${revision}; nothing more of it is compacted`);
      return { d: id, v: revision, j: [value] };
    });
    await client.query({
      name: 'concord-compact-snapshot-values',
      text: `
INSERT INTO snapshots (workspace_id, document_id, revision, value, created_at)
SELECT $1, r.d, r.v, r.j -> 0, $3 FROM jsonb_to_recordset($2::jsonb) AS r(d text, v bigint, j jsonb)
ON CONFLICT DO NOTHING`,
      values: [workspaceId, JSON.stringify(made), now],
    });
  }
}

interface ToReplay {
  readonly id: DocumentId;
  readonly revision: Revision;
  /** Of the head: about what the older value will have. */
  readonly bytes: number;
}

/** Runs of documents that are held in memory at once. */
function* portions(rows: readonly ToReplay[]): Generator<readonly ToReplay[]> {
  let some: ToReplay[] = [];
  let bytes = 0;
  for (const row of rows) {
    some.push(row);
    bytes += row.bytes;
    if (some.length < replayedAtOnce.documents && bytes < replayedAtOnce.bytes) continue;
    yield some;
    some = [];
    bytes = 0;
  }
  if (some.length > 0) yield some;
}

const keepAudit = `
INSERT INTO audit_entries (workspace_id, at, principal_id, action, document_id, patch_id, outcome, position, content, seal)
SELECT workspace_id, committed_at, principal_id, kind::text, document_id, patch_id, 'OK', position, ${changeContentSql}, 0
FROM changes WHERE workspace_id = $1 AND position > $2 AND position <= $3 ORDER BY position`;

const keepCounters = `
INSERT INTO retired_counters (workspace_id, document_id, replica_id, counter, patch_id, revision, position)
SELECT DISTINCT ON (document_id, replica_id) workspace_id, document_id, replica_id, counter, patch_id, revision, position
FROM changes WHERE workspace_id = $1 AND position > $2 AND position <= $3
ORDER BY document_id, replica_id, counter DESC
ON CONFLICT (workspace_id, document_id, replica_id) DO UPDATE
SET counter = excluded.counter, patch_id = excluded.patch_id, revision = excluded.revision, position = excluded.position
WHERE retired_counters.counter < excluded.counter`;

/** Those from before the retained log of their document: no base there can be merged from any more. */
const dropSnapshots = `
DELETE FROM snapshots s
USING (SELECT document_id, max(revision) AS revision FROM changes WHERE workspace_id = $1 AND position > $2 AND position <= $3 GROUP BY document_id) c
WHERE s.workspace_id = $1 AND s.document_id = c.document_id AND s.revision < c.revision`;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 1000)));
