import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonValue } from '@concord/core';
import { ConcordError, type CollectionDefinition, type Collection, type Replica } from '../index.js';
import { World } from './world.js';

type Doc = Record<string, never>;
type Alter = (draft: Record<string, unknown>) => void;

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

let count = 0;

/** Two replicas edit the same document offline; the first one named comes back first. What all of them and the server then hold. */
async function meet(start: JsonValue, first: Alter, second: Alter, definition: CollectionDefinition = {}): Promise<{ value: JsonValue; told: number }> {
  const [a, b] = [await world.open(), await world.open()];
  const id = `met-${count++}`;
  const things = (replica: Replica): Collection<Doc> => replica.collection<Doc>('things', definition);
  things(a).create(start as never, { id });
  await world.settle(a, b);
  await Promise.all([a.goOffline(), b.goOffline()]);
  things(a).edit(id, first);
  things(b).edit(id, second);
  a.goOnline();
  await world.settle(a);
  b.goOnline();
  await world.settle(b, a);
  const value = (await world.serverDocuments())[id]!;
  expect([a.get(id)?.value, b.get(id)?.value]).toEqual([value, value]);
  const told = a.conflicts(id).length + b.conflicts(id).length;
  await Promise.all([a.close(), b.close()]);
  return { value, told };
}

describe('what two drafts set offline', () => {
  const set = (key: string, value: unknown): Alter => (draft) => {
    draft[key] = value;
  };
  const changes: readonly (readonly [string, JsonValue, JsonValue, JsonValue])[] = [
    ['status', 'open', 'done', 'blocked'],
    ['due', '2027-01-01', '2027-02-01', '2027-01-15'],
    ['assignee', 'user-17', 'user-23', 'user-42'],
    ['team', { id: 1, name: 'red' }, { id: 2, name: 'blue' }, { id: 3, name: 'teal' }],
  ];

  it.each(changes)('is a value: of two that were set for %s the later one stays, whole, and the conflict is told', async (key, start, one, other) => {
    for (const [first, second] of [[one, other], [other, one]] as const) {
      const { value, told } = await meet({ [key]: start, title: 'kept' }, set(key, first), set(key, second));
      expect(value).toEqual({ [key]: second, title: 'kept' });
      expect(told).toBeGreaterThan(0);
    }
  });

  it('is there once where both set the same', async () => {
    expect((await meet({ status: 'open' }, set('status', 'done'), set('status', 'done'))).value).toEqual({ status: 'done' });
  });

  it('merges where the app declares a text or a counter', async () => {
    const definition = { text: ['/body', '/items/*/label'], counters: ['/likes'] };
    const start = { body: 'I like cats', items: [{ label: 'one' }], likes: 1 };
    const one: Alter = (draft) => Object.assign(draft, { body: 'I like cats.', items: [{ label: 'one!' }], likes: 3 });
    const other: Alter = (draft) => Object.assign(draft, { body: 'We like cats', items: [{ label: '(one' }], likes: 2 });
    const merged = { body: 'We like cats.', items: [{ label: '(one!' }], likes: 4 };
    expect((await meet(start, one, other, definition)).value).toEqual(merged);
    expect((await meet(start, other, one, definition)).value).toEqual(merged);
  });
});

describe('a draft function', () => {
  let replica: Replica;
  let id = '';
  const notes = () => replica.collection<{ tags: string[]; done: boolean; box: { n: number } }>('notes');
  const code = (call: () => unknown): string => {
    try {
      call();
      return 'no error';
    } catch (error) {
      return error instanceof ConcordError ? `${error.code} ${error.message}` : String(error);
    }
  };
  beforeAll(async () => {
    replica = await world.open({ online: false });
    id = notes().create({ tags: ['x'], done: false, box: { n: 1 } }).documentId;
  });

  it('may alter the copy, return the copy, or return another value', () => {
    notes().edit(id, (note) => void note.tags.push('y'));
    notes().edit(id, (note) => Object.assign(note, { done: true }));
    notes().edit(id, (note) => ({ ...note, box: { n: 2 } }));
    expect(notes().get(id)?.value).toEqual({ tags: ['x', 'y'], done: true, box: { n: 2 } });
  });

  it('is refused where what it altered or what it returned would be lost', () => {
    const before = notes().get(id)?.value;
    const attempts: ((note: never) => unknown)[] = [
      (note: { tags: string[] }) => note.tags.push('z'),
      (note: { done: boolean }) => (note.done = false),
      (note: { tags: string[] }) => note.tags.sort().reverse(),
      (note: { box: { n: number } }) => ({ ...note, box: { n: note.box.n++ } }),
    ];
    for (const attempt of attempts) expect(code(() => notes().edit(id, attempt as never))).toMatch(/^INPUT_INVALID .*altered the copy and returned.*arrow function/);
    // Assignments of what is there already, and parts of the copy, alter nothing; they would become the document all the same.
    const idle: ((note: never) => unknown)[] = [(note: { done: boolean }) => (note.done = true), (note: { box: object }) => note.box, () => null];
    for (const attempt of idle) expect(code(() => notes().edit(id, attempt as never))).toMatch(/^INPUT_INVALID .*would become the whole document/);
    expect(notes().get(id)?.value).toEqual(before);
  });

  it('merges by the declaration of the collection, which is one for a replica', () => {
    replica.collection('declared', { text: ['/body'] });
    replica.collection('declared', { text: ['/body'] });
    replica.collection('declared');
    expect(code(() => replica.collection('declared', { text: ['/title'] }))).toMatch(/^INPUT_INVALID The collection declared was declared otherwise/);
    expect(code(() => replica.collection('wrong', { texts: [] } as never))).toMatch(/^INPUT_INVALID .*no "texts"/);
  });
});
