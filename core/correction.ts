import { apply } from './apply.js';
import type { JsonValue } from './json.js';
import { defaultLimits, type Limits } from './limits.js';
import type { NormalPatch, Operation } from './operation.js';
import { samePath, valueAt } from './path.js';
import { jsonBytes } from './value.js';

type Insertion = Extract<Operation, { op: 'str_ins' }>;
type Deletion = Extract<Operation, { op: 'str_del' }>;

/** Longer ranges are not marked: that two people replace a page by the same page is no correction, and the mark is sent along. */
export const maxCorrectedText = 256;

/**
 * Tells the corrections of a patch apart from what is typed and what is deleted, so that a correction which two people make is
 * made once. A correction is a range of a text and its new text, said by edits that follow each other: deleted and then
 * typed, typed and then deleted, typed inside of the range whose two ends are then deleted. All of these get one form:
 *
 *     str_ins behind the first character of the range, with `replacing` = the old text
 *     str_del of that first character; str_del of the rest, behind the new text
 *
 * The insertion meets others before its range is gone, so where it stands says which range it is; and it stands inside, so that
 * what others type at either end of the range stays there. A range of one character has no inside: typed before it.
 *
 * For the author, when a patch is made or squashed, and for a patch that is made at the head. Never for a patch that may have
 * been transformed: both ends must see the same operations. Gives the same reference where there is no correction,
 * and where the marks would bring the patch past the limits.
 */
export const markCorrections = (document: JsonValue, patch: NormalPatch, limits: Pick<Limits, 'patchOperations' | 'patchBytes'> = defaultLimits): NormalPatch => {
  let marked: Operation[] | undefined;
  for (let at = 0; at < patch.length; at++) {
    const found = correctionAt(patch, at);
    const state = found === undefined ? undefined : apply(document, patch.slice(0, at));
    const text = found === undefined || state?.ok !== true ? undefined : valueAt(state.value, found.insertion.path);
    if (found === undefined || typeof text !== 'string') {
      marked?.push(patch[at] as Operation);
      continue;
    }
    marked ??= patch.slice(0, at);
    marked.push(...canonical(found, text));
    at += found.count - 1;
  }
  return marked !== undefined && marked.length <= limits.patchOperations && jsonBytes(marked, limits.patchBytes) <= limits.patchBytes ? marked : patch;
};

interface Found {
  readonly insertion: Insertion;
  /** The range that is replaced, before any of its operations. */
  readonly start: number;
  readonly length: number;
  /** Operations of the patch that say it. */
  readonly count: number;
}

const correctionAt = (patch: NormalPatch, at: number): Found | undefined => {
  const first = patch[at];
  if (first?.op === 'str_del') {
    const next = patch[at + 1];
    if (next?.op !== 'str_ins' || next.pos !== first.pos || !isCorrected(first, next)) return undefined;
    return bounded({ insertion: next, start: first.pos, length: first.len, count: 2 });
  }
  if (first?.op !== 'str_ins' || first.replacing !== undefined) return undefined;
  let { pos: start } = first;
  let length = 0;
  let count = 1;
  // At most one deletion on each side of what was typed.
  for (const sides = new Set<'before' | 'behind'>(); sides.size < 2; count++) {
    const next = patch[at + count];
    if (next?.op !== 'str_del' || !isCorrected(next, first)) break;
    const side = next.pos + next.len === start ? 'before' : next.pos === start + first.str.length ? 'behind' : undefined;
    if (side === undefined || sides.has(side)) break;
    sides.add(side);
    if (side === 'before') start = next.pos;
    length += next.len;
  }
  return length === 0 ? undefined : bounded({ insertion: first, start, length, count });
};

const isCorrected = (deletion: Deletion, insertion: Insertion): boolean =>
  insertion.replacing === undefined && samePath(deletion.path, insertion.path);

const bounded = (found: Found): Found | undefined => (found.length <= maxCorrectedText ? found : undefined);

const canonical = ({ insertion: { path, str }, start, length }: Found, text: string): readonly Operation[] => {
  const replacing = text.slice(start, start + length);
  const head = (text.codePointAt(start) ?? 0) > 0xffff ? 2 : 1;
  if (length <= head) return [{ op: 'str_ins', path, pos: start, str, replacing }, { op: 'str_del', path, pos: start + str.length, len: length }];
  return [
    { op: 'str_ins', path, pos: start + head, str, replacing },
    { op: 'str_del', path, pos: start, len: head },
    { op: 'str_del', path, pos: start + str.length, len: length - head },
  ];
};
