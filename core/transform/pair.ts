import type { Operation, Path } from '../operation.js';
import type { Cell } from './cell.js';
import { dropped } from './cell.js';
import { transformMove } from './move.js';
import { transformMoves } from './move-move.js';
import { samePath, sharedLength } from './places.js';
import { transformSameTarget } from './same-target.js';
import type { Still } from './shifted.js';
import { shiftedTo } from './shifted.js';

/**
 * One square of the grid: two operations made on the same state. Returns whether they touch; where they do, the outcome
 * is in `cell`, where they do not, both stay as they are and `cell` is not written.
 *
 * Two operations that do not move anything can touch in three ways only, told apart by the place where their paths part:
 * at different indices of one array (a shift), one inside the other, or at the same target.
 */
export const transformPair = (earlier: Operation, later: Operation, cell: Cell): boolean => {
  // A move to the place where its item is is nothing, and must not win or lose.
  if (earlier.op === 'move' && samePath(earlier.from, earlier.path)) return cell.settle('shift', dropped, later);
  if (later.op === 'move' && samePath(later.from, later.path)) return cell.settle('shift', earlier, dropped);

  if (earlier.op === 'move') {
    return later.op === 'move' ? transformMoves(earlier, later, cell) : transformMove(earlier, later, true, cell);
  }
  if (later.op === 'move') return transformMove(later, earlier, false, cell);

  const a = earlier.path;
  const b = later.path;
  const level = sharedLength(a, b);
  if (level < a.length && level < b.length) return partedAt(level, earlier, later, cell);
  if (a.length === b.length) return transformSameTarget(earlier, later, cell);
  return a.length < b.length ? outerAgainstInner(earlier, later, true, cell) : outerAgainstInner(later, earlier, false, cell);
};

/** By how much an operation moves the larger indices of the array whose segment is at `level`. */
const shiftAt = (level: number, operation: Still): 1 | 0 | -1 => {
  if (operation.path.length !== level + 1) return 0;
  return operation.op === 'insert' ? 1 : operation.op === 'remove' ? -1 : 0;
};

const partedAt = (level: number, earlier: Still, later: Still, cell: Cell): boolean => {
  const a = earlier.path[level];
  const b = later.path[level];
  if (typeof a !== 'number' || typeof b !== 'number') return false;
  if (a > b) {
    const by = shiftAt(level, later);
    return by !== 0 && cell.settle('shift', shiftedTo(earlier, withIndex(earlier.path, level, a + by)), later);
  }
  const by = shiftAt(level, earlier);
  return by !== 0 && cell.settle('shift', earlier, shiftedTo(later, withIndex(later.path, level, b + by)));
};

const withIndex = (path: Path, level: number, index: number): Path => {
  const copy = path.slice();
  copy[level] = index;
  return copy;
};

const outerAgainstInner = (outer: Still, inner: Still, outerIsEarlier: boolean, cell: Cell): boolean => {
  switch (outer.op) {
    case 'insert': {
      const level = outer.path.length - 1;
      const index = inner.path[level] as number;
      return cell.settleEither('shift', outerIsEarlier, outer, shiftedTo(inner, withIndex(inner.path, level, index + 1)));
    }
    case 'remove':
      if (inner.op === 'remove') return cell.settleEither('removeInsideRemoved', outerIsEarlier, outer, dropped);
      cell.settleEither(inner.op === 'test' ? 'guardLost' : 'insideRemoved', outerIsEarlier, outer, dropped);
      return cell.lostBy(!outerIsEarlier, inner);
    case 'replace':
      cell.settleEither(inner.op === 'test' ? 'guardLost' : 'insideReplaced', outerIsEarlier, outer, dropped);
      return cell.lostBy(!outerIsEarlier, inner);
    case 'add':
    case 'inc':
    case 'str_ins':
    case 'str_del':
    case 'test':
      return false;
  }
};
