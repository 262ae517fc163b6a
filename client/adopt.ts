import { diff, fail, formatPointer, ok, valueAtPointer, type JsonValue, type NormalPatch, type Path, type Result } from '@concord/core';
import { rebasePending, type Advanced } from './advance.js';
import { createClashes, valueAfter, visiblyDeleted, type DocumentState, type PendingEdit } from './document-state.js';
import type { DocumentPartsFragment } from './generated/graphql.js';
import { unlimited } from './unlimited.js';

/** A document as the server has it now. */
export interface Head extends DocumentPartsFragment {
  /** The highest counter of this replica that was committed; 0: none. */
  readonly counter: number;
  /** The edit that had it. */
  readonly patchId: string | null;
}

/**
 * Takes the newest state of a document as the confirmed one, where the changes in between are not to be had (docs/SEMANTICS.md, older than the log):
 * pending edits that were committed already are dropped, the difference between what was confirmed (with those) and the head
 * counts as one change of another replica, and what is still pending is rebased past it.
 *
 * The edits of a replica are committed in order, so the newest one tells of those before it. Fails with `REPLICA_CLONED` where
 * it is none of the pending ones though its counter reaches into them: what became of them cannot be known.
 */
export function adopt(before: DocumentState | undefined, head: Head): Result<Advanced> {
  const confirmed = head.value;
  const base: DocumentState = {
    id: head.id as DocumentState['id'],
    collection: head.collection,
    title: head.title,
    confirmed,
    confirmedDeleted: head.deleted,
    revision: head.revision,
    position: head.position,
    value: confirmed,
    deleted: head.deleted,
    pending: [],
    counter: head.counter,
    left: false,
    createdAt: head.createdAt,
    updatedAt: head.updatedAt,
  };
  if (before === undefined || before.pending.length === 0) return ok({ state: base, conflicts: [], moves: undefined });

  const taken = before.pending.findIndex(({ counter, patchId }) => counter === head.counter && patchId === head.patchId) + 1;
  if (before.pending.slice(taken).some(({ counter }) => counter !== null && counter <= head.counter)) {
    return fail({
      code: 'REPLICA_CLONED',
      message: `Another edit has the number of this one, or a later number, among those of this replica on ${head.id}: its file was copied or restored from a backup, and whether this edit was committed is not known. Compare with the document, and make it again if it is missing.`,
    });
  }
  const pending = before.pending.slice(taken);
  if (pending.length === 0) return ok({ state: base, conflicts: [], moves: undefined });
  const kept = { ...base, pending, value: before.value, deleted: visiblyDeleted(head.deleted, pending) };
  if (createClashes(pending)) return ok({ state: kept, conflicts: [], moves: undefined });

  const reached = valueAfter(before.confirmed ?? null, before.pending.slice(0, taken));
  if (!reached.ok) return reached;
  const rebased = rebasePending({ id: before.id, reached: confirmed }, pending, before.value, [difference(reached.value, confirmed, pending)]);
  if (!rebased.ok) return rebased;
  return ok({ state: { ...kept, pending: rebased.value.pending, value: rebased.value.value }, conflicts: rebased.value.conflicts, moves: rebased.value.moves });
}

/**
 * What others did, as far as two values tell. A number that is being counted here is taken for a counter there too, so that
 * the pending increments are added to it instead of being lost against a replacement.
 */
function difference(before: JsonValue, after: JsonValue, pending: readonly PendingEdit[]): NormalPatch {
  const counters = new Set(pending.flatMap(({ patch }) => patch.flatMap((operation) => (operation.op === 'inc' ? [formatPointer(operation.path)] : []))));
  const patch = diff(before, after, { text: true, limits: unlimited });
  if (counters.size === 0) return patch;
  return patch.map((operation) => {
    if (operation.op !== 'replace' || !onlyKeys(operation.path) || !counters.has(formatPointer(operation.path))) return operation;
    const counted = valueAtPointer(before, operation.path);
    if (!Number.isSafeInteger(counted) || !Number.isSafeInteger(operation.value)) return operation;
    const by = (operation.value as number) - (counted as number);
    return Number.isSafeInteger(by) ? { op: 'inc', path: operation.path, value: by } : operation;
  });
}

/** Keys do not shift, so such a path means the same place in both values. */
const onlyKeys = (path: Path): path is readonly string[] => path.every((segment) => typeof segment === 'string');
