import { apply, type Counter, type DocumentId, type JsonValue, type Position, type ReplicaId, type Revision, type WorkspaceId } from '@concord/core';
import type { Queryable } from '../postgres/queryable.js';
import type { DocumentState } from './document-state.js';
import { documentKey } from './heads.js';
import { changeRow, changeSize, loggedChange, newestCounter, type ChangeRow } from './load.js';

/** More than so many changes, or bytes of them, are not caught up with: then the whole document is loaded. */
const mostChanges = 128;
const mostBytes = 64 * 1024;

/** A state that may be behind the database. */
export interface Behind {
  readonly state: DocumentState;
  /** Replicas whose counters the waiting edits will ask for. */
  readonly replicas: ReadonlySet<ReplicaId>;
}

/** One statement, so one snapshot. Keys of the rows: `w`, `d` ids, `v` the revision that is known, `r` replicas that are not. */
const changesSince = `
SELECT k.w, k.d, x.epoch, x.position::float8 AS known, d.revision::float8 AS revision,
  (SELECT jsonb_agg(${changeRow} ORDER BY t.revision) FROM (
    SELECT t.*, sum(${changeSize}) OVER (ORDER BY t.revision) AS weight FROM changes t
    WHERE t.workspace_id = k.w AND t.document_id = k.d AND t.revision > k.v AND t.revision <= k.v + $2
  ) t WHERE t.weight <= $3) AS since,
  (SELECT jsonb_object_agg(r.id, ${newestCounter('k.w', 'k.d', 'r.id')}) FROM jsonb_array_elements_text(k.r) r(id)) AS counters
FROM jsonb_to_recordset($1::jsonb) AS k(w text, d text, v bigint, r jsonb)
JOIN workspaces x ON x.id = k.w
JOIN documents d ON d.workspace_id = k.w AND d.id = k.d`;

interface SinceRow {
  readonly w: WorkspaceId;
  readonly d: DocumentId;
  readonly epoch: number;
  readonly known: Position;
  readonly revision: number;
  readonly since: readonly ChangeRow[] | null;
  readonly counters: Readonly<Record<string, number | null>> | null;
}

/**
 * Brings states up to the database by what other nodes have committed since, in one statement: while several nodes work on a
 * document, each of them keeps what it knows of it. Returns those that are current now; the others (too far behind, compacted,
 * of another epoch, not yet a document) have to be loaded.
 */
export async function refresh(db: Queryable, behind: readonly Behind[], batch: number): Promise<readonly Refreshed[]> {
  const known = behind.filter(({ state }) => state.facts !== null);
  if (known.length === 0) return [];
  const keys = known.map(({ state, replicas }) => ({ w: state.workspaceId, d: state.documentId, v: state.revision, r: [...replicas].filter((replica) => !isKnown(state, replica)) }));
  const { rows } = await db.query<SinceRow>({ name: 'concord-changes-since', text: changesSince, values: [JSON.stringify(keys), mostChanges, mostBytes] });
  const found = new Map(rows.map((row) => [documentKey(row.w, row.d), row]));
  const current: Refreshed[] = [];
  for (const { state } of known) {
    const row = found.get(documentKey(state.workspaceId, state.documentId));
    const { revision } = state;
    if (row !== undefined && catchUp(state, row, batch)) current.push({ state, moved: state.revision > revision });
  }
  return current;
}

export interface Refreshed {
  readonly state: DocumentState;
  /** Another node has committed to it. */
  readonly moved: boolean;
}

const isKnown = ({ allCounters, counters, strangers }: DocumentState, replica: ReplicaId): boolean => allCounters || counters.has(replica) || strangers.has(replica);

/** False: it cannot be done, and the state is as it was. */
function catchUp(state: DocumentState, { epoch, known, revision, since, counters }: SinceRow, batch: number): boolean {
  const missed = (since ?? []).map(loggedChange);
  if (epoch !== state.epoch || missed.length !== revision - state.revision) return false;
  let { value, valueBytes, deleted }: { value: JsonValue; valueBytes: number; deleted: boolean } = state;
  for (const change of missed) {
    if (change.kind === 'CREATE') return false;
    const next = apply(value, change.patch);
    if (!next.ok) throw new Error(`invariant: the log of document ${state.documentId} does not go on from revision ${change.revision - 1}: ${next.error.message}`);
    value = next.value;
    // An operation's text holds its value and its key: the document cannot have grown by more.
    valueBytes += Buffer.byteLength(JSON.stringify(change.patch));
    if (change.kind !== 'PATCH') deleted = change.kind === 'DELETE';
    change.after = value;
  }
  state.tail.push(...missed);
  for (const [replica, newest] of Object.entries(counters ?? {}) as [ReplicaId, number | null][]) {
    if (newest === null) state.strangers.add(replica);
    else state.counters.set(replica, newest as Counter);
  }
  for (const { replicaId, counter } of missed) {
    state.counters.set(replicaId, counter);
    state.strangers.delete(replicaId);
  }
  state.value = value;
  state.valueBytes = valueBytes;
  state.deleted = deleted;
  state.revision = (state.revision + missed.length) as Revision;
  state.knownAt = known;
  state.loadedBy = batch;
  return true;
}
