import type { Item } from './grid.js';

/**
 * Splits the operations of two lists into groups that cannot touch each other, so that no pair across groups is looked
 * at. Operations that part at an object key never touch, except that a move ties the two branches it names together.
 *
 * `visit` is called once for each group that has operations on both sides; operations that nothing on the other side can
 * touch are in no group. The order within a group is the order given. Cost: one pass over the operations a level.
 */
export const eachBranch = (
  earlier: readonly Item[],
  later: readonly Item[],
  visit: (earlier: readonly Item[], later: readonly Item[]) => boolean,
  depth = 0,
): boolean => {
  if (earlier.length === 0 || later.length === 0) return true;
  // Not worth a look: the pairs themselves cost less than the maps.
  if (earlier.length * later.length <= smallGrid) return visit(earlier, later);

  const groups = new Groups(depth);
  if (!groups.addAll(earlier, 0) || !groups.addAll(later, 1)) return visit(earlier, later);
  for (const group of groups.all()) {
    const done = group.tied
      ? group.sides[0].length === 0 || group.sides[1].length === 0 || visit(group.sides[0], group.sides[1])
      : eachBranch(group.sides[0], group.sides[1], visit, depth + 1);
    if (!done) return false;
  }
  return true;
};

const smallGrid = 64;

interface Group {
  readonly sides: [Item[], Item[]];
  /** A move joined several branches here: they cannot be told apart any deeper. */
  tied: boolean;
  /** The group this one was joined to. */
  into: Group | undefined;
}

class Groups {
  private readonly byKey = new Map<string, Group>();

  constructor(private readonly depth: number) {}

  /** False where an operation acts on the container at this depth itself, or the container is an array. */
  addAll(items: readonly Item[], side: 0 | 1): boolean {
    const { depth } = this;
    for (const item of items) {
      const { op } = item;
      const key = op.path[depth];
      if (typeof key !== 'string') return false;
      let group = this.of(key);
      if (op.op === 'move') {
        const source = op.from[depth];
        if (typeof source !== 'string') return false;
        if (source !== key) group = this.tie(group, this.of(source));
      }
      group.sides[side].push(item);
    }
    return true;
  }

  *all(): Iterable<Group> {
    for (const group of this.byKey.values()) {
      if (group.into === undefined) {
        // Joining appended one group's items to another's; within a side they go back to the order given.
        if (group.tied) for (const side of group.sides) side.sort((a, b) => a.seq - b.seq);
        yield group;
      }
    }
  }

  private of(key: string): Group {
    let group = this.byKey.get(key);
    if (group === undefined) {
      group = { sides: [[], []], tied: false, into: undefined };
      this.byKey.set(key, group);
    }
    while (group.into !== undefined) group = group.into;
    return group;
  }

  private tie(a: Group, b: Group): Group {
    a.tied = true;
    if (a === b) return a;
    const [large, small] =
      a.sides[0].length + a.sides[1].length >= b.sides[0].length + b.sides[1].length ? [a, b] : [b, a];
    for (const side of [0, 1] as const) for (const item of small.sides[side]) large.sides[side].push(item);
    small.into = large;
    large.tied = true;
    return large;
  }
}
