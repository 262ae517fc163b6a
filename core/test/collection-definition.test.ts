import { describe, expect, it } from 'vitest';
import { apply, diff, parseDefinition, type Definition, type JsonValue } from '../index.js';

const definition = (json: unknown): Definition => {
  const parsed = parseDefinition(json);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
};
const refusal = (json: unknown) => {
  const parsed = parseDefinition(json);
  return parsed.ok ? undefined : [parsed.error.code, parsed.error.path];
};
const ops = (before: JsonValue, after: JsonValue, json: unknown) => {
  const patch = diff(before, after, definition(json));
  expect(apply(before, patch)).toEqual({ ok: true, value: after });
  return patch.map(({ op, path }) => `${op} ${path.join('/')}`).sort();
};

describe('a collection definition', () => {
  it('says which strings merge as texts; all others are values', () => {
    const before = { body: 'one two', items: [{ label: 'one two', kind: 'one two' }], status: 'one two' };
    const after = { body: 'one, two', items: [{ label: 'one, two', kind: 'one, two' }], status: 'one, two' };
    expect(ops(before, after, {})).toEqual(['replace body', 'replace items/0/kind', 'replace items/0/label', 'replace status']);
    expect(ops(before, after, { text: ['/body', '/items/*/label'] })).toEqual(['replace items/0/kind', 'replace status', 'str_ins body', 'str_ins items/0/label']);
  });

  it('takes * for any one key or index, and for no more', () => {
    const text = definition({ text: ['/a/*/t', '/*'] }).text;
    expect([['a', 0, 't'], ['a', 'key', 't'], ['a', '*', 't'], ['x']].map((path) => text.matches(path))).toEqual([true, true, true, true]);
    expect([['a', 't'], ['a', 0, 1, 't'], ['b', 0, 't'], []].map((path) => text.matches(path))).toEqual([false, false, false, false]);
    expect(definition({ text: [''] }).text.matches([])).toBe(true);
  });

  it('says which whole numbers count; where the difference cannot be counted they are values', () => {
    const counters = { counters: ['/likes', '/votes/*'] };
    expect(ops({ likes: 1, votes: { a: 1 }, price: 1 }, { likes: 3, votes: { a: 0 }, price: 3 }, counters)).toEqual(['inc likes', 'inc votes/a', 'replace price']);
    expect(ops({ likes: 1 }, { likes: 1.5 }, counters)).toEqual(['replace likes']);
    expect(ops({ likes: -Number.MAX_SAFE_INTEGER }, { likes: 2 }, counters)).toEqual(['replace likes']);
    expect(ops({ likes: 1 }, { likes: '2' }, counters)).toEqual(['replace likes']);
  });

  it('is the same as another that declares the same', () => {
    const digest = (json: unknown) => definition(json).digest;
    expect(digest({ text: ['/a', '/b'], counters: [] })).toBe(digest({ text: ['/b', '/a', '/a'] }));
    expect(digest({ text: ['/a'] })).not.toBe(digest({ counters: ['/a'] }));
  });

  it('refuses what it does not know, with the place', () => {
    expect(refusal(null)).toEqual(['INPUT_INVALID', '']);
    expect(refusal({ texts: ['/a'] })).toEqual(['INPUT_INVALID', '/texts']);
    expect(refusal({ text: '/a' })).toEqual(['INPUT_INVALID', '/text']);
    expect(refusal({ text: ['/a', 1] })).toEqual(['INPUT_INVALID', '/text/1']);
    expect(refusal({ text: ['a'] })).toEqual(['POINTER_INVALID', '/text/0']);
    expect(refusal({ text: ['/a'], counters: ['/b', '/a'] })).toEqual(['INPUT_INVALID', '/counters/1']);
  });
});
