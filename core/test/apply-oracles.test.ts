import fastJsonPatch from 'fast-json-patch';
import fc from 'fast-check';
import * as rfc6902 from 'rfc6902';
import { describe, expect, it } from 'vitest';
import { apply, canonicalJson, equalValues, formatPointer, normalizeAndApply, parsePatch, toWire, type JsonValue, type Path, type WireOperationJson } from '../index.js';
import { jsonDocument, jsonValue, key } from './arbitrary.js';

/** Every place in a document. */
function places(value: JsonValue, path: Path = []): Path[] {
  if (value === null || typeof value !== 'object') return [path];
  const inner = Array.isArray(value)
    ? (value as readonly JsonValue[]).map((item, index) => [index, item] as const)
    : Object.entries(value);
  return [path, ...inner.flatMap(([segment, item]) => places(item, [...path, segment]))];
}

/** Operations at places of the document, or one step beside one: most apply, many do not. */
function operationsOn(document: JsonValue): fc.Arbitrary<WireOperationJson> {
  const existing = fc.constantFrom(...places(document).map(formatPointer));
  const step = fc.oneof(key.map((segment) => formatPointer([segment])), fc.constantFrom('/-', '/0', '/2', '/7'));
  const near = fc.tuple(existing, step).map(([pointer, last]) => pointer + last);
  const path = fc.oneof({ arbitrary: existing, weight: 2 }, near);
  return fc.oneof(
    fc.record({ op: fc.constant('add'), path, value: jsonValue }),
    fc.record({ op: fc.constant('remove'), path }),
    fc.record({ op: fc.constant('replace'), path, value: jsonValue }),
    fc.record({ op: fc.constant('move'), from: existing, path }),
    fc.record({ op: fc.constant('copy'), from: existing, path }),
    fc.record({ op: fc.constant('test'), path: existing, value: jsonValue }),
  );
}

const cases = jsonDocument.chain((document) =>
  fc.record({ document: fc.constant(document), patch: fc.array(operationsOn(document), { minLength: 1, maxLength: 4 }) }),
);

const REFUSED = 'refused';

function ours(document: JsonValue, wire: readonly WireOperationJson[]): string {
  const patch = parsePatch(wire);
  const result = patch.ok ? apply(document, patch.value) : patch;
  return result.ok ? canonicalJson(result.value) : REFUSED;
}

function rfc6902Result(document: JsonValue, wire: readonly WireOperationJson[]): string {
  const holder = { document: structuredClone(document) };
  // Under a member, so that operations on the whole document have something to change.
  const moved = structuredClone(wire).map((operation) => ({
    ...operation,
    path: `/document${operation.path}`,
    ...('from' in operation ? { from: `/document${operation.from}` } : {}),
  }));
  const errors = rfc6902.applyPatch(holder, moved as rfc6902.Operation[]);
  return errors.every((error) => error === null) && holder.document !== undefined ? canonicalJson(holder.document) : REFUSED;
}

function fastJsonPatchResult(document: JsonValue, wire: readonly WireOperationJson[]): string {
  try {
    const { newDocument } = fastJsonPatch.applyPatch(structuredClone(document), structuredClone(wire) as fastJsonPatch.Operation[], true);
    return newDocument === undefined ? REFUSED : canonicalJson(newDocument);
  } catch {
    return REFUSED;
  }
}

/** The value at a pointer, found without the code under test. */
function at(document: JsonValue, pointer: string): JsonValue | undefined {
  let node: JsonValue | undefined = document;
  for (const token of pointer.split('/').slice(1)) {
    if (node === null || typeof node !== 'object') return undefined;
    node = (node as Readonly<Record<string, JsonValue>>)[token.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return node;
}

/**
 * Where one of the oracles is known not to follow RFC 6902: they refuse `constructor` as a key,
 * write into scalars, take texts that are no index for one, take
 * inherited names for members, copy and move behind the end of an array, find the target of a move before the array that it
 * leaves has closed, and move values into or out of themselves and remove the root each in their own way.
 */
function oracleIsLenient(document: JsonValue, operation: WireOperationJson): boolean {
  const { op, path } = operation;
  const from = 'from' in operation ? operation.from : undefined;
  if (op === 'remove' && path === '') return true;
  if (op === 'move' && (path === from || path.startsWith(`${from}/`) || from!.startsWith(`${path}/`))) return true;
  if (from !== undefined) {
    const left = from.slice(0, from.lastIndexOf('/'));
    if (op === 'move' && Array.isArray(at(document, left)) && path.startsWith(`${left}/`)) return true;
    const target = at(document, path.slice(0, Math.max(0, path.lastIndexOf('/'))));
    if (Array.isArray(target) && Number(path.slice(path.lastIndexOf('/') + 1)) > target.length) return true;
  }
  return [path, ...(from === undefined ? [] : [from])].some((pointer) => {
    if (pointer === '') return false;
    if (pointer.includes('constructor')) return true;
    const cut = pointer.lastIndexOf('/');
    const parent = at(document, pointer.slice(0, cut));
    if (parent === null || typeof parent !== 'object') return true;
    const token = pointer.slice(cut + 1);
    if (Array.isArray(parent)) return !/^(0|[1-9][0-9]*)$/.test(token) && !(token === '-' && pointer === path && op !== 'remove' && op !== 'replace');
    return token in Object.prototype && !Object.hasOwn(parent, token);
  });
}

/** The operations up to the first that an oracle is known to get wrong. */
function soundPart(document: JsonValue, wire: readonly WireOperationJson[]): readonly WireOperationJson[] {
  let state = document;
  for (const [index, operation] of wire.entries()) {
    if (oracleIsLenient(state, operation)) return wire.slice(0, index);
    const patch = parsePatch([operation]);
    const result = patch.ok ? apply(state, patch.value) : patch;
    if (!result.ok) return wire.slice(0, index + 1);
    state = result.value;
  }
  return wire;
}

describe('apply', () => {
  it.each([
    ['rfc6902', rfc6902Result],
    ['fast-json-patch', fastJsonPatchResult],
  ])('agrees with %s wherever that library follows RFC 6902', (_name, oracle) => {
    let compared = 0;
    fc.assert(
      fc.property(cases, ({ document, patch }) => {
        const sound = soundPart(document, patch);
        compared += sound.length;
        expect(ours(document, sound)).toBe(oracle(document, sound));
      }),
      { numRuns: 4000 },
    );
    expect(compared).toBeGreaterThan(3000);
  });

  const everyOperation = jsonDocument.chain((document) => {
    const pointers = places(document).map(formatPointer);
    const path = fc.constantFrom(...pointers);
    const ours = fc.oneof(
      fc.record({ op: fc.constant('inc'), path, value: fc.integer({ min: -2, max: 2 }) }),
      fc.record({ op: fc.constant('str_ins'), path, pos: fc.nat(3), str: fc.constantFrom('', 'x', '😀') }),
      fc.record({ op: fc.constant('str_del'), path, pos: fc.nat(2), len: fc.nat(2) }),
      ...[...new Set(pointers)].map((pointer) => fc.constant({ op: 'test', path: pointer, value: at(document, pointer) })),
    ) as fc.Arbitrary<WireOperationJson>;
    const operation = fc.oneof({ arbitrary: operationsOn(document), weight: 3 }, ours);
    return fc.record({ document: fc.constant(document), patch: fc.array(operation, { minLength: 1, maxLength: 4 }) });
  });

  it('gives one result by the patch, by its normal form, and by the normal form that travelled', () => {
    fc.assert(
      fc.property(everyOperation, ({ document, patch: wire }) => {
        const before = canonicalJson(document);
        const patch = parsePatch(wire);
        if (!patch.ok) return;
        const direct = apply(document, patch.value);
        const normal = normalizeAndApply(document, patch.value);
        expect(normal.ok).toBe(direct.ok);
        expect(canonicalJson(document)).toBe(before);
        if (!direct.ok || !normal.ok) {
          expect(normal).toEqual(direct);
          return;
        }
        expect(equalValues(normal.value.document, direct.value)).toBe(true);
        const again = apply(document, normal.value.patch);
        expect(again.ok && equalValues(again.value, direct.value)).toBe(true);
        const travelled = parsePatch(JSON.parse(JSON.stringify(toWire(normal.value.patch))));
        if (!travelled.ok) throw new Error(travelled.error.message);
        expect(normalizeAndApply(document, travelled.value)).toEqual(normal);
        // A normal form is its own normal form: every operation means the same in the state left by those before it.
        expect(normalizeAndApply(document, normal.value.patch)).toEqual(normal);
      }),
      { numRuns: 4000 },
    );
  });
});
