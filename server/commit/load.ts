import {
  type Counter,
  type DocumentId,
  type JsonValue,
  type NormalPatch,
  type PatchId,
  type Position,
  type ReplicaId,
  type Revision,
  type WorkspaceId,
} from '@concord/core';
import type { ChangeRecord } from '@concord/schema';
import type { Queryable } from '../postgres/queryable.js';
import { sizeSql } from '../read/size-sql.js';
import { patchesBytes } from './merge-bounds.js';
import { rebuild } from './rebuild.js';
import { documentKey, type DocumentKey } from './heads.js';
import { dotKey, notWeighed, tailStart, type DocumentState, type LoggedChange, type Need } from './document-state.js';

/** How far behind the head of a document an edit's base may be. */
export interface Reach {
  readonly changes: number;
  readonly bytes: number;
}

/** A document to load, with what the waiting edits will ask for. */
export interface Wanted {
  readonly workspaceId: WorkspaceId;
  readonly documentId: DocumentId;
  /** The changes after this revision, exclusive. */
  from: number;
  readonly replicas: Set<ReplicaId>;
}

/** `[revision, position, kind, replica, counter, patch id, base, patch, sent]`: a change as the statements below return it. */
export type ChangeRow = readonly [number, number, ChangeRecord['kind'], string, number, string, number, NormalPatch, NormalPatch | null];

export const changeSize = `${sizeSql('t.patch')} + coalesce(${sizeSql('t.sent')}, 0)`;

export const changeRow = `jsonb_build_array(t.revision, t.position, t.kind, t.replica_id, t.counter, t.patch_id, t.base, t.patch, t.sent)`;

/** The newest counter of a replica, whether its change is in the log or was compacted away. Null: it has none. */
export const newestCounter = (workspace: string, document: string, replica: string): string => `greatest(
  (SELECT max(t.counter) FROM changes t WHERE t.workspace_id = ${workspace} AND t.document_id = ${document} AND t.replica_id = ${replica}),
  (SELECT t.counter FROM retired_counters t WHERE t.workspace_id = ${workspace} AND t.document_id = ${document} AND t.replica_id = ${replica}))`;

/**
 * One statement, so one snapshot: head, tail and counters agree. Keys of the rows: `w`, `d` ids, `f` from, `r` replicas. Values
 * and tails come of the first documents that weigh less than $4 together, and of one at least; of the rest only the weight.
 */
const loadHeads = `
SELECT k.w, k.d, x.epoch, x.position::float8 AS known, k.collection, k.title, CASE WHEN k.fits THEN k.value END AS value, k.revision::float8 AS revision, k.deleted, k.created_at,
  k.bytes, k.weight::float8 AS weight, k.fits,
  CASE WHEN k.fits AND k.f < k.revision THEN (SELECT jsonb_agg(${changeRow} ORDER BY t.revision) FROM (
    SELECT t.*, sum(${changeSize}) OVER (ORDER BY t.revision DESC) AS weight FROM changes t
    WHERE t.workspace_id = k.w AND t.document_id = k.d AND t.revision > greatest(k.f, k.revision - $2)
  ) t WHERE t.weight <= $3) END AS tail,
  (SELECT jsonb_object_agg(r.id, c.newest) FROM jsonb_array_elements_text(k.r) r(id)
    CROSS JOIN LATERAL (SELECT ${newestCounter('k.w', 'k.d', 'r.id')} AS newest) c
    WHERE c.newest IS NOT NULL) AS counters
FROM (
  SELECT d.*, sum(d.weight) OVER (ORDER BY d.n) - d.weight < $4 AS fits FROM (
    SELECT k.*, d.collection, d.title, d.value, d.revision, d.deleted, d.created_at, octet_length(d.value::text) AS bytes,
      coalesce(octet_length(d.value::text), 0) + coalesce(CASE WHEN k.f < d.revision THEN (SELECT least(sum(${changeSize}), $3) FROM changes t
        WHERE t.workspace_id = k.w AND t.document_id = k.d AND t.revision > greatest(k.f, d.revision - $2)) END, 0) AS weight
    FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (w text, d text, f bigint, r jsonb)) WITH ORDINALITY AS k(w, d, f, r, n)
    LEFT JOIN documents d ON d.workspace_id = k.w AND d.id = k.d
  ) d
) k
JOIN workspaces x ON x.id = k.w`;

interface HeadRow {
  readonly w: WorkspaceId;
  readonly d: DocumentId;
  readonly epoch: number;
  readonly known: Position;
  readonly collection: string | null;
  readonly title: string;
  readonly value: JsonValue;
  readonly revision: number | null;
  readonly deleted: boolean;
  readonly created_at: Date;
  readonly bytes: number;
  readonly weight: number;
  readonly fits: boolean;
  readonly tail: readonly ChangeRow[] | null;
  readonly counters: Readonly<Record<string, number>> | null;
}

/** What was read of many documents, and the bytes it weighs as text. */
export interface Loaded {
  readonly states: readonly DocumentState[];
  readonly bytes: number;
  /** Documents there was no room for, with the bytes of each. */
  readonly unread: ReadonlyMap<DocumentKey, number>;
}

/**
 * The states of many documents in one statement, as many as there is room for in bytes, at least one. A document that does not
 * exist has `facts` null; one whose workspace does not exist is left out of the result.
 */
export async function loadStates(db: Queryable, wanted: readonly Wanted[], reach: Reach, room: number, batch: number): Promise<Loaded> {
  const keys = wanted.map(({ workspaceId, documentId, from, replicas }) => ({ w: workspaceId, d: documentId, f: from, r: [...replicas] }));
  const { rows } = await db.query<HeadRow>({ name: 'concord-load-heads', text: loadHeads, values: [JSON.stringify(keys), reach.changes, reach.bytes, room] });
  const asked = new Map(wanted.map((want) => [documentKey(want.workspaceId, want.documentId), want.replicas]));
  const unread = new Map<DocumentKey, number>();
  let bytes = 0;
  for (const { w, d, weight, fits } of rows) {
    if (fits) bytes += weight;
    else unread.set(documentKey(w, d), weight);
  }
  const states = rows.filter(({ fits }) => fits).map((row): DocumentState => {
    const counters = new Map<ReplicaId, Counter>();
    const strangers = new Set<ReplicaId>();
    for (const replica of asked.get(documentKey(row.w, row.d)) ?? []) {
      const newest = row.counters?.[replica];
      if (newest === undefined) strangers.add(replica);
      else counters.set(replica, newest as Counter);
    }
    const tail = (row.tail ?? []).map(loggedChange);
    const newest = tail.at(-1);
    if (newest !== undefined) newest.after = row.value;
    return {
      workspaceId: row.w,
      documentId: row.d,
      epoch: row.epoch,
      loadedBy: batch,
      knownAt: row.known,
      facts: row.collection === null ? null : { collection: row.collection, title: row.title, createdAt: row.created_at },
      value: row.value ?? null,
      valueBytes: row.bytes ?? 0,
      revision: (row.revision ?? 0) as Revision,
      deleted: row.deleted ?? false,
      tail,
      counters,
      strangers,
      allCounters: row.collection === null,
      tailEnds: false,
      looked: new Map(),
      rebuilt: new Map<Revision, JsonValue>(),
      lanes: new Map(),
      sinceSnapshot: 0,
      tailWeight: notWeighed,
    };
  });
  return { states, bytes, unread };
}

export function loggedChange([revision, position, kind, replicaId, counter, patchId, base, patch, sent]: ChangeRow): LoggedChange {
  return {
    revision: revision as Revision,
    position: position as Position,
    kind,
    replicaId: replicaId as ReplicaId,
    counter: counter as Counter,
    patchId: patchId as PatchId,
    base: base as Revision,
    patch,
    sent,
    bytes: JSON.stringify(patch).length,
    after: undefined,
  };
}

/** Loads what a decision asked for into a state; returns its bytes as text. `fresh` is not for here: the batch loads the state anew. */
export async function loadNeed(db: Queryable, state: DocumentState, need: Exclude<Need, { kind: 'fresh' }>, reach: Reach): Promise<number> {
  const where = `t.workspace_id = $1 AND t.document_id = $2`;
  const ids = [state.workspaceId, state.documentId] as const;
  switch (need.kind) {
    case 'counter': {
      const { rows } = await db.query<{ newest: number | null }>({
        name: 'concord-load-counter',
        text: `SELECT ${newestCounter('$1', '$2', '$3')}::float8 AS newest`,
        values: [...ids, need.replicaId],
      });
      const newest = rows[0]?.newest ?? null;
      // What the running batch has decided in the meantime is newer than the database.
      if (newest !== null && !state.counters.has(need.replicaId)) state.counters.set(need.replicaId, newest as Counter);
      else if (newest === null && !state.counters.has(need.replicaId)) state.strangers.add(need.replicaId);
      return 0;
    }
    case 'counters': {
      const { rows } = await db.query<{ replica: ReplicaId; newest: number }>({
        name: 'concord-load-counters',
        text: `
SELECT t.replica_id AS replica, max(t.counter)::float8 AS newest FROM (
  SELECT t.replica_id, t.counter FROM changes t WHERE ${where}
  UNION ALL SELECT t.replica_id, t.counter FROM retired_counters t WHERE ${where}
) t GROUP BY t.replica_id`,
        values: [...ids],
      });
      for (const { replica, newest } of rows) {
        if (!state.counters.has(replica)) state.counters.set(replica, newest as Counter);
      }
      state.allCounters = true;
      return 0;
    }
    case 'logged': {
      const { rows } = await db.query<{ change: ChangeRow | null; retired: readonly [PatchId, Revision, Position] | null }>({
        name: 'concord-load-logged',
        text: `
SELECT (SELECT ${changeRow} FROM changes t WHERE ${where} AND t.replica_id = $3 AND t.counter = $4) AS change,
  (SELECT jsonb_build_array(t.patch_id, t.revision, t.position) FROM retired_counters t WHERE ${where} AND t.replica_id = $3 AND t.counter = $4) AS retired`,
        values: [...ids, need.replicaId, need.counter],
      });
      const { change, retired } = rows[0] ?? { change: null, retired: null };
      const compacted = retired === null ? null : { patchId: retired[0], revision: retired[1], position: retired[2], patch: [], sent: null };
      const logged = change === null ? { compacted } : loggedChange(change);
      state.looked.set(dotKey(need.replicaId, need.counter), logged);
      return 'compacted' in logged ? 0 : bytesOf([logged]);
    }
    case 'tail': {
      const { rows } = await db.query<{ change: ChangeRow }>({
        name: 'concord-load-tail',
        text: `
SELECT ${changeRow} AS change FROM (
  SELECT t.*, sum(${changeSize}) OVER (ORDER BY t.revision DESC) AS weight FROM changes t WHERE ${where} AND t.revision > $3 AND t.revision <= $4
) t WHERE t.weight <= $5 ORDER BY t.revision`,
        values: [...ids, need.from, tailStart(state), reach.bytes - bytesOf(state.tail)],
      });
      const older = rows.map(({ change }) => loggedChange(change));
      state.tail = [...older, ...state.tail];
      state.tailEnds = tailStart(state) > need.from;
      return bytesOf(older);
    }
    case 'value': {
      const value = (await rebuild(db, state.workspaceId, [{ id: state.documentId, revision: need.at }])).get(state.documentId);
      if (value !== undefined) state.rebuilt.set(need.at, value);
      else forgetUpTo(state, need.at);
      return state.valueBytes;
    }
  }
}

/** Of the patches as they are sent and stored. */
const bytesOf = (changes: readonly LoggedChange[]): number => changes.reduce((bytes, { patch, sent }) => bytes + patchesBytes(patch, sent), 0);

/** The log was compacted past a revision while it was being asked for: an edit on it is `CLOCK_STALE` now. */
function forgetUpTo(state: DocumentState, revision: Revision): void {
  state.tail = state.tail.slice(Math.max(0, revision + 1 - tailStart(state)));
  state.tailEnds = true;
  state.lanes.clear();
}
