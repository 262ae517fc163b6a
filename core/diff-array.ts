import { align, alignSequences, longestIncreasing, type Hunk } from './align.js';
import { isContainer, Slot, type Place } from './diff-tree.js';
import { compare, type DiffRun } from './diff.js';
import type { Identity } from './identity.js';
import type { JsonArray, JsonObject, JsonValue } from './json.js';
import { canonicalJson, equalValues } from './value.js';

/** Up to this many insertions and deletions an array is aligned with the fewest of them. */
const maxArrayEdits = 1000;
/** Past this many steps of shifting items an array is replaced. */
const maxShifts = 20_000_000;
/** Unaligned runs are searched for changed items only up to this many comparisons. */
const maxComparisons = 2500;

/** What becomes of the items of an array between what is equal at its start and at its end. */
interface Pairing {
  /** Of each item after: the index of the item before that it is; -1: it is new. */
  readonly from: Int32Array;
  /** Of each new item: the index of the item before in whose place it stands; -1: there is room. */
  readonly instead: Int32Array;
}

/** Compares one array with the other. Trims what is equal at both ends first: most edits are few. */
export function compareArrays(place: Place, slot: Slot, run: DiffRun): void {
  const before = place.value as JsonArray;
  const after = slot.after as JsonArray;
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && equalValues(before[start]!, after[start]!)) start += 1;
  let rest = 0;
  while (rest < shorter - start && equalValues(before[before.length - 1 - rest]!, after[after.length - 1 - rest]!)) rest += 1;
  const a = before.slice(start, before.length - rest);
  const b = after.slice(start, after.length - rest);
  if (a.length === 0 && b.length === 0) return;

  const pairing = a.length === 0 || b.length === 0 ? nothing(b.length) : (pairNamed(a, b, run) ?? pairAligned(a, b, run));
  const kept = new Set(pairing.from);
  const staying = longestIncreasing([...pairing.from].filter((index) => index >= 0));
  const gone = a.flatMap((_, index) => (kept.has(index) ? [] : [place.child(start + index)]));
  const slots = b.map((item, index) => {
    const child = new Slot(item, slot, start + index);
    const from = pairing.from[index]!;
    const instead = pairing.instead[index]!;
    if (from >= 0) {
      child.stays = staying.has(from);
      compare(place.child(start + from), child, run);
    } else if (instead >= 0) child.instead = place.child(start + instead);
    return child;
  });
  const moving = slots.reduce((sum, { stays, instead }) => sum + (stays || instead !== undefined ? 0 : 1), 0) + gone.length;
  if (moving * Math.max(before.length, after.length) > maxShifts) {
    slot.replaced = true;
    return;
  }
  for (const child of gone) {
    child.gone = true;
    run.gone.push(child);
  }
  for (const child of slots) if (child.place === undefined) run.fresh.push(child);
  const shifts = slots.some(({ stays, instead, after: item }) => !stays && (instead === undefined || isContainer(item) || isContainer(instead.value))) || slots.length !== a.length;
  if (shifts) place.shift(start, before.length - rest);
  const changed = shifts ? slots : slots.filter(({ stays, inner, replaced }) => !stays || inner !== undefined || replaced);
  if (changed.length > 0 || gone.length > 0) slot.inner = { slots: changed, gone, shifts, start, rest };
}

const nothing = (length: number): Pairing => ({ from: new Int32Array(length).fill(-1), instead: new Int32Array(length).fill(-1) });

/** By the names of the items, where all have one and no two the same. */
function pairNamed(a: JsonArray, b: JsonArray, run: DiffRun): Pairing | undefined {
  for (const identity of run.identities) {
    const namesA = uniqueNames(a, identity);
    const namesB = namesA === undefined ? undefined : uniqueNames(b, identity);
    if (namesA === undefined || namesB === undefined) continue;
    const pairing = nothing(b.length);
    for (const [name, index] of namesB) pairing.from[index] = namesA.get(name) ?? -1;
    return pairing;
  }
  return undefined;
}

function uniqueNames(items: JsonArray, identity: Identity): ReadonlyMap<string, number> | undefined {
  const names = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const name = identity(item);
    if (name === undefined || names.has(name)) return undefined;
    names.set(name, index);
  }
  return names;
}

/** By what the items are: the same object where the caller knows, else the same content; then by where they stand between those. */
function pairAligned(a: JsonArray, b: JsonArray, run: DiffRun): Pairing {
  const pairing = nothing(b.length);
  const symbols = symbolsOf(a, b, run);
  let nextA = 0;
  let nextB = 0;
  const keep = (end: number): void => {
    for (; nextB < end; nextA++, nextB++) pairing.from[nextB] = nextA;
  };
  for (const hunk of hunksOf(symbols.a, symbols.b)) {
    keep(hunk.bStart);
    pairHunk(a, b, hunk, pairing, run);
    nextA = hunk.aEnd;
    nextB = hunk.bEnd;
  }
  keep(b.length);
  return pairing;
}

/** Arrays of equal length are compared index by index where no item has kept its content and moved up or down. */
function hunksOf(a: Uint32Array, b: Uint32Array): readonly Hunk[] {
  if (a.length !== b.length) return align(a, b, maxArrayEdits);
  const byIndex: Hunk[] = [];
  let changed = 0;
  for (let index = 0; index < a.length; index++) {
    if (a[index] === b[index]) continue;
    changed += 1;
    byIndex.push({ aStart: index, aEnd: index + 1, bStart: index, bEnd: index + 1 });
  }
  return alignSequences(a, b, Math.min(maxArrayEdits, 2 * changed - 1)) ?? byIndex;
}

/** Equal items become equal numbers, so that aligning compares numbers. */
function symbolsOf(a: JsonArray, b: JsonArray, { origins }: DiffRun): { a: Uint32Array; b: Uint32Array } {
  const numbers = new Map<unknown, number>();
  const numberOf = (key: unknown): number => {
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = numbers.size));
    return number;
  };
  const originsOfB = b.map((item) => origins?.of(item));
  const known = new Set(originsOfB);
  return {
    a: Uint32Array.from(a, (item) => numberOf(isContainer(item) && known.has(item) ? item : canonicalJson(item))),
    b: Uint32Array.from(b, (item, index) => numberOf(originsOfB[index] ?? canonicalJson(item))),
  };
}

/** Which items of two unaligned runs are the same item changed, or stand in the place of one. */
function pairHunk(a: JsonArray, b: JsonArray, { aStart, aEnd, bStart, bEnd }: Hunk, pairing: Pairing, run: DiffRun): void {
  if (aEnd - aStart === bEnd - bStart) {
    for (let index = 0; index < aEnd - aStart; index++) {
      const pairs = run.isSame(a[aStart + index]!, b[bStart + index]!) ? pairing.from : pairing.instead;
      pairs[bStart + index] = aStart + index;
    }
    return;
  }
  if ((aEnd - aStart) * (bEnd - bStart) > maxComparisons) return;
  let from = bStart;
  for (let indexA = aStart; indexA < aEnd; indexA++) {
    for (let indexB = from; indexB < bEnd; indexB++) {
      if (!alike(a[indexA]!, b[indexB]!) || !run.isSame(a[indexA]!, b[indexB]!)) continue;
      pairing.from[indexB] = indexA;
      from = indexB + 1;
      break;
    }
  }
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
