import {
  cross,
  decideClock,
  deletionConflict,
  equalValues,
  jsonBytes,
  mostReportedConflicts,
  markCorrections,
  normalizeAndApply,
  withItem,
  apply,
  type ClockVerdict,
  type Conflict,
  type Counter,
  type Failure,
  type JsonValue,
  type Limits,
  type NormalPatch,
  type Patch,
  type PatchId,
  type Position,
  type ReplicaId,
  type Revision,
} from '@concord/core';
import type { Edit, EditAction, Stamp, UnreadableEdit } from '@concord/schema';
import { authorLane } from './author-context.js';
import type { Reach } from './load.js';
import { tooManyConflicts, tooManyPairs } from './merge-bounds.js';
import { refuse, refuseClock, refuseCompacted, tooLarge, type RefusedDecision } from './refuse.js';
import { loggedUnder, tailStart, type CompactedChange, type DocumentState, type LoggedChange, type Need, type ToldChange } from './document-state.js';

/** A conflict that the commit of a change found, against an earlier change of the document. */
export interface FoundConflict {
  readonly againstRevision: Revision;
  readonly conflict: Conflict;
}

export type Decision =
  /** Already taken into the state. */
  | { readonly kind: 'change'; readonly change: LoggedChange; readonly text: string; readonly conflicts: readonly FoundConflict[] }
  | { readonly kind: 'duplicate'; readonly change: ToldChange }
  | RefusedDecision
  | { readonly kind: 'need'; readonly need: Need };

export interface DecisionRules {
  readonly limits: Limits;
  readonly reach: Reach;
  /** The server's own replica for the caller, which makes edits that have no stamp. */
  readonly serverReplica: ReplicaId;
  /** With an edit that has no stamp. */
  readonly attempt: HeadAttempt | undefined;
  readonly now: Date;
  /** The batch at work: a refusal is final only from a state that this batch loaded. */
  readonly batch: number;
  /** An earlier edit of the same replica on this document was refused in the same push. */
  readonly afterRefused: boolean;
}

/** The stamp that the server makes for an edit without one: the id, and the counters under which it was tried so far. */
export interface HeadAttempt {
  readonly patchId: PatchId;
  readonly counters: Counter[];
}

/**
 * The verdict on one edit of one document, in the order of docs/SEMANTICS.md, clocks and verdicts: duplicate, clock, transform past what was missed,
 * apply, guards, sizes. Pure but for the state, into which a committed change is taken so that the next edit is decided on
 * top of it. Everything is in memory or asked for as a need; nothing has changed then.
 */
export function decide(state: DocumentState, edit: Edit | UnreadableEdit, rules: DecisionRules): Decision {
  const decision = edit.stamp === null ? decideAtHead(state, edit, rules, rules.attempt!) : decideStamped(state, edit, edit.stamp, rules);
  if (decision.kind === 'refused' && state.loadedBy !== rules.batch) return need({ kind: 'fresh' });
  return decision;
}

function decideStamped(state: DocumentState, edit: Edit | UnreadableEdit, stamp: Stamp, rules: DecisionRules): Decision {
  const { replicaId, counter } = stamp;
  if (!state.allCounters && !state.counters.has(replicaId) && !state.strangers.has(replicaId) && state.facts !== null) {
    return need({ kind: 'counter', replicaId });
  }
  // A vector is found in the chain of all vectors: one replica that is not known of would move it to a later place.
  if ('vector' in stamp.clock && !state.allCounters) return need({ kind: 'counters' });
  const newest = state.counters.get(replicaId) ?? 0;
  let first: ToldChange | null = null;
  if (counter <= newest) {
    const logged = loggedUnder(state, replicaId, counter);
    if (logged === undefined) return need({ kind: 'logged', replicaId, counter });
    first = toldOf(logged);
  }

  const verdict = decideClock(stamp, {
    epoch: state.epoch,
    head: state.revision,
    counters: state.counters,
    tail: state.tail,
    logged: first?.patchId,
  });
  if (verdict.kind === 'duplicate' && first !== null) return { kind: 'duplicate', change: first };
  if (verdict.kind === 'resync' || verdict.kind === 'cloned') return refuseClock(verdict, edit, stamp, state);
  if (counter <= newest) return refuseCompacted(edit, stamp, newest);
  if (rules.afterRefused) {
    return refuse('PATCH_DEPENDS_ON_REFUSED', 'An earlier edit of this replica on this document was refused in the same push; mend that one and push both again');
  }
  if ('failure' in edit) return { kind: 'refused', failure: edit.failure };
  const absent = checkExistence(state, edit.action);
  if (absent !== undefined) return absent;
  if (verdict.kind !== 'fast-forward' && verdict.kind !== 'concurrent') {
    return reachBack(state, stamp, verdict, rules) ?? refuseClock(verdict, edit, stamp, state);
  }
  return take(state, edit, stamp, verdict, rules);
}

/** What the log or the memory of compacted changes tells; null: only that there was one. */
const toldOf = (logged: LoggedChange | CompactedChange): ToldChange | null => ('compacted' in logged ? logged.compacted : logged);

/** A person's edit: made on whatever the head is, by the server's own replica for that principal. */
function decideAtHead(state: DocumentState, edit: Edit | UnreadableEdit, rules: DecisionRules, { patchId, counters }: HeadAttempt): Decision {
  const replicaId = rules.serverReplica;
  if (!state.allCounters && !state.counters.has(replicaId) && !state.strangers.has(replicaId) && state.facts !== null) {
    return need({ kind: 'counter', replicaId });
  }
  const newest = state.counters.get(replicaId) ?? 0;
  for (const counter of counters) {
    if (counter > newest) continue;
    const logged = loggedUnder(state, replicaId, counter);
    if (logged === undefined) return need({ kind: 'logged', replicaId, counter });
    const first = toldOf(logged);
    if (first?.patchId === patchId) return { kind: 'duplicate', change: first };
  }
  if (rules.afterRefused) {
    return refuse('PATCH_DEPENDS_ON_REFUSED', 'An earlier edit of this document was refused in the same push; mend that one and send both again');
  }
  if ('failure' in edit) return { kind: 'refused', failure: edit.failure };
  const absent = checkExistence(state, edit.action);
  if (absent !== undefined) return absent;
  if (edit.ifRevision !== undefined && edit.ifRevision !== state.revision) {
    return refuse('TEST_FAILED', `The document has revision ${state.revision}, not ${edit.ifRevision}; read it again and repeat the edit`);
  }
  const counter = (newest + 1) as Counter;
  const stamp: Stamp = { patchId, replicaId, counter, clock: { epoch: state.epoch, base: state.revision } };
  const decision = take(state, edit, stamp, { kind: 'fast-forward', base: state.revision }, rules);
  if (decision.kind === 'change' && !counters.includes(counter)) counters.push(counter);
  return decision;
}

function checkExistence(state: DocumentState, action: EditAction): Decision | undefined {
  if (action.kind === 'CREATE') {
    if (state.facts === null) return undefined;
    return refuse('DOCUMENT_EXISTS', `Document ${state.documentId} exists${state.deleted ? ' as a tombstone; restore it' : '; patch it'} or create one with another id`);
  }
  if (state.facts === null) {
    return refuse('DOCUMENT_NOT_FOUND', `There is no document ${state.documentId} in workspace ${state.workspaceId}; create it first`);
  }
  if (action.kind === 'PATCH' && state.deleted) {
    return refuse('DOCUMENT_DELETED', `Document ${state.documentId} was deleted by revision ${state.revision} or before; restore it to patch it`);
  }
  return undefined;
}

/** An edit whose base lies before what is in memory is not stale yet: the log is in the database. */
function reachBack(state: DocumentState, stamp: Stamp, verdict: ClockVerdict, rules: DecisionRules): Decision | undefined {
  if (verdict.kind !== 'stale' || state.tailEnds) return undefined;
  const farthest = Math.max(0, state.revision - rules.reach.changes);
  const from = 'base' in stamp.clock ? stamp.clock.base : Math.max(farthest, tailStart(state) - 1024);
  if (from < farthest || from >= tailStart(state)) return undefined;
  return need({ kind: 'tail', from: from as Revision });
}

function take(
  state: DocumentState,
  { action, conflicts }: Edit,
  stamp: Stamp,
  verdict: { readonly kind: 'fast-forward' | 'concurrent'; readonly base: Revision },
  rules: DecisionRules,
): Decision {
  // Without the author's own changes counted: what the patch was made on, told as late as possible.
  const { base } = verdict;
  switch (action.kind) {
    case 'CREATE': {
      const bytes = jsonBytes(action.value, rules.limits.documentBytes);
      if (bytes > rules.limits.documentBytes) return tooLarge(bytes, rules.limits);
      state.facts = { collection: action.collection, title: action.title, createdAt: rules.now };
      state.value = action.value;
      state.valueBytes = bytes;
      return append(state, action.kind, stamp, base, [{ op: 'replace', path: [], value: action.value }], null, []);
    }
    case 'DELETE': {
      const found = [...reported(state, conflicts), ...(verdict.kind === 'concurrent' ? deletedUnseen(state, stamp.replicaId, base) : [])];
      state.deleted = true;
      return append(state, action.kind, stamp, base, [], null, found);
    }
    case 'RESTORE':
      state.deleted = false;
      return append(state, action.kind, stamp, base, [], null, []);
    case 'PATCH':
      return verdict.kind === 'fast-forward'
        ? fastForward(state, action.patch, stamp, base, rules, reported(state, conflicts))
        : transformed(state, action.patch, stamp, base, rules, reported(state, conflicts));
  }
}

function fastForward(state: DocumentState, patch: Patch, stamp: Stamp, base: Revision, rules: DecisionRules, reports: readonly FoundConflict[]): Decision {
  const normalized = normalizeAndApply(state.value, patch, rules.limits);
  if (!normalized.ok) return { kind: 'refused', failure: normalized.error };
  const { document } = normalized.value;
  // An edit without a stamp was made right here, so that it was never transformed.
  const made = rules.attempt === undefined ? normalized.value.patch : markCorrections(state.value, normalized.value.patch, rules.limits);
  return replaceValue(state, document, made, rules, (text) => append(state, 'PATCH', stamp, base, made, null, reports, text));
}

/** The patch was made without changes by others: past them, then on top of them. */
function transformed(state: DocumentState, patch: Patch, stamp: Stamp, base: Revision, rules: DecisionRules, reports: readonly FoundConflict[]): Decision {
  const tooMuch = tooManyPairs(state, stamp.replicaId, base, patch);
  if (tooMuch !== undefined) return tooMuch;
  const lane = authorLane(state, stamp.replicaId, base);
  if ('need' in lane) return { kind: 'need', need: lane.need };
  if (!lane.ok) return { kind: 'refused', failure: lane.error };
  const normalized = normalizeAndApply(lane.value.context, patch, rules.limits);
  if (!normalized.ok) return { kind: 'refused', failure: normalized.error };
  const sent = normalized.value.patch;
  const crossed = cross(lane.value.bridge, sent);
  if (!crossed.ok) return { kind: 'refused', failure: crossed.error };

  const conflicts: FoundConflict[] = [...reports];
  for (const conflict of crossed.value.conflicts) {
    if (conflict.rule === 'guardLost') {
      if (conflict.loser === 'earlier') continue;
      return refuse('TEST_FAILED', 'What the test operation looked at was removed by a concurrent change', { operation: conflict.losing.operation });
    }
    const earlierLost = conflict.loser === 'earlier';
    const other = earlierLost ? conflict.losing.patch : conflict.winning.patch;
    const told = withItem(
      conflict,
      earlierLost
        ? { patches: lane.value.bridge.others, document: state.value, past: [crossed.value.committed] }
        : { patches: [sent], document: normalized.value.document, past: crossed.value.bridge.others },
    );
    conflicts.push({ againstRevision: lane.value.bridge.revisions[other] ?? base, conflict: alone(told) });
  }

  const unstorable = tooManyConflicts(conflicts);
  if (unstorable !== undefined) return unstorable;

  const { committed } = crossed.value;
  const applied = apply(state.value, committed, rules.limits);
  if (!applied.ok) return { kind: 'refused', failure: atSender(applied.error, committed, sent) };
  return replaceValue(state, applied.value, committed, rules, (text) => {
    const altered = committed === sent || samePatch(committed, sent) ? null : sent;
    const decision = append(state, 'PATCH', stamp, base, committed, altered, conflicts, text);
    state.lanes.set(stamp.replicaId, { base, upTo: state.revision, bridge: crossed.value.bridge, context: normalized.value.document });
    return decision;
  });
}

/** The newest edits of others that went with the document, though its deletion had not seen them. */
function deletedUnseen(state: DocumentState, replicaId: ReplicaId, base: Revision): readonly FoundConflict[] {
  const found: FoundConflict[] = [];
  for (let index = state.tail.length - 1; index >= 0 && found.length < mostReportedConflicts; index--) {
    const change = state.tail[index]!;
    if (change.revision <= base) break;
    const conflict = change.replicaId === replicaId || change.kind === 'CREATE' ? undefined : deletionConflict(change.patch);
    if (conflict !== undefined) found.push({ againstRevision: change.revision, conflict });
  }
  return found.reverse();
}

/** What the author's merge reported, of changes that exist. */
const reported = (state: DocumentState, conflicts: Edit['conflicts']): readonly FoundConflict[] =>
  (conflicts ?? []).filter(({ againstRevision }) => againstRevision > 0 && againstRevision <= state.revision).map(({ againstRevision, conflict }) => ({ againstRevision, conflict: alone(conflict) }));

/** A conflict as if the two patches had been alone: the same however pushes were batched (I5). */
const alone = (conflict: Conflict): Conflict => ({ ...conflict, losing: { ...conflict.losing, patch: 0 }, winning: { ...conflict.winning, patch: 0 } });

/** An index in the transformed patch says nothing to the sender; it is told where both have the same operations. */
function atSender(error: Failure, committed: NormalPatch, sent: NormalPatch): Failure {
  if (committed.length === sent.length || error.operation === undefined) return error;
  const { operation: _, ...rest } = error;
  return rest;
}

const samePatch = (a: NormalPatch, b: NormalPatch): boolean =>
  a.length === b.length && equalValues(a, b);

/** Sizes before the work they bound; the exact size of the whole document only when a bound on it says it may be too large. */
function replaceValue(state: DocumentState, value: JsonValue, patch: NormalPatch, rules: DecisionRules, commit: (text: string) => Decision): Decision {
  const text = JSON.stringify(patch);
  // An operation's text holds its value and its key: the document cannot have grown by more.
  let bytes = state.valueBytes + Buffer.byteLength(text);
  const whole = patch.length > 0 && patch.some((operation) => operation.path.length === 0);
  if (whole || bytes > rules.limits.documentBytes) bytes = jsonBytes(value, rules.limits.documentBytes);
  if (bytes > rules.limits.documentBytes) return tooLarge(bytes, rules.limits);
  state.value = value;
  state.valueBytes = bytes;
  return commit(text);
}

function append(
  state: DocumentState,
  kind: LoggedChange['kind'],
  stamp: Stamp,
  base: Revision,
  patch: NormalPatch,
  sent: NormalPatch | null,
  conflicts: readonly FoundConflict[],
  text = JSON.stringify(patch),
): Decision {
  const change: LoggedChange = {
    revision: (state.revision + 1) as Revision,
    position: 0 as Position,
    kind,
    replicaId: stamp.replicaId,
    counter: stamp.counter,
    patchId: stamp.patchId,
    base,
    patch,
    sent,
    bytes: text.length,
    after: state.value,
  };
  state.revision = change.revision;
  state.tail.push(change);
  state.counters.set(stamp.replicaId, stamp.counter);
  state.strangers.delete(stamp.replicaId);
  return { kind: 'change', change, text, conflicts };
}

const need = (what: Need): Decision => ({ kind: 'need', need: what });
