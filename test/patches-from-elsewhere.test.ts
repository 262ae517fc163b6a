import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastJsonPatch, { type Operation as FastOperation } from 'fast-json-patch';
import { enablePatches, produceWithPatches } from 'immer';
import { JsonPatchDiff } from 'json-joy/lib/json-patch-diff/JsonPatchDiff.js';
import { diff as jsondiffpatch } from 'jsondiffpatch';
import { format as formatJsonPatch } from 'jsondiffpatch/formatters/jsonpatch';
import { diff as justDiff, jsonPatchPathConverter } from 'just-diff';
import { create } from 'mutative';
import { createPatch, createTests } from 'rfc6902';
import { describe, expect, it } from 'vitest';
import { equalValues, normalizeAndApply, parsePatch, patchFromPaths, type JsonValue, type PathOperation } from '@concord/core';
import { generateDocument, seededTape, type Tape } from '../core/test/generate.js';

enablePatches();

/** What Concord makes of a patch that came as JSON: the document after it, or the code of the refusal. */
function taken(before: JsonValue, patch: unknown): JsonValue | { readonly refused: string } {
  const parsed = parsePatch(JSON.parse(JSON.stringify(patch)));
  if (!parsed.ok) return { refused: parsed.error.code };
  const applied = normalizeAndApply(before, parsed.value);
  return applied.ok ? applied.value.document : { refused: applied.error.code };
}

type Container = Record<string, JsonValue> | JsonValue[];

/** A document and another one that it was turned into by a few changes, so that libraries have something to tell apart. */
function pairs(count: number): readonly (readonly [Container, Container])[] {
  const tape = seededTape(20261128);
  return Array.from({ length: count }, () => {
    const before = { ...(generateDocument(tape) as Record<string, JsonValue>), 'a/b': tape.draw(3), 'c~d': ['x', tape.draw(3)] };
    return [before, changed(structuredClone(before), tape, 2 + tape.draw(3)) as Container] as const;
  });
}

function changed(value: JsonValue, tape: Tape, changes: number): JsonValue {
  let result = value;
  for (; changes > 0; changes--) result = changedOnce(result, tape);
  return result;
}

function changedOnce(value: JsonValue, tape: Tape): JsonValue {
  if (value === null || typeof value !== 'object') return tape.draw(5);
  if (Array.isArray(value)) {
    const items = [...(value as JsonValue[])];
    const at = tape.draw(items.length + 1);
    if (at < items.length && tape.draw(2) === 0) items[at] = changedOnce(items[at]!, tape);
    else items.splice(at, tape.draw(3), ...(tape.draw(2) === 0 ? [{ id: tape.draw(9) }] : []));
    return items;
  }
  const members = { ...(value as Record<string, JsonValue>) };
  const names = Object.keys(members);
  const name = names[tape.draw(names.length + 1)] ?? 'new/name~';
  if (tape.draw(4) === 0) delete members[name];
  else members[name] = changedOnce(members[name] ?? null, tape);
  return members;
}

/** Turns the draft into `after` as a careful app would: only what differs is assigned. */
function become(draft: Container, after: Container): void {
  const isContainer = (value: JsonValue | undefined): value is Container => typeof value === 'object' && value !== null;
  if (Array.isArray(draft) && Array.isArray(after)) draft.length = Math.min(draft.length, after.length);
  const target = draft as Record<string, JsonValue>;
  const wanted = after as Record<string, JsonValue>;
  if (!Array.isArray(draft)) for (const key of Object.keys(target)) if (!Object.hasOwn(wanted, key)) delete target[key];
  for (const key of Object.keys(wanted)) {
    const [old, next] = [target[key], wanted[key]!];
    if (isContainer(old) && isContainer(next) && Array.isArray(old) === Array.isArray(next)) become(old, next);
    else if (!Object.hasOwn(target, key) || old !== next) target[key] = structuredClone(next);
  }
}

describe('patches that other libraries make', () => {
  const documents = pairs(2_000);
  const converted = (before: Container, operations: unknown): unknown => {
    const patch = patchFromPaths(before, operations as readonly PathOperation[]);
    return patch.ok ? patch.value : patch.error;
  };

  it.each<readonly [string, (before: Container, after: Container) => unknown]>([
    ['immer, through patchFromPaths', (before, after) => converted(before, produceWithPatches(before, (draft) => become(draft as Container, after))[1])],
    ['mutative, through patchFromPaths', (before, after) => converted(before, create(before as object, (draft) => become(draft as Container, after), { enablePatches: true })[1])],
    ['mutative with pointers and without the length of arrays', (before, after) => create(before as object, (draft) => become(draft as Container, after), { enablePatches: { pathAsArray: false, arrayLengthAssignment: false } })[1]],
    ['just-diff, through patchFromPaths', (before, after) => converted(before, justDiff(before as object, after as object))],
    ['fast-json-patch', (before, after) => fastJsonPatch.compare(before, after)],
    ['rfc6902', (before, after) => createPatch(before, after)],
    ['jsondiffpatch', (before, after) => formatJsonPatch(jsondiffpatch(before, after))],
    ['json-joy', (before, after) => new JsonPatchDiff().diff('', before, after)],
  ])('lead to the same document: %s', (_name, patchOf) => {
    for (const [before, after] of documents) {
      const patch = patchOf(before, after);
      expect(equalValues(taken(before as JsonValue, patch), after as JsonValue), JSON.stringify({ before, after, patch })).toBe(true);
    }
  });
});

describe('what the page on other libraries warns of', () => {
  it('immer and mutative give array paths, which are refused as they are', () => {
    const operations = produceWithPatches({ 'a/b': 1 }, (draft) => void (draft['a/b'] = 2))[1];
    expect(operations).toEqual([{ op: 'replace', path: ['a/b'], value: 2 }]);
    expect(taken({ 'a/b': 1 }, operations)).toEqual({ refused: 'PATCH_MALFORMED' });
  });

  it('mutative assigns the length of an array, which is refused unless it is converted or switched off', () => {
    const before = { list: [1, 2, 3] };
    const operations = create(before, (draft) => void (draft.list.length = 1), { enablePatches: { pathAsArray: false } })[1];
    expect(operations).toEqual([{ op: 'replace', path: '/list/length', value: 1 }]);
    expect(taken(before, operations)).toEqual({ refused: 'TYPE_MISMATCH' });
    expect(patchFromPaths(before, operations as readonly PathOperation[])).toEqual({ ok: true, value: [{ op: 'remove', path: '/list/2' }, { op: 'remove', path: '/list/1' }] });
  });

  it('mutative gives the root as an array even where paths are to be texts', () => {
    const operations = create({ a: 1 } as object, () => ({ b: 2 }), { enablePatches: { pathAsArray: false }, strict: false })[1];
    expect(operations).toEqual([{ op: 'replace', path: [], value: { b: 2 } }]);
    expect(patchFromPaths({ a: 1 }, operations as readonly PathOperation[])).toEqual({ ok: true, value: [{ op: 'replace', path: '', value: { b: 2 } }] });
  });

  it('a member set to undefined in immer is removed, an item of an array is refused with its place', () => {
    const before: { a?: number | undefined; list: (number | undefined)[] } = { a: 1, list: [1] };
    const member = produceWithPatches(before, (draft) => void (draft.a = undefined))[1];
    expect(patchFromPaths(before as JsonValue, member)).toEqual({ ok: true, value: [{ op: 'remove', path: '/a' }] });
    const item = produceWithPatches(before, (draft) => void (draft.list[0] = undefined))[1];
    expect(patchFromPaths(before as JsonValue, item)).toMatchObject({ ok: false, error: { code: 'VALUE_INVALID', path: '/list/0', operation: 0 } });
  });

  it('immer says a moved item as a removal and an addition', () => {
    const operations = produceWithPatches({ todo: [{ id: 1 }], done: [] as { id: number }[] }, (draft) => void draft.done.push(draft.todo.pop()!))[1];
    expect(operations.map(({ op }) => op)).toEqual(['remove', 'add']);
  });

  it('just-diff with its own converter does not escape keys: refused, or another place', () => {
    expect(taken({ 'c~d': 1 }, justDiff({ 'c~d': 1 }, { 'c~d': 2 }, jsonPatchPathConverter))).toEqual({ refused: 'POINTER_INVALID' });
    expect(taken({ 'a/b': 1, a: { b: 1 } }, justDiff({ 'a/b': 1, a: { b: 1 } }, { 'a/b': 2, a: { b: 1 } }, jsonPatchPathConverter))).toEqual({ 'a/b': 1, a: { b: 2 } });
  });

  it('fast-json-patch takes an object with the keys of an array for that array at the root', () => {
    const patch = fastJsonPatch.compare({ 0: { a: 1 } }, [{ a: 2 }]);
    expect(patch).toEqual([{ op: 'replace', path: '/0/a', value: 2 }]);
    expect(taken({ 0: { a: 1 } }, patch)).toEqual({ 0: { a: 2 } });
  });

  it('fast-json-patch alters a patch that it applies', () => {
    const patch: FastOperation[] = [
      { op: 'add', path: '/a', value: { x: 1 } },
      { op: 'add', path: '/a/y', value: 2 },
    ];
    fastJsonPatch.applyPatch({}, patch);
    expect(patch[0]).toEqual({ op: 'add', path: '/a', value: { x: 1, y: 2 } });
  });

  it('rfc6902 makes its tests on the document before all steps: one of a later index has no value, and is refused', () => {
    const [before, after] = [{ a: [3, 2] }, { a: [2, 3] }];
    const patch = createPatch(before, after);
    const tests = createTests(before, patch);
    expect(tests).toEqual([{ op: 'test', path: '/a/2', value: undefined }]);
    expect(taken(before, [...tests, ...patch])).toEqual({ refused: 'PATCH_MALFORMED' });
  });

  it('json-joy and jsondiffpatch leave out a new key that objects inherit', () => {
    expect(new JsonPatchDiff().diff('', {}, { constructor: 1, toString: 2 })).toEqual([]);
    expect(formatJsonPatch(jsondiffpatch({}, { constructor: 1 }))).toEqual([]);
  });

  it('json-joy says changed texts as str_ins and str_del with str, which Concord takes', () => {
    const patch = new JsonPatchDiff().diff('', { text: 'I like cats' }, { text: 'I like dogs' });
    expect(patch.map(({ op }) => op)).toEqual(['str_ins', 'str_del']);
    expect(taken({ text: 'I like cats' }, patch)).toEqual({ text: 'I like dogs' });
  });
});

describe('the example of the page', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));

  it('is the file that is run here', () => {
    const shown = /<!-- examples\/edit-by-immer\.ts -->\n```ts\n([\s\S]*?)```/.exec(readFileSync(`${root}docs/recipes/patches-from-elsewhere.md`, 'utf8'))?.[1];
    expect(shown).toBe(readFileSync(`${root}examples/edit-by-immer.ts`, 'utf8'));
  });

  it('edits the note', () => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--conditions=@concord/source', 'examples/edit-by-immer.ts'], { cwd: root, encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: "{ text: 'Buy milk and bread', tags: [ 'shop' ] }\n", stderr: '' });
  });
});
