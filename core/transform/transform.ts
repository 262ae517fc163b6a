import type { Conflict } from '../conflict.js';
import type { Result } from '../errors.js';
import { ok } from '../errors.js';
import type { NormalPatch, Operation } from '../operation.js';
import type { Outcome } from './cell.js';
import { Cell } from './cell.js';
import type { Observe } from './grid.js';
import { isList } from './grid.js';
import { transformPair } from './pair.js';
import { crossRuns } from './runs.js';

/** A patch as it runs after the patch it was transformed past, and what was dropped or weakened on either side. */
export interface Transformed {
  readonly patch: NormalPatch;
  readonly conflicts: readonly Conflict[];
}

/** Two patches made on the same state: `earlier` to run after the later one as given, `later` after the earlier one. */
export interface TransformedBoth {
  readonly earlier: NormalPatch;
  readonly later: NormalPatch;
  readonly conflicts: readonly Conflict[];
}

/**
 * Takes two patches made on the same state past each other, so that both orders end in the same document:
 *
 *     apply(apply(s, earlier), result.later)  equals  apply(apply(s, later), result.earlier)
 *
 * Ties and conflicts are decided by the order given (the server's), by the table in docs/decisions and `conflictRules`,
 * never by ids or time. Needs no document. A side that nothing touched comes back as the same reference. The `test`
 * operations of `later` are mapped to where their target is now (`guardLost` where it is gone) and not evaluated; those
 * of `earlier` were judged when it was committed and are left out once there is something to go past.
 *
 * Cost: at most one step a pair of operations, and none for pairs in different branches of the document. Fails only with
 * `LIMIT_EXCEEDED`, when a contrived pair of patches splits for too long.
 */
export const transformBoth = (
  earlier: NormalPatch,
  later: NormalPatch,
  observe?: Observe,
): Result<TransformedBoth> => {
  if (observe === undefined && settleSingle(earlier, later)) {
    return ok({ earlier: patchOf(earlier, scratch.earlier), later: patchOf(later, scratch.later), conflicts: none });
  }
  const crossed = crossRuns([earlier], [later], observe);
  if (!crossed.ok) return crossed;
  const { conflicts } = crossed.value;
  return ok({
    earlier: crossed.value.earlier[0] as NormalPatch,
    later: crossed.value.later[0] as NormalPatch,
    conflicts,
  });
};

/**
 * The first patch as it runs after `against`, both made on the same state. `side` says where `patch` stands in the
 * server's order: `'left'` is earlier than `against`, `'right'` later. Otherwise as `transformBoth`, which gives both
 * sides for the price of one.
 */
export const transform = (patch: NormalPatch, against: NormalPatch, side: 'left' | 'right'): Result<Transformed> => {
  if (side === 'left' ? settleSingle(patch, against) : settleSingle(against, patch)) {
    return ok({ patch: patchOf(patch, side === 'left' ? scratch.earlier : scratch.later), conflicts: none });
  }
  const both = side === 'left' ? transformBoth(patch, against) : transformBoth(against, patch);
  if (!both.ok) return both;
  const { earlier, later, conflicts } = both.value;
  return ok({ patch: side === 'left' ? earlier : later, conflicts });
};

const none: readonly Conflict[] = [];

/** Read right after it was written, by functions that call nothing in between. */
const scratch = new Cell();

/**
 * The common case of one operation against one, without the grid: whether it was settled, nobody lost, and the outcome is
 * in `scratch`.
 */
const settleSingle = (earlier: NormalPatch, later: NormalPatch): boolean => {
  if (earlier.length !== 1 || later.length !== 1) return false;
  const first = earlier[0] as Operation;
  const second = later[0] as Operation;
  if (first.op === 'test') return false;
  if (!transformPair(first, second, scratch)) scratch.settle('shift', first, second);
  return scratch.loser === undefined;
};

const patchOf = (patch: NormalPatch, outcome: Outcome): NormalPatch =>
  outcome === patch[0] ? patch : isList(outcome) ? outcome : [outcome];
