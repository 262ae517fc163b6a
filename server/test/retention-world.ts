import { apply, type DocumentId, type JsonValue, type NormalPatch, type WorkspaceId } from '@concord/core';
import { compactWorkspace, type Compaction, type CompactionRequest } from '../retention/compact.js';
import type { World } from './engine-world.js';

/** Compacts the workspace of the world as far as nothing younger than `olderThan` is in the way. Default: all of the log. */
export const compact = (world: World, request: Partial<CompactionRequest> = {}): Promise<Compaction> =>
  compactWorkspace(world.sql, { workspaceId: world.workspaceId, olderThan: new Date(Date.now() + 86_400_000), now: () => new Date(), ...request });

/**
 * Law I1 under retention: for every document the snapshot where its retained log begins, with that log replayed on it, is the
 * head. Throws what is not so. Returns how many documents there were.
 */
export async function checkReplay(world: World, workspaceId: WorkspaceId = world.workspaceId): Promise<number> {
  const { rows } = await world.sql.query<{ id: DocumentId; value: JsonValue; revision: number; start: number; kept: JsonValue; found: boolean; patches: NormalPatch[] | null; revisions: number[] | null }>(
    `SELECT d.id, d.value, d.revision::int AS revision, c.start::int AS start, s.value AS kept, s.revision IS NOT NULL AS found, c.patches, c.revisions
     FROM documents d
     CROSS JOIN LATERAL (
       SELECT coalesce(min(revision) - 1, d.revision) AS start, jsonb_agg(patch ORDER BY revision) AS patches, array_agg(revision::int ORDER BY revision) AS revisions
       FROM changes WHERE workspace_id = d.workspace_id AND document_id = d.id
     ) c
     LEFT JOIN snapshots s ON s.workspace_id = d.workspace_id AND s.document_id = d.id AND s.revision = c.start
     WHERE d.workspace_id = $1`,
    [workspaceId],
  );
  for (const { id, value, revision, start, kept, found, patches, revisions } of rows) {
    const expected = Array.from({ length: revision - start }, (_, index) => start + 1 + index);
    if (JSON.stringify(revisions ?? []) !== JSON.stringify(expected)) throw new Error(`${id}: the log holds ${JSON.stringify(revisions)}, not ${start + 1} to ${revision}`);
    if (start > 0 && !found) throw new Error(`${id}: no snapshot at ${start}, where its log begins`);
    let replayed: JsonValue = found ? kept : null;
    for (const patch of patches ?? []) {
      const next = apply(replayed, patch);
      if (!next.ok) throw new Error(`${id}: ${next.error.message}`);
      replayed = next.value;
    }
    if (!same(replayed, value)) throw new Error(`${id}: replayed to ${JSON.stringify(replayed)}, the head is ${JSON.stringify(value)}`);
  }
  await checkPositions(world, workspaceId);
  return rows.length;
}

/** The log holds every position after `retained_from`, and none before. */
async function checkPositions({ sql }: World, workspaceId: WorkspaceId): Promise<void> {
  const { rows } = await sql.query<{ retained: number; head: number; least: number | null; held: number }>(
    `SELECT w.retained_from::int AS retained, w.position::int AS head, min(c.position)::int AS least, count(c.position)::int AS held
     FROM workspaces w LEFT JOIN changes c ON c.workspace_id = w.id WHERE w.id = $1 GROUP BY w.id`,
    [workspaceId],
  );
  const { retained, head, least, held } = rows[0]!;
  if (held !== head - retained || (least !== null && least !== retained + 1)) throw new Error(`the log holds ${held} changes from ${least} on; it should hold those after ${retained} up to ${head}`);
}

function same(a: JsonValue, b: JsonValue): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, sorted(member)]));
}
