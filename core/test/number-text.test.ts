import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHeld, lossyNumberIn as lossyNumberInBytes } from '../index.js';

const lossyNumberIn = (text: string) => lossyNumberInBytes(new TextEncoder().encode(text));

describe('a number in a JSON text', () => {
  it.each([
    '9007199254740993', '-9007199254740993', '18446744073709551615', '9007199254740993.0', '9.007199254740993e15', '90071992547409930e-1', '1e400', '-1e400',
    '12345678901234567890123',
  ])('%s is not kept as it is written', (token) => expect(isHeld(token)).toBe(false));

  it.each([
    '0', '-0', '9007199254740991', '9007199254740992', '9007199254740994', '18446744073709551616', '18446744073709552000', '1e21', '1000000000000000000000', '1E+23', '1.7976931348623157e308',
    '0.1234567890123456789', '3.14159265358979323846', '0e999', '123456789012345680000',
  ])('%s is', (token) => expect(isHeld(token)).toBe(true));

  it('is kept when it is what a program writes for a double of its own: the shortest digits, all digits, or seventeen', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(isHeld(JSON.stringify(value))).toBe(true);
        expect(isHeld(value.toExponential(16))).toBe(true);
        if (Number.isInteger(value) && Math.abs(value) < 1e21) expect(isHeld(BigInt(value).toString())).toBe(true);
      }),
    );
  });

  it('is never kept when it is odd and beyond 2^53: no double is', () => {
    fc.assert(fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }), (value) => !isHeld(`${value | 1n}`) && !isHeld(`-${value | 1n}`)));
  });
});

describe('the first number of a text that is not kept', () => {
  it('is told with its place', () => {
    expect(lossyNumberIn('{"a":[1,{"b/c":"12345678901234567890","d~":[true, 12345678901234567890 ]}]}')).toEqual({ token: '12345678901234567890', path: '/a/1/d~0/1' });
    expect(lossyNumberIn('[{"x":[1,2],"y":{}},9007199254740993]')).toEqual({ token: '9007199254740993', path: '/1' });
    expect(lossyNumberIn('9007199254740993')).toEqual({ token: '9007199254740993', path: '' });
    expect(lossyNumberIn('{"q\\"\\\\":9007199254740993}')).toEqual({ token: '9007199254740993', path: '/q"\\' });
  });

  it('is not looked for in texts', () => {
    expect(lossyNumberIn('{"9007199254740993":"9007199254740993","a":"\\\\\\"9007199254740993"}')).toBeNull();
  });

  it('is found wherever it stands in the text', () => {
    for (let before = 0; before < 64; before++) expect(lossyNumberIn(`[${' '.repeat(before)}9007199254740993]`)?.path).toBe('/0');
  });

  it('is found, or not, within a blink in the largest push', () => {
    const start = performance.now();
    const texts = ['"12345678901234567890",', '0.12345678901234567,', '"\\\\\\\\",', '1000000000000000,', '{"a":[1,2,3]},'].map((part) => `[${part.repeat(4_500_000 / part.length)}0]`);
    for (const text of texts) expect(lossyNumberIn(text)).toBeNull();
    expect(lossyNumberIn(`[${'9'.repeat(4_500_000)}]`)).not.toBeNull();
    expect(lossyNumberIn(`[9007199254740993.${'0'.repeat(1000)}]`)).not.toBeNull();
    expect(lossyNumberIn(`[9${'0000001'.repeat(600_000)}]`)).not.toBeNull();
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
