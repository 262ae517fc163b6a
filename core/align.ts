/** A pair of runs that differ between two aligned sequences: [aStart, aEnd) of the first against [bStart, bEnd) of the second. */
export interface Hunk {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
}

type Symbols = Uint32Array;

/** Past this many edits two sequences are cut at what is in both of them once; the parts between are small, or have little in common. */
const maxEditsOfPart = 200;

/**
 * Aligns two sequences of symbols and returns where they differ, in order: with the fewest insertions and deletions as long as
 * those are at most `maxEdits`. Past that, what is in both exactly once and in the same order keeps its place, and the parts
 * between are aligned each; a part that needs too many edits is one hunk. Cost: the length times the edits, up to that bound.
 */
export function align(a: Symbols, b: Symbols, maxEdits: number): readonly Hunk[] {
  const whole = alignSequences(a, b, maxEdits);
  if (whole !== undefined) return whole;
  const hunks: Hunk[] = [];
  const part = (aStart: number, aEnd: number, bStart: number, bEnd: number): void => {
    if (aStart === aEnd && bStart === bEnd) return;
    const found = alignSequences(a.subarray(aStart, aEnd), b.subarray(bStart, bEnd), maxEditsOfPart) ?? [{ aStart: 0, aEnd: aEnd - aStart, bStart: 0, bEnd: bEnd - bStart }];
    for (const hunk of found) hunks.push({ aStart: aStart + hunk.aStart, aEnd: aStart + hunk.aEnd, bStart: bStart + hunk.bStart, bEnd: bStart + hunk.bEnd });
  };
  let nextA = 0;
  let nextB = 0;
  for (const [indexA, indexB] of anchors(a, b)) {
    part(nextA, indexA, nextB, indexB);
    nextA = indexA + 1;
    nextB = indexB + 1;
  }
  part(nextA, a.length, nextB, b.length);
  return hunks;
}

/** Pairs of indices of symbols that are in both sequences exactly once, as many as rise in both. */
function anchors(a: Symbols, b: Symbols): readonly (readonly [number, number])[] {
  const onceInA = once(a);
  const onceInB = once(b);
  const indicesA: number[] = [];
  const indicesB: number[] = [];
  for (const [symbol, index] of onceInA) {
    const other = index < 0 ? undefined : onceInB.get(symbol);
    if (other === undefined || other < 0) continue;
    indicesA.push(index);
    indicesB.push(other);
  }
  const rising = longestIncreasing(indicesB);
  return indicesB.flatMap((indexB, n) => (rising.has(indexB) ? [[indicesA[n]!, indexB] as const] : []));
}

/** The index of each symbol, -1 where there are several; in the order of the sequence. */
function once(symbols: Symbols): ReadonlyMap<number, number> {
  const indices = new Map<number, number>();
  for (let index = 0; index < symbols.length; index++) indices.set(symbols[index]!, indices.has(symbols[index]!) ? -1 : index);
  return indices;
}

/** The values of one longest increasing subsequence of distinct numbers. O(n log n). */
export function longestIncreasing(values: readonly number[]): ReadonlySet<number> {
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

/**
 * Aligns two sequences of symbols with the fewest insertions and deletions (Myers, O((n+m)·d)) and returns where they
 * differ, in order. Undefined when more than `maxEdits` would be needed, which bounds time and memory (d² / 2 numbers).
 */
export function alignSequences(a: Symbols, b: Symbols, maxEdits: number): readonly Hunk[] | undefined {
  const start = commonPrefix(a, b);
  const end = commonSuffix(a, b, start);
  const n = a.length - start - end;
  const m = b.length - start - end;
  if (n === 0 && m === 0) return [];
  if (n === 0 || m === 0) return [{ aStart: start, aEnd: start + n, bStart: start, bEnd: start + m }];

  // reached[k + center] is the furthest index in `a` on diagonal k (index in a minus index in b) with d edits.
  const most = Math.min(n + m, maxEdits);
  const center = most + 1;
  const reached = new Int32Array(2 * most + 3);
  const history: Int32Array[] = [];
  for (let edits = 0; edits <= most; edits++) {
    history.push(reached.slice(center - edits - 1, center + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && reached[center + k - 1]! < reached[center + k + 1]!);
      let x = down ? reached[center + k + 1]! : reached[center + k - 1]! + 1;
      while (x < n && x - k < m && a[start + x] === b[start + x - k]) x += 1;
      reached[center + k] = x;
      if (x >= n && x - k >= m) return hunksFrom(history, n, m, start);
    }
  }
  return undefined;
}

/** Walks the furthest-reaching paths back and gathers neighbouring edits into hunks. */
function hunksFrom(history: readonly Int32Array[], n: number, m: number, start: number): Hunk[] {
  const hunks: Hunk[] = [];
  let open: { aStart: number; aEnd: number; bStart: number; bEnd: number } | undefined;
  let x = n;
  let y = m;
  for (let edits = history.length - 1; edits > 0; edits--) {
    const before = history[edits]!;
    const center = edits + 1;
    const k = x - y;
    const down = k === -edits || (k !== edits && before[center + k - 1]! < before[center + k + 1]!);
    const fromX = down ? before[center + k + 1]! : before[center + k - 1]!;
    const fromY = fromX - (down ? k + 1 : k - 1);
    const editX = down ? fromX : fromX + 1;
    const editY = down ? fromY + 1 : fromY;
    if (open === undefined || open.aStart !== start + editX || open.bStart !== start + editY) {
      if (open !== undefined) hunks.push(open);
      open = { aStart: start + fromX, aEnd: start + editX, bStart: start + fromY, bEnd: start + editY };
    } else {
      open.aStart = start + fromX;
      open.bStart = start + fromY;
    }
    x = fromX;
    y = fromY;
  }
  if (open !== undefined) hunks.push(open);
  return hunks.reverse();
}

function commonPrefix(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const shorter = Math.min(a.length, b.length);
  let length = 0;
  while (length < shorter && a[length] === b[length]) length += 1;
  return length;
}

function commonSuffix(a: ArrayLike<number>, b: ArrayLike<number>, start: number): number {
  const shorter = Math.min(a.length, b.length) - start;
  let length = 0;
  while (length < shorter && a[a.length - 1 - length] === b[b.length - 1 - length]) length += 1;
  return length;
}
