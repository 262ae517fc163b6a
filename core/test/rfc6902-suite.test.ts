import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { apply, equalValues, normalizeAndApply, parsePatch, toWire, type JsonValue, type Result } from '../index.js';

interface SuiteRecord {
  readonly comment?: string;
  readonly doc: JsonValue;
  readonly patch: unknown;
  readonly expected?: JsonValue;
  readonly error?: string;
  readonly disabled?: boolean;
}

const require = createRequire(import.meta.url);
const files = ['tests.json', 'spec_tests.json'] as const;

function applied(record: SuiteRecord): Result<JsonValue> {
  const patch = parsePatch(record.patch);
  return patch.ok ? apply(record.doc, patch.value) : patch;
}

describe.each(files)('the public JSON Patch suite, %s', (file) => {
  const records = (require(`json-patch-test-suite/${file}`) as readonly SuiteRecord[]).filter(
    (record) => record.patch !== undefined && record.disabled !== true,
  );

  it.each(records.map((record, index) => ({ title: record.comment ?? record.error ?? JSON.stringify(record.patch), index, record })))(
    '$index: $title',
    ({ record }) => {
      const before = JSON.stringify(record.doc);
      const result = applied(record);
      expect(JSON.stringify(record.doc)).toBe(before);
      if (record.error !== undefined) {
        expect(result.ok, record.error).toBe(false);
        return;
      }
      if (!result.ok) throw new Error(result.error.message);
      if (record.expected !== undefined) expect(result.value).toEqual(record.expected);
    },
  );

  it('gives the same document through the normal form and its wire form', () => {
    for (const record of records.filter(({ error }) => error === undefined)) {
      const patch = parsePatch(record.patch);
      if (!patch.ok) throw new Error(patch.error.message);
      const direct = apply(record.doc, patch.value);
      const normal = normalizeAndApply(record.doc, patch.value);
      if (!direct.ok || !normal.ok) throw new Error(`did not apply: ${JSON.stringify(record)}`);
      expect(equalValues(normal.value.document, direct.value)).toBe(true);
      const travelled = parsePatch(JSON.parse(JSON.stringify(toWire(normal.value.patch))));
      if (!travelled.ok) throw new Error(travelled.error.message);
      const again = normalizeAndApply(record.doc, travelled.value);
      expect(again).toEqual(normal);
    }
  });
});
