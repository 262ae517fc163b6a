import {
  apply,
  deletionConflict,
  diff,
  equalValues,
  fail,
  normalizeAndApply,
  ok,
  parsePatch,
  rebase,
  restoreLost,
  withItem,
  type Conflict,
  type JsonValue,
  type LosingSide,
  type NormalPatch,
  type Result,
} from '@concord/core';
import { past } from './carried.js';
import type { RemoteChange } from './change-row.js';
import { createClashes, visiblyDeleted, withoutGuards, type DocumentState, type PendingEdit } from './document-state.js';
import type { FoundConflict } from './store/conflicts.js';
import { unlimited } from './unlimited.js';

export interface Advanced {
  readonly state: DocumentState;
  readonly conflicts: readonly FoundConflict[];
  /** What moved the value that the app sees, in order. `undefined`: it is another value now, by nobody knows what. */
  readonly moves: readonly NormalPatch[] | undefined;
}

/** What edits made here lost to the changes at positions of the feed, as the server tells it; `restore` applies right after that change. */
export type LossesAt = ReadonlyMap<number, readonly FoundConflict[]>;

const noLosses: LossesAt = new Map();

/**
 * Moves the confirmed state of a document along changes of the feed: the only way it moves but for a resync. Changes that
 * the document has already are dropped by their revision. A change that is the first pending edit ends its waiting; what
 * else is pending is rebased past the changes of others, and the visible value follows by those changes taken past what is
 * pending, so that it need not be computed anew.
 *
 * `undefined` as state: the document is not here yet; then the changes must start with its creation. Refuses with
 * `CLOCK_STALE` where the changes do not join on, or do not apply: the document must be fetched (`adopt`).
 */
export function advance(before: DocumentState | undefined, changes: readonly RemoteChange[], losses: LossesAt = noLosses): Result<Advanced | undefined> {
  const missed = changes.filter(({ revision }) => revision > (before?.revision ?? 0));
  if (missed.length === 0) return ok(before === undefined ? undefined : { state: before, conflicts: [], moves: [] });
  const walk = new Walk(before, missed[0]!);
  for (const change of missed) {
    const stepped = walk.step(change);
    if (!stepped.ok) return stepped;
    const lost = losses.get(change.position);
    if (lost === undefined) continue;
    const noted = walk.note(lost);
    if (!noted.ok) return noted;
  }
  return walk.finish();
}

const gap = (message: string): Result<never> => fail({ code: 'CLOCK_STALE', message });

class Walk {
  private state: DocumentState;
  private confirmed: JsonValue | undefined;
  private pending: readonly PendingEdit[];
  private value: JsonValue;
  /** Changes of others that the pending edits have not been taken past yet. */
  private foreign: { readonly patch: NormalPatch; readonly change: RemoteChange }[] = [];
  private conflicts: FoundConflict[] = [];
  private readonly moves: NormalPatch[] = [];

  constructor(before: DocumentState | undefined, first: RemoteChange) {
    this.state = before ?? unknownDocument(first);
    this.confirmed = this.state.confirmed;
    this.pending = this.state.pending;
    this.value = this.state.value;
  }

  step(change: RemoteChange): Result<void> {
    const { state } = this;
    if (change.revision !== state.revision + 1) {
      return gap(`The change to revision ${change.revision} of ${state.id} came after revision ${state.revision}.`);
    }
    if (change.kind !== 'CREATE' && this.confirmed === undefined) return gap(`A change of the unknown document ${state.id} came.`);
    const parsed = parsePatch(change.patch, unlimited);
    if (!parsed.ok) return parsed;
    const guardless = parsed.value.filter(({ op }) => op !== 'test');
    const own = this.pending.findIndex(({ patchId }) => patchId === change.patchId);
    if (own > 0) return gap(`An edit of ${state.id} was committed before one that was made earlier.`);

    const applied = normalizeAndApply(this.confirmed ?? null, guardless, unlimited);
    if (!applied.ok) return applied;
    if (own === 0) {
      const taken = this.takeOwn(applied.value.patch, applied.value.document);
      if (!taken.ok) return taken;
    } else if (this.pending.length === 0) {
      this.moved([applied.value.patch]);
    } else {
      this.foreign.push({ patch: applied.value.patch, change });
    }
    this.confirmed = applied.value.document;
    this.state = {
      ...state,
      revision: change.revision,
      position: change.position,
      counter: own === 0 ? Math.max(state.counter, change.counter) : state.counter,
      confirmedDeleted: change.kind === 'DELETE' ? true : change.kind === 'PATCH' ? state.confirmedDeleted : false,
      ...(change.kind === 'CREATE' ? { collection: change.collection, title: change.title, createdAt: change.committedAt } : {}),
      updatedAt: change.committedAt,
    };
    return ok(undefined);
  }

  /** What was lost to the change of the last step. */
  note(lost: readonly FoundConflict[]): Result<void> {
    const flushed = this.flush();
    if (!flushed.ok) return flushed;
    const pending = this.pending.map(({ patch }) => patch);
    for (const found of lost) this.conflicts.push({ ...found, restore: found.restore === null ? null : (past(found.restore, pending) ?? null) });
    return ok(undefined);
  }

  finish(): Result<Advanced> {
    const flushed = this.flush();
    if (!flushed.ok) return flushed;
    const { state, pending, confirmed } = this;
    return ok({
      state: {
        ...state,
        confirmed,
        pending,
        value: pending.length === 0 ? (confirmed as JsonValue) : this.value,
        deleted: visiblyDeleted(state.confirmedDeleted, pending),
      },
      conflicts: this.conflicts,
      moves: this.moves,
    });
  }

  /** The first pending edit has been committed as `committed`. */
  private takeOwn(committed: NormalPatch, document: JsonValue): Result<void> {
    const flushed = this.flush();
    if (!flushed.ok) return flushed;
    const [head, ...rest] = this.pending as [PendingEdit, ...PendingEdit[]];
    this.pending = rest;
    if (rest.length === 0 || head.kind === 'CREATE') return ok(undefined);
    const expected = withoutGuards(head.patch);
    if (equalValues(expected, committed)) return ok(undefined);
    // Both ends transform alike, so this is not expected; the rest is then taken past the difference.
    const here = apply(this.confirmed as JsonValue, expected, unlimited);
    if (!here.ok) return here;
    return this.past([diff(here.value, document, { text: true, limits: unlimited })], nobody);
  }

  private flush(): Result<void> {
    if (this.foreign.length === 0) return ok(undefined);
    const { foreign } = this;
    this.foreign = [];
    if (this.pending.length === 0 || createClashes(this.pending)) return ok(undefined);
    const rebased = this.past(
      foreign.map(({ patch }) => patch),
      (index) => foreign[index]?.change,
    );
    if (rebased.ok) this.noteDeletion(foreign);
    return rebased;
  }

  /** The document was deleted here without these changes having been seen: they go with it. */
  private noteDeletion(foreign: readonly { readonly patch: NormalPatch; readonly change: RemoteChange }[]): void {
    const deletion = visiblyDeleted(false, this.pending) ? this.pending.findLast(({ kind }) => kind === 'DELETE') : undefined;
    if (deletion === undefined) return;
    for (const { patch, change } of foreign) {
      const conflict = deletionConflict(patch);
      if (conflict !== undefined) this.conflicts.push(found(this.state.id, conflict, deletion.patchId, change));
    }
  }

  private past(changes: readonly NormalPatch[], changeOf: ChangeOf): Result<void> {
    const rebased = rebasePending({ id: this.state.id, reached: this.confirmed }, this.pending, this.value, changes, changeOf);
    if (!rebased.ok) return rebased;
    this.moved(rebased.value.moves);
    this.pending = rebased.value.pending;
    this.value = rebased.value.value;
    this.conflicts.push(...rebased.value.conflicts);
    return ok(undefined);
  }

  /** What was found before is told for what the app sees after this. */
  private moved(moves: readonly NormalPatch[]): void {
    this.moves.push(...moves);
    if (this.conflicts.length === 0) return;
    this.conflicts = this.conflicts.map((each) => (each.restore === null ? each : { ...each, restore: past(each.restore, moves) ?? null }));
  }
}

/** The change at an index of the changes that pending edits were taken past; undefined: there is none, as in a resync. */
type ChangeOf = (index: number) => RemoteChange | undefined;

const nobody: ChangeOf = () => undefined;

const found = (documentId: DocumentState['id'], conflict: Conflict, patchId: PendingEdit['patchId'], change: RemoteChange | undefined): FoundConflict => ({
  documentId,
  revision: change?.revision ?? null,
  patchId,
  side: 'later',
  otherPatchId: (change?.patchId as PendingEdit['patchId'] | undefined) ?? null,
  author: null,
  conflict,
  restore: restoreLost(conflict) ?? null,
});

/** Takes pending edits past changes of others, and the visible value along. `reached`: what the changes lead to, where that is at hand. */
export function rebasePending(
  { id, reached }: { readonly id: DocumentState['id']; readonly reached?: JsonValue | undefined },
  pending: readonly PendingEdit[],
  value: JsonValue,
  changes: readonly NormalPatch[],
  changeOf: ChangeOf = nobody,
): Result<{ readonly pending: readonly PendingEdit[]; readonly value: JsonValue; readonly conflicts: readonly FoundConflict[]; readonly moves: readonly NormalPatch[] }> {
  const rebased = rebase(
    pending.map(({ patch }) => patch),
    changes,
  );
  if (!rebased.ok) return rebased;
  let moved = value;
  for (const patch of rebased.value.changes) {
    const applied = apply(moved, patch, unlimited);
    if (!applied.ok) return applied;
    moved = applied.value;
  }
  return ok({
    pending: pending.map((edit, index) => {
      const patch = rebased.value.pending[index]!;
      return patch === edit.patch ? edit : { ...edit, patch };
    }),
    value: moved,
    moves: rebased.value.changes,
    conflicts: rebased.value.conflicts.map((conflict) => {
      const [mine, theirs] = conflict.loser === 'later' ? [conflict.losing, conflict.winning] : [conflict.winning, conflict.losing];
      const losing: LosingSide | undefined =
        conflict.loser === 'later'
          ? { patches: pending.map(({ patch }) => patch), document: value, past: rebased.value.changes }
          : reached === undefined
            ? undefined
            : { patches: changes, document: reached, past: rebased.value.pending };
      const told = losing === undefined ? conflict : withItem(conflict, losing);
      return found(id, told, pending[mine.patch]!.patchId, changeOf(theirs.patch));
    }),
  });
}

const unknownDocument = (change: RemoteChange): DocumentState => ({
  id: change.documentId as DocumentState['id'],
  collection: change.collection,
  title: change.title,
  confirmed: undefined,
  confirmedDeleted: false,
  revision: 0 as DocumentState['revision'],
  position: 0,
  value: null,
  deleted: false,
  pending: [],
  counter: 0,
  left: false,
  createdAt: change.committedAt,
  updatedAt: change.committedAt,
});
