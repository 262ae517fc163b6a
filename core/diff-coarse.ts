import type { Slot } from './diff-tree.js';
import type { NormalPatch, Operation } from './operation.js';

type Edit = (slot: Slot) => readonly Operation[];

/** A container in which something changes: how deep it lies, and how many operations that takes. */
interface Changed {
  readonly slot: Slot;
  readonly depth: number;
  readonly operations: number;
}

/**
 * Makes a patch that fits by replacing whole containers instead of what changes in them: the deepest that will do, and of those
 * the ones with the most changes. `make` compares anew and gives what it found to be altered before the patch is made of it. The last
 * resort is one replacement of the document.
 */
export function coarsen(maxOperations: number, fits: (patch: NormalPatch) => boolean, make: (level: (root: Slot, edit: Edit) => void) => NormalPatch): NormalPatch {
  let depth = Infinity;
  let patch = make((root, edit) => {
    const changed: Changed[] = [];
    const total = gather(root, 0, edit, changed);
    if (total > maxOperations) depth = replaceLargest(changed, total, maxOperations);
    else depth = 1 + changed.reduce((deepest, found) => Math.max(deepest, found.depth), 0);
  });
  while (!fits(patch) && depth > 0) {
    depth -= 1;
    patch = make((root, edit) => {
      const changed: Changed[] = [];
      gather(root, 0, edit, changed);
      for (const found of changed) if (found.depth === depth) replaceWhole(found.slot);
    });
  }
  return patch;
}

/** Operations that a slot takes; adds the containers in it to `changed`. */
function gather(slot: Slot, depth: number, edit: Edit, changed: Changed[]): number {
  if (slot.replaced) return edit(slot).length;
  let operations = slot.stays || slot.parent === undefined ? 0 : 1;
  if (slot.inner === undefined) return operations;
  let inside = slot.inner.gone.length;
  for (const member of slot.inner.slots) inside += gather(member, depth + 1, edit, changed) - (member.instead === undefined ? 0 : 1);
  changed.push({ slot, depth, operations: inside });
  operations += inside;
  return operations;
}

/** The depth at which containers were replaced. */
function replaceLargest(changed: Changed[], total: number, maxOperations: number): number {
  const byDepth: Changed[][] = [];
  for (const found of changed) (byDepth[found.depth] ??= []).push(found);
  for (let depth = byDepth.length - 1; depth >= 0; depth--) {
    const here = (byDepth[depth] ?? []).sort((a, b) => b.operations - a.operations);
    let left = total;
    for (const [index, { operations }] of here.entries()) {
      left -= operations - 1;
      if (left > maxOperations) continue;
      for (const { slot } of here.slice(0, index + 1)) replaceWhole(slot);
      return depth;
    }
  }
  return 0;
}

function replaceWhole(slot: Slot): void {
  slot.inner = undefined;
  slot.replaced = true;
}
