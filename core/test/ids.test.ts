import { describe, expect, it } from 'vitest';
import {
  parseCounter,
  parseCursor,
  parseDocumentId,
  parsePatchId,
  parsePosition,
  parsePrincipalId,
  parseReplicaId,
  parseRevision,
  parseWorkspaceId,
  type Result,
} from '../index.js';

const parsers: Record<string, (input: unknown) => Result<unknown>> = { parseWorkspaceId, parseDocumentId, parsePrincipalId };

describe.each(Object.entries(parsers))('%s', (_name, parse) => {
  it.each(['a', 'Invoice.2026-11_x~y:z', '0', 'x'.repeat(128)])('takes %j', (text) => {
    expect(parse(text)).toEqual({ ok: true, value: text });
  });

  it.each(['', ' ', 'a b', 'a/b', 'é', 'x'.repeat(129), 'a\n', null, 7, ['a'], undefined, '__proto__\u0000'])('refuses %j', (input) => {
    expect(parse(input)).toMatchObject({ ok: false, error: { code: 'INPUT_INVALID' } });
  });
});

describe('parsePatchId', () => {
  it('takes a UUID and any short text of the alphabet', () => {
    expect(parsePatchId('0199f3c2-6ee4-7b7a-9f6e-6c0c7f3f5a11').ok).toBe(true);
    expect(parsePatchId('p1').ok).toBe(true);
    expect(parsePatchId('x'.repeat(65))).toMatchObject({ ok: false, error: { limit: 64, actual: 65 } });
  });
});

describe('parseReplicaId', () => {
  it('takes 32 lowercase hexadecimal digits and nothing else', () => {
    expect(parseReplicaId('0123456789abcdef0123456789abcdef').ok).toBe(true);
    for (const input of ['0123456789ABCDEF0123456789ABCDEF', '0123456789abcdef0123456789abcde', '', 5, null, `${'0'.repeat(32)}\n`]) {
      expect(parseReplicaId(input)).toMatchObject({ ok: false, error: { code: 'CLOCK_MALFORMED' } });
    }
  });
});

describe('parseRevision, parsePosition and parseCounter', () => {
  it('take safe integers; only a counter starts at 1', () => {
    expect([parseRevision(0), parsePosition(0), parseCounter(1), parseRevision(2 ** 53 - 1)].every(({ ok }) => ok)).toBe(true);
    expect(parseCounter(0)).toMatchObject({ ok: false, error: { code: 'CLOCK_MALFORMED' } });
    for (const input of [-1, 1.5, 2 ** 53, NaN, '1', null, 1n]) {
      expect(parseRevision(input)).toMatchObject({ ok: false, error: { code: 'CLOCK_MALFORMED' } });
      expect(parsePosition(input)).toMatchObject({ ok: false, error: { code: 'INPUT_INVALID' } });
    }
  });

  it('make -0 a 0', () => {
    const revision = parseRevision(-0);
    expect(revision.ok && Object.is(revision.value, 0)).toBe(true);
  });
});

describe('parseCursor', () => {
  it('refuses with its own code', () => {
    expect(parseCursor('abc_-1').ok).toBe(true);
    expect(parseCursor('a b')).toMatchObject({ ok: false, error: { code: 'CURSOR_INVALID' } });
  });
});
