import type { JsonValue } from './json.js';
import type { Path, Pointer } from './operation.js';

/** Whether a place is `start` or lies in it. */
export function startsWith(path: Path | Pointer, start: Path | Pointer): boolean {
  if (path.length < start.length) return false;
  for (let depth = start.length - 1; depth >= 0; depth--) {
    if (path[depth] !== start[depth]) return false;
  }
  return true;
}

export function samePath(a: Path | Pointer, b: Path | Pointer): boolean {
  return a === b || (a.length === b.length && startsWith(a, b));
}

/** A place in the state before `from` was removed, given in the state after it. */
export function beforeRemoval(path: Path, from: Path): Path {
  const level = from.length - 1;
  const gap = from[level]!;
  const segment = path[level];
  if (typeof gap !== 'number' || typeof segment !== 'number' || segment < gap) return path;
  for (let depth = 0; depth < level; depth++) {
    if (path[depth] !== from[depth]) return path;
  }
  const shifted = path.slice();
  shifted[level] = segment + 1;
  return shifted;
}

/** What is at a typed path; undefined where nothing is. */
export function valueAt(document: JsonValue, path: Path): JsonValue | undefined {
  let at: JsonValue | undefined = document;
  for (const segment of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return undefined;
    at = (at as { readonly [segment: string | number]: JsonValue })[segment];
  }
  return at;
}
