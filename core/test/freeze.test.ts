import { describe, expect, it } from 'vitest';
import { apply, deepFreeze, normalizeAndApply, parsePatch, type JsonValue, type Patch } from '../index.js';

const patchOf = (json: unknown): Patch => {
  const parsed = parsePatch(json);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
};
const containers = (value: unknown): object[] => (typeof value !== 'object' || value === null ? [] : [value, ...Object.values(value).flatMap(containers)]);

describe('a patch on a frozen document', () => {
  const document = deepFreeze({ list: [{ n: 1 }, { n: 2 }], box: { text: 'ab', deep: { x: [1] } } });

  it('gives a frozen document that shares what it has not changed', () => {
    const patches: unknown[] = [
      [{ op: 'add', path: '/list/1', value: { n: [9] } }],
      [{ op: 'copy', from: '/box', path: '/copy' }, { op: 'add', path: '/copy/deep/x/-', value: 2 }, { op: 'add', path: '/box/deep/x/-', value: 3 }],
      [{ op: 'add', path: '/box/deep/y', value: {} }, { op: 'copy', from: '/box/deep', path: '/c' }, { op: 'add', path: '/box/deep/y/z', value: {} }],
      [{ op: 'move', from: '/box/deep', path: '/list/0' }, { op: 'add', path: '/list/0/x/0', value: [] }],
      [{ op: 'move', from: '/box/deep', path: '/box' }, { op: 'replace', path: '/box/x', value: { y: {} } }],
      [{ op: 'str_ins', path: '/box/text', pos: 1, str: '-' }],
      [{ op: 'inc', path: '/list/0/n', value: 1 }],
      [{ op: 'replace', path: '', value: { other: [{}] } }, { op: 'add', path: '/other/0/x', value: {} }],
    ];
    const before = JSON.stringify(document);
    for (const json of patches) {
      const patch = patchOf(json);
      const applied = apply(document, patch);
      const normalized = normalizeAndApply(document, patch);
      if (!applied.ok || !normalized.ok) throw new Error(JSON.stringify([json, applied, normalized]));
      for (const after of [applied.value, normalized.value.document]) {
        expect([json, containers(after).every(Object.isFrozen)]).toEqual([json, true]);
      }
      expect(apply(document, normalized.value.patch)).toEqual(applied);
    }
    expect(JSON.stringify(document)).toBe(before);
    const one = apply(document, patchOf(patches[5]));
    expect(one.ok && (one.value as { list: unknown }).list).toBe((document as { list: unknown }).list);
  });

  it('leaves a document that is not frozen as it is', () => {
    const applied = apply({ a: [1] }, patchOf([{ op: 'add', path: '/a/-', value: { b: 1 } }]));
    expect(applied.ok && containers(applied.value).some(Object.isFrozen)).toBe(false);
  });

  it('costs no look at the items beside the changed one', () => {
    let looks = 0;
    const counted = new Proxy(Object.freeze({ n: 0 }), { isExtensible: (target) => (looks++, Reflect.isExtensible(target)) }) as unknown as JsonValue;
    const items = Object.freeze({ items: Object.freeze([...Array<JsonValue>(10_000).fill(counted), Object.freeze({ n: 1 })]) }) as JsonValue;
    const applied = apply(items, patchOf([{ op: 'inc', path: '/items/10000/n', value: 1 }]));
    expect([applied.ok, looks]).toEqual([true, 0]);
  });
});
