/** A pair of runs that differ between two aligned sequences: [aStart, aEnd) of the first against [bStart, bEnd) of the second. */
export interface Hunk {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
}

/**
 * Aligns two sequences of symbols with the fewest insertions and deletions (Myers, O((n+m)·d)) and returns where they
 * differ, in order. Undefined when more than `mostEdits` would be needed, which bounds time and memory (d² / 2 numbers).
 */
export function alignSequences(a: ArrayLike<number>, b: ArrayLike<number>, mostEdits: number): readonly Hunk[] | undefined {
  const start = commonPrefix(a, b);
  const end = commonSuffix(a, b, start);
  const n = a.length - start - end;
  const m = b.length - start - end;
  if (n === 0 && m === 0) return [];
  if (n === 0 || m === 0) return [{ aStart: start, aEnd: start + n, bStart: start, bEnd: start + m }];

  // reached[k + center] is the furthest index in `a` on diagonal k (index in a minus index in b) with d edits.
  const most = Math.min(n + m, mostEdits);
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
