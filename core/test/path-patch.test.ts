import { describe, expect, it } from 'vitest';
import { patchFromPaths, type JsonValue, type PathOperation } from '@concord/core';

const of = (before: JsonValue, operations: unknown) => patchFromPaths(before, operations as readonly PathOperation[]);

describe('a patch with array paths', () => {
  it('is turned into pointers, with its keys escaped', () => {
    expect(of({}, [{ op: 'add', path: ['a/b', 'c~d', 0, ''], value: 1 }, { op: 'move', from: ['x'], path: [] }])).toEqual({
      ok: true,
      value: [{ op: 'add', path: '/a~1b/c~0d/0/', value: 1 }, { op: 'move', from: '/x', path: '' }],
    });
  });

  it('shortens an array by what it holds at that step, and leaves a member called length alone', () => {
    const before = { list: [1, 2], box: { length: 9 } };
    const operations = [
      { op: 'add', path: ['list', 2], value: 3 },
      { op: 'replace', path: ['list', 'length'], value: 1 },
      { op: 'replace', path: ['box', 'length'], value: 1 },
    ];
    expect(of(before, operations)).toEqual({
      ok: true,
      value: [
        { op: 'add', path: '/list/2', value: 3 },
        { op: 'remove', path: '/list/2' },
        { op: 'remove', path: '/list/1' },
        { op: 'replace', path: '/box/length', value: 1 },
      ],
    });
  });

  it('leaves a new member that is undefined out, also under an escaped name', () => {
    expect(of({ 'a/b': 1 }, [{ op: 'add', path: ['new'], value: undefined }, { op: 'add', path: ['a/b'], value: undefined }])).toEqual({
      ok: true,
      value: [{ op: 'remove', path: '/a~1b' }],
    });
  });

  it.each([
    ['is no list', null, 'PATCH_MALFORMED', undefined],
    ['has a step that is none', [{ op: 'remove', path: ['a'] }, null], 'PATCH_MALFORMED', 1],
    ['has a path that is neither text nor array', [{ op: 'remove', path: 7 }], 'PATCH_MALFORMED', 0],
    ['has a segment that is an object', [{ op: 'remove', path: [{}] }], 'PATCH_MALFORMED', 0],
    ['makes an array longer', [{ op: 'replace', path: ['list', 'length'], value: 5 }], 'PATCH_MALFORMED', 0],
    ['sets an item to undefined', [{ op: 'replace', path: ['list', 0] }], 'VALUE_INVALID', 0],
    ['sets the document to undefined', [{ op: 'replace', path: [] }], 'VALUE_INVALID', 0],
    ['does not fit before a step that looks', [{ op: 'remove', path: ['absent'] }, { op: 'replace', path: ['list', 'length'], value: 0 }], 'PATH_NOT_FOUND', 1],
  ])('is refused where it %s', (_what, operations, code, operation) => {
    const { ok, ...rest } = of({ list: [1, 2] }, operations);
    expect(ok).toBe(false);
    expect(rest).toMatchObject({ error: { code, ...(operation === undefined ? {} : { operation }) } });
  });
});
