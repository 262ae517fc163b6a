import { align, alignSequences, type Hunk } from './align.js';
import type { Operation, Path } from './operation.js';

/** Up to this many characters that differ texts are aligned by characters; past it by words, and then within those. */
const maxCharacterEdits = 200;
const maxWordEdits = 1000;
/** Fewer equal characters than this between two edits are chance, not text that stayed. */
const minStay = 4;
/** Texts with more differences than this have little in common, and a patch is not to be filled by one of them: everything between the first and the last is one. */
const maxHunks = 300;

/** The insertions and deletions that lead from one text to the other; whole characters, never half of a surrogate pair. */
export function diffText(before: string, after: string, path: Path): readonly Operation[] {
  const patch: Operation[] = [];
  let shift = 0;
  for (const { aStart, aEnd, bStart, bEnd } of hunksOf(before, after)) {
    patch.push(...replaceText(before.slice(aStart, aEnd), after.slice(bStart, bEnd), aStart + shift, path));
    shift += bEnd - bStart - (aEnd - aStart);
  }
  return patch;
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

/** Where the texts differ, in UTF-16 offsets that cut no character. */
function hunksOf(before: string, after: string): readonly Hunk[] {
  const hunks = joinNear(byCharacters(before, after) ?? byWords(before, after).flatMap((hunk) => withinWords(before, after, hunk)));
  if (hunks.length <= maxHunks) return hunks;
  const last = hunks[hunks.length - 1]!;
  return [{ aStart: hunks[0]!.aStart, aEnd: last.aEnd, bStart: hunks[0]!.bStart, bEnd: last.bEnd }];
}

function withinWords(before: string, after: string, hunk: Hunk): readonly Hunk[] {
  const { aStart, aEnd, bStart, bEnd } = hunk;
  if (aStart === aEnd || bStart === bEnd) return [hunk];
  const found = byCharacters(before.slice(aStart, aEnd), after.slice(bStart, bEnd));
  return found?.map((inner) => ({ aStart: aStart + inner.aStart, aEnd: aStart + inner.aEnd, bStart: bStart + inner.bStart, bEnd: bStart + inner.bEnd })) ?? [hunk];
}

const byCharacters = (before: string, after: string): readonly Hunk[] | undefined => {
  const a = charactersOf(before);
  const b = charactersOf(after);
  return alignSequences(a.symbols, b.symbols, maxCharacterEdits)?.map((hunk) => inOffsets(hunk, a.offsets, b.offsets));
};

function byWords(before: string, after: string): readonly Hunk[] {
  const numbers = new Map<string, number>();
  const a = wordsOf(before, numbers);
  const b = wordsOf(after, numbers);
  return align(a.symbols, b.symbols, maxWordEdits).map((hunk) => inOffsets(hunk, a.offsets, b.offsets));
}

/** A text in parts: equal parts have equal symbols; `offsets` are their starts, and the end of the text. */
interface Parts {
  readonly symbols: Uint32Array;
  readonly offsets: Uint32Array;
}

const inOffsets = ({ aStart, aEnd, bStart, bEnd }: Hunk, a: Uint32Array, b: Uint32Array): Hunk => ({ aStart: a[aStart]!, aEnd: a[aEnd]!, bStart: b[bStart]!, bEnd: b[bEnd]! });

function charactersOf(text: string): Parts {
  const symbols = new Uint32Array(text.length);
  const offsets = new Uint32Array(text.length + 1);
  let count = 0;
  let offset = 0;
  for (; offset < text.length; count++) {
    const point = text.codePointAt(offset)!;
    symbols[count] = point;
    offsets[count] = offset;
    offset += point > 0xffff ? 2 : 1;
  }
  offsets[count] = offset;
  return { symbols: symbols.subarray(0, count), offsets };
}

function wordsOf(text: string, numbers: Map<string, number>): Parts {
  const symbols: number[] = [];
  const offsets: number[] = [];
  for (const { 0: word, index } of text.matchAll(/[\p{L}\p{M}\p{N}_]+|\s+|[^]/gu)) {
    let number = numbers.get(word);
    if (number === undefined) numbers.set(word, (number = numbers.size));
    symbols.push(number);
    offsets.push(index);
  }
  offsets.push(text.length);
  return { symbols: Uint32Array.from(symbols), offsets: Uint32Array.from(offsets) };
}

function joinNear(hunks: readonly Hunk[]): Hunk[] {
  const joined: Hunk[] = [];
  for (const hunk of hunks) {
    const last = joined.at(-1);
    if (last !== undefined && hunk.aStart - last.aEnd < minStay) {
      joined[joined.length - 1] = { aStart: last.aStart, aEnd: hunk.aEnd, bStart: last.bStart, bEnd: hunk.bEnd };
    } else joined.push(hunk);
  }
  return joined;
}
