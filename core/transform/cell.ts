import type { JsonValue } from '../json.js';
import type { Operation } from '../operation.js';
import type { ConflictRule } from '../conflict.js';

/**
 * The rows of the conflict table (docs/SEMANTICS.md, the table) that a pair of operations can meet. A row that drops or weakens an
 * operation is a `ConflictRule`; the others lose nothing. Tests count them: no row may go untried.
 */
export const harmlessRows = [
  'shift',
  'addAddEqual',
  'insertInsert',
  'insertRemove',
  'insertReplace',
  'replaceReplaceEqual',
  'removeRemove',
  'removeInsideRemoved',
  'incInc',
  'textTie',
  'textSame',
  'textSplit',
  'textShift',
  'textOverlap',
  'moveCarries',
  'moveReplaced',
  'moveMoveEqual',
  'moveMoveSlot',
  'moveMoveNested',
] as const;
export type Row = (typeof harmlessRows)[number] | ConflictRule;

/** What an operation becomes: itself, another operation, or several (none: it is dropped). */
export type Outcome = Operation | readonly Operation[];
export const dropped: readonly Operation[] = [];

/**
 * One square of the grid of two patches: the earlier operation, the later one, and what each becomes after the other.
 * A pair writes its outcome here instead of returning it, because a million pairs a patch must not allocate a million
 * results. The grid owns one cell and reads it after each pair.
 */
export class Cell {
  earlier: Outcome = dropped;
  later: Outcome = dropped;
  row: Row = 'shift';
  /** Whose operation was dropped or weakened, where the row is a conflict. */
  loser: 'earlier' | 'later' | undefined = undefined;
  /** What the loser carried: the value it set, the text it inserted, the amount it counted. */
  lost: JsonValue | undefined = undefined;

  /** The pair met `row` and nobody lost. */
  settle(row: Row, earlier: Outcome, later: Outcome): true {
    this.row = row;
    this.earlier = earlier;
    this.later = later;
    this.loser = undefined;
    this.lost = undefined;
    return true;
  }

  /** The same for rules that are told the same way in both orders: `a` and `b` are put where they belong. */
  settleEither(row: Row, aIsEarlier: boolean, a: Outcome, b: Outcome): true {
    return aIsEarlier ? this.settle(row, a, b) : this.settle(row, b, a);
  }

  /** Names the operation that was dropped or weakened in the pair just settled. */
  lostBy(loserIsEarlier: boolean, operation: Operation): true {
    this.loser = loserIsEarlier ? 'earlier' : 'later';
    if (operation.op === 'str_ins') this.lost = operation.str;
    else if (operation.op !== 'test' && 'value' in operation) this.lost = operation.value;
    return true;
  }
}
