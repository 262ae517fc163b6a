import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apply, canonicalJson, diff, toWire, type DiffOptions, type JsonValue } from '../index.js';
import { jsonValue } from './arbitrary.js';

function after(before: JsonValue, wanted: JsonValue, options?: DiffOptions): string {
  const result = apply(before, diff(before, wanted, options));
  if (!result.ok) throw new Error(`${result.error.code} ${result.error.message}: ${JSON.stringify(diff(before, wanted, options))}`);
  return canonicalJson(result.value);
}

describe('diff', () => {
  it('leads from any value to any other', () => {
    fc.assert(fc.property(jsonValue, jsonValue, fc.boolean(), (a, b, text) => after(a, b, { text }) === canonicalJson(b)), { numRuns: 5000 });
  });

  it('leads from a list of named items to any other, whatever was moved, removed, added or changed', () => {
    const items = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 2 })), { selector: ([id]) => id, maxLength: 12 });
    const list = items.map((entries) => entries.map(([id, n]) => ({ id, n, fixed: 'same' })));
    fc.assert(fc.property(list, list, (a, b) => after(a, b) === canonicalJson(b)), { numRuns: 3000 });
  });

  it('leads from any list of small numbers to any other', () => {
    const list = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 14 });
    fc.assert(fc.property(list, list, (a, b) => after(a, b) === canonicalJson(b)), { numRuns: 5000 });
  });

  it('edits texts by whole characters', () => {
    const text = fc.array(fc.constantFrom('a', 'b', ' ', 'é', '😀', '😁', 'word'), { maxLength: 30 }).map((parts) => parts.join(''));
    fc.assert(fc.property(text, text, (a, b) => after(a, b, { text: true }) === canonicalJson(b)), { numRuns: 3000 });
  });

  it('skips what is shared and gives nothing for equal values', () => {
    const shared = { deep: [1, 2, 3] };
    expect(diff({ a: shared, n: 1 }, { a: shared, n: 2 })).toEqual([{ op: 'replace', path: ['n'], value: 2 }]);
    expect(diff({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toEqual([]);
  });

  it('inserts and removes in arrays instead of rewriting what follows', () => {
    expect(toWire(diff([1, 2, 3, 4], [1, 9, 2, 4]))).toEqual([
      { op: 'add', path: '/1', value: 9 },
      { op: 'remove', path: '/3' },
    ]);
  });

  it('follows items by their id: a moved and changed item is moved and changed', () => {
    const before = [{ id: 'a', n: 1 }, { id: 'b', n: 1 }, { id: 'c', n: 1 }];
    const wanted = [{ id: 'c', n: 1 }, { id: 'a', n: 1 }, { id: 'b', n: 2 }];
    expect(toWire(diff(before, wanted))).toEqual([
      { op: 'move', from: '/2', path: '/0' },
      { op: 'replace', path: '/2/n', value: 2 },
    ]);
  });

  it('takes the identity it is given', () => {
    const before = [{ name: 'a', n: 1 }, { name: 'b', n: 1 }];
    const wanted = [{ name: 'b', n: 2 }, { name: 'a', n: 1 }];
    const identity = (item: JsonValue) => (item as { name: string }).name;
    expect(diff(before, wanted, { identity }).map(({ op }) => op)).toEqual(['move', 'replace']);
  });

  it('replaces an object by one with another identity instead of mixing their members, in lists and out of them', () => {
    const red = { id: 1, name: 'red', motto: 'go' };
    const blue = { id: 2, name: 'blue' };
    expect(diff({ team: red }, { team: blue })).toEqual([{ op: 'replace', path: ['team'], value: blue }]);
    expect(diff({ team: red }, { team: { ...red, name: 'ruby' } })).toEqual([{ op: 'replace', path: ['team', 'name'], value: 'ruby' }]);
    expect(diff({ team: { name: 'red' } }, { team: { id: 1, name: 'red' } })).toEqual([{ op: 'add', path: ['team', 'id'], value: 1 }]);
    // A document is the same document, whatever its members say.
    expect(diff(red, { ...red, id: 3 })).toEqual([{ op: 'replace', path: ['id'], value: 3 }]);
    const identity = (value: JsonValue) => (value as { name?: string }).name;
    expect(diff({ team: red }, { team: { ...red, name: 'ruby' } }, { identity })).toEqual([{ op: 'replace', path: ['team'], value: { ...red, name: 'ruby' } }]);
  });

  it('changes the edited item of a list without names where it stands', () => {
    const before = [{ t: 'x', n: 1 }, { t: 'y', n: 1 }];
    const wanted = [{ t: 'new', n: 0 }, { t: 'x', n: 1 }, { t: 'y', n: 2 }];
    expect(toWire(diff(before, wanted))).toEqual([
      { op: 'add', path: '/0', value: { t: 'new', n: 0 } },
      { op: 'replace', path: '/2/n', value: 2 },
    ]);
  });

  it('says a change of text as edits when asked to', () => {
    expect(diff({ t: 'the quick fox' }, { t: 'the slow fox!' }, { text: true })).toEqual([
      { op: 'str_ins', path: ['t'], pos: 5, str: 'slow' },
      { op: 'str_del', path: ['t'], pos: 9, len: 4 },
      { op: 'str_del', path: ['t'], pos: 4, len: 1 },
      { op: 'str_ins', path: ['t'], pos: 12, str: '!' },
    ]);
  });

  it('says texts that have little in common as one replaced range between what they share', () => {
    const before = `shared start ${'abcdefghij'.repeat(60)}😀 shared end`;
    const wanted = `shared start ${'9876543210'.repeat(70)}😁 shared end`;
    expect(diff(before, wanted, { text: true }).map(({ op }) => op)).toEqual(['str_ins', 'str_del', 'str_del']);
    expect(after(before, wanted, { text: true })).toBe(canonicalJson(wanted));
  });

  it('inserts and removes runs too long to be compared item by item', () => {
    const rows = (count: number, tag: string) => Array.from({ length: count }, (_, n) => ({ tag, n }));
    const before = { rows: [{ first: 1 }, ...rows(60, 'old'), { last: 1 }] };
    const wanted = { rows: [{ first: 1 }, ...rows(61, 'new'), { last: 1 }] };
    expect(after(before, wanted)).toBe(canonicalJson(wanted));
  });

  it('replaces an array that has too little in common, in bounded time', () => {
    const before = Array.from({ length: 20_000 }, (_, index) => index);
    const wanted = before.map((n) => -n - 1);
    const started = performance.now();
    expect(diff({ before }, { before: wanted })).toEqual([{ op: 'replace', path: ['before'], value: wanted }]);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
