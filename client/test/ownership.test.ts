import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, expectTypeOf, it } from 'vitest';
import { ConcordError } from '@concord/core';
import { DocumentsDocument, openReplica, type DeepReadonly, type DocumentView, type Replica } from '../index.js';

interface Card {
  title: string;
  tags: string[];
  box: { items: { n: number }[] };
}
const card = (): Card => ({ title: 'a', tags: ['z', 'y', 'x'], box: { items: [{ n: 1 }, { n: 2 }] } });

/** Every container that can be reached. */
function containers(value: unknown): object[] {
  return typeof value !== 'object' || value === null ? [] : [value, ...Object.values(value).flatMap(containers)];
}
const allFrozen = (value: unknown): boolean => containers(value).every(Object.isFrozen);

function refusal(work: () => unknown): ConcordError {
  try {
    work();
  } catch (error) {
    if (error instanceof ConcordError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('what a replica takes and hands out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'concord-ownership-'));
  let files = 0;
  const open: Replica[] = [];
  const newFile = () => join(folder, `${files++}.db`);
  const openOffline = async (database = newFile()): Promise<Replica> => {
    const replica = await openReplica({ url: 'http://127.0.0.1:1/graphql', token: 'a.b', database, online: false });
    open.push(replica);
    return replica;
  };
  afterAll(async () => {
    await Promise.all(open.map((replica) => replica.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('is a copy of what was given: whatever the app does to its own object later is not in the document', async () => {
    const database = newFile();
    const replica = await openOffline(database);
    const cards = replica.collection<Card>('cards');
    const given = card();
    cards.create(given, { id: 'd' });
    const item = { n: 3 };
    const patch: { op: 'add'; path: string; value: { n: number } }[] = [{ op: 'add', path: '/box/items/-', value: item }];
    cards.edit('d', patch);
    let escaped: Card | undefined;
    const returned = { ...card(), title: 'returned' };
    cards.edit('d', (draft) => {
      escaped = draft;
      draft.tags.push('w');
      draft.box.items.push({ n: 4 });
    });
    cards.create(returned, { id: 'e' });
    cards.edit('e', () => ({ ...returned, title: 'again' }));

    for (const mine of [given, returned, escaped!]) {
      mine.tags.sort();
      mine.box.items.length = 0;
      mine.title = undefined as never;
    }
    item.n = 99;
    patch[0]!.path = '/elsewhere';
    expect(replica.get<Card>('d')?.value).toEqual({ title: 'a', tags: ['z', 'y', 'x', 'w'], box: { items: [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }] } });
    expect(replica.get<Card>('e')?.value).toEqual({ ...card(), title: 'again' });
    const shown = [replica.get('d')?.value, replica.get('e')?.value];
    await replica.close();
    const reopened = await openOffline(database);
    expect([reopened.get('d')?.value, reopened.get('e')?.value]).toEqual(shown);
  });

  it('is frozen all through, wherever it is handed out', async () => {
    const replica = await openOffline();
    const cards = replica.collection<Card>('cards');
    cards.create(card(), { id: 'd' });
    cards.edit('d', [{ op: 'add', path: '/box/items/0', value: { n: 0 } }, { op: 'copy', from: '/box', path: '/box2' }]);
    cards.edit('d', (draft) => void draft.tags.push('w'));
    let watched: DocumentView<Card> | undefined;
    cards.watch('d', (document) => (watched = document));
    const answered = await replica.client.query(DocumentsDocument, {}).toPromise();
    const shown: Record<string, unknown> = {
      get: replica.get('d'),
      collection: cards.get('d'),
      watched,
      all: cards.query().all(),
      pending: replica.pending(),
      conflicts: replica.conflicts(),
      quarantined: replica.quarantined(),
      status: replica.status,
      answered: answered.data,
    };
    for (const [what, value] of Object.entries(shown)) expect([what, value !== undefined, allFrozen(value)]).toEqual([what, true, true]);
    expect(() => (cards.get('d')!.value.tags as string[]).sort()).toThrow(TypeError);
    expect(cards.get('d')!.value.tags).toEqual(['z', 'y', 'x', 'w']);
  });

  it('may be altered nowhere by the types, and a draft everywhere', () => {
    expectTypeOf<DeepReadonly<Card>>().toEqualTypeOf<{
      readonly title: string;
      readonly tags: readonly string[];
      readonly box: { readonly items: readonly { readonly n: number }[] };
    }>();
    expectTypeOf<DeepReadonly<unknown>>().toEqualTypeOf<unknown>();
    expectTypeOf<DeepReadonly<[string, { a: number[] }]>>().toEqualTypeOf<readonly [string, { readonly a: readonly number[] }]>();
    expectTypeOf<DocumentView<Card>>().toExtend<DocumentView>();
  });

  it('can be given again: a value that was read makes another document', async () => {
    const replica = await openOffline();
    const cards = replica.collection<Card>('cards');
    cards.create(card(), { id: 'd' });
    cards.create(cards.get('d')!.value, { id: 'copy' });
    cards.edit('copy', (draft) => void draft.tags.pop());
    expect([cards.get('d')!.value.tags, cards.get('copy')!.value.tags]).toEqual([
      ['z', 'y', 'x'],
      ['z', 'y'],
    ]);
  });

  it('is the same object until something of it changes', async () => {
    const replica = await openOffline();
    const cards = replica.collection<Card>('cards');
    cards.create(card(), { id: 'd' });
    cards.create(card(), { id: 'e' });
    const before = replica.get('d')!;
    const query = cards.query({ orderBy: '/title' });
    const rows = query.all();
    expect(replica.get('d')).toBe(before);
    expect(cards.get('d')).toBe(before);
    expect(rows[0]).toBe(before);
    expect(query.all()).toBe(rows);

    cards.edit('e', (draft) => void (draft.title = 'b'));
    expect(replica.get('d')).toBe(before);
    expect(query.all()).not.toBe(rows);
    expect(query.all()[0]).toBe(before);

    cards.edit('d', (draft) => void (draft.title = 'c'));
    expect(replica.get('d')).not.toBe(before);
    // What has not changed is shared.
    expect(cards.get('d')!.value.box).toBe((before as DocumentView<Card>).value.box);
  });

  it('works with a hook that reads a snapshot until it stays the same', async () => {
    const replica = await openOffline();
    const cards = replica.collection<Card>('cards');
    cards.create(card(), { id: 'd' });
    const query = cards.query({ where: [{ path: '/title', operator: 'NOT_EQUALS', value: 'gone' }] });
    const stores: { readonly subscribe: (changed: () => void) => () => void; readonly snapshot: () => unknown }[] = [
      { subscribe: (changed) => cards.watch('d', changed), snapshot: () => cards.get('d') },
      { subscribe: (changed) => query.subscribe(changed), snapshot: () => query.all() },
      { subscribe: (changed) => replica.onStatus(changed), snapshot: () => replica.status },
    ];
    for (const { subscribe, snapshot } of stores) {
      let renders = 0;
      let shown = snapshot();
      const changed = (): void => {
        if (Object.is(shown, snapshot())) return;
        shown = snapshot();
        renders++;
      };
      const stop = subscribe(changed);
      expect([renders, Object.is(shown, snapshot())]).toEqual([0, true]);
      cards.increment('d', '/box/items/0/n');
      await new Promise((resolve) => setImmediate(resolve));
      expect([renders, Object.is(shown, snapshot())]).toEqual([1, true]);
      stop();
    }
  });

  it('does not have members that are undefined, as in JSON', async () => {
    const replica = await openOffline();
    const notes = replica.collection<unknown>('notes');
    notes.create({ a: 1, b: undefined, c: { d: undefined, e: [{ f: undefined }] } }, { id: 'd' });
    expect(Object.keys(replica.get<object>('d')!.value)).toEqual(['a', 'c']);
    expect(replica.get('d')!.value).toStrictEqual({ a: 1, c: { e: [{}] } });
    notes.edit('d', (draft) => void ((draft as { a?: number }).a = undefined as never));
    notes.edit('d', [{ op: 'add', path: '/g', value: { h: undefined } as never }]);
    expect(replica.get('d')!.value).toStrictEqual({ c: { e: [{}] }, g: {} });
  });

  it('is refused where it is not JSON, with the place, by every door', async () => {
    const replica = await openOffline();
    const notes = replica.collection<unknown>('notes');
    notes.create({ at: {} }, { id: 'd' });
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const cases: [unknown, string, string][] = [
      [[1, undefined], 'VALUE_INVALID', '/1'],
      // eslint-disable-next-line no-sparse-arrays
      [[1, , 2], 'VALUE_INVALID', '/1'],
      [{ n: 1n }, 'VALUE_INVALID', '/n'],
      [{ f: () => 1 }, 'VALUE_INVALID', '/f'],
      [{ s: Symbol('s') }, 'VALUE_INVALID', '/s'],
      [{ when: new Date() }, 'VALUE_INVALID', '/when'],
      [{ m: new Map() }, 'VALUE_INVALID', '/m'],
      [{ s: new Set() }, 'VALUE_INVALID', '/s'],
      [{ b: new Uint8Array(2) }, 'VALUE_INVALID', '/b'],
      [{ u: new URL('http://a/') }, 'VALUE_INVALID', '/u'],
      [{ n: Number.NaN }, 'VALUE_INVALID', '/n'],
      [{ t: '\ud800' }, 'VALUE_INVALID', '/t'],
      [{ get throws() { throw new Error('mine'); } }, 'VALUE_INVALID', '/throws'],
      [cycle, 'LIMIT_EXCEEDED', '/self'],
    ];
    for (const [value, code, path] of cases) {
      const doors: [() => unknown, string][] = [
        [() => notes.create(value), path],
        [() => notes.edit('d', [{ op: 'add', path: '/at/x', value: value as never }]), `/at/x${path}`],
        [() => notes.edit('d', (draft) => void ((draft as Record<string, unknown>)['x'] = value)), `/x${path}`],
      ];
      for (const [door, place] of doors) {
        const refused = refusal(door);
        expect([refused.code, refused.details.path?.slice(0, place.length)]).toEqual([code, place]);
      }
    }
    expect(replica.pending()).toHaveLength(1);
    expect(replica.get('d')?.value).toEqual({ at: {} });
  });
});
