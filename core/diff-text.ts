import { alignSequences, type Hunk } from './align.js';
import type { DiffRun } from './diff.js';
import type { Operation, Path } from './operation.js';

/** Texts that differ in more characters than this are said as one deletion and one insertion between what they share. */
const mostTextEdits = 200;
/** Fewer equal characters than this between two edits are chance, not text that stayed. */
const shortestStay = 4;

/** Adds the insertions and deletions that lead from one text to the other; whole characters, never half of a surrogate pair. */
export function diffText(before: string, after: string, path: Path, run: DiffRun): void {
  const hunks = alignSequences(codePoints(before), codePoints(after), mostTextEdits) ?? [outerHunk(before, after)];
  // Both texts are walked once, from character counts to UTF-16 offsets.
  let character = 0;
  let offsetBefore = 0;
  let characterAfter = 0;
  let offsetAfter = 0;
  let shift = 0;
  for (const hunk of joinNear(hunks)) {
    offsetBefore = advance(before, offsetBefore, hunk.aStart - character);
    offsetAfter = advance(after, offsetAfter, hunk.bStart - characterAfter);
    const endBefore = advance(before, offsetBefore, hunk.aEnd - hunk.aStart);
    const endAfter = advance(after, offsetAfter, hunk.bEnd - hunk.bStart);
    run.patch.push(...replaceText(before.slice(offsetBefore, endBefore), after.slice(offsetAfter, endAfter), offsetBefore + shift, path));
    shift += endAfter - offsetAfter - (endBefore - offsetBefore);
    character = hunk.aEnd;
    characterAfter = hunk.bEnd;
    offsetBefore = endBefore;
    offsetAfter = endAfter;
  }
}

/**
 * Puts one text in the place of another at an offset. The new text is inserted *inside* of what goes, behind its first character: at
 * either edge it would tie with what others insert there, and the order of arrival would decide which of them comes first. What
 * others put before or behind the old text so stays before or behind the new one. One character has no inside; then the new text comes
 * before it, which keeps what is typed behind it behind.
 */
export function replaceText(old: string, text: string, pos: number, path: Path): Operation[] {
  if (old === '') return text === '' ? [] : [{ op: 'str_ins', path, pos, str: text }];
  if (text === '') return [{ op: 'str_del', path, pos, len: old.length }];
  const first = old.codePointAt(0)! > 0xffff ? 2 : 1;
  if (old.length === first) {
    return [
      { op: 'str_ins', path, pos, str: text },
      { op: 'str_del', path, pos: pos + text.length, len: old.length },
    ];
  }
  return [
    { op: 'str_ins', path, pos: pos + first, str: text },
    { op: 'str_del', path, pos: pos + first + text.length, len: old.length - first },
    { op: 'str_del', path, pos, len: first },
  ];
}

function joinNear(hunks: readonly Hunk[]): Hunk[] {
  const joined: Hunk[] = [];
  for (const hunk of hunks) {
    const last = joined.at(-1);
    if (last !== undefined && hunk.aStart - last.aEnd < shortestStay) {
      joined[joined.length - 1] = { aStart: last.aStart, aEnd: hunk.aEnd, bStart: last.bStart, bEnd: hunk.bEnd };
    } else joined.push(hunk);
  }
  return joined;
}

/** Everything between the common start and the common end, in characters. */
function outerHunk(before: string, after: string): Hunk {
  const a = codePoints(before);
  const b = codePoints(after);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  return { aStart: start, aEnd: a.length - end, bStart: start, bEnd: b.length - end };
}

function codePoints(text: string): Uint32Array {
  const points = new Uint32Array(text.length);
  let count = 0;
  for (let offset = 0; offset < text.length; count++) {
    const point = text.codePointAt(offset)!;
    points[count] = point;
    offset += point > 0xffff ? 2 : 1;
  }
  return points.subarray(0, count);
}

/** The UTF-16 offset a number of characters further. */
function advance(text: string, offset: number, characters: number): number {
  let at = offset;
  for (let count = 0; count < characters; count++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}
