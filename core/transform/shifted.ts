import type { Operation, Path } from '../operation.js';

/**
 * The operation at another path; the operation itself where the path is the same. Written out a literal a kind, because
 * spreading an operation costs several times as much and this runs for every shift.
 */
export const shiftedTo = <Op extends Operation>(operation: Op, path: Path): Operation => {
  if (path === operation.path) return operation;
  const it: Operation = operation;
  switch (it.op) {
    case 'add':
      return { op: 'add', path, value: it.value };
    case 'insert':
      return { op: 'insert', path, value: it.value };
    case 'replace':
      return { op: 'replace', path, value: it.value };
    case 'remove':
      return { op: 'remove', path };
    case 'inc':
      return { op: 'inc', path, value: it.value };
    case 'str_ins':
      return { op: 'str_ins', path, pos: it.pos, str: it.str };
    case 'str_del':
      return { op: 'str_del', path, pos: it.pos, len: it.len };
    case 'test':
      return { op: 'test', path, value: it.value };
    case 'move':
      return movedTo(it, it.from, path);
  }
};

type Move = Extract<Operation, { op: 'move' }>;

/** The move with other ends. Its `restoring` mark stays with it: it must survive every transform. */
export const movedTo = (move: Move, from: Path, path: Path): Move => {
  if (from === move.from && path === move.path) return move;
  return move.restoring === true ? { op: 'move', from, path, restoring: true } : { op: 'move', from, path };
};

/** The exact inverse of a move, marked: it brings home an item that a rule does not let stay where it was moved. */
export const restoring = (move: Move): Move => ({ op: 'move', from: move.path, path: move.from, restoring: true });
