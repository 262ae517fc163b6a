import type { ConflictRule } from '../conflict.js';
import { conflictRules } from '../conflict.js';
import type { JsonValue } from '../json.js';
import type { Operation, Path } from '../operation.js';
import type { Cell, Row } from './cell.js';
import {
  afterRemoval,
  elementAfterInsertion,
  elementAfterMove,
  isInside,
  isAtOrInside,
  samePath,
  slotAfterInsertion,
  slotAfterMove,
} from './places.js';

/** A place on its way through the grid: where a loser acted, in the state reached so far. */
export interface Track {
  /** Undefined once that place is gone. */
  place: Path | undefined;
  /** The place is a slot (nothing is there) and not an element. */
  readonly slot: boolean;
}

/** A conflict while the grid is still being walked: operations by sequence number, the place still moving. */
export interface ConflictNote {
  readonly rule: ConflictRule;
  readonly loser: 'earlier' | 'later';
  readonly earlierSeq: number;
  readonly laterSeq: number;
  readonly lost: JsonValue | undefined;
  /** Conflicts at one place share it, so that a thousand lost keystrokes are followed as one. */
  track: Track;
}

const isConflict = (row: Row): row is ConflictRule => row in conflictRules;

export const noteConflict = (
  cell: Cell,
  earlierSeq: number,
  earlier: Operation,
  laterSeq: number,
  later: Operation,
): ConflictNote => {
  const { row: rule, loser, lost } = cell;
  if (!isConflict(rule) || loser === undefined) throw new Error(`The row ${rule} names no loser.`);
  const [losing, winning] = loser === 'earlier' ? [earlier, later] : [later, earlier];
  return {
    rule,
    loser,
    earlierSeq,
    laterSeq,
    lost,
    track: { place: placeAfterBoth(rule, losing, winning), slot: rule === 'replaceRemove' },
  };
};

/** Where the losing operation acted, in the state after both; for a move the place where its item is. */
const placeAfterBoth = (rule: ConflictRule, losing: Operation, winning: Operation): Path | undefined => {
  switch (rule) {
    case 'addAdd':
    case 'replaceReplace':
    case 'replaceRemove':
    case 'removeReplace':
    case 'editReplaced':
      return losing.path;
    case 'addMove':
    case 'moveMove':
      return winning.path;
    case 'moveInto':
    case 'moveAdd':
    case 'moveKey':
    case 'moveCycle':
      if (losing.op !== 'move') return undefined;
      if (winning.op === 'remove') return afterRemoval(losing.from, winning.path);
      return winning.op === 'move' ? elementAfterMove(losing.from, winning.from, winning.path) : losing.from;
    case 'insideRemoved':
    case 'insideReplaced':
    case 'editRemoved':
    case 'moveRemoved':
    case 'moveOut':
    case 'moveIntoAgain':
    case 'moveAddAgain':
    case 'moveKeyAgain':
    case 'moveKeyNested':
    case 'moveCycleAgain':
    case 'guardLost':
      return undefined;
  }
};

/** Moves the place of a conflict past an operation that runs after it. */
export const follow = (track: Track, operation: Operation): void => {
  const { place, slot } = track;
  if (place === undefined) return;
  switch (operation.op) {
    case 'insert':
      track.place = slot ? slotAfterInsertion(place, operation.path, true) : elementAfterInsertion(place, operation.path);
      return;
    case 'add':
      // Somebody else has set the key since: putting the value there is no longer an addition.
      if (slot && samePath(operation.path, place)) track.place = undefined;
      return;
    case 'remove':
      track.place = (slot ? isInside(place, operation.path) : isAtOrInside(place, operation.path))
        ? undefined
        : afterRemoval(place, operation.path);
      return;
    case 'replace':
      if (isInside(place, operation.path)) track.place = undefined;
      return;
    case 'move':
      track.place = slot
        ? slotAfterMove(place, operation.from, operation.path, true)
        : elementAfterMove(place, operation.from, operation.path);
      // As for `add`: the key is taken.
      if (slot && typeof place.at(-1) === 'string' && samePath(operation.path, track.place)) track.place = undefined;
      return;
    case 'inc':
    case 'str_ins':
    case 'str_del':
    case 'test':
      return;
  }
};
