import type { Operation } from '../operation.js';
import { equalValues } from '../value.js';
import type { Cell } from './cell.js';
import { dropped } from './cell.js';
import { elementAfterInsertion } from './places.js';
import type { Still } from './shifted.js';
import { shiftedTo } from './shifted.js';
import { transformText } from './text.js';

/**
 * Two operations with the same path, neither of them a move. For the array rows note that an `insert` names a slot and
 * the others the element at that index: the insert keeps its slot, the element goes up by one.
 */
export const transformSameTarget = (earlier: Still, later: Still, cell: Cell): boolean => {
  if (earlier.op === 'insert') {
    return later.op === 'insert'
      ? cell.settle('insertInsert', earlier, shiftedTo(later, elementAfterInsertion(later.path, earlier.path)))
      : insertAgainstElement(earlier, later, true, cell);
  }
  if (later.op === 'insert') return insertAgainstElement(later, earlier, false, cell);

  switch (earlier.op) {
    case 'add':
      if (later.op !== 'add') return false;
      if (equalValues(earlier.value, later.value)) return cell.settle('addAddEqual', dropped, dropped);
      cell.settle('addAdd', dropped, { op: 'replace', path: later.path, value: later.value });
      return cell.lostBy(true, earlier);
    case 'replace':
      return replaceAgainst(earlier, later, cell);
    case 'remove':
      return removeAgainst(earlier, later, cell);
    case 'inc':
    case 'str_ins':
    case 'str_del':
      if (later.op === 'replace') {
        cell.settle('editReplaced', dropped, later);
        return cell.lostBy(true, earlier);
      }
      if (later.op === 'remove') {
        cell.settle('editRemoved', dropped, later);
        return cell.lostBy(true, earlier);
      }
      if (earlier.op === 'inc') return later.op === 'inc' && cell.settle('incInc', earlier, later);
      return transformText(earlier, later, cell);
    case 'test':
      return false;
  }
};

const insertAgainstElement = (insert: Still, element: Still, insertIsEarlier: boolean, cell: Cell): boolean =>
  element.op === 'add'
    ? false
    : cell.settleEither(
        element.op === 'remove' ? 'insertRemove' : element.op === 'replace' ? 'insertReplace' : 'shift',
        insertIsEarlier,
        insert,
        shiftedTo(element, elementAfterInsertion(element.path, insert.path)),
      );

const replaceAgainst = (
  earlier: Extract<Operation, { op: 'replace' }>,
  later: Still,
  cell: Cell,
): boolean => {
  switch (later.op) {
    case 'replace':
      if (equalValues(earlier.value, later.value)) return cell.settle('replaceReplaceEqual', dropped, dropped);
      cell.settle('replaceReplace', dropped, later);
      return cell.lostBy(true, earlier);
    case 'remove':
      cell.settle('replaceRemove', dropped, later);
      return cell.lostBy(true, earlier);
    case 'inc':
    case 'str_ins':
    case 'str_del':
      cell.settle('editReplaced', earlier, dropped);
      return cell.lostBy(false, later);
    case 'add':
    case 'insert':
    case 'test':
      return false;
  }
};

const removeAgainst = (earlier: Extract<Operation, { op: 'remove' }>, later: Still, cell: Cell): boolean => {
  switch (later.op) {
    case 'remove':
      return cell.settle('removeRemove', dropped, dropped);
    case 'replace': {
      const op = typeof later.path.at(-1) === 'number' ? 'insert' : 'add';
      cell.settle('removeReplace', dropped, { op, path: later.path, value: later.value });
      return cell.lostBy(true, earlier);
    }
    case 'inc':
    case 'str_ins':
    case 'str_del':
      cell.settle('editRemoved', earlier, dropped);
      return cell.lostBy(false, later);
    case 'test':
      cell.settle('guardLost', earlier, dropped);
      return cell.lostBy(false, later);
    case 'add':
    case 'insert':
      return false;
  }
};
