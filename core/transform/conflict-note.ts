import type { ConflictRule } from '../conflict.js';
import { conflictRules } from '../conflict.js';
import type { JsonValue } from '../json.js';
import type { Operation, Path } from '../operation.js';
import { equalValues } from '../value.js';
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
  /** What the earlier patch did to the value there and lost, until it sets another one itself. */
  given: ConflictNote[];
}

/** A conflict while the grid is still being walked: operations by sequence number, the place still moving. */
export interface ConflictNote {
  rule: ConflictRule;
  readonly loser: 'earlier' | 'later';
  readonly earlierSeq: number;
  laterSeq: number;
  readonly lost: JsonValue | undefined;
  /**
   * What stands where the loser set a whole value, as far as the grid was walked; absent where that is no value. Where it
   * equals `lost` in the end, both wanted it and nobody is told.
   */
  stands?: JsonValue;
  /** The losing patch itself set another value there afterwards: that one is told, if it was lost. */
  superseded?: true;
  /** Conflicts at one place share it, so that a thousand lost keystrokes are followed as one. */
  track: Track;
}

const isConflict = (row: Row): row is ConflictRule => row in conflictRules;

/** Equal values are noted as conflicts, too: only the rest of the walk tells whether the value that both set stands. */
const ruleOf = (row: Row): Row => (row === 'replaceReplaceEqual' ? 'replaceReplace' : row === 'addAddEqual' ? 'addAdd' : row);

export const noteConflict = (
  cell: Cell,
  earlierSeq: number,
  earlier: Operation,
  laterSeq: number,
  later: Operation,
): ConflictNote => {
  const { loser, lost } = cell;
  const rule = ruleOf(cell.row);
  if (!isConflict(rule) || loser === undefined) throw new Error(`The row ${rule} names no loser.`);
  const [losing, winning] = loser === 'earlier' ? [earlier, later] : [later, earlier];
  return {
    rule,
    loser,
    earlierSeq,
    laterSeq,
    lost,
    ...((rule === 'replaceReplace' || rule === 'addAdd') && 'value' in winning ? { stands: winning.value } : {}),
    track: { place: placeAfterBoth(rule, losing, winning), slot: rule === 'replaceRemove', given: [] },
  };
};

/** Whether a note need not be told: what was lost stands after all, or its own patch gave it up. */
export const isIdle = ({ lost, stands, superseded }: ConflictNote): boolean =>
  superseded === true || (lost !== undefined && stands !== undefined && equalValues(lost, stands));

/**
 * Adds a note to those at its place. Where the losing operation set or removed the whole value, what its own patch had done
 * there before does not count any more: the patch gave it up itself.
 */
export const supersede = (track: Track, note: ConflictNote): void => {
  if (note.loser !== 'earlier') return;
  switch (note.rule) {
    case 'replaceReplace':
    case 'addAdd':
    case 'removeReplace':
      for (const older of track.given) older.superseded = true;
      track.given = [note];
      return;
    case 'editReplaced':
      track.given.push(note);
      return;
    default:
      return;
  }
};

/**
 * Tells a note of an operation of the winning side that runs after it, before the note's place follows that operation: it may
 * set another value there, change the one that stands, or take it away.
 */
export const heed = (note: ConflictNote, operation: Operation, seq: number): void => {
  const { place } = note.track;
  if (note.stands === undefined || place === undefined) return;
  const { op, path } = operation;
  if (op === 'replace' && samePath(path, place)) {
    note.stands = operation.value;
    note.laterSeq = seq;
  } else if (op === 'remove' && samePath(path, place)) {
    delete note.stands;
    note.laterSeq = seq;
    note.rule = 'replaceRemove';
    note.track = { place: afterRemoval(place, path), slot: true, given: [] };
  } else if (touchesInside(operation, place) || ((op === 'replace' || op === 'remove') && isInside(place, path))) {
    delete note.stands;
  }
};

/** Whether an operation alters the value at `place` without setting it anew. */
const touchesInside = (operation: Operation, place: Path): boolean => {
  const { path } = operation;
  switch (operation.op) {
    case 'inc':
    case 'str_ins':
    case 'str_del':
      return isAtOrInside(path, place);
    case 'add':
    case 'insert':
    case 'replace':
    case 'remove':
      return isInside(path, place);
    case 'move':
      return isInside(operation.from, place) || isInside(path, afterRemoval(place, operation.from));
    case 'test':
      return false;
  }
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
    case 'editDeleted':
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
