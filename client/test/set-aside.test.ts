import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Replica } from '../index.js';
import { CutProxy } from './cut-proxy.js';
import { live, reaches, until, World } from './world.js';

interface Note {
  text: string;
  n: number;
  list: string[];
}

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

const notes = (replica: Replica) => replica.collection<Note>('notes');
const fresh = (): Note => ({ text: 'text', n: 0, list: ['a', 'b'] });

/** Two replicas that have the document. */
async function both(id: string): Promise<[Replica, Replica]> {
  const [a, b] = [await world.open(), await world.open()];
  notes(a).create(fresh(), { id });
  await world.settle(a, b);
  return [a, b];
}

/** A guarded edit of `a` that the server refuses because `b` was first. */
async function refused(a: Replica, b: Replica, id: string): Promise<string> {
  await a.goOffline();
  const { patchId } = notes(a).edit(id, [
    { op: 'test', path: '/n', value: 0 },
    { op: 'replace', path: '/text', value: 'mine' },
    { op: 'move', from: '/list/0', path: '/list/1' },
    { op: 'remove', path: '/list/0' },
  ]);
  notes(b).increment(id, '/n');
  await world.settle(b);
  a.goOnline();
  await world.settle(a, b);
  return patchId!;
}

describe('an edit in quarantine', () => {
  it('is handed out in the form that edit takes, with what was there before it', async () => {
    const [a, b] = await both('form');
    const patchId = await refused(a, b, 'form');
    const [edit] = a.quarantined();
    expect(edit).toMatchObject({ patchId, documentId: 'form', kind: 'PATCH', code: 'TEST_FAILED', revision: 2 });
    expect(edit!.patch).toEqual([
      { op: 'test', path: '/n', value: 0 },
      { op: 'replace', path: '/text', value: 'mine' },
      { op: 'move', from: '/list/0', path: '/list/1' },
      { op: 'remove', path: '/list/0' },
    ]);
    expect(edit!.replaced).toEqual([
      { path: '/text', value: 'text' },
      { path: '/list/0', value: 'a' },
      { path: '/list/0', value: 'b' },
    ]);
    notes(a).edit('form', edit!.patch.slice(1));
    expect(notes(a).get('form')?.value).toEqual({ text: 'mine', n: 1, list: ['a'] });
  });

  it('can be retried with a changed patch, as a new edit that is committed once', async () => {
    const [a, b] = await both('changed');
    const patchId = await refused(a, b, 'changed');
    expect(() => a.retryQuarantined(patchId)).toThrow(expect.objectContaining({ code: 'TEST_FAILED' }));
    expect(a.status.quarantined).toBe(1);
    expect(() => a.retryQuarantined(patchId, [{ op: 'replace', path: '/nothing', value: 1 }])).toThrow(expect.objectContaining({ code: 'PATH_NOT_FOUND' }));
    expect(a.quarantined()).toHaveLength(1);
    const retried = a.retryQuarantined(patchId, a.quarantined()[0]!.patch.slice(1));
    expect(retried.patchId).not.toBe(patchId);
    expect(a.quarantined()).toEqual([]);
    await world.settle(a, b);
    expect(a.status.quarantined).toBe(0);
    expect(notes(b).get('changed')?.value).toEqual({ text: 'mine', n: 1, list: ['a'] });
    expect((await world.log('changed')).map((change) => change.patchId)).toEqual([expect.any(String), expect.any(String), retried.patchId]);
    expect(() => a.retryQuarantined(patchId)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
    expect(a.discardQuarantined(patchId)).toBe(false);
  });

  it('leaves the quarantine where a retry has nothing left to change', async () => {
    const [a, b] = await both('nothing-left');
    const patchId = await refused(a, b, 'nothing-left');
    expect(a.retryQuarantined(patchId, [])).toEqual({ documentId: 'nothing-left', patchId: null });
    expect(a.quarantined()).toEqual([]);
  });

  it('of a document that was deleted meanwhile can be retried once the document is back', async () => {
    const [a, b] = await both('deleted');
    await b.goOffline();
    notes(b).edit('deleted', [{ op: 'replace', path: '/text', value: 'kept' }]);
    notes(a).delete('deleted');
    await world.settle(a);
    b.goOnline();
    await world.settle(b);
    const { patchId } = b.quarantined()[0]!;
    expect(() => b.retryQuarantined(patchId)).toThrow(expect.objectContaining({ code: 'DOCUMENT_DELETED' }));
    notes(b).restore('deleted');
    b.retryQuarantined(patchId);
    await world.settle(b, a);
    expect(notes(a).get('deleted')?.value.text).toBe('kept');
    expect(b.quarantined()).toEqual([]);
  });

  it('that created a document whose id was taken is made under another id, changed or not', async () => {
    const [a, b] = [await world.open(), await world.open()];
    await Promise.all([live(a), live(b)]);
    await b.goOffline();
    notes(b).create({ ...fresh(), text: 'second' }, { id: 'taken', title: 'Second' });
    notes(a).create({ ...fresh(), text: 'first' }, { id: 'taken' });
    await world.settle(a);
    b.goOnline();
    await world.settle(b);
    const { patchId, patch } = b.quarantined()[0]!;
    expect(patch).toEqual([{ op: 'add', path: '', value: { ...fresh(), text: 'second' } }]);
    expect(() => b.retryQuarantined(patchId)).toThrow(expect.objectContaining({ code: 'DOCUMENT_EXISTS' }));
    b.retryQuarantined(patchId, [...patch, { op: 'replace', path: '/n', value: 7 }], { id: 'taken-2' });
    await world.settle(b, a);
    expect(a.get('taken-2')).toMatchObject({ title: 'Second', value: { text: 'second', n: 7 } });
    expect(b.quarantined()).toEqual([]);
  });

  it('survives the death of the process with all that is told of it', async () => {
    const database = world.newFile();
    const [a, b] = [await world.open({ database }), await world.open()];
    notes(a).create(fresh(), { id: 'reopened' });
    await world.settle(a, b);
    const patchId = await refused(a, b, 'reopened');
    const before = a.quarantined();
    await a.close();
    const again = await world.open({ database, online: false });
    expect(again.quarantined()).toEqual(before);
    again.retryQuarantined(patchId, before[0]!.patch.slice(1, 2));
    await again.close();
    const third = await world.open({ database });
    expect(third.quarantined()).toEqual([]);
    await world.settle(third, b);
    expect(notes(b).get('reopened')?.value.text).toBe('mine');
  });
});

describe('a pending edit', () => {
  it('is handed out in the form that edit takes', async () => {
    const a = await world.open({ online: false });
    notes(a).create(fresh(), { id: 'pending' });
    const { patchId } = notes(a).edit('pending', [{ op: 'add', path: '/list/0', value: 'x' }]);
    notes(a).delete('pending');
    expect(a.pending()).toMatchObject([
      { kind: 'CREATE', patch: [{ op: 'add', path: '', value: fresh() }], sent: false },
      { kind: 'PATCH', patchId, patch: [{ op: 'add', path: '/list/0', value: 'x' }], sent: false },
      { kind: 'DELETE', patch: [] },
    ]);
  });

  it('that was never sent can be withdrawn, and what was made after it stays', async () => {
    const [a, b] = await both('withdrawn');
    await a.goOffline();
    const first = notes(a).edit('withdrawn', [{ op: 'add', path: '/list/0', value: 'x' }, { op: 'replace', path: '/text', value: 'typed' }]);
    notes(a).edit('withdrawn', [{ op: 'add', path: '/list/3', value: 'later' }]);
    const inside = notes(a).insertText('withdrawn', '/text', 5, '!');
    expect(a.withdraw(first.patchId!)).toEqual({ withdrawn: true, documentId: 'withdrawn', patchId: first.patchId });
    expect(a.withdraw(first.patchId!)).toMatchObject({ withdrawn: false, reason: 'NOT_PENDING' });
    expect(notes(a).get('withdrawn')?.value).toEqual({ text: 'text', n: 0, list: ['a', 'b', 'later'] });
    expect(a.conflicts('withdrawn')).toMatchObject([{ patchId: inside.patchId, conflict: { loser: 'later', lost: '!' } }]);
    a.goOnline();
    await world.settle(a, b);
    expect(notes(b).get('withdrawn')?.value).toEqual({ text: 'text', n: 0, list: ['a', 'b', 'later'] });
    expect((await world.log('withdrawn')).map((change) => change.patchId)).not.toContain(first.patchId);
    expect(a.quarantined()).toEqual([]);
  });

  it('is not withdrawn when it may have reached the server, or when others cannot be without it', async () => {
    const a = await world.open({ online: false });
    const created = notes(a).create(fresh(), { id: 'needed' });
    const { patchId } = notes(a).increment('needed', '/n');
    expect(a.withdraw(created.patchId!)).toMatchObject({ withdrawn: false, reason: 'NEEDED' });
    expect(a.withdraw(patchId!)).toMatchObject({ withdrawn: true });
    expect(a.withdraw(created.patchId!)).toMatchObject({ withdrawn: true });
    expect(a.get('needed')).toBeUndefined();
    expect(a.pending()).toEqual([]);
    await reaches(a, ({ pending }) => pending === 0);

    const proxy = await CutProxy.before(world.server.url);
    const b = await world.open({ url: proxy.url });
    await world.settle(b);
    proxy.loseAnswers();
    const again = notes(b).create(fresh(), { id: 'needed' });
    await until(async () => (await world.log('needed')).length === 1);
    expect(b.pending()).toMatchObject([{ patchId: again.patchId, sent: true }]);
    expect(b.withdraw(again.patchId!)).toMatchObject({ withdrawn: false, reason: 'SENT' });
    proxy.cut();
    await world.settle(b);
    expect(b.withdraw(again.patchId!)).toMatchObject({ withdrawn: false, reason: 'NOT_PENDING' });
    expect(await world.log('needed')).toHaveLength(1);
    await b.close();
    await proxy.close();
  });
});
