import type { Conflict, ConflictSide } from '../conflict.js';
import type { Failure, Result } from '../errors.js';
import { fail, ok } from '../errors.js';
import type { NormalPatch, Operation } from '../operation.js';
import { eachBranch } from './branches.js';
import type { Outcome } from './cell.js';
import { dropped } from './cell.js';
import type { ConflictNote } from './conflict-note.js';
import type { Item, Observe } from './grid.js';
import { Grid, isList } from './grid.js';

export interface CrossedRuns {
  readonly earlier: readonly NormalPatch[];
  readonly later: readonly NormalPatch[];
  readonly conflicts: readonly Conflict[];
}

const noConflicts: readonly Conflict[] = [];

/**
 * Squares the grid may visit. One a pair is the rule; splits make it more. The floor lets one long deletion meet some
 * thousand insertions inside of it, whose squares grow with their square, and ends in a fraction of a second.
 */
const fuelAPair = 8;
const fuelAtLeast = 4_000_000;

/**
 * Takes two runs of patches made on the same state past each other. Each patch of a run follows those before it. One walk
 * of one grid: which patch an operation belongs to makes no difference to what becomes of it, so the outcome does not
 * depend on how the operations were batched.
 */
export const crossRuns = (
  earlier: readonly NormalPatch[],
  later: readonly NormalPatch[],
  observe?: Observe,
): Result<CrossedRuns> => {
  const above = new Run(earlier);
  const left = new Run(later);
  if (above.length === 0 || left.length === 0) return ok({ earlier, later, conflicts: noConflicts });

  const fuel = Math.max(fuelAtLeast, fuelAPair * above.length * left.length);
  const grid = new Grid(fuel, observe);
  // The guards of the earlier run were judged when it was committed; past other operations they need not hold.
  const rows = above.items(false);
  const done = eachBranch(rows, left.items(true), (es, ls) => {
    const columns = ls.slice();
    if (!grid.cross(es, columns)) return false;
    above.became(es, grid.crossed);
    left.became(ls, columns);
    return true;
  });
  if (!done) return fail(outOfFuel(fuel));
  const notes = grid.notes();
  return ok({
    earlier: above.patches(),
    later: left.patches(),
    conflicts: notes.length === 0 ? noConflicts : notes.map((note) => conflictOf(note, above, left)),
  });
};

const outOfFuel = (limit: number): Failure => ({
  code: 'LIMIT_EXCEEDED',
  message: `The two runs of patches take more than ${limit} steps to transform past each other; split them, or pull first.`,
  limit,
});

const conflictOf = (note: ConflictNote, above: Run, left: Run): Conflict => {
  const earlier = above.sideOf(note.earlierSeq);
  const later = left.sideOf(note.laterSeq);
  const [losing, winning] = note.loser === 'earlier' ? [earlier, later] : [later, earlier];
  return {
    rule: note.rule,
    loser: note.loser,
    losing,
    winning,
    ...(note.lost === undefined ? {} : { lost: note.lost }),
    path: losing.op.path,
    ...(note.track.place === undefined ? {} : { place: note.track.place }),
  };
};

/** The operations of a run of patches in one row, numbered, and what each becomes. */
class Run {
  private readonly ops: Operation[] = [];
  private readonly starts: number[] = [];
  private outcomes: Outcome[] | undefined;

  constructor(private readonly given: readonly NormalPatch[]) {
    for (const patch of given) {
      this.starts.push(this.ops.length);
      for (const op of patch) this.ops.push(op);
    }
  }

  get length(): number {
    return this.ops.length;
  }

  items(withGuards: boolean): Item[] {
    const items: Item[] = [];
    this.ops.forEach((op, seq) => {
      if (withGuards || op.op !== 'test') items.push({ op, seq });
      else this.set(seq, dropped);
    });
    return items;
  }

  /** Records what some operations have become: `after` in the order of `before`, with none or several for one. */
  became(before: readonly Item[], after: readonly Item[]): void {
    let at = 0;
    for (const { seq, op } of before) {
      const first = after[at];
      if (first === undefined || first.seq !== seq) {
        this.set(seq, dropped);
        continue;
      }
      at++;
      if (after[at]?.seq !== seq) {
        if (first.op !== op) this.set(seq, first.op);
        continue;
      }
      const several = [first.op];
      for (let next = after[at]; next?.seq === seq; next = after[++at]) several.push(next.op);
      this.set(seq, several);
    }
  }

  /** The run as it has become; a patch of which nothing changed is the one given. */
  patches(): readonly NormalPatch[] {
    const { outcomes, ops, given } = this;
    if (outcomes === undefined) return given;
    return given.map((patch, index) => {
      const start = this.starts[index] as number;
      const end = start + patch.length;
      let changed = false;
      for (let seq = start; seq < end && !changed; seq++) changed = outcomes[seq] !== ops[seq];
      if (!changed) return patch;
      const after: Operation[] = [];
      for (let seq = start; seq < end; seq++) {
        const outcome = outcomes[seq] as Outcome;
        if (isList(outcome)) for (const op of outcome) after.push(op);
        else after.push(outcome);
      }
      return after;
    });
  }

  sideOf(seq: number): ConflictSide {
    // The last patch that starts at or before it, which is never an empty one.
    let patch = 0;
    for (let end = this.starts.length; end - patch > 1; ) {
      const middle = (patch + end) >> 1;
      if ((this.starts[middle] as number) <= seq) patch = middle;
      else end = middle;
    }
    return { patch, operation: seq - (this.starts[patch] as number), op: this.ops[seq] as Operation };
  }

  private set(seq: number, outcome: Outcome): void {
    this.outcomes ??= this.ops.slice();
    this.outcomes[seq] = outcome;
  }
}
