import { ConcordError, toWire, type DocumentId, type PatchId } from '@concord/core';
import { past } from './carried.js';
import type { LocalEdits } from './edit.js';
import type { LocalConflict } from './store/conflicts.js';
import type { Store } from './store/store.js';

/**
 * What became of the wish to have back what a conflict lost. `NO_CONFLICT`: there is none with this id. `NOTHING_LOST`: the operation
 * that lost carried no value, or it was brought back already. `PLACE_GONE`: the place where it was is not there any more.
 * `DOCUMENT_GONE`: the document is deleted or not here; restore it first. `DOCUMENT_THERE`: the deleted document is back already.
 */
export type Restoration =
  | { readonly restored: true; readonly documentId: DocumentId; readonly patchId: PatchId | null }
  | { readonly restored: false; readonly reason: 'NO_CONFLICT' | 'NOTHING_LOST' | 'PLACE_GONE' | 'DOCUMENT_GONE' | 'DOCUMENT_THERE'; readonly message: string };

/** Makes an edit that brings back what a conflict lost. */
export function restoreConflict(store: Store, edits: LocalEdits, id: number): Restoration {
  const found = store.conflicts.get(id);
  if (found === undefined) return refuse('NO_CONFLICT', `There is no conflict ${id}: conflicts() lists those that are.`);
  const { conflict, restore } = found;
  const state = store.read(conflict.documentId);
  if (state === undefined) return refuse('DOCUMENT_GONE', `The document ${conflict.documentId} is not here (any more).`);
  if (conflict.conflict.rule === 'editDeleted') {
    if (!state.deleted) return refuse('DOCUMENT_THERE', `The document ${state.id} was brought back already, with the edit.`);
    return { restored: true, ...edits.restore(state.id) };
  }
  if (state.deleted) return refuse('DOCUMENT_GONE', `The document ${state.id} is deleted: restore it, then what was lost in it.`);
  if (restore === undefined) return refuse('NOTHING_LOST', nothing(conflict));
  const patch = past(
    restore.patch,
    state.pending.filter(({ seq }) => seq > restore.seenSeq).map((edit) => edit.patch),
  );
  if (patch === undefined) return refuse('PLACE_GONE', `The place of the lost value in ${state.id} is not there any more.`);
  try {
    const edited = edits.together(
      () => edits.edit(state.id, toWire(patch)),
      () => store.conflicts.forgetRestore(id),
    );
    return { restored: true, ...edited };
  } catch (error) {
    if (!(error instanceof ConcordError) || !(error.code === 'PATH_NOT_FOUND' || error.code === 'TYPE_MISMATCH' || error.code === 'RANGE_INVALID')) throw error;
    return refuse('PLACE_GONE', `The place of the lost value in ${state.id} is not there any more: ${error.message}`);
  }
}

const refuse = (reason: Extract<Restoration, { restored: false }>['reason'], message: string): Restoration => ({ restored: false, reason, message });

const nothing = ({ documentId }: LocalConflict): string =>
  `The conflict in ${documentId} has nothing to bring back: the edit that lost carried no value, its place went, or it was brought back already.`;
