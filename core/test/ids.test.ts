import { readFileSync } from 'node:fs';
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

const parsers: Record<string, (input: unknown) => Result<unknown>> = { parseWorkspaceId, parsePrincipalId };

describe('parseDocumentId', () => {
  const cases = JSON.parse(readFileSync(new URL('../../fixtures/ids.json', import.meta.url), 'utf8')) as { id: string; valid: boolean; comment?: string }[];

  it.each(cases)('says of $id that it is valid: $valid', ({ id, valid }) => {
    expect(parseDocumentId(id).ok).toBe(valid);
  });

  it('refuses what no UTF-8 and no text is, with the code and what to do', () => {
    for (const input of ['\ud800', 'a\udc00b', 'a\u0000', null, 7, ['a'], undefined]) expect(parseDocumentId(input)).toMatchObject({ ok: false, error: { code: 'INPUT_INVALID' } });
    expect(parseDocumentId('é'.repeat(129))).toMatchObject({ ok: false, error: { limit: 256, actual: 258 } });
    expect(parseDocumentId(' a')).toMatchObject({ ok: false, error: { message: expect.stringMatching(/trim it/) as string } });
  });

  it('keeps two spellings of one letter apart', () => {
    expect(parseDocumentId('\u00e9')).not.toEqual(parseDocumentId('e\u0301'));
  });
});

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
