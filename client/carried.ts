import { rebase, type NormalPatch, type Path } from '@concord/core';
import type { PendingEdit } from './document-state.js';

/**
 * A patch that brings a lost value back is kept like one more pending edit that nobody sends: made on what the app saw with the edits
 * up to `seenSeq`. Before anything moves the document it is taken past the edits made since, then past what moves it. So it always
 * means the same place, and a local edit costs nothing for it. `undefined`: the place is gone.
 */
export function carried(
  { patch, seenSeq }: { readonly patch: NormalPatch; readonly seenSeq: number },
  pending: readonly PendingEdit[],
  moves: readonly NormalPatch[] | undefined,
): NormalPatch | undefined {
  const since = pending.filter(({ seq }) => seq > seenSeq).map((edit) => edit.patch);
  const lifted = past(patch, since);
  if (lifted === undefined) return undefined;
  if (moves === undefined) return onlyKeys(lifted) ? lifted : undefined;
  return past(lifted, moves);
}

/** A patch past others that were made on the same value; `undefined` where nothing is left of it. */
export function past(patch: NormalPatch, others: readonly NormalPatch[]): NormalPatch | undefined {
  if (others.length === 0) return patch;
  const rebased = rebase([patch], others);
  const [taken] = rebased.ok ? rebased.value.pending : [];
  return taken === undefined || taken.length === 0 ? undefined : taken;
}

/** Keys do not shift, so that such a patch means the same places in another state of the document. */
export const onlyKeys = (patch: NormalPatch): boolean => patch.every((operation) => keys(operation.path) && (operation.op !== 'move' || keys(operation.from)));

const keys = (path: Path): boolean => path.every((segment) => typeof segment === 'string');
