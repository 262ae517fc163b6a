import { describe, expect, it } from 'vitest';
import { apply, canonicalJson, checkValue, defaultLimits, jsonBytes, normalize, parsePatch, type JsonValue, type Operation, type Result } from '../index.js';

/** As the edge does it: JSON text to a result, through every check. */
function received(document: JsonValue, patchText: string): Result<JsonValue> {
  const patch = parsePatch(JSON.parse(patchText));
  return patch.ok ? apply(document, patch.value) : patch;
}

const patchOf = (...operations: readonly object[]) => JSON.stringify(operations);

describe('__proto__', () => {
  it.each([
    ['as the key to add', patchOf({ op: 'add', path: '/__proto__', value: { polluted: true } })],
    ['on the way', patchOf({ op: 'add', path: '/__proto__/polluted', value: true })],
    ['behind a constructor', patchOf({ op: 'add', path: '/constructor/prototype/polluted', value: true })],
    ['as a key inside of a value', '[{"op":"add","path":"/x","value":{"__proto__":{"polluted":true}}}]'],
    ['as the target of a move', patchOf({ op: 'move', from: '/a', path: '/__proto__' })],
    ['as the target of a copy', patchOf({ op: 'copy', from: '/a', path: '/__proto__' })],
    ['as the source of a copy', patchOf({ op: 'copy', from: '/__proto__', path: '/b' })],
    ['as a thing to test', patchOf({ op: 'test', path: '/__proto__', value: {} })],
    ['as a thing to remove', patchOf({ op: 'remove', path: '/__proto__' })],
  ])('is refused %s and nothing is polluted', (_title, patch) => {
    const document = { a: { b: 1 } };
    const result = received(document, patch);
    expect(result.ok).toBe(false);
    expect(!result.ok && ['VALUE_INVALID', 'PATH_NOT_FOUND']).toContain(!result.ok && result.error.code);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(document).toEqual({ a: { b: 1 } });
  });

  it('is refused by apply itself, for patches that did not come through parsePatch', () => {
    const operations: Operation[] = [
      { op: 'add', path: ['__proto__'], value: { polluted: true } },
      { op: 'add', path: ['__proto__', 'polluted'], value: true },
      { op: 'replace', path: ['__proto__'], value: {} },
      { op: 'remove', path: ['__proto__'] },
      { op: 'move', from: ['a'], path: ['__proto__'] },
      { op: 'move', from: ['__proto__'], path: ['a'] },
      { op: 'inc', path: ['__proto__'], value: 1 },
      { op: 'str_ins', path: ['__proto__'], pos: 0, str: '' },
      { op: 'test', path: ['__proto__'], value: {} },
    ];
    for (const operation of operations) {
      const result = apply({ a: {} }, [operation]);
      expect(result).toMatchObject({ ok: false, error: { operation: 0 } });
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('inherited names', () => {
  it.each(['toString', 'hasOwnProperty', 'constructor', 'valueOf', '__defineGetter__'])('%s is not found until it is data, and then is data', (name) => {
    for (const op of ['remove', 'replace', 'test', 'inc']) {
      const code = op === 'test' ? 'TEST_FAILED' : 'PATH_NOT_FOUND';
      expect(received({ a: {} }, patchOf({ op, path: `/a/${name}`, value: 1 }))).toMatchObject({ ok: false, error: { code, path: `/a/${name}` } });
    }
    expect(received({ a: {} }, patchOf({ op: 'add', path: `/a/${name}/x`, value: 1 })).ok).toBe(false);
    const added = received({ a: {} }, patchOf({ op: 'add', path: `/a/${name}`, value: { x: 1 } }, { op: 'inc', path: `/a/${name}/x`, value: 1 }));
    expect(added).toEqual({ ok: true, value: { a: { [name]: { x: 2 } } } });
    const patch = parsePatch([{ op: 'add', path: `/a/${name}`, value: 1 }]);
    expect(patch.ok && normalize({ a: {} }, patch.value)).toMatchObject({ ok: true, value: [{ op: 'add' }] });
  });

  it('of arrays are no indices', () => {
    for (const name of ['length', 'map', 'constructor', '__proto__']) {
      expect(received({ list: [1] }, patchOf({ op: 'replace', path: `/list/${name}`, value: 0 })).ok).toBe(false);
      expect(received({ list: [1] }, patchOf({ op: 'test', path: `/list/${name}`, value: 1 })).ok).toBe(false);
    }
  });
});

describe('depth', () => {
  const nest = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

  it('is refused at the edge without recursion, however deep', () => {
    // JSON.stringify itself overflows at some thousand levels, JSON.parse does not.
    const result = received({}, `[{"op":"add","path":"/x","value":${nest(100_000)}}]`);
    expect(result).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED', limit: 128, operation: 0 } });
    expect(checkValue(JSON.parse(nest(100_000))).ok).toBe(false);
  });

  it('is refused by apply itself for values, moves and copies that would go too deep', () => {
    const value = JSON.parse(nest(100)) as JsonValue;
    const down = Array.from({ length: 60 }, () => 0);
    const under: Operation = { op: 'insert', path: ['deep', ...down], value };
    expect(apply({ deep: value }, [under])).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED', limit: 128 } });
    expect(apply({ deep: value, other: value }, [{ op: 'move', from: ['other'], path: ['deep', ...down] }])).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED' } });
    expect(apply({ deep: value, other: value }, [{ op: 'copy', from: ['other'], path: ['deep', ...down.map(String)] }])).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED' } });
    expect(apply({ deep: value }, [{ op: 'add', path: ['x'], value: JSON.parse(nest(50_000)) as JsonValue }])).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED' } });
  });

  it('is bounded even where the configured limit is not, so that no walk overflows the stack', () => {
    const limits = { ...defaultLimits, depth: Infinity, patchBytes: Infinity };
    const deep = JSON.parse(nest(100_000)) as JsonValue;
    expect(checkValue(deep, limits)).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED', limit: 1000 } });
    expect(parsePatch([{ op: 'add', path: '', value: deep }], limits)).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED' } });
    expect(apply({}, [{ op: 'add', path: ['a'], value: deep }], limits)).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED' } });
  });

  it('does not grow by copying a document into itself again and again', () => {
    const steps = Array.from({ length: 200 }, () => ({ op: 'copy', from: '', path: '/a' }));
    expect(received({ a: 1 }, patchOf(...steps))).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED' } });
  });

  it('of a pointer is bounded: 100,000 segments are refused at once', () => {
    const started = performance.now();
    expect(received({}, patchOf({ op: 'add', path: '/a'.repeat(100_000), value: 1 }))).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED' } });
    const path = Array.from({ length: 100_000 }, () => 'a');
    expect(apply({ a: {} }, [{ op: 'add', path, value: 1 }]).ok).toBe(false);
    expect(apply({ a: {} }, [{ op: 'remove', path }]).ok).toBe(false);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('size', () => {
  it('does not double with every copy: a bomb is refused in bounded time and memory', () => {
    const document = { a: 'x'.repeat(1000), list: [] };
    const bomb = Array.from({ length: 900 }, () => ({ op: 'copy', from: '/list', path: '/list/-' }));
    const before = process.memoryUsage().heapUsed;
    const started = performance.now();
    const result = received(document, patchOf({ op: 'copy', from: '/a', path: '/list/-' }, ...bomb));
    expect(result).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED', limit: 1024 * 1024 } });
    expect(performance.now() - started).toBeLessThan(500);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100e6);
  });

  it('allows honest copies up to the size of a document', () => {
    const document = { item: 'x'.repeat(1000), list: [] };
    const result = received(document, patchOf(...Array.from({ length: 900 }, () => ({ op: 'copy', from: '/item', path: '/list/-' }))));
    expect(result.ok && jsonBytes(result.value)).toBeGreaterThan(900_000);
  });
});

describe('indices', () => {
  it.each(['01', '00', '-0', '-1', '+1', '1.0', '1e0', ' 1', '1 ', '0x0', '', '٣', '1_0', 'NaN', 'Infinity'])('%j is none', (token) => {
    for (const op of ['add', 'remove', 'replace', 'test']) {
      expect(received({ list: [1, 2, 3] }, patchOf({ op, path: `/list/${token}`, value: 2 })).ok).toBe(false);
    }
  });

  it.each(['3', '4', '4294967295', '4294967296', '9007199254740992', '9'.repeat(400)])('%s is out of range and changes nothing', (token) => {
    const document = { list: [1, 2, 3] };
    expect(received(document, patchOf({ op: 'replace', path: `/list/${token}`, value: 0 }))).toMatchObject({ ok: false, error: { code: 'RANGE_INVALID' } });
    if (token !== '3') expect(received(document, patchOf({ op: 'add', path: `/list/${token}`, value: 0 }))).toMatchObject({ ok: false, error: { code: 'RANGE_INVALID' } });
    expect(document.list).toHaveLength(3);
  });
});

describe('numbers and text', () => {
  it('hold the same everywhere: -0 is 0, 1e400 is refused, 2^53+1 is what a double makes of it', () => {
    const result = received({}, '[{"op":"add","path":"/n","value":-0},{"op":"add","path":"/m","value":9007199254740993}]');
    expect(result.ok && canonicalJson(result.value)).toBe('{"m":9007199254740992,"n":0}');
    expect(result.ok && Object.is((result.value as { n: number }).n, 0)).toBe(true);
    expect(received({}, '[{"op":"add","path":"/n","value":1e400}]')).toMatchObject({ ok: false, error: { code: 'VALUE_INVALID', path: '/n' } });
  });

  it('refuse U+0000 and lone surrogates in values, keys, pointers and texts, with the place', () => {
    const bad: readonly (readonly [string, string])[] = [
      ['[{"op":"add","path":"/a","value":{"b":["\\u0000"]}}]', '/a/b/0'],
      ['[{"op":"add","path":"/a","value":{"\\ud800":1}}]', '/a/\ud800'],
      ['[{"op":"add","path":"/\\u0000","value":1}]', '/\u0000'],
      ['[{"op":"remove","path":"/\\udfff"}]', '/\udfff'],
      ['[{"op":"str_ins","path":"/t","pos":0,"str":"\\ud83d"}]', '/t'],
    ];
    for (const [patch, path] of bad) {
      expect(received({ t: '' }, patch)).toMatchObject({ ok: false, error: { code: 'VALUE_INVALID', path, operation: 0 } });
    }
  });

  it('keep the last of duplicate keys, as JSON.parse does', () => {
    expect(received({}, '[{"op":"add","path":"/a","value":{"k":1,"k":2}}]')).toEqual({ ok: true, value: { a: { k: 2 } } });
  });
});
