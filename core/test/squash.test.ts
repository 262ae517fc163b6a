import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../json.js';
import type { NormalPatch } from '../operation.js';
import { rebase } from '../rebase.js';
import { squash } from '../squash.js';
import { canonicalJson } from '../value.js';
import { diamond } from './diamond.js';
import { generateDocument, generatePatch, seededTape } from './generate.js';
import { plainApply } from './plain-apply.js';

const type = (text: string): NormalPatch[] =>
  [...text].map((str, index) => [{ op: 'str_ins', path: ['t'], pos: index, str }]);

describe('squash', () => {
  it('makes one insertion of typing, and one deletion of holding the delete key', () => {
    expect(squash(type('hello'))).toEqual([{ patch: [{ op: 'str_ins', path: ['t'], pos: 0, str: 'hello' }], count: 5 }]);
    const deletions: NormalPatch[] = [4, 3, 2].map((pos) => [{ op: 'str_del', path: ['t'], pos, len: 1 }]);
    expect(squash(deletions)).toEqual([{ patch: [{ op: 'str_del', path: ['t'], pos: 2, len: 3 }], count: 3 }]);
  });

  it('sums counters and drops a sum of nothing', () => {
    const inc = (value: number): NormalPatch => [{ op: 'inc', path: ['n'], value }];
    expect(squash([inc(1), inc(1), inc(3)])).toEqual([{ patch: [{ op: 'inc', path: ['n'], value: 5 }], count: 3 }]);
    expect(squash([inc(1), inc(-1)])).toEqual([{ patch: [], count: 2 }]);
  });

  it('folds edits into a value that the run itself wrote', () => {
    expect(
      squash([
        [{ op: 'add', path: ['a'], value: { list: [] } }],
        [{ op: 'insert', path: ['a', 'list', 0], value: 'x' }],
        [{ op: 'str_ins', path: ['a', 'list', 0], pos: 1, str: 'y' }],
      ]),
    ).toEqual([{ patch: [{ op: 'add', path: ['a'], value: { list: ['xy'] } }], count: 3 }]);
  });

  it('lets what was added and removed again vanish', () => {
    expect(squash([[{ op: 'add', path: ['a'], value: 1 }], [{ op: 'inc', path: ['b'], value: 1 }], [{ op: 'remove', path: ['a'] }]])).toEqual([
      { patch: [{ op: 'inc', path: ['b'], value: 1 }], count: 3 },
    ]);
  });

  it('keeps a patch with a guard alone, and a patch alone as the same reference', () => {
    const guarded: NormalPatch = [{ op: 'test', path: ['t'], value: 'ab' }, { op: 'replace', path: ['n'], value: 1 }];
    const squashed = squash([...type('ab'), guarded, ...type('x')]);
    expect(squashed.map(({ count }) => count)).toEqual([2, 1, 1]);
    expect(squashed[1]?.patch).toBe(guarded);
  });

  it('never grows a patch past the limits', () => {
    const inserts: NormalPatch[] = Array.from({ length: 25 }, (_, index) => [{ op: 'insert', path: ['l', 0], value: index }]);
    const byCount = squash(inserts, { patchOperations: 10, patchBytes: 1e6 });
    expect(byCount.map(({ count }) => count)).toEqual([10, 10, 5]);
    const bySize = squash(inserts, { patchOperations: 1000, patchBytes: 500 });
    expect(bySize.length).toBeGreaterThan(2);
    for (const { patch } of bySize) expect(JSON.stringify(patch).length).toBeLessThan(500);
  });

  it('keeps the result, on 4,000 random runs of patches, and the squashed patches still close the diamond', () => {
    let before = 0;
    let after = 0;
    for (let seed = 1; seed <= 4000; seed++) {
      const tape = seededTape(seed);
      const document = generateDocument(tape);
      const patches: NormalPatch[] = [];
      let state: JsonValue = document;
      for (let index = 0; index < 8; index++) {
        const patch = generatePatch(tape, state, 1 + tape.draw(3), index === 4 && tape.draw(4) === 0);
        state = plainApply(state, patch);
        patches.push(patch);
      }
      const squashed = squash(patches).map(({ patch }) => patch);
      expect(canonicalJson(plainApply(document, ...squashed)), `seed ${seed}`).toBe(canonicalJson(state));
      before += patches.flat().length;
      after += squashed.flat().length;
      if (seed % 4 === 0) {
        const other = generatePatch(tape, document, 4);
        diamond(document, other, squashed.flat());
        diamond(document, squashed.flat(), other);
      }
    }
    expect(after).toBeLessThan(before * 0.8);
  });

  it('of values set, set back and set again leads to the same merge and tells the same losses', () => {
    for (let seed = 1; seed <= 2000; seed++) {
      const tape = seededTape(seed);
      const document: JsonValue = { on: false, l: [1] };
      const draw = (): NormalPatch[] =>
        Array.from({ length: 1 + tape.draw(4) }, (): NormalPatch => {
          const key = ['on', 'l'][tape.draw(2)] as string;
          return [{ op: 'replace', path: [key], value: [false, true, [], [1], { a: [] }][tape.draw(5)] as JsonValue }];
        });
      const [earlier, later] = [draw(), draw()];
      const outcome = (es: readonly NormalPatch[], ls: readonly NormalPatch[]): unknown => {
        const rebased = rebase(ls, es);
        if (!rebased.ok) throw new Error(rebased.error.message);
        const { pending, conflicts } = rebased.value;
        const told = conflicts.map(({ rule, loser, lost, path, winning }) => canonicalJson([rule, loser, lost ?? null, path as never, winning.op.path as never])).sort();
        return [canonicalJson(plainApply(document, ...es, ...pending)), told];
      };
      const fold = (patches: readonly NormalPatch[]): NormalPatch[] => squash(patches).map(({ patch }) => patch);
      const expected = outcome(earlier, later);
      expect(outcome(fold(earlier), later), `seed ${seed}`).toEqual(expected);
      expect(outcome(earlier, fold(later)), `seed ${seed}`).toEqual(expected);
      expect(outcome(fold(earlier), fold(later)), `seed ${seed}`).toEqual(expected);
    }
  });

  it('folds 5,000 keystrokes in a moment', () => {
    const start = performance.now();
    const squashed = squash(type('a'.repeat(5000)));
    expect(squashed).toHaveLength(1);
    expect(performance.now() - start).toBeLessThan(200);
  });
});
