import type { Path } from '../operation.js';
import type { Cell } from './cell.js';
import { dropped } from './cell.js';
import {
  afterRemoval,
  carried,
  elementAfterInsertion,
  elementAfterMove,
  isInside,
  samePath,
  slotAfterInsertion,
} from './places.js';
import type { Move } from './shifted.js';
import { movedTo, restoring } from './shifted.js';


/** Two moves: of the same item, of an item and its container, or of items of which neither holds the other. */
export const transformMoves = (earlier: Move, later: Move, cell: Cell): boolean => {
  if (samePath(earlier.from, later.from)) return sameItem(earlier, later, cell);
  if (isInside(later.from, earlier.from)) return containerAndItem(earlier, later, true, cell);
  if (isInside(earlier.from, later.from)) return containerAndItem(later, earlier, false, cell);
  return apart(earlier, later, cell);
};

const sameItem = (earlier: Move, later: Move, cell: Cell): boolean => {
  if (samePath(earlier.path, later.path)) return cell.settle('moveMoveEqual', dropped, dropped);
  cell.settle('moveMove', dropped, movedTo(later, earlier.path, later.path));
  return cell.lostBy(true, earlier);
};

/** `outer` moves a container, `inner` an item that was in it. */
const containerAndItem = (outer: Move, inner: Move, outerIsEarlier: boolean, cell: Cell): boolean => {
  const innerFrom = carried(inner.from, outer.from, outer.path);
  if (isInside(inner.path, outer.from)) {
    const innerPath = carried(inner.path, outer.from, outer.path);
    return cell.settleEither('moveMoveNested', outerIsEarlier, outer, movedTo(inner, innerFrom, innerPath));
  }
  // The item leaves the container: seen without the container, it comes from nowhere.
  const innerSlot = afterRemoval(inner.path, outer.from);
  if (typeof outer.path.at(-1) === 'string' && samePath(innerSlot, outer.path)) {
    cell.settleEither(
      'moveKeyNested',
      outerIsEarlier,
      [{ op: 'remove', path: inner.path }, outer],
      { op: 'remove', path: innerFrom },
    );
    return cell.lostBy(!outerIsEarlier, inner);
  }
  return cell.settleEither(
    samePath(innerSlot, outer.path) ? 'moveMoveSlot' : 'moveMoveNested',
    outerIsEarlier,
    movedTo(
      outer,
      elementAfterInsertion(outer.from, inner.path),
      slotAfterInsertion(outer.path, innerSlot, outerIsEarlier),
    ),
    movedTo(inner, innerFrom, slotAfterInsertion(innerSlot, outer.path, !outerIsEarlier)),
  );
};

const apart = (earlier: Move, later: Move, cell: Cell): boolean => {
  const earlierFrom = afterRemoval(earlier.from, later.from);
  const laterFrom = afterRemoval(later.from, earlier.from);
  const earlierIntoLater = isInside(earlier.path, laterFrom);
  const laterIntoEarlier = isInside(later.path, earlierFrom);

  if (earlierIntoLater && laterIntoEarlier) {
    if (earlier.restoring === true) {
      cell.settle('moveCycleAgain', { op: 'remove', path: earlierFrom }, { op: 'remove', path: laterFrom });
    } else {
      cell.settle('moveCycle', dropped, [restoring(earlier), later]);
    }
    return cell.lostBy(true, earlier);
  }
  if (earlierIntoLater) return intoMoved(earlier, later, earlierFrom, laterFrom, true, cell);
  if (laterIntoEarlier) return intoMoved(later, earlier, laterFrom, earlierFrom, false, cell);

  // Both slots told in the state without either item.
  const earlierSlot = afterRemoval(earlier.path, laterFrom);
  const laterSlot = afterRemoval(later.path, earlierFrom);
  const tie = samePath(earlierSlot, laterSlot);
  // Two neighbours, each moved over the other: both patches made the same exchange. (Neither move is to its own place.)
  if (tie && samePath(earlierSlot, earlierFrom) && samePath(laterSlot, laterFrom)) {
    return cell.settle('moveMoveEqual', dropped, dropped);
  }
  if (tie && typeof earlierSlot.at(-1) === 'string') {
    if (earlier.restoring === true) {
      cell.settle(
        'moveKeyAgain',
        { op: 'remove', path: elementAfterMove(earlier.from, later.from, later.path) },
        [{ op: 'remove', path: earlier.path }, { ...later, from: laterFrom, path: laterSlot }],
      );
    } else {
      cell.settle('moveKey', dropped, [restoring(earlier), later]);
    }
    return cell.lostBy(true, earlier);
  }

  const earlierAfter = movedTo(
    earlier,
    elementAfterInsertion(earlierFrom, later.path),
    slotAfterInsertion(earlierSlot, laterSlot, true),
  );
  const laterAfter = movedTo(
    later,
    elementAfterInsertion(laterFrom, earlier.path),
    slotAfterInsertion(laterSlot, earlierSlot, false),
  );
  if (earlierAfter === earlier && laterAfter === later) return false;
  return cell.settle(tie ? 'moveMoveSlot' : 'shift', earlierAfter, laterAfter);
};

/** `guest` moves its item into the item that `host` moves; the host does not move into the guest's. */
const intoMoved = (
  guest: Move,
  host: Move,
  guestFrom: Path,
  hostFrom: Path,
  guestIsEarlier: boolean,
  cell: Cell,
): boolean => {
  const hostSlot = afterRemoval(host.path, guestFrom);
  return cell.settleEither(
    'moveMoveNested',
    guestIsEarlier,
    movedTo(guest, elementAfterInsertion(guestFrom, host.path), carried(guest.path, hostFrom, hostSlot)),
    movedTo(host, hostFrom, hostSlot),
  );
};
