import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeepReadonly, Replica } from '../index.js';
import { live, World } from './world.js';

interface Note {
  text: string;
  tags: string[];
  likes: number;
  done?: boolean;
  parts?: { id: string; n: number }[];
  box?: Record<string, unknown>;
}

describe('two replicas of one workspace', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  const notes = (replica: Replica) => replica.collection<Note>('notes');

  it('see each other\'s documents and edits by subscription, without polling', async () => {
    const [a, b] = [await world.open(), await world.open()];
    await Promise.all([live(a), live(b)]);
    const arrived = new Promise<DeepReadonly<Note>>((resolve) => {
      b.watch<Note>('hello', (document) => {
        if (document !== undefined && document.value.likes === 2) resolve(document.value);
      });
    });
    notes(a).create({ text: 'Hello', tags: [], likes: 1 }, { id: 'hello', title: 'First' });
    notes(a).increment('hello', '/likes');
    expect(await arrived).toEqual({ text: 'Hello', tags: [], likes: 2 });
    expect(b.get('hello')?.title).toBe('First');
    await world.settle(a, b);
    expect(a.status).toMatchObject({ connection: 'live', upToDate: true, pending: 0, lastError: null });
  });

  it('exchange less than 20 kB when one of them resumes after a hundred changes', async () => {
    const [a, b] = [await world.open(), await world.open()];
    const ids = Array.from({ length: 100 }, (_, n) => `resumed-${n}`);
    for (const id of ids) notes(a).create({ text: 'x'.repeat(1000), tags: [], likes: 0 }, { id });
    await world.settle(a, b);
    await b.goOffline();
    for (const id of ids) notes(a).increment(id, '/likes');
    await world.settle(a);
    const before = b.bytes();
    b.goOnline();
    await live(b);
    const { sent, received } = b.bytes();
    expect(ids.map((id) => notes(b).get(id)?.value.likes)).toEqual(ids.map(() => 1));
    expect(sent - before.sent + received - before.received).toBeLessThan(20_000);
  });

  it('edit the same document offline in every way and end identical to the server', async () => {
    const fileA = world.newFile();
    let a = await world.open({ database: fileA });
    const b = await world.open();
    notes(a).create(
      { text: 'The quick fox', tags: ['x', 'y', 'z'], likes: 0, parts: [{ id: 'p', n: 1 }, { id: 'q', n: 2 }, { id: 'r', n: 3 }], box: { k: 1 } },
      { id: 'shared' },
    );
    await world.settle(a, b);
    await Promise.all([a.goOffline(), b.goOffline()]);

    notes(a).edit('shared', [{ op: 'add', path: '/tags/1', value: 'from A' }]);
    notes(a).insertText('shared', '/text', 4, 'very ');
    notes(a).increment('shared', '/likes', 5);
    notes(a).edit('shared', [{ op: 'move', from: '/parts/0', path: '/parts/2' }]);
    notes(a).edit('shared', (note) => {
      note.done = true;
    });
    // A restart while offline keeps everything.
    await a.close();
    a = await world.open({ database: fileA, online: false });
    expect(a.status.pending).toBe(5);
    expect(notes(a).get('shared')?.value.text).toBe('The very quick fox');
    notes(a).edit('shared', [{ op: 'replace', path: '/box', value: { whole: 'new' } }]);

    notes(b).edit('shared', [{ op: 'add', path: '/tags/1', value: 'from B' }, { op: 'remove', path: '/tags/0' }]);
    notes(b).insertText('shared', '/text', 13, ' jumps');
    notes(b).deleteText('shared', '/text', 0, 4);
    notes(b).increment('shared', '/likes', 7);
    notes(b).edit('shared', [{ op: 'replace', path: '/parts/0/n', value: 100 }]);
    notes(b).edit('shared', [{ op: 'add', path: '/box/inner', value: 'lost' }]);

    a.goOnline();
    b.goOnline();
    await world.settle(a, b);
    const server = await world.serverDocuments();
    expect(a.get('shared')?.value).toEqual(server['shared']);
    expect(b.get('shared')?.value).toEqual(server['shared']);
    expect(server['shared']).toEqual({
      text: 'very quick fox jumps',
      tags: expect.arrayContaining(['from A', 'from B', 'y', 'z']) as unknown,
      likes: 12,
      done: true,
      parts: [{ id: 'q', n: 2 }, { id: 'r', n: 3 }, { id: 'p', n: 100 }],
      box: { whole: 'new' },
    });
    expect([...a.conflicts('shared'), ...b.conflicts('shared')].map(({ conflict }) => conflict.rule)).toContain('insideReplaced');
  });

  it('delete and restore, and an edit concurrent with a deletion is kept in quarantine', async () => {
    const [a, b] = [await world.open(), await world.open()];
    notes(a).create({ text: 'doomed', tags: [], likes: 0 }, { id: 'doomed' });
    notes(a).create({ text: 'other', tags: [], likes: 0 }, { id: 'other' });
    await world.settle(a, b);
    await b.goOffline();
    notes(b).insertText('doomed', '/text', 0, 'not ');
    notes(b).increment('other', '/likes');
    notes(a).delete('doomed');
    await world.settle(a);
    b.goOnline();
    await world.settle(b, a);
    expect(notes(b).get('doomed')).toBeUndefined();
    expect(b.quarantined()).toMatchObject([{ documentId: 'doomed', kind: 'PATCH', code: 'DOCUMENT_DELETED' }]);
    expect(b.quarantined()[0]?.patch).toEqual([{ op: 'str_ins', path: '/text', pos: 0, str: 'not ' }]);
    expect(notes(a).get('other')?.value.likes).toBe(1);

    notes(b).restore('doomed');
    notes(b).insertText('doomed', '/text', 0, 'un');
    await world.settle(b, a);
    expect(notes(a).get('doomed')?.value.text).toBe('undoomed');
    expect(a.get('doomed')).toMatchObject({ deleted: false, pendingEdits: 0 });
  });
});
