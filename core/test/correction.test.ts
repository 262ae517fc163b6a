import { describe, expect, it } from 'vitest';
import { markCorrections } from '../correction.js';
import type { JsonValue } from '../json.js';
import type { NormalPatch, Operation } from '../operation.js';
import { rebase } from '../rebase.js';
import { squash } from '../squash.js';
import { diamond } from './diamond.js';
import { seededTape, type Tape } from './generate.js';
import { plainApply } from './plain-apply.js';

const ins = (pos: number, str: string): Operation => ({ op: 'str_ins', path: ['t'], pos, str });
const del = (pos: number, len: number): Operation => ({ op: 'str_del', path: ['t'], pos, len });
const textOf = (document: JsonValue): string => (document as { t: string }).t;

/** Every way in which a range is replaced: what a diff, a squash of keystrokes and an app by hand give. */
const forms = (start: number, length: number, text: string): readonly (readonly [string, NormalPatch])[] => [
  ['deleted and then typed', [del(start, length), ins(start, text)]],
  ['typed before it', [ins(start, text), del(start + text.length, length)]],
  ['typed behind it', [ins(start + length, text), del(start, length)]],
  ['typed inside, the end deleted first', [ins(start + 1, text), del(start + 1 + text.length, length - 1), del(start, 1)]],
  ['typed inside, the start deleted first', [ins(start + length - 1, text), del(start, length - 1), del(start + text.length, 1)]],
  ['by keystrokes, squashed', squash([...Array.from({ length }, (_, at): NormalPatch => [del(start + length - 1 - at, 1)]), ...[...text].map((str, at): NormalPatch => [ins(start + at, str)])])[0]!.patch],
];

describe('the same correction of a text by two people', () => {
  const document = { t: 'I saw teh cat' };
  const every = forms(7, 2, 'he');
  it.each(every.flatMap(([one, first]) => every.map(([other, second]) => [one, other, first, second] as const)))('%s, and %s, is made once', (_one, _other, first, second) => {
    const [earlier, later] = [markCorrections(document, first), markCorrections(document, second)];
    expect(textOf(diamond(document, earlier, later))).toBe('I saw the cat');
  });

  it('is made once in each of several places, and beside what only one of them corrects', () => {
    const text = { t: 'teh dgo adn teh cta' };
    const at = (...fixes: readonly (readonly [number, number, string])[]): NormalPatch =>
      markCorrections(text, fixes.flatMap(([start, length, str]) => forms(start, length, str)[0]![1]));
    expect(textOf(diamond(text, at([1, 2, 'he'], [5, 2, 'og'], [13, 2, 'he']), at([13, 2, 'he'], [9, 2, 'nd'], [1, 2, 'he'])))).toBe('the dog and the cta');
  });

  it('of a single character and of a pair of surrogates is made once', () => {
    for (const [t, start, length, str, wanted] of [['definately', 5, 1, 'i', 'definitely'], ['a😀b', 1, 2, '😎', 'a😎b'], ['a😀xb', 1, 3, '-', 'a-b']] as const) {
      const fixed = markCorrections({ t }, [del(start, length), ins(start, str)]);
      expect(textOf(plainApply({ t }, fixed))).toBe(wanted);
      expect(textOf(diamond({ t }, fixed, fixed))).toBe(wanted);
    }
  });

  it('leaves what others type at either end of the range where it is', () => {
    const text = { t: 'I like cats' };
    const correction = markCorrections(text, [del(7, 4), ins(7, 'dogs')]);
    for (const [pos, str, wanted] of [[7, 'black ', 'I like black dogs'], [11, ' a lot', 'I like dogs a lot']] as const) {
      expect(textOf(diamond(text, correction, [ins(pos, str)]))).toBe(wanted);
      expect(textOf(diamond(text, [ins(pos, str)], correction))).toBe(wanted);
    }
  });

  it('is told from other edits: another text, another range, and what is only typed are all kept', () => {
    const text = { t: 'aabb' };
    const mark = (...patch: Operation[]): NormalPatch => markCorrections(text, patch);
    expect(textOf(diamond(text, mark(del(0, 2), ins(0, 'x')), mark(del(0, 2), ins(0, 'y'))))).toBe('xybb');
    expect(textOf(diamond(text, mark(del(0, 2), ins(0, 'x')), mark(del(2, 2), ins(2, 'x'))))).toBe('xx');
    expect(textOf(diamond(text, mark(ins(2, 'x')), mark(ins(2, 'x'))))).toBe('aaxxbb');
    expect(mark(ins(2, 'x'))).toEqual([ins(2, 'x')]);
  });

  it('stays one where either author goes on typing in it', () => {
    const [earlier, later] = [markCorrections(document, [del(7, 2), ins(7, 'he'), ins(9, '!')]), markCorrections(document, [del(7, 2), ins(7, 'he'), ins(6, '"')])];
    expect(textOf(diamond(document, earlier, later))).toBe('I saw "the! cat');
  });

  it('is made once whatever others did in between, and however it is batched', () => {
    for (let seed = 1; seed <= 1500; seed++) {
      const tape = seededTape(seed);
      const base = { t: 'one two three four' };
      const [length, start] = [2 + tape.draw(3), 4 + tape.draw(8)];
      const draw = (): NormalPatch => markCorrections(base, forms(start, length, 'NEW')[tape.draw(6)]![1]);
      // Others work outside of the range.
      const other = aside(tape, start, length);
      const [first, second] = [draw(), draw()];
      const all = rebase([second], [other, first]);
      if (!all.ok) throw new Error(all.error.message);
      const firstAfter = rebase([first], [other]);
      if (!firstAfter.ok) throw new Error(firstAfter.error.message);
      const committed = firstAfter.value.pending[0]!;
      const late = rebase([second], [other, committed]);
      if (!late.ok) throw new Error(late.error.message);
      const merged = textOf(plainApply(base, other, committed, late.value.pending[0]!));
      expect(merged.split('NEW'), `seed ${seed}: ${merged}`).toHaveLength(2);
      const one = rebase([second], [other]);
      if (!one.ok) throw new Error(one.error.message);
      const two = rebase(one.value.pending, [committed]);
      if (!two.ok) throw new Error(two.error.message);
      expect(two.value.pending).toEqual(late.value.pending);
    }
  });
});

const aside = (tape: Tape, start: number, length: number): NormalPatch =>
  tape.draw(2) === 0 ? [ins([0, start, start + length, 18][tape.draw(4)]!, 'zz')] : [tape.draw(2) === 0 ? del(0, start) : del(start + length, 18 - start - length)];

describe('marking corrections', () => {
  it('changes no result, and gives a patch without one as it is', () => {
    for (let seed = 1; seed <= 3000; seed++) {
      const tape = seededTape(seed);
      let text = 'a😀bcdefgh';
      const patch: Operation[] = [];
      const base = { t: text };
      for (let left = 1 + tape.draw(5); left > 0; left--) {
        const offsets = [...text].reduce((found, character) => [...found, found.at(-1)! + character.length], [0]);
        const at = tape.draw(offsets.length);
        const pos = offsets[at]!;
        const end = offsets[at + tape.draw(offsets.length - at)]!;
        const operation = tape.draw(2) === 0 || end === pos ? ins(pos, ['x', '😎', 'yz'][tape.draw(3)]!) : del(pos, end - pos);
        patch.push(operation);
        text = textOf(plainApply({ t: text }, [operation]));
      }
      const marked = markCorrections(base, patch);
      expect(textOf(plainApply(base, marked)), `seed ${seed}`).toBe(text);
      if (!marked.some((operation) => operation.op === 'str_ins' && operation.replacing !== undefined)) expect(marked).toBe(patch);
    }
  });

  it('leaves a patch alone that the marks would bring past the limits', () => {
    const patch = [del(0, 2), ins(0, 'xy')];
    expect(markCorrections({ t: 'abc' }, patch, { patchOperations: 2, patchBytes: 1000 })).toBe(patch);
    expect(markCorrections({ t: 'abc' }, patch, { patchOperations: 3, patchBytes: 20 })).toBe(patch);
  });
});
