import type { JsonValue } from './json.js';
import type { NormalPatch, Operation, Path } from './operation.js';

/**
 * The rules of the transform that drop or weaken an operation, one for each such row of the conflict table. The names
 * are part of the protocol: stored with the conflict, shown to people, never reused.
 */
export const conflictRules = {
  addAdd: 'Both set the same new key; the later value stands.',
  replaceReplace: 'Both replaced the same value; the later value stands.',
  replaceRemove: 'The earlier patch replaced what the later one removed; it is removed.',
  removeReplace: 'The earlier patch removed what the later one replaced; it is there again, with the new value.',
  insideRemoved: 'The operation was inside something the other patch removed.',
  insideReplaced: 'The operation was inside something the other patch replaced.',
  editReplaced: 'A text or counter edit met a replacement of the whole value.',
  editRemoved: 'A text or counter edit met the removal of the value.',
  moveRemoved: 'The moved item itself was removed by the other patch.',
  moveOut: 'The item was moved out of something the other patch removed or replaced; it is gone with it.',
  moveInto: 'The item was moved into something the other patch removed or replaced; it stays home.',
  moveIntoAgain: 'An item that had been brought home once met the same rule again; it is removed.',
  moveAdd: 'The later patch set the key the item was moved to; the item goes home.',
  moveAddAgain: 'The later patch set the key to which an item had been brought home; the item is removed.',
  addMove: 'The later patch moved an item onto the key the earlier one had set; the added value is removed.',
  moveMove: 'Both moved the same item; the later destination stands.',
  moveKey: 'Both moved different items to the same key; the earlier item goes home.',
  moveKeyAgain: 'An item was moved to the key to which another had been brought home; the latter is removed.',
  moveKeyNested: 'An item and its container were moved to the same key; the container stands, the item is removed.',
  moveCycle: 'Each of two items was moved into the other; the later move stands.',
  moveCycleAgain: 'Each of two items was moved into the other, one by being brought home; both are removed.',
  editDeleted: 'The later patch deleted the document without having seen the earlier one.',
  guardLost: 'What a test operation looked at is gone.',
} as const;

export type ConflictRule = keyof typeof conflictRules;

/** The rule that is about whole documents: no row of the table of operations, and no transform meets it. See `deletionConflict`. */
export const documentRule = 'editDeleted' satisfies ConflictRule;

/** The rows of the table that drop or weaken an operation. */
export const conflictRows = (Object.keys(conflictRules) as ConflictRule[]).filter((rule) => rule !== documentRule);

/** One operation that took part in a conflict. */
export interface ConflictSide {
  /** Index of the patch in the list that was given; 0 where a single patch was. */
  readonly patch: number;
  /** Index of the operation in that patch. */
  readonly operation: number;
  /** The operation as it stood in that patch, before any transform. */
  readonly op: Operation;
}

/**
 * What a transform had to drop or weaken: pure data, the same on every replica that transforms the same patches, enough
 * to show to a person and, where `lost` and `place` are known, to put back with `restoreLost`.
 */
export interface Conflict {
  readonly rule: ConflictRule;
  /** Which of the two patches lost, in server order. */
  readonly loser: 'earlier' | 'later';
  readonly losing: ConflictSide;
  readonly winning: ConflictSide;
  /**
   * What the losing operation carried: the value it set, the text it inserted, the amount it counted. For a move whose item the
   * rule removed: the item, where it was found (`withItem`). Else absent.
   */
  readonly lost?: JsonValue;
  /** Where the losing operation acted, as its patch told it. */
  readonly path: Path;
  /**
   * The same place in the document that holds both patches; absent when that place is gone. Where the rule removed what was
   * there: the place to put it again.
   */
  readonly place?: Path;
}

/**
 * The patch that puts the lost value back, to be applied to the document right after both patches (and transformed past
 * whatever came since). `undefined` where nothing was lost that an operation could restore: the place is gone, the
 * losing operation carried no value, or nobody looked for the item that the rule removed (`withItem`).
 */
export const restoreLost = (conflict: Conflict): NormalPatch | undefined => {
  const { rule, losing, lost, place } = conflict;
  if (place === undefined) return undefined;
  switch (rule) {
    case 'addAdd':
    case 'addMove':
    case 'replaceReplace':
      return lost === undefined ? undefined : [{ op: 'replace', path: place, value: lost }];
    case 'replaceRemove':
    case 'moveRemoved':
    case 'moveOut':
    case 'moveIntoAgain':
    case 'moveAddAgain':
    case 'moveKeyAgain':
    case 'moveKeyNested':
    case 'moveCycleAgain': {
      if (lost === undefined) return undefined;
      return [{ op: typeof place.at(-1) === 'number' ? 'insert' : 'add', path: place, value: lost }];
    }
    case 'removeReplace':
      return losing.op.op === 'remove' ? [{ op: 'remove', path: place }] : undefined;
    case 'insideRemoved':
    case 'insideReplaced':
    case 'editReplaced':
    case 'editRemoved':
    case 'moveInto':
    case 'moveAdd':
    case 'moveMove':
    case 'moveKey':
    case 'moveCycle':
    case 'editDeleted':
    case 'guardLost':
      return undefined;
  }
};
