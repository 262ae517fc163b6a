import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apply, normalizeAndApply, parsePatch, type Failure, type JsonObject, type JsonValue, type NormalPatch, type Operation } from '../index.js';

function applied(document: JsonValue, json: readonly unknown[]): JsonValue {
  const patch = parsePatch(json);
  const result = patch.ok ? apply(document, patch.value) : patch;
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
}

function refusal(document: JsonValue, json: readonly unknown[]): Failure {
  const patch = parsePatch(json);
  const result = patch.ok ? apply(document, patch.value) : patch;
  if (result.ok) throw new Error(`applied: ${JSON.stringify(result.value)}`);
  return result.error;
}

/** Freezes a value all the way down, so that a change in place throws. */
function frozen<T extends JsonValue>(value: T): T {
  if (value !== null && typeof value === 'object') Object.values(value).forEach((item) => frozen(item));
  return Object.freeze(value);
}

describe('apply', () => {
  it('copies only the containers on the way to a change and shares all others', () => {
    const document = frozen({ a: { b: { c: 1 }, d: { e: 2 } }, f: [{ g: 1 }, { h: 2 }] });
    const result = applied(document, [
      { op: 'replace', path: '/a/b/c', value: 9 },
      { op: 'add', path: '/f/-', value: 3 },
    ]) as typeof document;
    expect(result.a.d).toBe(document.a.d);
    expect(result.f[0]).toBe(document.f[0]);
    expect(result.a.b).toEqual({ c: 9 });
  });

  it('never alters the document or the values of the patch, also where later operations go into them', () => {
    const document = frozen({ list: [{ n: 1 }], text: 'abc' });
    const value = frozen({ inner: { n: 1 }, items: [1] });
    const patch = parsePatch([
      { op: 'add', path: '/new', value },
      { op: 'inc', path: '/new/inner/n', value: 1 },
      { op: 'add', path: '/new/items/0', value: 0 },
      { op: 'move', from: '/list/0', path: '/new/inner/moved' },
      { op: 'inc', path: '/new/inner/moved/n', value: 5 },
      { op: 'remove', path: '/new/items/1' },
    ]);
    const result = patch.ok ? apply(document, patch.value) : patch;
    expect(result.ok && result.value).toEqual({ list: [], text: 'abc', new: { inner: { n: 2, moved: { n: 6 } }, items: [0] } });
  });

  it('keeps a copy apart from its source', () => {
    const document = frozen({ a: { n: 1, deep: { n: 1 } } });
    const steps = [
      { op: 'inc', path: '/a/n', value: 1 },
      { op: 'inc', path: '/a/deep/n', value: 1 },
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'inc', path: '/a/deep/n', value: 10 },
      { op: 'inc', path: '/b/deep/n', value: 100 },
      { op: 'copy', from: '/b/deep', path: '/c' },
      { op: 'inc', path: '/b/deep/n', value: 1000 },
    ];
    const wanted = { a: { n: 2, deep: { n: 12 } }, b: { n: 2, deep: { n: 1102 } }, c: { n: 102 } };
    expect(applied(document, steps)).toEqual(wanted);
    const patch = parsePatch(steps);
    const normal = patch.ok ? normalizeAndApply(document, patch.value) : patch;
    if (!normal.ok) throw new Error(normal.error.message);
    expect(normal.value.document).toEqual(wanted);
    const replayed = apply(document, normal.value.patch);
    expect(replayed.ok && replayed.value).toEqual(wanted);
  });

  it('changes nothing when any operation fails, and names that operation and place', () => {
    const document = frozen({ a: [1, 2], b: { c: 'x' } });
    const error = refusal(document, [
      { op: 'add', path: '/a/0', value: 0 },
      { op: 'remove', path: '/b/c' },
      { op: 'replace', path: '/b/c/d', value: 1 },
    ]);
    expect(error).toMatchObject({ code: 'PATH_NOT_FOUND', operation: 2, path: '/b/c' });
    expect(document).toEqual({ a: [1, 2], b: { c: 'x' } });
  });

  it('copies an array once however many operations of a patch go into it', () => {
    const document = { list: Array.from({ length: 2_000_000 }, (_, index) => index) };
    const patch: NormalPatch = Array.from({ length: 1000 }, (_, index) => ({ op: 'replace', path: ['list', index * 7], value: -1 }));
    const started = performance.now();
    expect(apply(document, patch).ok).toBe(true);
    // A copy for every operation would move 2,000 million items, some seconds.
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each([
    ['into the item that takes the place of the moved one', '/list/0', '/list/0/x', { list: [{ x: 'first' }] }, ['first', {}]],
    ['to an earlier slot', '/list/2', '/list/0', { list: [3, 1, 2] }, [1, 2, 3]],
    ['to a later slot, counted after the removal', '/list/0', '/list/2', { list: [2, 3, 1] }, [1, 2, 3]],
    ['to the end', '/list/0', '/list/-', { list: [2, 3, 1] }, [1, 2, 3]],
    ['out of an item to the slot of the item', '/list/0/x', '/list/0', { list: [1, {}] }, [{ x: 1 }]],
  ])('moves an item of an array %s', (_title, from, path, wanted, list) => {
    expect(applied({ list: list as JsonValue }, [{ op: 'move', from, path }])).toEqual(wanted);
  });

  it('moves a value over the container it is in', () => {
    expect(applied({ a: { b: { c: 1 } } }, [{ op: 'move', from: '/a/b', path: '/a' }])).toEqual({ a: { c: 1 } });
    expect(applied({ a: { b: { c: 1 } } }, [{ op: 'move', from: '/a/b', path: '' }])).toEqual({ c: 1 });
    expect(applied({ a: [{ c: 1 }] }, [{ op: 'move', from: '/a/0', path: '/a' }])).toEqual({ a: { c: 1 } });
  });
});

describe('text operations', () => {
  const piece = fc.constantFrom('a', 'bc', ' ', 'é', '😀', '\n', 'word '.repeat(200));
  const edit = fc.oneof(
    fc.record({ op: fc.constant('str_ins' as const), at: fc.nat(10_000), text: piece }),
    fc.record({ op: fc.constant('str_del' as const), at: fc.nat(10_000), length: fc.nat(6) }),
    fc.record({ op: fc.constant('str_del' as const), at: fc.nat(10_000), length: fc.nat(9000) }),
  );

  it('give what slicing gives, for runs on long texts and whole characters only', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')), fc.array(edit, { minLength: 1, maxLength: 40 }), fc.nat(2), (start, edits, path) => {
        const operations: Operation[] = [];
        const splits = (text: string, at: number) => /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1)) && at > 0;
        const place = [['t'], ['list', 1], []][path]!;
        let text = start;
        let valid = true;
        for (const { op, at, ...rest } of edits) {
          if (!valid) break;
          const pos = at % (text.length + 1);
          if (op === 'str_ins') {
            const str = (rest as { text: string }).text;
            operations.push({ op, path: place, pos, str });
            valid = !splits(text, pos);
            text = text.slice(0, pos) + str + text.slice(pos);
          } else {
            const len = Math.min((rest as { length: number }).length, text.length - pos);
            operations.push({ op, path: place, pos, len });
            valid = !splits(text, pos) && !splits(text, pos + len);
            text = text.slice(0, pos) + text.slice(pos + len);
          }
        }
        const around = (value: string): JsonValue => [{ t: value, n: 1 }, { list: [0, value] }, value][path]!;
        const result = apply(around(start), operations);
        if (valid) expect(result).toEqual({ ok: true, value: around(text) });
        else expect(result).toMatchObject({ ok: false, error: { code: 'RANGE_INVALID', operation: operations.length - 1 } });
      }),
      { numRuns: 1500 },
    );
  });

  it('may change between texts and be followed by operations that see the result', () => {
    const long = 'x'.repeat(5000);
    expect(
      applied({ a: long, b: 'b' }, [
        { op: 'str_ins', path: '/a', pos: 0, str: '1' },
        { op: 'str_ins', path: '/a', pos: 1, str: '2' },
        { op: 'str_ins', path: '/a', pos: 2, str: '3' },
        { op: 'str_ins', path: '/b', pos: 1, str: '!' },
        { op: 'str_del', path: '/a', pos: 3, len: 5000 },
        { op: 'test', path: '/a', value: '123' },
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'str_del', path: '/a', pos: 0, len: 3 },
      ]),
    ).toEqual({ a: '', b: 'b!', c: '123' });
  });

  it.each<[string, object, string, string]>([
    ['an offset behind the end', { op: 'str_ins', path: '/t', pos: 4, str: 'x' }, 'RANGE_INVALID', '/t'],
    ['a deletion over the end', { op: 'str_del', path: '/t', pos: 2, len: 2 }, 'RANGE_INVALID', '/t'],
    ['the middle of a pair', { op: 'str_ins', path: '/e', pos: 1, str: 'x' }, 'RANGE_INVALID', '/e'],
    ['half of a pair', { op: 'str_del', path: '/e', pos: 1, len: 1 }, 'RANGE_INVALID', '/e'],
    ['a number', { op: 'str_ins', path: '/n', pos: 0, str: 'x' }, 'TYPE_MISMATCH', '/n'],
    ['a text that is not there', { op: 'str_ins', path: '/missing', pos: 0, str: 'x' }, 'PATH_NOT_FOUND', '/missing'],
  ])('refuse %s', (_title, operation, code, path) => {
    expect(refusal({ t: 'abc', e: '😀', n: 1 }, [operation])).toMatchObject({ code, path, operation: 0 });
  });
});

describe('inc', () => {
  it.each<[string, JsonValue, number, string]>([
    ['a sum past 2^53-1', Number.MAX_SAFE_INTEGER, 1, 'NUMBER_OVERFLOW'],
    ['a sum below -(2^53-1)', Number.MIN_SAFE_INTEGER, -1, 'NUMBER_OVERFLOW'],
    ['a number that is no safe integer', 2 ** 60, -1, 'NUMBER_OVERFLOW'],
    ['a fraction', 0.5, 1, 'TYPE_MISMATCH'],
    ['a text', '1', 1, 'TYPE_MISMATCH'],
    ['null', null, 1, 'TYPE_MISMATCH'],
  ])('refuses %s', (_title, value, by, code) => {
    expect(refusal({ n: value }, [{ op: 'inc', path: '/n', value: by }])).toMatchObject({ code, path: '/n' });
  });

  it('reaches the last safe integer', () => {
    expect(applied({ n: 1 }, [{ op: 'inc', path: '/n', value: Number.MAX_SAFE_INTEGER - 1 }])).toEqual({ n: Number.MAX_SAFE_INTEGER });
    expect(applied([1], [{ op: 'inc', path: '/0', value: -1 }])).toEqual([0]);
    expect(applied(5, [{ op: 'inc', path: '', value: 1 }])).toBe(6);
  });
});

describe('the form of a patch', () => {
  it('does not matter to the result, except that a number never names a key', () => {
    const document: JsonObject = { '0': 'key', list: ['item'] };
    expect(apply(document, [{ op: 'replace', path: ['0'], value: 1 }])).toMatchObject({ ok: true, value: { '0': 1 } });
    expect(apply(document, [{ op: 'replace', path: [0], value: 1 }])).toMatchObject({ ok: false, error: { code: 'TYPE_MISMATCH' } });
    expect(apply(document, [{ op: 'insert', path: ['list', 0], value: 1 }])).toMatchObject({ ok: true, value: { list: [1, 'item'] } });
    expect(apply(document, [{ op: 'insert', path: ['0'], value: 1 }])).toMatchObject({ ok: false, error: { code: 'TYPE_MISMATCH' } });
    expect(apply(document, [{ op: 'remove', path: ['list', -1] }])).toMatchObject({ ok: false, error: { code: 'RANGE_INVALID' } });
    expect(apply(document, [{ op: 'remove', path: ['list', 0.5] }])).toMatchObject({ ok: false });
  });
});
