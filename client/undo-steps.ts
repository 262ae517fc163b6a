import { diff, type NormalPatch, type PatchId } from '@concord/core';
import type { DocumentState } from './document-state.js';
import type { UndoRows, UndoStep } from './store/undo.js';
import { undoPast } from './undo.js';
import { unlimited } from './unlimited.js';

/**
 * Within the transaction that alters what the app sees of a document other than by an edit made here: takes the steps that
 * undo and redo edits of it past that. `changes`: what it was altered by, where that is known operation by operation.
 */
export function keepUndo(rows: UndoRows, before: DocumentState, after: DocumentState, changes: readonly NormalPatch[] | undefined): void {
  if (before.value === after.value && before.deleted === after.deleted) return;
  const gone = withdrawn(before, after);
  // The usual case: edits made here have come back.
  if (gone.size === 0 && changes?.every((patch) => patch.length === 0) === true) return;
  const moved = changes ?? [diff(before.value, after.value, { text: true, limits: unlimited })];
  for (const side of ['undo', 'redo'] as const) {
    const steps = rows.of(after.id, side);
    if (steps.length > 0) rows.replace(after.id, side, steps, past(before, steps, moved, gone));
  }
}

function past(before: DocumentState, steps: readonly UndoStep[], moved: readonly NormalPatch[], gone: ReadonlySet<PatchId>): readonly UndoStep[] {
  // What was made before a withdrawn edit is undone from the value that it was made on, as before.
  const oldestGone = steps.findLastIndex(({ patchId }) => gone.has(patchId));
  const older = oldestGone < 0 ? [] : steps.slice(oldestGone + 1);
  const newer = (oldestGone < 0 ? steps : steps.slice(0, oldestGone)).filter(({ patchId }) => !gone.has(patchId));
  const taken = undoPast(before.value, newer.map(({ patch }) => patch), moved);
  if (!taken.ok) return [];
  const foreign = gone.size === 0 && moved.some((patch) => patch.length > 0);
  const kept = newer.flatMap((step, index): UndoStep[] => {
    const patch = taken.value[index]!;
    // Others have worked in the document since: deleting it would undo that.
    if (step.kind === 'CREATE') return foreign ? [] : [step];
    if (step.kind === 'PATCH' && patch.length === 0) return [];
    return [patch === step.patch ? step : { ...step, patch }];
  });
  return [...kept, ...older];
}

const nobody: ReadonlySet<PatchId> = new Set();

/** Edits that left the outbox without having been committed. */
function withdrawn(before: DocumentState, after: DocumentState): ReadonlySet<PatchId> {
  if (after.revision !== before.revision || after.pending.length >= before.pending.length) return nobody;
  const left = new Set(after.pending.map(({ patchId }) => patchId));
  return new Set(before.pending.flatMap(({ patchId }) => (left.has(patchId) ? [] : [patchId])));
}
