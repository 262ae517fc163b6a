import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apply, canonicalJson, diff, normalizeAndApply, toWire, type JsonValue } from '../index.js';
import { jsonValue } from './arbitrary.js';

const shown = (before: JsonValue, after: JsonValue) =>
  toWire(diff(before, after)).map((operation) => [operation.op, 'from' in operation ? `${operation.from} ${operation.path}` : operation.path].join(' '));

/** What `diff` makes leads to `after`, and is in normal form already. */
function leads(before: JsonValue, after: JsonValue): void {
  const patch = diff(before, after);
  const result = apply(before, patch);
  if (!result.ok) throw new Error(`${result.error.code} ${result.error.message}: ${JSON.stringify({ before, after, patch })}`);
  if (canonicalJson(result.value) !== canonicalJson(after)) throw new Error(JSON.stringify({ before, after, patch, got: result.value }));
  const normal = normalizeAndApply(before, patch);
  expect(normal.ok && normal.value.patch).toEqual(patch);
}

const card = (id: number, title: string) => ({ id, title, labels: ['a'] });

describe('what diff finds moved', () => {
  it('is an item from list to list, edited on the way', () => {
    expect(shown({ todo: [card(1, 'one'), card(2, 'two')], done: [card(3, 'three')] }, { todo: [card(2, 'two')], done: [card(3, 'three'), card(1, 'first')] })).toEqual([
      'move /todo/0 /done/1',
      'replace /done/1/title',
    ]);
  });

  it('is a renamed key, a key put into a list and an item put under a key', () => {
    const settings = { theme: 'dark', size: 12, font: 'serif' };
    expect(shown({ settings }, { preferences: { ...settings, size: 13 } })).toEqual(['add /preferences', 'remove /settings']);
    expect(shown({ settings }, { preferences: settings })).toEqual(['move /settings /preferences']);
    expect(shown({ current: card(1, 'one'), past: [] }, { past: [card(1, 'one')] })).toEqual(['move /current /past/0']);
    expect(shown({ current: card(1, 'one'), past: [] }, { current: card(2, 'two'), past: [card(1, 'one')] })).toEqual(['move /current /past/0', 'add /current']);
    expect(shown({ past: [card(1, 'one')] }, { past: [], current: card(1, 'one') })).toEqual(['move /past/0 /current']);
  });

  it('is what stood in a container that goes, and what a new container is made of', () => {
    const lists = [{ id: 'a', cards: [card(1, 'one')] }, { id: 'b', cards: [card(2, 'two'), card(3, 'three')] }];
    expect(shown({ lists }, { lists: [{ id: 'a', cards: [card(1, 'one'), card(3, 'three')] }] })).toEqual(['move /lists/1/cards/1 /lists/0/cards/1', 'remove /lists/1']);
    expect(shown({ lists }, { lists, group: { name: 'new', cards: [] } })).toEqual(['add /group']);
    const grouped = { lists: [{ id: 'a', cards: [] }, lists[1]!], group: { name: 'new', cards: [card(9, 'nine'), card(1, 'one')] } };
    expect(shown({ lists }, grouped)).toEqual(['add /group', 'move /lists/0/cards/0 /group/cards/1']);
    leads({ lists }, grouped);
  });

  it('is nothing where a name or a content is there twice, or the same name is on another kind of thing', () => {
    expect(shown({ a: [card(1, 'x'), card(2, 'y')], b: [] }, { a: [], b: [card(1, 'x'), card(1, 'x')] }).some((line) => line.startsWith('move'))).toBe(false);
    expect(shown({ user: { id: 1, mail: 'a', phone: 'b' }, list: [] }, { list: [{ id: 1, title: 'c', done: true }] })).toEqual(['insert', 'remove'].map((op) => (op === 'insert' ? 'add /list/0' : 'remove /user')));
  });

  it('leads there when containers are exchanged, turned inside out, or take the place of what is in them', () => {
    const [a, b] = [card(1, 'one'), card(2, 'two')];
    leads({ a, b }, { a: b, b: a });
    leads({ a: { ...a, inner: b } }, { b: { ...b, inner: a } });
    leads({ x: { id: 9, inner: a } }, { x: a });
    leads({ x: a }, { x: { id: 9, inner: a } });
    leads({ x: [a, b] }, { x: { id: 9, items: [[b], [a]] } });
    leads([a, b, { id: 3, list: [card(4, 'four')] }], [{ id: 3, list: [b, a] }, card(4, 'four')]);
    leads({ a, b, c: card(3, 'three') }, { b: a, c: b });
    leads({ a, b, c: card(3, 'three') }, { a: card(3, 'three'), b: a, c: b });
  });

  it('leads from any value to any other, and from any tree of named things to any rearrangement of them', () => {
    fc.assert(fc.property(jsonValue, jsonValue, leads), { numRuns: 3000 });
    fc.assert(fc.property(fc.infiniteStream(fc.nat()), fc.nat(10), fc.nat(10), (numbers, first, second) => {
      const draw = (below: number): number => (numbers.next().value as number) % below;
      leads(tree(draw, first), tree(draw, second));
    }), { numRuns: 10_000 });
  });
});

/** Some of eleven named things, each within another or in one of the lists or keys of the document. */
function tree(draw: (below: number) => number, count: number): JsonValue {
  const root: Record<string, JsonValue> = { list: [], other: [], fixed: 'fixed' };
  const containers: (Record<string, JsonValue> | JsonValue[])[] = [root, root['list'] as JsonValue[], root['other'] as JsonValue[]];
  const ids = Array.from({ length: 11 }, (_, id) => id);
  for (let made = 0; made < count; made++) {
    const [id] = ids.splice(draw(ids.length), 1);
    const thing: Record<string, JsonValue> = { id: id!, title: `title ${draw(3)}`, list: [], members: {} };
    const into = containers[draw(containers.length)]!;
    if (Array.isArray(into)) into.splice(draw(into.length + 1), 0, thing);
    else {
      const key = `k${draw(3)}`;
      if (Object.hasOwn(into, key)) continue;
      into[key] = thing;
    }
    containers.push(thing['list'] as JsonValue[], thing['members'] as Record<string, JsonValue>);
  }
  return root;
}
