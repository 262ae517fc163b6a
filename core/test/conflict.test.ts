import { describe, expect, it } from 'vitest';
import { apply } from '../apply.js';
import type { Conflict } from '../conflict.js';
import { conflictRules, restoreLost } from '../conflict.js';
import { withItem } from '../conflict-item.js';
import type { JsonValue } from '../json.js';
import type { NormalPatch } from '../operation.js';
import { rebase } from '../rebase.js';
import { transformBoth } from '../transform/transform.js';
import { generateDocument, generatePatch, seededTape } from './generate.js';
import { plainApply } from './plain-apply.js';

const conflictsOf = (earlier: NormalPatch, later: NormalPatch): readonly Conflict[] => {
  const both = transformBoth(earlier, later);
  if (!both.ok) throw new Error(both.error.message);
  return both.value.conflicts;
};

describe('a conflict', () => {
  it('tells what was lost, by which rule, against what, and where that place is in the merged document', () => {
    const earlier: NormalPatch = [
      { op: 'inc', path: ['n'], value: 1 },
      { op: 'replace', path: ['rows', 1, 'name'], value: 'Ada' },
    ];
    const later: NormalPatch = [
      { op: 'replace', path: ['rows', 1, 'name'], value: 'Bob' },
      { op: 'insert', path: ['rows', 0], value: {} },
    ];
    expect(conflictsOf(earlier, later)).toEqual([
      {
        rule: 'replaceReplace',
        loser: 'earlier',
        losing: { patch: 0, operation: 1, op: earlier[1] },
        winning: { patch: 0, operation: 0, op: later[0] },
        lost: 'Ada',
        path: ['rows', 1, 'name'],
        place: ['rows', 2, 'name'],
      },
    ]);
  });

  it('names the patches of a rebase by their place in the two lists', () => {
    const rebased = rebase(
      [[], [{ op: 'inc', path: ['b'], value: 1 }], [{ op: 'replace', path: ['a'], value: 'mine' }]],
      [[{ op: 'inc', path: ['c'], value: 1 }], [{ op: 'replace', path: ['a'], value: 'theirs' }]],
    );
    expect(rebased).toMatchObject({
      ok: true,
      value: { conflicts: [{ loser: 'earlier', losing: { patch: 1, operation: 0 }, winning: { patch: 2, operation: 0 } }] },
    });
  });

  it('is not reported where nothing was lost', () => {
    const same: NormalPatch = [{ op: 'replace', path: ['a'], value: { x: 1, y: 2 } }];
    expect(conflictsOf(same, [{ op: 'replace', path: ['a'], value: { y: 2, x: 1 } }])).toEqual([]);
    expect(conflictsOf([{ op: 'remove', path: ['a'] }], [{ op: 'remove', path: ['a'] }])).toEqual([]);
    expect(conflictsOf([{ op: 'move', from: [0], path: [1] }], [{ op: 'move', from: [1], path: [0] }])).toEqual([]);
  });

  it('of equal values is told once the value that both set does not stand', () => {
    const set = (...values: JsonValue[]): NormalPatch => values.map((value) => ({ op: 'replace', path: ['on'], value }));
    const told = (earlier: NormalPatch, later: NormalPatch): readonly unknown[] => conflictsOf(earlier, later).map(({ rule, loser, lost }) => [rule, loser, lost]);
    expect(told(set(true), set(true))).toEqual([]);
    expect(told(set(true, false), set(true))).toEqual([['replaceReplace', 'earlier', false]]);
    expect(told(set(true), set(true, false))).toEqual([['replaceReplace', 'earlier', true]]);
    expect(told(set('x', true), set(true))).toEqual([]);
    expect(told(set(true), set('y', true))).toEqual([]);
    expect(told(set('x', 'y'), set('z'))).toEqual([['replaceReplace', 'earlier', 'y']]);
    expect(told(set(true), [...set(true), { op: 'remove', path: ['on'] }])).toEqual([['replaceRemove', 'earlier', true]]);
    expect(told([{ op: 'add', path: ['n'], value: 1 }, { op: 'remove', path: ['n'] }], [{ op: 'add', path: ['n'], value: 1 }])).toEqual([['removeReplace', 'earlier', undefined]]);
    // The same container with something else put into it afterwards is not what the earlier one set.
    expect(told(set({ a: 1 }), [...set({ a: 1 }), { op: 'replace', path: ['on', 'a'], value: 2 }])).toEqual([['replaceReplace', 'earlier', { a: 1 }]]);
  });

  it('names what stands in the end as the winner', () => {
    const [conflict] = conflictsOf([{ op: 'replace', path: ['a'], value: 1 }], [{ op: 'replace', path: ['a'], value: 1 }, { op: 'replace', path: ['a'], value: 2 }]);
    expect(conflict).toMatchObject({ lost: 1, winning: { operation: 1, op: { value: 2 } }, place: ['a'] });
  });

  it('has a sentence for a person for each rule', () => {
    for (const sentence of Object.values(conflictRules)) expect(sentence).toMatch(/^[A-Z].*\.$/);
  });
});

describe('withItem', () => {
  const board: JsonValue = { columns: [{ cards: [{ t: 'one' }, { t: 'two' }] }, { cards: [{ t: 'three' }] }] };
  const out: NormalPatch = [
    { op: 'move', from: ['columns', 0, 'cards', 1], path: ['columns', 1, 'cards', 0] },
    { op: 'replace', path: ['columns', 1, 'cards', 0, 't'], value: 'two, edited' },
    { op: 'insert', path: ['columns', 1, 'cards', 0], value: { t: 'zero' } },
  ];
  const away: NormalPatch = [{ op: 'insert', path: ['columns', 1, 'cards', 1], value: { t: 'four' } }, { op: 'remove', path: ['columns', 0] }];

  it.each(['earlier', 'later'] as const)('gives the card that the %s patch moved out of a column which the other removed, and where it goes back', (loser) => {
    const [earlier, later] = loser === 'earlier' ? [out, away] : [away, out];
    const both = transformBoth(earlier, later);
    if (!both.ok) throw new Error(both.error.message);
    const merged = plainApply(board, earlier, both.value.later);
    const cards = (document: JsonValue): unknown => (document as { columns: { cards: { t: string }[] }[] }).columns.map((column) => column.cards.map(({ t }) => t));
    expect(cards(merged)).toEqual([['zero', 'three', 'four']]);
    const found = both.value.conflicts.find(({ rule }) => rule === 'moveOut');
    expect(found).toMatchObject({ loser });
    expect(restoreLost(found as Conflict)).toBeUndefined();
    const told = withItem(found as Conflict, {
      patches: [out],
      document: plainApply(board, out),
      past: [loser === 'earlier' ? both.value.later : both.value.earlier],
    });
    expect(told.lost).toEqual({ t: 'two, edited' });
    expect(cards(plainApply(merged, restoreLost(told) ?? []))).toEqual([['zero', 'two, edited', 'three', 'four']]);
  });

  it('gives every item that a rule removed, and what it restores always fits', () => {
    const tape = seededTape(12);
    const rules = new Set<string>();
    for (let run = 0; run < 4_000; run++) {
      const document = generateDocument(tape);
      const earlier = generatePatch(tape, document, 1 + tape.draw(4));
      const later = generatePatch(tape, document, 1 + tape.draw(4));
      const both = transformBoth(earlier, later);
      if (!both.ok) throw new Error(both.error.message);
      const merged = plainApply(document, earlier, both.value.later);
      for (const conflict of both.value.conflicts) {
        const [own, past] = conflict.loser === 'earlier' ? [earlier, both.value.later] : [later, both.value.earlier];
        const told = withItem(conflict, { patches: [own], document: plainApply(document, own), past: [past] });
        if (told === conflict) continue;
        const patch = restoreLost(told);
        if (patch !== undefined) rules.add(told.rule);
        plainApply(merged, patch ?? []);
      }
    }
    expect([...rules].sort()).toEqual(expect.arrayContaining(['moveOut', 'moveRemoved']));
  });
});

describe('restoreLost', () => {
  it('puts a replaced value back where its place is now', () => {
    const document: JsonValue = ['a', 'b'];
    const earlier: NormalPatch = [{ op: 'replace', path: [1], value: 'mine' }];
    const later: NormalPatch = [{ op: 'replace', path: [1], value: 'theirs' }, { op: 'insert', path: [0], value: 'new' }];
    const merged = plainApply(document, later);
    const patch = restoreLost(conflictsOf(earlier, later)[0] as Conflict);
    expect(apply(merged, patch ?? [])).toEqual({ ok: true, value: ['new', 'a', 'mine'] });
  });

  it('puts a removed item back into its slot, with the value the earlier patch gave it', () => {
    const earlier: NormalPatch = [{ op: 'replace', path: [1], value: 'mine' }];
    const later: NormalPatch = [{ op: 'remove', path: [1] }];
    const patch = restoreLost(conflictsOf(earlier, later)[0] as Conflict);
    expect(patch).toEqual([{ op: 'insert', path: [1], value: 'mine' }]);
  });

  it('offers nothing where the place is gone', () => {
    const earlier: NormalPatch = [{ op: 'replace', path: ['a', 'b'], value: 1 }];
    expect(restoreLost(conflictsOf(earlier, [{ op: 'remove', path: ['a'] }])[0] as Conflict)).toBeUndefined();
  });

  it('always fits the merged document, and what it restores is then there', () => {
    const tape = seededTape(11);
    let restored = 0;
    for (let run = 0; run < 4_000; run++) {
      const document = generateDocument(tape);
      const earlier = generatePatch(tape, document, 1 + tape.draw(12));
      const later = generatePatch(tape, document, 1 + tape.draw(12));
      const both = transformBoth(earlier, later);
      if (!both.ok) throw new Error(both.error.message);
      const merged = plainApply(document, earlier, both.value.later);
      for (const conflict of both.value.conflicts) {
        const patch = restoreLost(conflict);
        if (patch === undefined) continue;
        restored++;
        try {
          plainApply(merged, patch);
        } catch (error) {
          throw new Error(JSON.stringify({ document, earlier, later, merged, conflict }), { cause: error });
        }
      }
    }
    expect(restored).toBeGreaterThan(300);
  });
});
