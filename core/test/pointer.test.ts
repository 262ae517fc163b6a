import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultLimits, formatPointer, parsePointer } from '../index.js';

function tokens(text: string): readonly string[] {
  const result = parsePointer(text);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

describe('parsePointer', () => {
  it.each<[string, readonly string[]]>([
    ['', []],
    ['/', ['']],
    ['//', ['', '']],
    ['/foo/0', ['foo', '0']],
    ['/a~1b/m~0n', ['a/b', 'm~n']],
    ['/~01', ['~1']],
    ['/~10', ['/0']],
    ['/ /"/\\', [' ', '"', '\\']],
    ['/é/😀', ['é', '😀']],
    ['/constructor/toString', ['constructor', 'toString']],
  ])('reads %j', (text, expected) => {
    expect(tokens(text)).toEqual(expected);
    expect(formatPointer(expected)).toBe(text);
  });

  it('is undone by formatPointer for every path', () => {
    const token = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('~', '/', '~0', '~1', '~01', '', '-', '01'));
    fc.assert(fc.property(fc.array(token.filter((text) => text !== '__proto__' && !text.includes('\0')), { maxLength: 8 }), (path) => {
      expect(tokens(formatPointer(path))).toEqual(path);
    }));
    expect(formatPointer(['list', 3, 'a/b'])).toBe('/list/3/a~1b');
  });

  it.each<[string, string]>([
    ['foo', 'POINTER_INVALID'],
    ['#/foo', 'POINTER_INVALID'],
    ['/a~', 'POINTER_INVALID'],
    ['/a~2b', 'POINTER_INVALID'],
    ['/~~0', 'POINTER_INVALID'],
    ['/a/__proto__', 'VALUE_INVALID'],
    ['/a\u0000', 'VALUE_INVALID'],
    ['/\ud800', 'VALUE_INVALID'],
  ])('refuses %j with %s', (text, code) => {
    const result = parsePointer(text);
    expect(result.ok ? 'let in' : result.error).toMatchObject({ code, path: text });
  });

  it('refuses more bytes and more segments than the limits allow, and tells both numbers', () => {
    expect(tokens(`/${'a'.repeat(4095)}`)).toHaveLength(1);
    expect(parsePointer(`/${'a'.repeat(4096)}`)).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED', limit: 4096, actual: 4097 } });
    expect(parsePointer(`/${'é'.repeat(2048)}`)).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED', limit: 4096, actual: 4097 } });
    expect(parsePointer(`/${'😀'.repeat(1024)}`)).toMatchObject({ ok: false, error: { limit: 4096, actual: 4097 } });
    expect(tokens('/a'.repeat(128))).toHaveLength(128);
    expect(parsePointer('/a'.repeat(129))).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED', limit: 128, actual: 129 } });
  });

  it('refuses a pointer of 100,000 segments without splitting it', () => {
    const text = '/a'.repeat(100_000);
    const result = parsePointer(text, defaultLimits);
    expect(result).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED', actual: 200_000 } });
    expect(!result.ok && result.error.path!.length).toBeLessThan(100);
  });
});
