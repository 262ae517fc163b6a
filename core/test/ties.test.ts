import { describe, expect, it } from 'vitest';
import { apply, diff, transform, type JsonValue, type NormalPatch } from '../index.js';

function applied(document: JsonValue, patch: NormalPatch): JsonValue {
  const result = apply(document, patch);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

/** What both orders of arrival end as: the first edit committed first, then the second one. */
function merged(start: JsonValue, one: JsonValue, other: JsonValue): JsonValue[] {
  const [a, b] = [diff(start, one, { text: true }), diff(start, other, { text: true })];
  return [[a, b], [b, a]].map(([first, second]) => {
    const late = transform(second!, first!, 'right');
    if (!late.ok) throw new Error(late.error.message);
    return applied(applied(start, first!), late.value.patch);
  });
}

describe('a replaced range against what another inserts at its edges', () => {
  const texts: readonly (readonly [string, string, string, string])[] = [
    ['a word, another before it', 'I like cats', 'I like dogs', 'I like black cats'],
    ['a word, another behind it', 'I like cats', 'I like dogs', 'I like cats a lot'],
    ['a word in the middle', 'a quick fox', 'a lazy fox', 'a very quick fox'],
    ['the whole text, something at its end', 'old', 'brand new', 'old!'],
    ['the whole text, something at its start', 'old', 'brand new', '(old'],
    ['a deleted word', 'one two three', 'one three', 'one two, three'],
  ];
  it.each(texts)('keeps it at its edge in both orders: %s', (_, start, one, other) => {
    const expected: Record<string, string> = {
      'I like black cats': 'I like black dogs',
      'I like cats a lot': 'I like dogs a lot',
      'a very quick fox': 'a very lazy fox',
      'old!': 'brand new!',
      '(old': '(brand new',
      'one two, three': 'one , three',
    };
    const [first, second] = merged(start, one, other);
    expect(first).toBe(second);
    if (other !== 'one two, three') expect(first).toBe(expected[other]);
  });

  const lists: readonly (readonly [string, JsonValue, JsonValue, JsonValue, JsonValue])[] = [
    ['an item appended', ['a', 'b'], ['p', 'q', 'r'], ['a', 'b', 'c'], ['p', 'q', 'r', 'c']],
    ['an item put first', ['a', 'b'], ['p', 'q', 'r'], ['c', 'a', 'b'], ['c', 'p', 'q', 'r']],
    ['an item appended to one that is replaced', ['a'], ['p'], ['a', 'c'], ['p', 'c']],
    ['an item put before one that is replaced', ['a'], ['p'], ['c', 'a'], ['c', 'p']],
    ['an item appended to one that becomes two', ['a'], ['p', 'q'], ['a', 'c'], ['p', 'q', 'c']],
    ['a named item appended', [{ id: 1 }, { id: 2 }], [{ id: 3 }, { id: 4 }, { id: 5 }], [{ id: 1 }, { id: 2 }, { id: 9 }], [{ id: 3 }, { id: 4 }, { id: 5 }, { id: 9 }]],
    ['a named item put first', [{ id: 1 }, { id: 2 }], [{ id: 3 }], [{ id: 9 }, { id: 1 }, { id: 2 }], [{ id: 9 }, { id: 3 }]],
    ['a named item appended to one that is replaced', [{ id: 1 }], [{ id: 3 }], [{ id: 1 }, { id: 9 }], [{ id: 3 }, { id: 9 }]],
  ];
  it.each(lists)('keeps it at its edge in both orders: %s', (_, start, one, other, expected) => {
    expect(merged(start, one, other)).toEqual([expected, expected]);
  });
});

describe('no cliffs', () => {
  const items = (count: number, value: (n: number) => JsonValue): JsonValue[] => Array.from({ length: count }, (_, n) => value(n));
  const operations = (before: JsonValue, after: JsonValue): readonly string[] => {
    const patch = diff(before, after, { text: true });
    expect(applied(before, patch)).toEqual(after);
    return patch.map(({ op, path }) => `${op} ${path.join('/')}`).sort();
  };

  it('changes 501 of 2,000 items where they stand', () => {
    const before = items(2000, (n) => n);
    expect(operations(before, before.map((n, index) => (index % 4 === 0 || index === 1 ? -1 - (n as number) : n))).length).toBe(501);
    const named = items(2000, (id) => ({ id, n: 0 }));
    expect(operations(named, named.map((item, index) => (index % 4 === 0 || index === 1 ? { ...(item as object), n: 1 } : item))).length).toBe(501);
  });

  it('finds what stayed among more than a thousand insertions and deletions', () => {
    const before = items(3000, (n) => `row ${n}`);
    const after = before.flatMap((row, n) => (n % 10 === 0 ? [] : n % 10 === 5 ? [row, `new ${n}`] : [row])).concat(['last']);
    const patch = diff(before, after, { limits: { patchOperations: Infinity, patchBytes: Infinity } });
    expect(applied(before, patch)).toEqual(after);
    expect(patch.length).toBe(601);
  });

  it('changes 34 words of a page where they stand', () => {
    const words = Array.from({ length: 400 }, (_, n) => `word${n}x`);
    const changed = words.map((word, n) => (n % 12 === 0 ? `changed${n}y` : word));
    const patch = diff(words.join(' '), changed.join(' '), { text: true });
    expect(applied(words.join(' '), patch)).toBe(changed.join(' '));
    expect(patch.every((operation) => operation.op === 'str_ins' || (operation.op === 'str_del' && operation.len < 20))).toBe(true);
  });

  it('says what would be more than a patch may hold in fewer and larger steps, as deep as will do', () => {
    const board = (n: number) => ({ title: 'board', settings: { theme: 'dark', size: n }, cards: items(1001, (index) => ({ n: 2 * index + n })), other: { list: items(3, (index) => 2 * index + n) } });
    expect(operations(board(0), board(1))).toEqual(['replace cards', 'replace other/list/0', 'replace other/list/1', 'replace other/list/2', 'replace settings/size']);
    const keys = (n: number) => Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`k${index}`, index + n]));
    expect(operations({ keys: keys(0), title: 'a' }, { keys: keys(1), title: 'b' })).toEqual(['replace keys', 'str_del title', 'str_ins title']);
    expect(operations(keys(0), keys(1))).toEqual(['replace ']);
  });
});
