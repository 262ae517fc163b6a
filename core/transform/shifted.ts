import type { Operation, Path } from '../operation.js';
import type { Outcome } from './cell.js';
import { dropped } from './cell.js';
import { samePath } from './places.js';

export type Move = Extract<Operation, { op: 'move' }>;
/** Any operation that moves nothing. */
export type Still = Exclude<Operation, Move>;

/**
 * The operation at another path; the operation itself where the path is the same. Written out a literal a kind, because
 * spreading an operation costs several times as much and this runs for every shift.
 */
export const shiftedTo = (operation: Still, path: Path): Still => {
  if (path === operation.path) return operation;
  switch (operation.op) {
    case 'add':
      return { op: 'add', path, value: operation.value };
    case 'insert':
      return { op: 'insert', path, value: operation.value };
    case 'replace':
      return { op: 'replace', path, value: operation.value };
    case 'remove':
      return { op: 'remove', path };
    case 'inc':
      return { op: 'inc', path, value: operation.value };
    case 'str_ins':
      return operation.replacing === undefined
        ? { op: 'str_ins', path, pos: operation.pos, str: operation.str }
        : { op: 'str_ins', path, pos: operation.pos, str: operation.str, replacing: operation.replacing };
    case 'str_del':
      return { op: 'str_del', path, pos: operation.pos, len: operation.len };
    case 'test':
      return { op: 'test', path, value: operation.value };
  }
};

/**
 * The move with other ends. Its `restoring` mark stays with it: it must survive every transform. Nothing at all where the
 * item is at its destination by now.
 */
export const movedTo = (move: Move, from: Path, path: Path): Outcome => {
  if (from === move.from && path === move.path) return move;
  if (samePath(from, path)) return dropped;
  return move.restoring === true ? { op: 'move', from, path, restoring: true } : { op: 'move', from, path };
};

/** The exact inverse of a move, marked: it brings home an item that a rule does not let stay where it was moved. */
export const restoring = (move: Move): Move => ({ op: 'move', from: move.path, path: move.from, restoring: true });
