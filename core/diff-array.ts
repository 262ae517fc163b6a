import { alignSequences, type Hunk } from './align.js';
import { diffValues, type DiffRun } from './diff.js';
import type { Identity } from './identity.js';
import type { JsonArray, JsonObject, JsonValue } from './json.js';
import type { Path } from './operation.js';
import { canonicalJson, equalValues } from './value.js';

/** Past this many insertions and deletions an array is replaced. */
const mostArrayEdits = 1000;
/** Past this many steps of shifting items an array with names is replaced. */
const mostShifts = 20_000_000;
/** Unaligned runs are searched for changed items only up to this many comparisons. */
const mostComparisons = 2500;

/** Adds what leads from one array to the other. Trims what is equal at both ends first: most edits are few. */
export function diffArrays(before: JsonArray, after: JsonArray, path: Path, run: DiffRun): void {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && equalValues(before[start]!, after[start]!)) start += 1;
  let end = 0;
  while (end < shorter - start && equalValues(before[before.length - 1 - end]!, after[after.length - 1 - end]!)) end += 1;
  const a = before.slice(start, before.length - end);
  const b = after.slice(start, after.length - end);
  if (a.length === 0 && b.length === 0) return;

  const named = nameItems(a, b, run.identities);
  if (named !== undefined) {
    if (diffNamed(a, b, named, start, path, run)) return;
  } else {
    const symbols = symbolsOf(a, b);
    const hunks = alignSequences(symbols.a, symbols.b, mostArrayEdits);
    if (hunks !== undefined) {
      diffHunks(hunks, a, b, start, path, run);
      return;
    }
  }
  run.patch.push({ op: 'replace', path, value: after });
}

/** Equal items become equal numbers, so that aligning compares numbers. */
function symbolsOf(a: JsonArray, b: JsonArray): { a: Uint32Array; b: Uint32Array } {
  const numbers = new Map<string, number>();
  const numberOf = (item: JsonValue): number => {
    const text = canonicalJson(item);
    let number = numbers.get(text);
    if (number === undefined) numbers.set(text, (number = numbers.size));
    return number;
  };
  return { a: Uint32Array.from(a, numberOf), b: Uint32Array.from(b, numberOf) };
}

function diffHunks(hunks: readonly Hunk[], a: JsonArray, b: JsonArray, start: number, path: Path, run: DiffRun): void {
  for (const { aStart, aEnd, bStart, bEnd } of hunks) {
    // Everything left of the hunk is as in `after` already, so its place is counted there.
    let slot = start + bStart;
    let nextA = aStart;
    let nextB = bStart;
    for (const [indexA, indexB] of [...pairChanged(a.slice(aStart, aEnd), b.slice(bStart, bEnd)), [aEnd - aStart, bEnd - bStart] as const]) {
      for (; nextA < aStart + indexA; nextA++) run.patch.push({ op: 'remove', path: [...path, slot] });
      for (; nextB < bStart + indexB; nextB++) run.patch.push({ op: 'insert', path: [...path, slot++], value: b[nextB]! });
      if (nextA === aEnd && nextB === bEnd) continue;
      diffValues(a[nextA++]!, b[nextB++]!, [...path, slot++], run);
    }
  }
}

/** Which items of two unaligned runs are the same item changed, as index pairs in order. */
function pairChanged(a: JsonArray, b: JsonArray): (readonly [number, number])[] {
  if (a.length === b.length) return a.map((_, index) => [index, index] as const);
  if (a.length * b.length > mostComparisons) return [];
  const pairs: (readonly [number, number])[] = [];
  let from = 0;
  for (let indexA = 0; indexA < a.length; indexA++) {
    for (let indexB = from; indexB < b.length; indexB++) {
      if (!alike(a[indexA]!, b[indexB]!)) continue;
      pairs.push([indexA, indexB]);
      from = indexB + 1;
      break;
    }
  }
  return pairs;
}

/** Whether one object is more likely an edit of the other than a new one: at least half of the members are equal. */
function alike(a: JsonValue, b: JsonValue): boolean {
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object' || Array.isArray(a) || Array.isArray(b)) return false;
  const left = a as JsonObject;
  const right = b as JsonObject;
  const keys = Object.keys(left);
  let equal = 0;
  for (const key of keys) if (Object.hasOwn(right, key) && equalValues(left[key]!, right[key]!)) equal += 1;
  return equal > 0 && equal * 2 >= Math.max(keys.length, Object.keys(right).length);
}

interface Names {
  readonly a: readonly string[];
  readonly b: readonly string[];
}

function nameItems(a: JsonArray, b: JsonArray, identities: readonly Identity[]): Names | undefined {
  if (a.length === 0 || b.length === 0) return undefined;
  for (const name of identities) {
    const namesA = uniqueNames(a, name);
    const namesB = namesA === undefined ? undefined : uniqueNames(b, name);
    if (namesA !== undefined && namesB !== undefined) return { a: namesA, b: namesB };
  }
  return undefined;
}

function uniqueNames(items: JsonArray, identity: Identity): readonly string[] | undefined {
  const names: string[] = [];
  for (const item of items) {
    const name = identity(item);
    if (name === undefined) return undefined;
    names.push(name);
  }
  return new Set(names).size === names.length ? names : undefined;
}

/**
 * Removals first, then insertions and moves from left to right, each to the place behind the item that comes before it in
 * `after`, then the changes inside items. Items of the longest run that is in order already stay. False, and nothing added,
 * if that would shift too much.
 */
function diffNamed(a: JsonArray, b: JsonArray, names: Names, start: number, path: Path, run: DiffRun): boolean {
  const placeInB = new Map(names.b.map((name, index) => [name, index]));
  const placeInA = new Map(names.a.map((name, index) => [name, index]));
  const list = names.a.filter((name) => placeInB.has(name));
  if (list.length === 0) return false;
  const staying = longestIncreasing(list.map((name) => placeInB.get(name)!));
  if ((b.length - staying.size + a.length - list.length) * Math.max(a.length, b.length) > mostShifts) return false;

  for (let index = a.length - 1; index >= 0; index--) {
    if (!placeInB.has(names.a[index]!)) run.patch.push({ op: 'remove', path: [...path, start + index] });
  }
  let slot = 0;
  for (const [index, name] of names.b.entries()) {
    if (staying.has(index)) {
      slot = list.indexOf(name, slot) + 1;
    } else if (placeInA.has(name)) {
      const from = list.indexOf(name);
      list.splice(from, 1);
      if (from < slot) slot -= 1;
      list.splice(slot, 0, name);
      if (from !== slot) run.patch.push({ op: 'move', from: [...path, start + from], path: [...path, start + slot] });
      slot += 1;
    } else {
      list.splice(slot, 0, name);
      run.patch.push({ op: 'insert', path: [...path, start + slot], value: b[index]! });
      slot += 1;
    }
  }
  for (const [index, name] of names.b.entries()) {
    const old = placeInA.get(name);
    if (old !== undefined) diffValues(a[old]!, b[index]!, [...path, start + index], run);
  }
  return true;
}

/** The values of one longest increasing subsequence of distinct numbers. O(n log n). */
function longestIncreasing(values: readonly number[]): ReadonlySet<number> {
  /** ends[length] is the index of the smallest value that ends an increasing run of that length + 1. */
  const ends: number[] = [];
  const previous = new Int32Array(values.length);
  for (let index = 0; index < values.length; index++) {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (values[ends[middle]!]! < values[index]!) low = middle + 1;
      else high = middle;
    }
    previous[index] = low > 0 ? ends[low - 1]! : -1;
    ends[low] = index;
  }
  const longest = new Set<number>();
  for (let index = ends.at(-1) ?? -1; index >= 0; index = previous[index]!) longest.add(values[index]!);
  return longest;
}
