import type { JsonValue } from '../json.js';
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
      return addAgainst(earlier, later, cell);
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

/**
 * Both set the same new key. Equal containers are one container that both began, and what each put into it afterwards
 * stays. An equal leaf is set once more by the later patch: it must stand if the earlier patch takes its own back.
 */
const addAgainst = (earlier: Extract<Operation, { op: 'add' }>, later: Extract<Operation, { op: 'add' }>, cell: Cell): boolean => {
  const equal = equalValues(earlier.value, later.value);
  if (equal && isContainer(earlier.value)) return cell.settle('addAddEqual', dropped, dropped);
  cell.settle(equal ? 'addAddEqual' : 'addAdd', dropped, { op: 'replace', path: later.path, value: later.value });
  return cell.lostBy(true, earlier);
};

const isContainer = (value: JsonValue): boolean => typeof value === 'object' && value !== null;

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
      // The later one stays where they are equal too: it must stand if the earlier patch sets another value afterwards.
      cell.settle(equalValues(earlier.value, later.value) ? 'replaceReplaceEqual' : 'replaceReplace', dropped, later);
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
