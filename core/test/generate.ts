import type { JsonValue } from '../json.js';
import type { NormalPatch, Operation, Path } from '../operation.js';
import { plainApply } from './plain-apply.js';

/**
 * Documents and patches that collide often: few keys (some look like numbers), short arrays, empty containers, equal
 * values, texts of characters outside the first plane, moves between everything.
 *
 * Every decision is one draw from a `Tape`, so that the same generator serves a seeded run (as fast as it goes) and
 * fast-check (where the tape is an array it can shrink).
 */
export interface Tape {
  /** A whole number at least 0 and below `bound`. */
  draw(bound: number): number;
}

/** A tape without end, repeatable from its seed, an integer below 2^53 (mulberry32; the upper bits choose where it starts). */
export const seededTape = (seed: number): Tape => {
  let state = seed ^ Math.imul(Math.floor(seed / 2 ** 32), 0x9e3779b1);
  return {
    draw(bound) {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
    },
  };
};

/** A tape over given numbers; past their end it draws 0, the plainest choice. */
export const givenTape = (numbers: readonly number[]): Tape => {
  let at = 0;
  return { draw: (bound) => (numbers[at++] ?? 0) % bound };
};

const keys = ['a', 'b', '0', '1'] as const;
const texts = ['', 'x', 'ab', '😀', 'a😀b', 'hello', 'long 😀 enough to overlap 😀😀'] as const;

const pick = <T>(tape: Tape, from: readonly T[]): T => from[tape.draw(from.length)] as T;

export const generateValue = (tape: Tape, depth: number): JsonValue => {
  switch (tape.draw(depth > 0 ? 9 : 5)) {
    case 0:
      return tape.draw(3);
    case 1:
      return pick(tape, texts);
    case 2:
      return pick(tape, [null, true, 1, 'x'] as const);
    case 3:
      return [];
    case 4:
      return {};
    case 5:
    case 6:
      return Array.from({ length: tape.draw(4) }, () => generateValue(tape, depth - 1));
    default: {
      const object: Record<string, JsonValue> = {};
      for (let left = tape.draw(4); left > 0; left--) object[pick(tape, keys)] = generateValue(tape, depth - 1);
      return object;
    }
  }
};

/** A document whose root is nearly always a container. Some are made for text edits, some for moves into each other. */
export const generateDocument = (tape: Tape): JsonValue => {
  switch (tape.draw(40)) {
    case 39:
      return generateValue(tape, 3);
    case 38:
    case 37:
    case 36:
      return { a: pick(tape, texts.slice(4)) };
    case 35:
    case 34:
    case 33:
      return { a: {}, b: {} };
    case 32:
      return { a: {}, b: {}, '0': [] };
  }
  if (tape.draw(3) === 0) return Array.from({ length: 1 + tape.draw(3) }, () => generateValue(tape, 2));
  const object: Record<string, JsonValue> = {};
  for (let left = 1 + tape.draw(4); left > 0; left--) object[pick(tape, keys)] = generateValue(tape, 2);
  return object;
};

interface Places {
  /** Everything that is there, the root first. */
  readonly elements: { readonly path: Path; readonly value: JsonValue }[];
  /** Every array slot and every absent key of `keys`. */
  readonly slots: Path[];
}

const placesOf = (document: JsonValue): Places => {
  const places: Places = { elements: [], slots: [] };
  const visit = (path: Path, value: JsonValue): void => {
    places.elements.push({ path, value });
    if (Array.isArray(value)) {
      const array = value as readonly JsonValue[];
      array.forEach((item, index) => visit([...path, index], item));
      for (let slot = 0; slot <= array.length; slot++) places.slots.push([...path, slot]);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) visit([...path, key], item);
      for (const key of keys) if (!Object.hasOwn(value, key)) places.slots.push([...path, key]);
    }
  };
  visit([], document);
  return places;
};

/** Offsets of a text that split no surrogate pair. */
const boundaries = (text: string): number[] => {
  const offsets = [0];
  for (const character of text) offsets.push((offsets.at(-1) as number) + character.length);
  return offsets;
};

const slotOperation = (path: Path, value: JsonValue): Operation =>
  typeof path.at(-1) === 'number' ? { op: 'insert', path, value } : { op: 'add', path, value };

/** How often each kind is tried, out of their sum. */
const kinds = [
  'put', 'put', 'put', 'replace', 'replace', 'remove', 'remove', 'move', 'move', 'move', 'move', 'edit', 'edit', 'edit', 'root',
] as const;

/** One operation that is valid in the document; undefined where the draw found no place for its kind. */
export const generateOperation = (tape: Tape, document: JsonValue, guards = false): Operation | undefined => {
  const { elements, slots } = placesOf(document);
  if (guards && tape.draw(6) === 5) {
    const { path, value } = pick(tape, elements);
    return { op: 'test', path, value };
  }
  const inner = elements.slice(1);
  switch (pick(tape, kinds)) {
    case 'put':
      return slots.length === 0 ? undefined : slotOperation(pick(tape, slots), generateValue(tape, 1));
    case 'replace':
      return inner.length === 0
        ? undefined
        : { op: 'replace', path: pick(tape, inner).path, value: generateValue(tape, 1) };
    case 'remove':
      return inner.length === 0 ? undefined : { op: 'remove', path: pick(tape, inner).path };
    case 'move': {
      if (inner.length === 0) return undefined;
      const from = pick(tape, inner).path;
      const without = placesOf(plainApply(document, [{ op: 'remove', path: from }])).slots;
      const path = pick(tape, without);
      return from.length === path.length && from.every((segment, level) => segment === path[level])
        ? undefined
        : { op: 'move', from, path };
    }
    case 'edit': {
      const leaves = elements.filter(({ value }) => typeof value === 'number' || typeof value === 'string');
      if (leaves.length === 0) return undefined;
      const { path, value } = pick(tape, leaves);
      if (typeof value !== 'string') return { op: 'inc', path, value: tape.draw(5) - 2 };
      const offsets = boundaries(value);
      const at = tape.draw(offsets.length);
      const pos = offsets[at] as number;
      if (tape.draw(2) === 0 || value === '') {
        // Marked though nothing is deleted: the rule looks at the mark alone, and `correction.test.ts` at what it marks.
        if (tape.draw(3) > 0) return { op: 'str_ins', path, pos, str: 'y', replacing: 'o' };
        return { op: 'str_ins', path, pos, str: pick(tape, ['y', '😀', 'uv']) };
      }
      const end = offsets[at + tape.draw(offsets.length - at)] as number;
      return end === pos ? undefined : { op: 'str_del', path, pos, len: end - pos };
    }
    case 'root':
      return tape.draw(8) === 7 ? { op: 'replace', path: [], value: generateValue(tape, 2) } : undefined;
  }
};

/** A patch of `length` operations (fewer where the draws found no place), each valid after those before it. */
export const generatePatch = (tape: Tape, document: JsonValue, length: number, guards = false): NormalPatch => {
  const patch: Operation[] = [];
  let state = document;
  for (let tries = length * 3; tries > 0 && patch.length < length; tries--) {
    const operation = generateOperation(tape, state, guards);
    if (operation === undefined) continue;
    if (operation.op === 'move' && tape.draw(4) === 3) patch.push({ ...operation, restoring: true });
    else patch.push(operation);
    if (operation.op !== 'test') state = plainApply(state, [operation]);
  }
  return patch;
};
