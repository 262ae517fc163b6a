import type { Conflict } from './conflict.js';
import type { Result } from './errors.js';
import { ok } from './errors.js';
import type { NormalPatch } from './operation.js';
import { crossRuns } from './transform/runs.js';

export interface Rebased {
  /** The pending patches, to run after the changes. */
  readonly pending: readonly NormalPatch[];
  /** The changes, to run after the pending patches as they were: what the visible value has to be moved by. */
  readonly changes: readonly NormalPatch[];
  /** `losing.patch` and `winning.patch` are indices into `pending` (loser or winner `later`) and `changes`. */
  readonly conflicts: readonly Conflict[];
}

/**
 * Takes all pending patches past a run of changes that other replicas made on the state the first pending patch was made
 * on. Pending counts as later in server order. Both lists keep their length: a patch of which nothing is left is empty,
 * because its counter must still be sent and logged. Over nothing, and for patches that nothing touched, the same
 * references come back.
 *
 *     apply(confirmed, pending…, result.changes…)  equals  apply(confirmed, changes…, result.pending…)
 *
 * Rebasing change by change or all at once gives the same patches. Cost and error as `transformBoth`.
 */
export const rebase = (pending: readonly NormalPatch[], changes: readonly NormalPatch[]): Result<Rebased> => {
  const crossed = crossRuns(changes, pending);
  if (!crossed.ok) return crossed;
  const { earlier, later, conflicts } = crossed.value;
  return ok({ pending: later, changes: earlier, conflicts });
};
