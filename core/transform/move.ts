import type { Operation, Path } from '../operation.js';
import type { Cell } from './cell.js';
import { dropped } from './cell.js';
import {
  afterRemoval,
  elementAfterInsertion,
  elementAfterMove,
  isInside,
  samePath,
  slotAfterInsertion,
  slotAfterMove,
} from './places.js';
import type { Move } from './shifted.js';
import { movedTo, restoring, shiftedTo } from './shifted.js';

type Insert = Extract<Operation, { op: 'insert' }>;
type Add = Extract<Operation, { op: 'add' }>;
type Wipe = Extract<Operation, { op: 'remove' | 'replace' }>;

/**
 * A move against an operation that is not one. `move.path` counts in the state without the moved item, so the other
 * operation is first told in that state; where it lies wholly inside the item, the move does not notice it.
 */
export const transformMove = (move: Move, other: Operation, moveIsEarlier: boolean, cell: Cell): boolean => {
  switch (other.op) {
    case 'insert':
      return moveInsert(move, other, moveIsEarlier, cell);
    case 'add':
      return moveAdd(move, other, moveIsEarlier, cell);
    case 'remove':
    case 'replace':
      return moveWipe(move, other, moveIsEarlier, cell);
    case 'inc':
    case 'str_ins':
    case 'str_del':
    case 'test': {
      const path = elementAfterMove(other.path, move.from, move.path);
      return path !== other.path && cell.settleEither(rowOf(other.path, move), moveIsEarlier, move, shiftedTo(other, path));
    }
    case 'move':
      throw new Error('transformMove was given two moves; transformMoves takes those.');
  }
};

const rowOf = (path: Path, move: Move): 'moveCarries' | 'shift' => (isInside(path, move.from) ? 'moveCarries' : 'shift');

const moveInsert = (move: Move, insert: Insert, moveIsEarlier: boolean, cell: Cell): boolean => {
  const carriedInsert = shiftedTo(insert, slotAfterMove(insert.path, move.from, move.path, !moveIsEarlier));
  if (isInside(insert.path, move.from)) return cell.settleEither('moveCarries', moveIsEarlier, move, carriedInsert);
  const slotWithoutItem = afterRemoval(insert.path, move.from);
  return cell.settleEither(
    'shift',
    moveIsEarlier,
    movedTo(
      move,
      elementAfterInsertion(move.from, insert.path),
      slotAfterInsertion(move.path, slotWithoutItem, moveIsEarlier),
    ),
    carriedInsert,
  );
};

const moveAdd = (move: Move, add: Add, moveIsEarlier: boolean, cell: Cell): boolean => {
  if (isInside(add.path, move.from)) {
    const path = elementAfterMove(add.path, move.from, move.path);
    return cell.settleEither('moveCarries', moveIsEarlier, move, shiftedTo(add, path));
  }
  if (samePath(afterRemoval(add.path, move.from), move.path)) {
    if (!moveIsEarlier) {
      cell.settle('addMove', dropped, [{ op: 'remove', path: add.path }, move]);
      return cell.lostBy(true, add);
    }
    if (move.restoring === true) {
      cell.settle(
        'moveAddAgain',
        { op: 'remove', path: move.from },
        { op: 'replace', path: move.path, value: add.value },
      );
    } else {
      cell.settle('moveAdd', dropped, [restoring(move), add]);
    }
    return cell.lostBy(true, move);
  }
  // A new key shifts nothing, so the move stays as it is.
  const path = elementAfterMove(add.path, move.from, move.path);
  return path !== add.path && cell.settleEither('shift', moveIsEarlier, move, shiftedTo(add, path));
};

/** A move against a removal or a replacement. */
const moveWipe = (move: Move, wipe: Wipe, moveIsEarlier: boolean, cell: Cell): boolean => {
  const target = wipe.path;
  if (samePath(target, move.from)) {
    if (wipe.op === 'replace') {
      return cell.settleEither('moveReplaced', moveIsEarlier, move, shiftedTo(wipe, move.path));
    }
    cell.settleEither('moveRemoved', moveIsEarlier, dropped, { op: 'remove', path: move.path });
    return cell.lostBy(moveIsEarlier, move);
  }
  if (isInside(target, move.from)) {
    const path = elementAfterMove(target, move.from, move.path);
    return cell.settleEither('moveCarries', moveIsEarlier, move, shiftedTo(wipe, path));
  }
  if (isInside(move.from, target)) {
    if (isInside(move.path, target)) {
      cell.settleEither(wipe.op === 'remove' ? 'insideRemoved' : 'insideReplaced', moveIsEarlier, dropped, wipe);
    } else {
      // The item is taken from its new place first, so that the wipe finds the state it was made on, less the item.
      cell.settleEither('moveOut', moveIsEarlier, dropped, [{ op: 'remove', path: move.path }, wipe]);
    }
    return cell.lostBy(moveIsEarlier, move);
  }

  const targetWithoutItem = afterRemoval(target, move.from);
  if (isInside(move.path, targetWithoutItem)) {
    if (move.restoring === true) {
      cell.settleEither(
        'moveIntoAgain',
        moveIsEarlier,
        { op: 'remove', path: wipe.op === 'remove' ? afterRemoval(move.from, target) : move.from },
        shiftedTo(wipe, elementAfterMove(target, move.from, move.path)),
      );
    } else {
      cell.settleEither('moveInto', moveIsEarlier, dropped, [restoring(move), wipe]);
    }
    return cell.lostBy(moveIsEarlier, move);
  }

  const wipeAfter = shiftedTo(wipe, elementAfterMove(target, move.from, move.path));
  const moveAfter =
    wipe.op === 'remove'
      ? movedTo(move, afterRemoval(move.from, target), afterRemoval(move.path, targetWithoutItem))
      : move;
  if (wipeAfter === wipe && moveAfter === move) return false;
  return cell.settleEither('shift', moveIsEarlier, moveAfter, wipeAfter);
};

