import { invert, ok, type Failure, type JsonValue, type NormalPatch, type PatchId } from '@concord/core';
import { rebasePending } from './advance.js';
import { createClashes, valueAfter, visiblyDeleted, withoutGuards, type DocumentState, type PendingEdit } from './document-state.js';
import type { FoundConflict } from './store/conflicts.js';
import type { Refusal } from './store/quarantine.js';

export interface Withdrawn {
  /** Undefined: the server has no such document, by a creation that was refused or a purge. */
  readonly state: DocumentState | undefined;
  readonly refused: readonly Refusal[];
  /** What later edits lost because they were made inside of what the refused one did. */
  readonly conflicts: readonly FoundConflict[];
  /** As of an advance. */
  readonly moves: readonly NormalPatch[] | undefined;
}

/**
 * Takes an edit back that the server refused for good: what was made after it is taken past its inverse and loses its
 * counters, because a refused edit takes none. Where that cannot be done (the creation of the document was refused, or the
 * document was purged, so that what follows was made on a document that is not) the later edits go with it, as
 * `PATCH_DEPENDS_ON_REFUSED`.
 */
export function withdraw(before: DocumentState, patchId: PatchId, reason: Failure): Withdrawn {
  const at = before.pending.findIndex((edit) => edit.patchId === patchId);
  if (at < 0) return { state: before, refused: [], conflicts: [], moves: [] };
  const edit = before.pending[at]!;
  const earlier = before.pending.slice(0, at);
  const later = before.pending.slice(at + 1);
  const gone = reason.code === 'DOCUMENT_NOT_FOUND';
  const rebased = gone || edit.kind === 'CREATE' ? undefined : pastInverse(before, earlier, edit, later);
  const reasons: Refusal[] = [{ edit, reason }];
  if (rebased?.ok === true) {
    const pending = [...earlier, ...rebased.value.pending.map(renumbered)];
    // Where a later edit wins, only what the refused one had written over is not put back.
    const conflicts = rebased.value.conflicts.filter(({ conflict }) => conflict.loser === 'later');
    return { state: settle(before, pending, rebased.value.value), refused: reasons, conflicts, moves: rebased.value.moves };
  }
  for (const follower of later) {
    reasons.push({
      edit: follower,
      reason: { code: 'PATCH_DEPENDS_ON_REFUSED', message: `The edit ${edit.patchId} that it was made on was refused: ${reason.message}` },
    });
  }
  if (gone || (earlier.length === 0 && before.confirmed === undefined)) return { state: undefined, refused: reasons, conflicts: [], moves: undefined };
  const reached = createClashes(before.pending) ? ok(before.confirmed) : valueAfter(before.confirmed ?? null, earlier);
  return { state: settle(before, earlier, (reached.ok ? reached.value : undefined) ?? before.value), refused: reasons, conflicts: [], moves: undefined };
}

/** A counter that the server has not taken is free again; the edit stays frozen, its bytes may still be on their way. */
export const renumbered = (edit: PendingEdit): PendingEdit => (edit.counter === null ? edit : { ...edit, counter: null });

function pastInverse(before: DocumentState, earlier: readonly PendingEdit[], edit: PendingEdit, later: readonly PendingEdit[]): ReturnType<typeof rebasePending> {
  const base = valueAfter(before.confirmed ?? null, earlier);
  if (!base.ok) return base;
  const inverse = invert(base.value, withoutGuards(edit.patch));
  if (!inverse.ok) return inverse;
  return rebasePending({ id: before.id }, later, before.value, [inverse.value]);
}

function settle(before: DocumentState, pending: readonly PendingEdit[], value: JsonValue): DocumentState {
  return {
    ...before,
    pending,
    value: pending.length === 0 && before.confirmed !== undefined ? before.confirmed : value,
    deleted: visiblyDeleted(before.confirmedDeleted, pending),
  };
}
