import type { Conflict } from './conflict.js';
import type { NormalPatch, Operation } from './operation.js';
import { jsonBytes } from './value.js';

/** A larger operation is told without what it carried: the tombstone keeps the value. */
const toldBytes = 4096;

/**
 * What is told of a patch whose document was deleted by somebody who had not seen it: one conflict a patch, by its first operation.
 * Nothing is lost that restoring the document would not bring back. `undefined` where the patch did nothing.
 */
export function deletionConflict(patch: NormalPatch): Conflict | undefined {
  const first = patch.find(({ op }) => op !== 'test');
  if (first === undefined) return undefined;
  const op: Operation = jsonBytes(first, toldBytes) <= toldBytes ? first : { op: 'remove', path: first.path };
  return {
    rule: 'editDeleted',
    loser: 'earlier',
    losing: { patch: 0, operation: 0, op },
    winning: { patch: 0, operation: 0, op: { op: 'remove', path: [] } },
    ...('value' in op && op.op !== 'inc' ? { lost: op.value } : {}),
    path: first.path,
  };
}
