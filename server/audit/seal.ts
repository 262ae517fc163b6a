import { createHash } from 'node:crypto';
import type pg from 'pg';
import { changesDigestSql, entriesDigestSql } from './row-digests.js';

/** Changes, and rows of `audit_entries`, that one seal covers. */
const maxRows = 5_000;
/** The first half of the key of PostgreSQL's advisory locks that sealing takes; the other is the hash of the workspace. */
const lockClass = 0x436f5365;

/** A link of the chain over the audit of a workspace. */
export interface Seal {
  readonly number: number;
  /** It covers the changes after this position … */
  readonly fromPosition: number;
  /** … up to this one, … */
  readonly toPosition: number;
  /** … and so many rows of `audit_entries`. */
  readonly entries: number;
  readonly newestAt: Date;
  readonly changesDigest: string;
  readonly entriesDigest: string;
  /** The digest of the seal before; of the first one the empty text. */
  readonly previous: string;
}

/** What stands for everything sealed so far: publish it, and nobody can write history anew without its being seen. */
export const digestOf = (workspaceId: string, seal: Seal): string =>
  createHash('sha256')
    .update(JSON.stringify([workspaceId, seal.number, seal.previous, seal.fromPosition, seal.toPosition, seal.entries, seal.newestAt.getTime(), seal.changesDigest, seal.entriesDigest]))
    .digest('hex');

interface RowsDigest {
  readonly count: number;
  readonly newest: Date | null;
  readonly digest: string;
}

/**
 * Seals what is committed of the audit of a workspace, the log included. What is not sealed yet is told by the rows, so it may be called
 * at any time, on any node, and again after a crash; of several at once one works. Commits do not wait for it. Returns the
 * number of seals made.
 *
 * @throws Error when the log has a hole: that is for `npm run audit -- verify` to tell.
 */
export async function sealWorkspace(pool: pg.Pool, workspaceId: string, now: () => Date, { signal, olderThan = null }: SealOptions = {}): Promise<number> {
  let made = 0;
  while (signal?.aborted !== true && (await inTransaction(pool, (client) => sealNext(client, workspaceId, now(), olderThan)))) made += 1;
  return made;
}

export interface SealOptions {
  /** Ends it after the seal at work. */
  readonly signal?: AbortSignal;
  /** Seals only what is from before this moment, so that those seals can go with it. */
  readonly olderThan?: Date | null;
}

/** False: there was nothing to seal, or another node is at it; the transaction is to be undone. */
async function sealNext(client: pg.PoolClient, workspaceId: string, now: Date, olderThan: Date | null): Promise<boolean> {
  const { rows: locks } = await client.query<{ locked: boolean }>({ name: 'concord-seal-lock', text: 'SELECT pg_try_advisory_xact_lock($1::int, hashtext($2)) AS locked', values: [lockClass, workspaceId] });
  if (locks[0]?.locked !== true) return false;
  const { rows } = await client.query<{ number: number; from: number; previous: string; to: number }>({
    name: 'concord-seal-next',
    text: `
SELECT coalesce(s.number, 0)::float8 + 1 AS number, coalesce(s.digest, '') AS previous, b.start::float8 AS "from",
  least(
    coalesce(w.position, 0),
    b.start + $2,
    CASE WHEN $3::timestamptz IS NOT NULL THEN (SELECT min(c.position) - 1 FROM changes c WHERE c.workspace_id = $1 AND c.position > b.start AND c.committed_at >= $3) END
  )::float8 AS "to"
FROM (SELECT 1) one
LEFT JOIN workspaces w ON w.id = $1
LEFT JOIN LATERAL (SELECT number, digest, to_position FROM audit_seals WHERE workspace_id = $1 ORDER BY number DESC LIMIT 1) s ON true
CROSS JOIN LATERAL (
  -- The first seal begins with what was compacted before it, as far as that was kept with its digest.
  SELECT coalesce(s.to_position, (SELECT min(a.position) - 1 FROM audit_entries a WHERE a.workspace_id = $1 AND a.position IS NOT NULL), w.retained_from, 0) AS start
) b`,
    values: [workspaceId, maxRows, olderThan],
  });
  const next = rows[0];
  if (next === undefined) throw new Error('invariant: one row says where the chain goes on');
  const { number, previous, from } = next;
  const to = Math.max(next.to, from);
  const changes = await digest(client, { name: 'concord-seal-changes', text: changesDigestSql('$1', '$2', '$3'), values: [workspaceId, from, to] });
  if (changes.count !== to - from) {
    throw new Error(`The log of workspace ${workspaceId} holds ${changes.count} changes after position ${from} up to ${to}; it should hold ${to - from}. Nothing more of it is sealed. Run "npm run audit -- verify".`);
  }
  const entries = await digest(client, {
    name: 'concord-seal-entries',
    text: `
WITH sealed AS (
  UPDATE audit_entries SET seal = $2 WHERE workspace_id = $1 AND id IN (
    SELECT id FROM audit_entries WHERE workspace_id = $1 AND seal IS NULL AND ($4::timestamptz IS NULL OR at < $4) ORDER BY id LIMIT $3 FOR UPDATE
  ) RETURNING *
) ${entriesDigestSql('sealed')}`,
    values: [workspaceId, number, maxRows, olderThan],
  });
  if (changes.count + entries.count === 0) return false;
  const newestAt = new Date(Math.max(changes.newest?.getTime() ?? 0, entries.newest?.getTime() ?? 0));
  const seal: Seal = { number, previous, fromPosition: from, toPosition: to, entries: entries.count, newestAt, changesDigest: changes.digest, entriesDigest: entries.digest };
  await client.query({
    name: 'concord-seal',
    text: `
INSERT INTO audit_seals (workspace_id, number, at, from_position, to_position, entries, newest_at, changes_digest, entries_digest, previous, digest)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    values: [workspaceId, number, now, from, to, entries.count, newestAt, changes.digest, entries.digest, previous, digestOf(workspaceId, seal)],
  });
  return true;
}

async function digest(client: pg.PoolClient, statement: pg.QueryConfig): Promise<RowsDigest> {
  const { rows } = await client.query<RowsDigest>(statement);
  if (rows[0] === undefined) throw new Error('invariant: an aggregate is one row');
  return rows[0];
}

/** Commits when `work` says true, else undoes it. */
async function inTransaction(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<boolean>): Promise<boolean> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // The statement at work rejects as well; an error event that nobody listens to would end the process.
  const onError = (error: Error) => (broken = error);
  client.on('error', onError);
  try {
    await client.query('BEGIN');
    const done = await work(client);
    await client.query(done ? 'COMMIT' : 'ROLLBACK');
    return done;
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => (broken = failure));
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}
