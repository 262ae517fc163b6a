import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, checkValue, defaultLimits, depthOf, equalValues, jsonBytes, takeValue, type JsonValue } from '../index.js';
import { jsonValue } from './arbitrary.js';

/** Any JSON a parser can give: astral text, control characters and -0 included. */
const parsed = fc.json({ stringUnit: 'binary' }).map((text) => JSON.parse(text) as JsonValue);

function refused(value: unknown, limits = defaultLimits) {
  const result = checkValue(value, limits);
  if (result.ok) throw new Error('the value was let in');
  return result.error;
}

describe('checkValue', () => {
  it('gives the same reference back when nothing had to change', () => {
    const value = { a: [1, 'é😀', null, { constructor: true, toString: 'data' }], '': {} };
    const result = checkValue(value);
    expect(result.ok && result.value).toBe(value);
  });

  it('turns -0 into 0 in a copy and leaves the input alone', () => {
    const input = { same: { n: 1 }, list: [1, -0], n: -0 };
    const result = checkValue(input);
    if (!result.ok) throw new Error(result.error.message);
    const value = result.value as typeof input;
    expect(Object.is(value.list[1], 0) && Object.is(value.n, 0)).toBe(true);
    expect(Object.is(input.list[1], -0) && Object.is(input.n, -0)).toBe(true);
    expect(value.same).toBe(input.same);
  });

  it.each<[string, unknown, string, string]>([
    ['U+0000 in a string', { a: ['x', 'y\u0000'] }, 'VALUE_INVALID', '/a/1'],
    ['a lone high surrogate', ['\ud83d'], 'VALUE_INVALID', '/0'],
    ['a lone low surrogate before a pair', ['\ude00\ud83d\ude00'], 'VALUE_INVALID', '/0'],
    ['a lone surrogate in a key', { a: { '\udc00': 1 } }, 'VALUE_INVALID', '/a/\udc00'],
    ['NaN', { 'a/b': NaN }, 'VALUE_INVALID', '/a~1b'],
    ['Infinity, which JSON.parse makes of 1e400', JSON.parse('[1e400]'), 'VALUE_INVALID', '/0'],
    ['undefined', { a: undefined }, 'VALUE_INVALID', '/a'],
    ['a hole in an array', [1, , 3], 'VALUE_INVALID', '/1'], // eslint-disable-line no-sparse-arrays -- the hole is the case
    ['a bigint', 1n, 'VALUE_INVALID', ''],
    ['a function', { f: () => 0 }, 'VALUE_INVALID', '/f'],
    ['an instance of a class', { at: new Date(0) }, 'VALUE_INVALID', '/at'],
    ['a Map', new Map(), 'VALUE_INVALID', ''],
    ['the key __proto__', JSON.parse('{"a":{"__proto__":{"x":1}}}'), 'VALUE_INVALID', '/a/__proto__'],
  ])('refuses %s and names the place', (_title, value, code, path) => {
    expect(refused(value)).toMatchObject({ code, path });
  });

  it('allows as many containers within each other as the limit says and not one more', () => {
    const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;
    expect(checkValue(nested(128)).ok).toBe(true);
    expect(refused(nested(129))).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 128, actual: 129 });
  });

  it('refuses what never ends: a cycle, and a value that shares itself exponentially', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(refused(cycle).code).toBe('LIMIT_EXCEEDED');
    let shared: unknown = ['x'];
    for (let level = 0; level < 100; level++) shared = [shared, shared];
    const started = performance.now();
    expect(refused(shared).code).toBe('LIMIT_EXCEEDED');
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('refuses a value larger than the limit and tells limit and size', () => {
    const error = refused(['x'.repeat(100)], { ...defaultLimits, documentBytes: 100 });
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 100 });
    expect(error.actual).toBeGreaterThan(100);
    expect(checkValue(['x'.repeat(96)], { ...defaultLimits, documentBytes: 100 }).ok).toBe(true);
  });
});

describe('jsonBytes', () => {
  it('counts exactly the bytes that JSON.stringify writes', () => {
    fc.assert(fc.property(parsed, (value) => jsonBytes(value) === Buffer.byteLength(JSON.stringify(value))), { numRuns: 3000 });
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => jsonBytes(value) === JSON.stringify(value).length));
  });

  it('counts lone surrogates as their escapes', () => {
    expect(jsonBytes('a\ud800')).toBe(Buffer.byteLength(JSON.stringify('a\ud800')));
  });

  it('stops once it has counted enough', () => {
    const shared: JsonValue[] = ['x'];
    let value: JsonValue = shared;
    for (let level = 0; level < 100; level++) value = [value, value];
    expect(jsonBytes(value, 1000)).toBeGreaterThan(1000);
  });
});

describe('depthOf', () => {
  it('is 0 for a scalar, 1 for an empty container, and stops past what is asked', () => {
    expect([depthOf(1, 9), depthOf([], 9), depthOf({ a: [[]] }, 9)]).toEqual([0, 1, 3]);
    const hostile = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as JsonValue;
    expect(depthOf(hostile, 128)).toBe(129);
  });
});

describe('equalValues and canonicalJson', () => {
  it('agree with each other on every pair', () => {
    fc.assert(fc.property(jsonValue, jsonValue, (a, b) => equalValues(a, b) === (canonicalJson(a) === canonicalJson(b))), { numRuns: 5000 });
  });

  it('ignore the order of keys', () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), jsonValue), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse());
      return equalValues(value, reversed) && canonicalJson(value) === canonicalJson(reversed);
    }));
  });

  it('do not take an inherited name for a member', () => {
    expect(equalValues({ toString: 1 }, { a: 1 })).toBe(false);
    expect(equalValues({ a: 1 }, { toString: 1 })).toBe(false);
  });

  it('tell apart arrays from objects and numbers from texts', () => {
    expect(equalValues([], {})).toBe(false);
    expect(equalValues({ 0: 'a' }, ['a'])).toBe(false);
    expect(equalValues(1, '1')).toBe(false);
    expect(equalValues(1.0, 1)).toBe(true);
    expect(equalValues(null, {})).toBe(false);
  });

  it('write text that parses back to the same value', () => {
    fc.assert(fc.property(parsed, (value) => equalValues(JSON.parse(canonicalJson(value)) as JsonValue, value)));
    expect(canonicalJson({ b: [1.0, -0, 1e21], a: { d: 'é', c: null } })).toBe('{"a":{"c":null,"d":"é"},"b":[1,0,1e+21]}');
  });
});

describe('takeValue', () => {
  it('gives a deep frozen copy that equals what JSON would make of it', () => {
    const given = { a: [{ b: 1 }, [-0]], c: { d: undefined, e: 'x' } };
    const taken = takeValue(given);
    expect(taken).toEqual({ ok: true, value: JSON.parse(JSON.stringify(given)) as unknown });
    if (!taken.ok) return;
    const { a, c } = taken.value as { a: object[]; c: object };
    expect([taken.value, a, a[0], a[1], c].every(Object.isFrozen)).toBe(true);
    expect([given, given.a, given.a[0]].some(Object.isFrozen)).toBe(false);
    given.a.length = 0;
    expect(a).toHaveLength(2);
  });

  it('names the place of what JSON cannot say, and ends at a cycle', () => {
    expect(takeValue({ a: [0, undefined] })).toMatchObject({ ok: false, error: { code: 'VALUE_INVALID', path: '/a/1' } });
    expect(takeValue({ a: { b: new Date() } })).toMatchObject({ ok: false, error: { code: 'VALUE_INVALID', path: '/a/b' } });
    const cycle: unknown[] = [];
    cycle.push(cycle, cycle);
    expect(takeValue(cycle)).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED' } });
  });
});
