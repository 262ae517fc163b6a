import type { Path } from '../operation.js';

/**
 * How places move (docs/SEMANTICS.md, how places move). Two kinds of place share one representation: an *element* path names something that
 * is there; a *slot* path names where something will be put. They differ only where an insertion meets them exactly.
 *
 * Only array indices shift, object keys never do. Every function returns the path it was given when nothing moves.
 */

const shifted = (path: Path, level: number, by: 1 | -1): Path => {
  const copy = path.slice();
  copy[level] = (copy[level] as number) + by;
  return copy;
};

/** How many leading segments the two paths share. */
export const sharedLength = (a: Path, b: Path): number => {
  const most = a.length < b.length ? a.length : b.length;
  let level = 0;
  while (level < most && a[level] === b[level]) level++;
  return level;
};

/** Whether `path` lies strictly inside `container`. */
export const isInside = (path: Path, container: Path): boolean =>
  path.length > container.length && sharedLength(path, container) === container.length;

/** Whether `path` is `container` or lies inside it. */
export const isAtOrInside = (path: Path, container: Path): boolean =>
  path.length >= container.length && sharedLength(path, container) === container.length;

export const samePath = (a: Path, b: Path): boolean => a.length === b.length && sharedLength(a, b) === a.length;

/** `path`, which starts with `from`, with that start replaced by `to`. */
export const carried = (path: Path, from: Path, to: Path): Path => {
  if (path.length === from.length) return to;
  const whole = to.slice();
  for (let level = from.length; level < path.length; level++) whole.push(path[level] as string | number);
  return whole;
};

/**
 * Where a place is after `removed` has gone. The place must not be inside `removed`; an element must not be `removed`
 * itself. For both kinds a larger index goes down by one; a slot at the removed index stays.
 */
export const afterRemoval = (path: Path, removed: Path): Path => {
  const level = removed.length - 1;
  if (path.length <= level) return path;
  const gone = removed[level];
  const index = path[level];
  if (typeof gone !== 'number' || typeof index !== 'number' || index <= gone) return path;
  return sharedLength(path, removed) === level ? shifted(path, level, -1) : path;
};

/** Where an element is after something was put at `slot`: an index at or above the slot goes up by one. */
export const elementAfterInsertion = (path: Path, slot: Path): Path => {
  const level = slot.length - 1;
  if (path.length <= level) return path;
  const opened = slot[level];
  const index = path[level];
  if (typeof opened !== 'number' || typeof index !== 'number' || index < opened) return path;
  return sharedLength(path, slot) >= level ? shifted(path, level, 1) : path;
};

/** Where a slot is after something was put at `slot`: at a tie the one that comes first in server order stays left. */
export const slotAfterInsertion = (path: Path, slot: Path, pathComesFirst: boolean): Path =>
  pathComesFirst && samePath(path, slot) ? path : elementAfterInsertion(path, slot);

/** Where an element is after `from` was moved to `to` (`to` counts in the state without the moved item). */
export const elementAfterMove = (path: Path, from: Path, to: Path): Path =>
  isAtOrInside(path, from) ? carried(path, from, to) : elementAfterInsertion(afterRemoval(path, from), to);

/** Where a slot is after `from` was moved to `to`. */
export const slotAfterMove = (path: Path, from: Path, to: Path, pathComesFirst: boolean): Path =>
  isInside(path, from) ? carried(path, from, to) : slotAfterInsertion(afterRemoval(path, from), to, pathComesFirst);
