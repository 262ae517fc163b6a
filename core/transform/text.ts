import type { Operation } from '../operation.js';
import type { Cell } from './cell.js';
import { dropped } from './cell.js';

type Insertion = Extract<Operation, { op: 'str_ins' }>;
type Deletion = Extract<Operation, { op: 'str_del' }>;

/**
 * Two edits of one string. Offsets are UTF-16 units and only ever move by whole lengths of well-formed texts and of
 * ranges that end on character boundaries, so a surrogate pair that neither patch split is not split by both.
 */
export const transformText = (earlier: Insertion | Deletion, later: Operation, cell: Cell): boolean => {
  if (earlier.op === 'str_ins') {
    if (later.op === 'str_ins') return insertInsert(earlier, later, cell);
    return later.op === 'str_del' && insertDelete(earlier, later, true, cell);
  }
  if (later.op === 'str_ins') return insertDelete(later, earlier, false, cell);
  return later.op === 'str_del' && deleteDelete(earlier, later, cell);
};

const insertAt = (edit: Insertion, pos: number): Insertion =>
  pos === edit.pos ? edit : { ...edit, pos };

const deleteAt = (edit: Deletion, pos: number, len: number): Operation | readonly Operation[] => {
  if (len === 0) return dropped;
  return pos === edit.pos && len === edit.len ? edit : { op: 'str_del', path: edit.path, pos, len };
};

const insertInsert = (earlier: Insertion, later: Insertion, cell: Cell): boolean => {
  if (earlier.pos > later.pos) return cell.settle('textShift', insertAt(earlier, earlier.pos + later.str.length), later);
  if (isSameCorrection(earlier, later)) return cell.settle('textSame', dropped, dropped);
  const row = earlier.pos === later.pos ? 'textTie' : 'textShift';
  return cell.settle(row, earlier, insertAt(later, later.pos + earlier.str.length));
};

/** Both put the same text in the place of the same old text: it is there once. What either does to it afterwards stays valid. */
const isSameCorrection = (earlier: Insertion, later: Insertion): boolean =>
  earlier.replacing !== undefined && earlier.pos === later.pos && earlier.str === later.str && earlier.replacing === later.replacing;

const insertDelete = (insertion: Insertion, deletion: Deletion, insertionIsEarlier: boolean, cell: Cell): boolean => {
  const { pos, str } = insertion;
  const end = deletion.pos + deletion.len;
  if (pos <= deletion.pos) {
    return cell.settleEither(
      'textShift',
      insertionIsEarlier,
      insertion,
      deleteAt(deletion, deletion.pos + str.length, deletion.len),
    );
  }
  if (pos >= end) {
    return cell.settleEither('textShift', insertionIsEarlier, insertAt(insertion, pos - deletion.len), deletion);
  }
  // The second half runs after the first, when the inserted text begins at the deletion's start.
  return cell.settleEither('textSplit', insertionIsEarlier, insertAt(insertion, deletion.pos), [
    { op: 'str_del', path: deletion.path, pos: deletion.pos, len: pos - deletion.pos },
    { op: 'str_del', path: deletion.path, pos: deletion.pos + str.length, len: end - pos },
  ]);
};

const deleteDelete = (earlier: Deletion, later: Deletion, cell: Cell): boolean => {
  const overlap = Math.max(
    0,
    Math.min(earlier.pos + earlier.len, later.pos + later.len) - Math.max(earlier.pos, later.pos),
  );
  return cell.settle(
    overlap > 0 ? 'textOverlap' : 'textShift',
    deleteAt(earlier, positionAfter(earlier.pos, later), earlier.len - overlap),
    deleteAt(later, positionAfter(later.pos, earlier), later.len - overlap),
  );
};

/** Where an offset is once `deletion` has happened; offsets inside it fall together at its start. */
const positionAfter = (pos: number, deletion: Deletion): number =>
  pos <= deletion.pos ? pos : Math.max(deletion.pos, pos - deletion.len);
