import { describe, expect, it } from 'vitest';
import { defaultLimits, parsePatch, toWire } from '../index.js';

describe('parsePatch', () => {
  it('splits pointers, drops unknown members and keeps the rest', () => {
    const result = parsePatch([
      { op: 'add', path: '/a~1b/0', value: -0, comment: 'ignored', from: 7 },
      { op: 'move', from: '', path: '/x', restoring: true },
      { op: 'str_del', path: '/t', pos: 1, str: 'é😀' },
    ]);
    expect(result).toEqual({
      ok: true,
      value: [
        { op: 'add', path: ['a/b', '0'], value: 0 },
        { op: 'move', from: [], path: ['x'], restoring: true },
        { op: 'str_del', path: ['t'], pos: 1, len: 3 },
      ],
    });
  });

  it('is undone by toWire', () => {
    const wire = [
      { op: 'add', path: '/a', value: { b: [1] } },
      { op: 'remove', path: '/a/b/0' },
      { op: 'replace', path: '', value: null },
      { op: 'move', from: '/a', path: '/b' },
      { op: 'move', from: '/a', path: '/b', restoring: true },
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'test', path: '/~0~1', value: 'x' },
      { op: 'inc', path: '/n', value: -2 },
      { op: 'str_ins', path: '/t', pos: 0, str: 'x' },
      { op: 'str_del', path: '/t', pos: 0, len: 1 },
    ];
    const patch = parsePatch(wire);
    expect(patch.ok && toWire(patch.value)).toEqual(wire);
  });

  it.each<[string, unknown, object]>([
    ['a patch that is no array', { op: 'add' }, { code: 'PATCH_MALFORMED' }],
    ['an operation that is no object', [null], { code: 'PATCH_MALFORMED', operation: 0 }],
    ['a missing op', [{ path: '/a' }], { code: 'PATCH_MALFORMED', operation: 0 }],
    ['an unknown op', [{ op: 'spam', path: '/a' }], { code: 'PATCH_MALFORMED', path: '/a' }],
    ['an op in the wrong case', [{ op: 'Add', path: '/a', value: 1 }], { code: 'PATCH_MALFORMED' }],
    ['a missing path', [{ op: 'remove', path: '/a' }, { op: 'remove' }], { code: 'PATCH_MALFORMED', operation: 1 }],
    ['a path that is no text', [{ op: 'remove', path: 3 }], { code: 'PATCH_MALFORMED' }],
    ['a missing value', [{ op: 'add', path: '/a' }], { code: 'PATCH_MALFORMED', path: '/a' }],
    ['an undefined value', [{ op: 'test', path: '/a', value: undefined }], { code: 'PATCH_MALFORMED' }],
    ['a missing from', [{ op: 'copy', path: '/a' }], { code: 'PATCH_MALFORMED' }],
    ['a bad pointer', [{ op: 'remove', path: 'a' }], { code: 'POINTER_INVALID', operation: 0 }],
    ['a value that cannot be held', [{ op: 'add', path: '/a', value: { b: ['\ud800'] } }], { code: 'VALUE_INVALID', path: '/a/b/0' }],
    ['inc by a fraction', [{ op: 'inc', path: '/n', value: 0.5 }], { code: 'VALUE_INVALID', path: '/n' }],
    ['inc by NaN', [{ op: 'inc', path: '/n', value: NaN }], { code: 'VALUE_INVALID' }],
    ['inc by 2^53', [{ op: 'inc', path: '/n', value: 2 ** 53 }], { code: 'NUMBER_OVERFLOW' }],
    ['inc by a text', [{ op: 'inc', path: '/n', value: '1' }], { code: 'PATCH_MALFORMED' }],
    ['a negative offset', [{ op: 'str_ins', path: '/t', pos: -1, str: 'x' }], { code: 'PATCH_MALFORMED' }],
    ['an offset that is no integer', [{ op: 'str_del', path: '/t', pos: 0.5, len: 1 }], { code: 'PATCH_MALFORMED' }],
    ['half of a character to insert', [{ op: 'str_ins', path: '/t', pos: 0, str: '\ud83d' }], { code: 'VALUE_INVALID' }],
    ['str_del without len', [{ op: 'str_del', path: '/t', pos: 0 }], { code: 'PATCH_MALFORMED' }],
  ])('refuses %s', (_title, json, error) => {
    const result = parsePatch(json);
    expect(result.ok ? 'let in' : result.error).toMatchObject(error);
  });

  it('counts operations and bytes before it reads them', () => {
    const many = Array.from({ length: 1001 }, () => ({ op: 'remove', path: '/a' }));
    expect(parsePatch(many)).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED', limit: 1000, actual: 1001, limitName: 'patchOperations' } });
    const large = [{ op: 'add', path: '/a', value: 'x'.repeat(1_200_000) }];
    expect(parsePatch(large)).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED', limit: 1_114_112, limitName: 'patchBytes', operation: 0 } });
    const parts = Array.from({ length: 10 }, () => ({ op: 'add', path: '/a', value: 'x'.repeat(130_000) }));
    expect(parsePatch(parts)).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED', operation: 8 } });
    expect(parsePatch([{ op: 'str_ins', path: '/a', pos: 0, str: 'x'.repeat(1_200_000) }])).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED' } });
  });

  it('counts the depth of a value from the root of the document', () => {
    const value = JSON.parse('['.repeat(127) + ']'.repeat(127)) as unknown;
    expect(parsePatch([{ op: 'add', path: '/a', value }], defaultLimits).ok).toBe(true);
    expect(parsePatch([{ op: 'add', path: '/a/b', value }])).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED' } });
  });

  it('says what came instead and what to do', () => {
    const result = parsePatch([{ op: 'add', path: '/a', value: 1 }, { op: 'str_ins', path: '/t', pos: '3', str: 'x' }]);
    expect(result).toEqual({
      ok: false,
      error: { code: 'PATCH_MALFORMED', operation: 1, path: '/t', message: 'The member "pos" is "3"; give a number of UTF-16 code units, 0 or more' },
    });
  });
});
