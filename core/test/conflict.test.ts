import { describe, expect, it } from 'vitest';
import { apply } from '../apply.js';
import type { Conflict } from '../conflict.js';
import { conflictRules, restoreLost } from '../conflict.js';
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

  it('has a sentence for a person for each rule', () => {
    for (const sentence of Object.values(conflictRules)) expect(sentence).toMatch(/^[A-Z].*\.$/);
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
