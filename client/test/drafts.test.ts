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

interface Card {
  id: number;
  title: string;
}

describe('what a draft takes from one place and puts into another', () => {
  const board = { todo: [{ id: 1, title: 'one' }, { id: 2, title: 'two' }], done: [] as Card[], current: { words: 'now', n: 1 } };
  const both = async (one: Alter, other: Alter, expected: object): Promise<void> => {
    expect((await meet(board as unknown as JsonValue, one, other)).value).toEqual(expected);
    expect((await meet(board as unknown as JsonValue, other, one)).value).toEqual(expected);
  };
  const finish: Alter = (draft) => {
    const { todo, done } = draft as typeof board;
    done.push(...todo.splice(0, 1));
  };

  it('is moved: the edit of another follows it', () =>
    both(finish, (draft) => void ((draft as typeof board).todo[0]!.title = 'first'), { ...board, todo: [board.todo[1]], done: [{ id: 1, title: 'first' }] }));

  it('is there once where both move it, also edited on the way', () =>
    both(
      finish,
      (draft) => {
        finish(draft);
        (draft as typeof board).done[0]!.title = 'first';
      },
      { ...board, todo: [board.todo[1]], done: [{ id: 1, title: 'first' }] },
    ));

  it('is known without a name, under another key, in a list, and in a draft that returns another value', async () => {
    const edited = { words: 'then', n: 1 };
    const edit: Alter = (draft) => void ((draft as typeof board).current.words = 'then');
    await both((draft) => {
      draft['last'] = draft['current'];
      delete draft['current'];
      (draft['last'] as { n: number }).n = 2;
    }, edit, { todo: board.todo, done: [], last: { words: 'then', n: 2 } });
    const { current, ...rest } = board;
    await both((draft) => {
      (draft as typeof board).done.push(draft['current'] as never);
      draft['current'] = { ...current, words: 'new' };
    }, edit, { ...rest, done: [edited], current: { ...current, words: 'new' } });
    await both(((draft: typeof board) => ({ ...draft, done: [draft.todo[0]], todo: draft.todo.slice(1) })) as never, (draft) => void ((draft as typeof board).todo[0]!.title = 'first'), {
      ...board,
      todo: [board.todo[1]],
      done: [{ id: 1, title: 'first' }],
    });
  });
});

describe('what may be created may be edited', () => {
  const numbers = (from: number) => Array.from({ length: 1001 }, (_, n) => 2 * n + from);
  const large: readonly (readonly [string, JsonValue, JsonValue])[] = [
    ['a text of 300 kB', { body: 'a'.repeat(300_000), title: 't' }, { body: `${'b'.repeat(300_000)}!`, title: 't' }],
    ['a document of almost 1 MiB', { body: 'a'.repeat(1_048_000), title: 't' }, { body: 'b'.repeat(1_048_000), title: 't' }],
    ['1,001 items', { items: numbers(0), title: 't' }, { items: numbers(1), title: 't' }],
    ['1,001 keys', Object.fromEntries(numbers(0).map((n) => [`k${n}`, n])), Object.fromEntries(numbers(0).map((n) => [`k${n}`, -n - 1]))],
  ];
  it.each(large)('%s in one draft, through the server to another replica', async (_, before, after) => {
    const definition = { text: ['/body'] };
    const [a, b] = [await world.open(), await world.open()];
    const { documentId } = a.collection<Doc>('large', definition).create(before as never);
    await world.settle(a, b);
    a.collection<Doc>('large').edit(documentId, ((draft: object) => Object.assign(draft, after)) as never);
    expect(a.get(documentId)?.value).toEqual(after);
    await world.settle(a, b);
    expect(a.quarantined()).toEqual([]);
    expect(b.get(documentId)?.value).toEqual(after);
    await Promise.all([a.close(), b.close()]);
  });

  it('and a limit that is passed is named', async () => {
    const replica = await world.open({ online: false });
    const { documentId } = replica.collection<{ body: string }>('large').create({ body: '' });
    const details = (call: () => unknown): unknown => {
      try {
        return call();
      } catch (error) {
        return [(error as ConcordError).details.limitName, (error as ConcordError).message];
      }
    };
    const operations = Array.from({ length: 1001 }, () => ({ op: 'replace' as const, path: '/body', value: 1 }));
    expect(details(() => replica.collection('large').edit(documentId, operations))).toEqual(['patchOperations', expect.stringContaining('(patchOperations)')]);
    expect(details(() => replica.collection<{ body: string }>('large').edit(documentId, (draft) => void (draft.body = 'a'.repeat(1_100_000))))).toEqual(['documentBytes', expect.stringContaining('(documentBytes)')]);
    expect(details(() => replica.collection('large').edit(documentId, [{ op: 'replace', path: '/body', value: 'a'.repeat(1_200_000) }]))).toEqual(['patchBytes', expect.stringContaining('(patchBytes)')]);
    await replica.close();
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
