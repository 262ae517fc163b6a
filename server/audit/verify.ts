import type pg from 'pg';
import { digestOf, type Seal } from './seal.js';
import { changesDigestSql, entriesDigestSql } from './row-digests.js';

/** Seals looked at in one statement. */
const pageSeals = 200;

export interface Verification {
  readonly seals: number;
  /** Of the newest seal; null: there is none. */
  readonly digest: string | null;
  /** Changes and rows that no seal covers yet. */
  readonly unsealed: number;
  /** Seals whose rows are gone by the retention. */
  readonly dropped: number;
  /** What does not hold, in sentences. Empty: nothing was changed or is missing. */
  readonly problems: readonly string[];
}

interface SealRow extends Seal {
  readonly at: Date;
  readonly digest: string;
  readonly dropped: boolean;
  readonly changesFound: number;
  readonly changesFoundDigest: string;
  readonly entriesFound: number;
  readonly entriesFoundDigest: string;
}

/** Follows the chain from its first link and computes every digest again from the rows. `expect`: a digest published before, which must be one of the chain's. */
export async function verifyWorkspace(pool: pg.Pool, workspaceId: string, expect: string | null = null): Promise<Verification> {
  const problems: string[] = [];
  const place = await readPlace(pool, workspaceId);
  let previous: SealRow | null = null;
  let met = false;
  let dropped = 0;
  for (;;) {
    const page: readonly SealRow[] = await readSeals(pool, workspaceId, previous?.number ?? 0);
    for (const seal of page) {
      problems.push(...linkProblems(workspaceId, seal, previous), ...rowProblems(seal, place));
      if (seal.digest === expect) met = true;
      if (seal.dropped) dropped += 1;
      previous = seal;
    }
    if (page.length < pageSeals) break;
  }
  const last = previous?.number ?? 0;
  const { beyond, outside, unsealed } = await readLoose(pool, workspaceId, last, previous?.toPosition ?? place.retainedFrom);
  if (beyond > 0) problems.push(`${beyond} rows name seals after number ${last}, which is the newest: seals are missing at the end.`);
  if (outside > 0) problems.push(`${outside} rows are marked as covered by the seal of a position, and have none: they were put in from outside.`);
  if (previous !== null && place.position < previous.toPosition) problems.push(`The log ends at position ${place.position}, and seal ${last} covers it up to ${previous.toPosition}: its end is missing.`);
  if (expect !== null && !met) problems.push(`The digest ${expect} is not one of this chain: what it stood for was written anew, or a backup from before it was restored.`);
  return { seals: last, digest: previous?.digest ?? null, unsealed, dropped, problems };
}

function linkProblems(workspaceId: string, seal: SealRow, previous: SealRow | null): string[] {
  const expected = (previous?.number ?? 0) + 1;
  if (seal.number !== expected) return [`Seal ${expected} is missing.`];
  if (seal.previous !== (previous?.digest ?? '')) return [`Seal ${seal.number} does not follow the one before it: one of the two was changed.`];
  if (previous !== null && seal.fromPosition !== previous.toPosition) return [`Seal ${seal.number} begins after position ${seal.fromPosition}, and the one before ends at ${previous.toPosition}.`];
  return seal.digest === digestOf(workspaceId, seal) ? [] : [`Seal ${seal.number} was changed: its digest is not that of what it says.`];
}

function rowProblems(seal: SealRow, { retainedFrom, droppedThrough }: Place): string[] {
  const when = `sealed as number ${seal.number} at ${seal.at.toISOString()}`;
  const { fromPosition, toPosition, changesFound, entries, entriesFound } = seal;
  const problems: string[] = [];
  if (seal.dropped && seal.number > droppedThrough) problems.push(`The rows ${when} are marked as gone by the retention, and no row of the audit says that the retention took them.`);
  const changes = toPosition - fromPosition;
  const range = `changes at positions ${fromPosition + 1} to ${toPosition}, ${when}`;
  // What the retention took are rows of changes that were compacted before; what the log must still hold is there.
  const compacted = Math.max(0, Math.min(toPosition, retainedFrom) - fromPosition);
  const gone = seal.dropped && changesFound >= changes - compacted && changesFound < changes;
  if (!gone && changesFound !== changes) problems.push(`Of the ${changes} ${range}, ${changesFound} are there.`);
  else if (!gone && seal.changesFoundDigest !== seal.changesDigest) problems.push(`The ${range}, are not what was sealed: at least one was changed.`);
  if (!seal.dropped && entriesFound !== entries) problems.push(`Of the ${entries} rows of audit_entries ${when}, ${entriesFound} are there.`);
  else if (!seal.dropped && seal.entriesFoundDigest !== seal.entriesDigest) problems.push(`The ${entries} rows of audit_entries ${when}, are not what was sealed: at least one was changed.`);
  return problems;
}

interface Place {
  readonly position: number;
  readonly retainedFrom: number;
  /** The retention has told that the rows of the seals up to this one are gone. */
  readonly droppedThrough: number;
}

async function readPlace(pool: pg.Pool, workspaceId: string): Promise<Place> {
  const { rows } = await pool.query<Place>(
    `SELECT coalesce(w.position, 0)::float8 AS position, coalesce(w.retained_from, 0)::float8 AS "retainedFrom",
       coalesce((SELECT max((detail ->> 'through')::bigint) FROM audit_entries WHERE workspace_id = $1 AND action = 'DROP_AUDIT'), 0)::float8 AS "droppedThrough"
     FROM (SELECT 1) one LEFT JOIN workspaces w ON w.id = $1`,
    [workspaceId],
  );
  return rows[0] ?? { position: 0, retainedFrom: 0, droppedThrough: 0 };
}

async function readSeals(pool: pg.Pool, workspaceId: string, after: number): Promise<readonly SealRow[]> {
  const { rows } = await pool.query<SealRow>(
    `SELECT s.number::float8 AS number, s.at, s.from_position::float8 AS "fromPosition", s.to_position::float8 AS "toPosition", s.entries::float8 AS entries,
       s.newest_at AS "newestAt", s.changes_digest AS "changesDigest", s.entries_digest AS "entriesDigest", s.previous, s.digest, s.dropped,
       c.count AS "changesFound", c.digest AS "changesFoundDigest", e.count AS "entriesFound", e.digest AS "entriesFoundDigest"
     FROM audit_seals s
     CROSS JOIN LATERAL (${changesDigestSql('$1', 's.from_position', 's.to_position')}) c
     CROSS JOIN LATERAL (${entriesDigestSql('audit_entries a WHERE a.workspace_id = $1 AND a.seal = s.number')}) e
     WHERE s.workspace_id = $1 AND s.number > $2 ORDER BY s.number LIMIT ${pageSeals}`,
    [workspaceId, after],
  );
  return rows;
}

async function readLoose(pool: pg.Pool, workspaceId: string, last: number, sealedTo: number): Promise<{ readonly beyond: number; readonly outside: number; readonly unsealed: number }> {
  const { rows } = await pool.query<{ beyond: number; outside: number; unsealed: number }>(
    `SELECT count(*) FILTER (WHERE seal > $2)::int AS beyond,
       count(*) FILTER (WHERE seal <= 0 AND (position IS NULL OR content IS NULL))::int AS outside,
       (count(*) FILTER (WHERE seal IS NULL) + (SELECT count(*) FROM changes WHERE workspace_id = $1 AND position > $3))::int AS unsealed
     FROM audit_entries WHERE workspace_id = $1`,
    [workspaceId, last, sealedTo],
  );
  return rows[0] ?? { beyond: 0, outside: 0, unsealed: 0 };
}
