import { describe, expect, it } from 'vitest';
import { canonicalJson, type JsonValue } from '@concord/core';
import { DOCUMENT, edit, newId, onServer, openC, openTs, server } from './world.js';

describe('C replicas and TypeScript replicas', () => {
  it('edit the same document offline and end identical', async () => {
    const id = newId();
    const c = openC();
    const ts = await openTs();
    const notes = ts.collection<Record<string, JsonValue>>('notes');
    await c.create(id, { title: 'Plan', items: ['a', 'b', 'c'], text: 'hello world', count: 1, meta: { x: 1 } });
    await c.sync();
    await ts.settled({ timeoutMs: 10_000 });
    expect(notes.get(id)?.value).toEqual({ title: 'Plan', items: ['a', 'b', 'c'], text: 'hello world', count: 1, meta: { x: 1 } });

    await ts.goOffline();
    notes.edit(id, [
      { op: 'add', path: '/items/1', value: 'ts' },
      { op: 'str_ins', path: '/text', pos: 5, str: ', 😀' },
      { op: 'inc', path: '/count', value: 10 },
    ]);
    notes.edit(id, [{ op: 'move', from: '/items/0', path: '/items/3' }]);
    await c.patch(id, [{ op: 'add', path: '/items/1', value: 'c1' }]);
    await c.patch(id, [{ op: 'add', path: '/items/2', value: 'c2' }]);
    await c.patch(id, [{ op: 'str_del', path: '/text', pos: 0, len: 5 }, { op: 'inc', path: '/count', value: 100 }]);
    await c.patch(id, [{ op: 'replace', path: '/title', value: 'Plan é' }]);
    expect((await c.get(id)).value).toMatchObject({ items: ['a', 'c1', 'c2', 'b', 'c'], count: 101, text: ' world' });

    ts.goOnline();
    await ts.settled({ timeoutMs: 10_000 });
    await c.sync();
    await ts.settled({ timeoutMs: 10_000 });
    await expect.poll(() => notes.get(id)?.value.count).toBe(111);
    const truth = canonicalJson(await onServer(id));
    const { value, pending } = await c.get(id);
    expect(pending).toBe(false);
    expect(canonicalJson(value)).toBe(truth);
    expect(canonicalJson(notes.get(id)?.value ?? null)).toBe(truth);
    expect(value).toMatchObject({ title: 'Plan é', count: 111, text: ', 😀 world' });
  });

  it('converge over rounds of random edits', async () => {
    let seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    process.stdout.write(`  SEED=${seed}\n`);
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    const id = newId();
    const c = openC();
    const other = openC();
    const ts = await openTs();
    const notes = ts.collection<{ list: JsonValue[]; text: string; n: number; map: Record<string, JsonValue> }>('notes');
    await c.create(id, { list: [1, 2, 3], text: 'abcdef', n: 0, map: {} });
    await c.sync();
    await other.sync();
    await ts.settled({ timeoutMs: 10_000 });

    type Shape = { readonly list: readonly JsonValue[]; readonly text: string; readonly n: number; readonly map: Readonly<Record<string, JsonValue>> };
    const next = (value: Shape): unknown[] => {
      const { list, text } = value;
      switch (random(8)) {
        case 0:
          return [{ op: 'add', path: `/list/${random(list.length + 1)}`, value: random(100) }];
        case 1:
          return list.length > 0 ? [{ op: 'remove', path: `/list/${random(list.length)}` }] : [{ op: 'add', path: '/list/-', value: 'x' }];
        case 2:
          return list.length > 1
            ? [{ op: 'move', from: `/list/${random(list.length)}`, path: `/list/${random(list.length)}` }]
            : [{ op: 'add', path: '/list/0', value: [] }];
        case 3:
          return [{ op: 'str_ins', path: '/text', pos: 0, str: String.fromCodePoint(0x1f600 + random(30)) }];
        case 4:
          return [{ op: 'str_ins', path: '/text', pos: text.length, str: `${random(10)}` }];
        case 5:
          return /[a-z0-9]$/.test(text) ? [{ op: 'str_del', path: '/text', pos: text.length - 1, len: 1 }] : [{ op: 'inc', path: '/n', value: 1 }];
        case 6:
          return [{ op: 'inc', path: '/n', value: random(20) - 10 }];
        default:
          return [{ op: 'add', path: `/map/k${random(3)}`, value: { at: random(9) } }];
      }
    };
    for (let round = 0; round < Number(process.env['ROUNDS'] ?? 8); round++) {
      await ts.goOffline();
      for (let count = random(5); count >= 0; count--) notes.edit(id, next(notes.get(id)!.value) as never);
      for (const replica of [c, other]) {
        for (let count = random(5); count >= 0; count--) await replica.patch(id, next((await replica.get(id)).value as never) as never);
      }
      const order = random(2) === 0 ? [c, other] : [other, c];
      await order[0]!.sync();
      ts.goOnline();
      await ts.settled({ timeoutMs: 10_000 });
      await order[1]!.sync();
    }
    await c.sync();
    await other.sync();
    await ts.settled({ timeoutMs: 10_000 });
    const truth = canonicalJson(await onServer(id));
    await expect.poll(() => canonicalJson(notes.get(id)!.value)).toBe(truth);
    for (const replica of [c, other]) {
      expect(canonicalJson((await replica.get(id)).value)).toBe(truth);
      expect(await replica.info()).toMatchObject({ pending: 0, quarantined: 0 });
    }
  });

  it('shows every running replica the same in the end', async () => {
    const id = newId();
    const [one, two] = [openC(), openC()];
    const ts = await openTs();
    const notes = ts.collection<{ n: number; text: string }>('notes');
    await one.create(id, { n: 0, text: '' });
    await one.must('start');
    await two.must('start');
    await two.heard(({ event, document }) => event === DOCUMENT && document === id);
    await expect.poll(() => notes.get(id)?.value.n).toBe(0);
    for (let count = 0; count < 20; count++) {
      await one.patch(id, [{ op: 'inc', path: '/n', value: 1 }, { op: 'str_ins', path: '/text', pos: 0, str: 'a' }]);
      await two.patch(id, [{ op: 'inc', path: '/n', value: 100 }, { op: 'str_ins', path: '/text', pos: 0, str: 'b' }]);
      notes.edit(id, [{ op: 'inc', path: '/n', value: 10_000 }, { op: 'str_ins', path: '/text', pos: 0, str: 'c' }]);
    }
    await expect.poll(async () => ((await onServer(id)) as { n: number }).n, { timeout: 10_000 }).toBe(202_020);
    const truth = await onServer(id);
    for (const replica of [one, two]) await expect.poll(async () => (await replica.get(id)).value, { timeout: 10_000 }).toEqual(truth);
    await expect.poll(() => notes.get(id)?.value).toEqual(truth);
  });

  it('lists what the merge dropped', async () => {
    const id = newId();
    const c = openC();
    await c.create(id, { title: 'old', tags: ['x'] });
    await c.sync();
    await edit(id, [{ op: 'remove', path: '/tags' }]);
    await c.patch(id, [{ op: 'add', path: '/tags/-', value: 'mine' }]);
    await c.sync();
    expect(await onServer(id)).toEqual({ title: 'old' });
    expect((await c.get(id)).value).toEqual({ title: 'old' });
    expect(await c.must('conflicts')).toEqual([expect.objectContaining({ document: id, ownLost: true, lost: 'mine' })]);
  });

  it('sets refused edits aside with those made on top of them, and lets others pass', async () => {
    const id = newId();
    const fine = newId();
    const c = openC();
    await c.create(id, { n: 0 });
    await c.create(fine, { n: 0 });
    await c.sync();
    await server.graphql('mutation ($id: ID!) { deleteDocument(id: $id) { __typename } }', { id });
    await c.patch(id, [{ op: 'inc', path: '/n', value: 1 }]);
    await c.patch(fine, [{ op: 'inc', path: '/n', value: 5 }]);
    await c.patch(id, [{ op: 'inc', path: '/n', value: 2 }]);
    await c.sync();
    expect(await onServer(fine)).toEqual({ n: 5 });
    expect(await c.quarantine()).toEqual([
      { document: id, kind: 'PATCH', code: 'DOCUMENT_DELETED', payload: [{ op: 'inc', path: '/n', value: 1 }] },
      { document: id, kind: 'PATCH', code: 'PATCH_DEPENDS_ON_REFUSED', payload: [{ op: 'inc', path: '/n', value: 2 }] },
    ]);
    expect(await c.get(id)).toMatchObject({ value: { n: 0 }, deleted: true, pending: false });
    await c.must('restore', id);
    await c.patch(id, [{ op: 'inc', path: '/n', value: 7 }]);
    await c.sync();
    expect(await onServer(id)).toEqual({ n: 7 });
    expect(await c.get(id)).toMatchObject({ value: { n: 7 }, deleted: false, pending: false });
  });

  it('sets a creation aside whose id is taken, and shows the other document', async () => {
    const id = newId();
    const [one, two] = [openC(), openC()];
    await one.create(id, { by: 'one' }, 'One');
    await two.create(id, { by: 'two' }, 'Two');
    await two.patch(id, [{ op: 'add', path: '/more', value: true }]);
    await one.sync();
    await two.sync();
    expect((await two.quarantine()).map(({ code }) => code)).toEqual(['DOCUMENT_EXISTS', 'PATCH_DEPENDS_ON_REFUSED']);
    expect(await two.get(id)).toMatchObject({ value: { by: 'one' }, title: 'One', pending: false });
    await two.patch(id, [{ op: 'add', path: '/more', value: 2 }]);
    await two.sync();
    expect(await onServer(id)).toEqual({ by: 'one', more: 2 });
  });
});
