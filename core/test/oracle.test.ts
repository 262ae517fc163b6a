import { type as json1, editOp, insertOp, moveOp, removeOp } from 'ot-json1';
import type { Doc, JSONOp } from 'ot-json1';
import fuzzer from 'ot-fuzzer';
import { insert as textInsert, remove as textRemove, type as textType } from 'ot-text-unicode';
import { describe, expect, it, vi } from 'vitest';
import { apply } from '../apply.js';
import type { JsonValue } from '../json.js';
import type { NormalPatch, Operation } from '../operation.js';
import type { Row } from '../transform/cell.js';
import { transform, transformBoth } from '../transform/transform.js';
import { canonicalJson } from '../value.js';
import { diamond } from './diamond.js';
import { report } from './report.js';
import { generateDocument, generateOperation, generatePatch, seededTape } from './generate.js';
import { everyOperation } from './enumerate.js';

const must = <T>(result: { ok: true; value: T } | { ok: false; error: { message: string } }): T => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

describe('ot-fuzzer', () => {
  it('finds our type to be one: apply, compose, transform of single patches and of lists', () => {
    const quiet = [
      vi.spyOn(console, 'error').mockImplementation(() => undefined),
      vi.spyOn(console, 'log').mockImplementation(() => undefined),
      vi.spyOn(console, 'time').mockImplementation(() => undefined),
      vi.spyOn(console, 'timeEnd').mockImplementation(() => undefined),
      vi.spyOn(process.stderr, 'write').mockImplementation(() => true),
    ];
    try {
      fuzzer<JsonValue, NormalPatch>(
        {
          name: 'concord',
          create: () => ({ a: 'hello', b: [1, { '0': [] }], '1': {} }),
          apply: (document, patch) => must(apply(document, patch)),
          compose: (first, second) => [...first, ...second],
          transform: (patch, against, side) => must(transform(patch, against, side)).patch,
          serialize: canonicalJson,
        },
        (document) => {
          const tape = { draw: (bound: number) => fuzzer.randomInt(bound) };
          // A document that has shrunk to a leaf makes dull rounds.
          const fresh = typeof document !== 'object' || document === null || tape.draw(20) === 0;
          const patch: NormalPatch = fresh
            ? [{ op: 'replace', path: [], value: generateDocument(tape) }]
            : generatePatch(tape, document, 1 + tape.draw(2));
          return [patch, must(apply(document, patch))];
        },
        800,
      );
    } finally {
      for (const spy of quiet) spy.mockRestore();
    }
  });
});

/** The operation in the terms of ot-json1; undefined for kinds it has no equal for. */
const toJson1 = (operation: Operation, document: JsonValue): JSONOp | undefined => {
  const path = [...operation.path];
  switch (operation.op) {
    case 'add':
    case 'insert':
      return insertOp(path, operation.value as Doc);
    case 'remove':
      return removeOp(path);
    case 'move':
      return moveOp([...operation.from], path);
    case 'inc':
      return editOp(path, 'number', operation.value);
    case 'str_ins':
      return editOp(path, 'text-unicode', textInsert(characters(document, path, operation.pos), operation.str));
    case 'str_del': {
      const start = characters(document, path, operation.pos);
      const end = characters(document, path, operation.pos + operation.len);
      return editOp(path, 'text-unicode', textRemove(start, end - start));
    }
    case 'replace':
    case 'test':
      return undefined;
  }
};

/** ot-text-unicode counts characters where we count UTF-16 units. */
const characters = (document: JsonValue, path: readonly (string | number)[], units: number): number => {
  let at = document;
  for (const segment of path) at = (at as { readonly [key: string | number]: JsonValue })[segment] as JsonValue;
  return [...(at as string).slice(0, units)].length;
};

/**
 * Rows where ot-json1 means something else on purpose: what two patches put at one key is decided by its left side and
 * by ours for the later patch; a replacement is to it a removal and an insertion, so nothing follows the item; an item
 * moved into something removed, or both into each other, is gone in it and goes home in ours; the destinations of two moves of one item
 * likewise go to its left side. It has no corrections, so that a text which both put in the place of the same old one is there
 * twice. Counters and texts in a moved or removed thing, shifts and ties agree.
 */
const meantOtherwise: ReadonlySet<Row> = new Set<Row>([
  'textSame', 'addAdd', 'addMove', 'moveAdd', 'moveInto', 'moveMove', 'moveKey', 'moveKeyNested', 'moveCycle',
]);

describe('ot-json1', () => {
  it('agrees on every pair outside of the rows it means otherwise', () => {
    const rows = new Map<Row | 'untouched', number>();
    const compare = (document: JsonValue, earlier: Operation, later: Operation): void => {
      const first = toJson1(earlier, document);
      const second = toJson1(later, document);
      if (first === undefined || second === undefined) return;
      const met: Row[] = [];
      const ours = diamond(document, [earlier], [later], (row) => met.push(row));
      const row = met[0] ?? 'untouched';
      if (row !== 'untouched' && meantOtherwise.has(row)) return;
      rows.set(row, (rows.get(row) ?? 0) + 1);
      const past = json1.transformNoConflict(second, first, 'right');
      const theirs = json1.apply(json1.apply(document as Doc, first), past);
      expect(canonicalJson(theirs as JsonValue), `${row} ${JSON.stringify({ document, earlier, later })}`).toBe(
        canonicalJson(ours),
      );
    };

    for (const [document, keys] of [
      [{ a: { a: {}, b: [0] }, b: { a: 1 } }, ['a', 'b']],
      [[1, 2, [3]], []],
      [{ t: 'a😀b', n: 1 }, ['t']],
      [[[1], { '0': 2 }], ['0', '1']],
    ] as const satisfies readonly (readonly [JsonValue, readonly string[]])[]) {
      const operations = everyOperation({ document, keys, values: [7] });
      for (const earlier of operations) for (const later of operations) compare(document, earlier, later);
    }
    const tape = seededTape(20261122);
    for (let run = 0; run < 8_000; run++) {
      const document = generateDocument(tape);
      const earlier = generateOperation(tape, document);
      const later = generateOperation(tape, document);
      if (earlier !== undefined && later !== undefined) compare(document, earlier, later);
    }
    report(`ot-json1 agrees: ${[...rows].map(([row, count]) => `${row} ${count}`).join(', ')}`);
    for (const row of ['insertInsert', 'insertRemove', 'moveCarries', 'moveMoveNested', 'moveMoveSlot', 'moveRemoved', 'textSplit', 'textOverlap'] as const) {
      expect(rows.get(row) ?? 0, row).toBeGreaterThan(5);
    }
  });
});

describe('ot-text-unicode', () => {
  it('agrees on every edit of a text against every other, and on runs of ten', () => {
    const document = 'a😀bc😀';
    const edits = everyOperation({ document, keys: [], values: [] }).filter((edit) => !('replacing' in edit));
    for (const earlier of edits) for (const later of edits) sameText(document, [earlier], [later]);

    const tape = seededTape(7);
    for (let run = 0; run < 1000; run++) sameText('hello 😀 world', typed(tape, 'hello 😀 world'), typed(tape, 'hello 😀 world'));
  });
});

const typed = (tape: { draw(bound: number): number }, text: string): NormalPatch => {
  const patch: Operation[] = [];
  let state: JsonValue = text;
  for (let step = 0; step < 10; step++) {
    const edit: Operation | undefined = generateOperation(tape, state);
    if (edit?.op !== 'str_ins' && edit?.op !== 'str_del') continue;
    // Without marks: the other library has no corrections.
    patch.push(edit.op === 'str_ins' ? { op: 'str_ins', path: edit.path, pos: edit.pos, str: edit.str } : edit);
    state = must(apply(state, [edit]));
  }
  return patch;
};

const sameText = (document: string, earlier: NormalPatch, later: NormalPatch): void => {
  const both = must(transformBoth(earlier, later));
  const ours = must(apply(must(apply(document, earlier)), both.later));
  const first = composed(document, earlier);
  const second = composed(document, later);
  const theirs = textType.apply(textType.apply(document, first), textType.transform(second, first, 'right'));
  // Composing forgets which of two adjacent insertions came first: there only the diamond is comparable.
  if (earlier.length === 1 && later.length === 1) expect(ours).toBe(theirs);
  expect(must(apply(must(apply(document, later)), both.earlier))).toBe(ours);
  expect([...(ours as string)].sort().join('')).toBe([...theirs].sort().join(''));
};

const composed = (document: string, patch: NormalPatch): ReturnType<typeof textType.compose> => {
  let state: JsonValue = document;
  let whole: ReturnType<typeof textType.compose> = [];
  for (const edit of patch) {
    if (edit.op === 'str_ins') whole = textType.compose(whole, textInsert(characters(state, [], edit.pos), edit.str));
    if (edit.op === 'str_del') {
      const start = characters(state, [], edit.pos);
      whole = textType.compose(whole, textRemove(start, characters(state, [], edit.pos + edit.len) - start));
    }
    state = must(apply(state, [edit]));
  }
  return whole;
};
