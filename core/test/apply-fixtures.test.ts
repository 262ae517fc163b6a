import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { apply, normalizeAndApply, parsePatch, toWire, type ErrorCode, type JsonValue, type WirePatch } from '../index.js';

interface ApplyCase {
  readonly comment: string;
  readonly document: JsonValue;
  readonly patch?: unknown;
  readonly patchText?: string;
  readonly expected?: JsonValue;
  readonly normal?: WirePatch;
  readonly error?: ErrorCode;
  readonly operation?: number;
}

const { cases } = JSON.parse(readFileSync(new URL('../../fixtures/apply.json', import.meta.url), 'utf8')) as { cases: readonly ApplyCase[] };

describe('fixtures/apply.json', () => {
  it.each(cases.map((item) => [item.comment, item] as const))('%s', (_comment, { document, patch: json, patchText, expected, normal, error, operation }) => {
    const before = JSON.stringify(document);
    const patch = parsePatch(patchText === undefined ? json : JSON.parse(patchText));
    const result = patch.ok ? apply(document, patch.value) : patch;
    expect(JSON.stringify(document)).toBe(before);
    if (error !== undefined) {
      expect(result).toMatchObject({ ok: false, error: { code: error, ...(operation === undefined ? {} : { operation }) } });
      return;
    }
    expect(result).toEqual({ ok: true, value: expected });
    const normalized = patch.ok ? normalizeAndApply(document, patch.value) : patch;
    expect(normalized.ok && toWire(normalized.value.patch)).toEqual(normal);
    expect(normalized.ok && normalized.value.document).toEqual(expected);
  });

  it('has each comment once', () => {
    expect(new Set(cases.map(({ comment }) => comment)).size).toBe(cases.length);
  });
});
