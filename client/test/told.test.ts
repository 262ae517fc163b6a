import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalConflict, Replica } from '../index.js';
import { CutProxy } from './cut-proxy.js';
import { until, World } from './world.js';

interface Task {
  status: string;
  text: string;
  items: { id: string; n: number }[];
}

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

const tasks = (replica: Replica) => replica.collection<Task>('tasks');
const fresh = (): Task => ({ status: 'open', text: 'text', items: [{ id: 'p', n: 1 }, { id: 'q', n: 2 }] });
const set = (path: string, value: string | number) => [{ op: 'replace', path, value }] as const;

async function both(id: string): Promise<[Replica, Replica]> {
  const [a, b] = [await world.open(), await world.open()];
  tasks(a).create(fresh(), { id });
  await world.settle(a, b);
  return [a, b];
}

/** `winner` edits without having seen the edit of `loser`, and is later. */
async function quarrel(loser: Replica, winner: Replica, id: string, path = '/status'): Promise<void> {
  await winner.goOffline();
  tasks(winner).edit(id, [...set(path, 'blocked')]);
  tasks(loser).edit(id, [...set(path, 'done')]);
  await world.settle(loser);
  winner.goOnline();
  await world.settle(winner, loser);
}

describe('a loss is told on both sides', () => {
  it('to the one who lost while it is online, with who, what and to whom, once', async () => {
    const [a, b] = await both('online');
    const heard: LocalConflict[] = [];
    a.onConflict((conflict) => heard.push(conflict));
    await quarrel(a, b, 'online');
    expect(a.conflicts('online')).toMatchObject([
      { side: 'earlier', lostHere: true, revision: 3, author: expect.stringMatching(/^test-/) as string, restorable: true, conflict: { rule: 'replaceReplace', lost: 'done' } },
    ]);
    expect(a.conflicts('online')[0]!.explanation).toMatch(/^What you set at \/status \("done"\) lost to the edit of test-\w+ at revision 3 \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\): Both replaced the same value; the later value stands\.$/);
    expect(heard).toEqual(a.conflicts('online'));
    expect(b.conflicts('online')).toMatchObject([{ side: 'later', lostHere: false, revision: 2, otherPatchId: a.conflicts('online')[0]!.patchId }]);
    expect(b.conflicts('online')[0]!.explanation).toMatch(/^What another replica at revision 2 set at \/status \("done"\) lost to the edit of you/);
    await a.goOffline();
    a.goOnline();
    await world.settle(a, b);
    expect(a.conflicts('online')).toHaveLength(1);
    expect(heard).toHaveLength(1);
  });

  it('to the one who lost when it comes back later, also from its file in a new process', async () => {
    const database = world.newFile();
    let a = await world.open({ database });
    const b = await world.open();
    tasks(a).create(fresh(), { id: 'later' });
    await world.settle(a, b);
    await b.goOffline();
    tasks(b).edit('later', [...set('/status', 'blocked')]);
    tasks(a).edit('later', [...set('/status', 'done')]);
    await world.settle(a);
    await a.close();
    b.goOnline();
    await world.settle(b);
    await world.server.restart();
    a = await world.open({ database });
    await world.settle(a);
    expect(a.conflicts('later')).toMatchObject([{ lostHere: true, conflict: { lost: 'done' } }]);
    await a.close();
    a = await world.open({ database });
    await world.settle(a);
    expect(a.conflicts('later')).toHaveLength(1);
  });

  it('in the order in which the two arrive, whoever that is, and nobody else', async () => {
    for (const [first, second, id] of [[0, 1, 'order-ab'], [1, 0, 'order-ba']] as const) {
      const replicas = await both(id);
      const third = await world.open();
      await quarrel(replicas[first], replicas[second], id);
      await world.settle(third);
      expect(replicas[first].conflicts(id).map(({ lostHere }) => lostHere)).toEqual([true]);
      expect(replicas[second].conflicts(id).map(({ lostHere }) => lostHere)).toEqual([false]);
      expect(third.conflicts(id)).toEqual([]);
    }
  });

  it('to each of two who lost to the same later edit', async () => {
    const [a, b] = await both('three');
    const c = await world.open();
    await world.settle(c);
    await c.goOffline();
    tasks(c).edit('three', [...set('/status', 'c'), ...set('/text', 'c')]);
    tasks(a).edit('three', [...set('/status', 'a')]);
    tasks(b).edit('three', [...set('/text', 'b')]);
    await world.settle(a, b);
    c.goOnline();
    await world.settle(c, a, b);
    expect(a.conflicts('three')).toMatchObject([{ conflict: { lost: 'a' }, lostHere: true }]);
    expect(b.conflicts('three')).toMatchObject([{ conflict: { lost: 'b' }, lostHere: true }]);
    expect(c.conflicts('three')).toHaveLength(2);
  });

  it('though the connection breaks while it is asked what was lost', async () => {
    const proxy = await CutProxy.before(world.server.url);
    const [a, b] = [await world.open({ url: proxy.url }), await world.open()];
    tasks(a).create(fresh(), { id: 'cut' });
    await world.settle(a, b);
    await b.goOffline();
    tasks(b).edit('cut', [...set('/status', 'blocked')]);
    tasks(a).edit('cut', [...set('/status', 'done')]);
    await world.settle(a);
    proxy.loseAnswers();
    b.goOnline();
    await world.settle(b);
    expect(a.conflicts('cut')).toEqual([]);
    proxy.cut();
    await world.settle(a);
    expect(a.conflicts('cut')).toHaveLength(1);
    await a.close();
    await proxy.close();
  });

  it('after its changes were compacted away while it was offline', async () => {
    const [a, b] = await both('compacted');
    await b.goOffline();
    tasks(b).edit('compacted', [...set('/status', 'blocked'), ...set('/items/0/n', 9)]);
    tasks(a).edit('compacted', [...set('/status', 'done'), ...set('/items/0/n', 7)]);
    await world.settle(a);
    await a.goOffline();
    b.goOnline();
    await world.settle(b);
    await world.sql(`UPDATE workspaces SET retained_from = position`);
    await world.sql(`DELETE FROM changes`);
    await world.server.restart();
    a.goOnline();
    await world.settle(a);
    expect(a.conflicts('compacted').map(({ conflict, lostHere, restorable }) => [conflict.lost, lostHere, restorable])).toEqual([
      ['done', true, true],
      [7, true, false],
    ]);
    expect(a.restoreConflict(a.conflicts('compacted')[0]!.id)).toMatchObject({ restored: true });
    expect(tasks(a).get('compacted')?.value.status).toBe('done');
    await world.settle(a, b);
  });
});

describe('a document that is deleted by somebody who had not seen an edit', () => {
  it('is told to the one whose edit went with it, and comes back with the edit', async () => {
    const [a, b] = await both('deleted');
    await b.goOffline();
    tasks(b).delete('deleted');
    tasks(a).edit('deleted', [...set('/status', 'done')]);
    await world.settle(a);
    b.goOnline();
    await world.settle(b, a);
    expect(tasks(a).get('deleted')).toBeUndefined();
    const [told] = a.conflicts('deleted');
    expect(told).toMatchObject({ lostHere: true, restorable: true, conflict: { rule: 'editDeleted', lost: 'done' } });
    expect(told!.explanation).toMatch(/^The edit of \/status \("done"\) by you went with the document, which test-\w+ at revision 3 deleted without having seen it/);
    expect(b.conflicts('deleted')).toMatchObject([{ lostHere: false, conflict: { rule: 'editDeleted' } }]);
    expect(a.restoreConflict(told!.id)).toMatchObject({ restored: true, documentId: 'deleted' });
    expect(b.restoreConflict(99_999)).toMatchObject({ restored: false, reason: 'NO_CONFLICT' });
    await world.settle(a, b);
    expect(tasks(b).get('deleted')?.value.status).toBe('done');
    expect(a.restoreConflict(told!.id)).toMatchObject({ restored: false, reason: 'DOCUMENT_THERE' });
  });
});

describe('restoring what a conflict lost', () => {
  it('brings the value back at its place, wherever that is by then, through edits of both and a restart', async () => {
    const database = world.newFile();
    let a = await world.open({ database });
    const b = await world.open();
    tasks(a).create(fresh(), { id: 'moved' });
    await world.settle(a, b);
    await quarrel(a, b, 'moved', '/items/1/n');
    tasks(b).edit('moved', [{ op: 'add', path: '/items/0', value: { id: 'of b', n: 0 } }]);
    await world.settle(b, a);
    await a.goOffline();
    tasks(a).edit('moved', [{ op: 'add', path: '/items/0', value: { id: 'of a', n: 0 } }]);
    await a.close();
    a = await world.open({ database, online: false });
    tasks(a).edit('moved', [{ op: 'move', from: '/items/3', path: '/items/0' }]);
    tasks(b).edit('moved', [{ op: 'add', path: '/items/0', value: { id: 'of b again', n: 0 } }]);
    await world.settle(b);
    a.goOnline();
    await world.settle(a, b);
    const [told] = a.conflicts('moved');
    expect(told?.conflict.lost).toBe('done');
    expect(a.restoreConflict(told!.id)).toMatchObject({ restored: true });
    const q = (replica: Replica) => tasks(replica).get('moved')!.value.items.find(({ id }) => id === 'q');
    expect(q(a)).toEqual({ id: 'q', n: 'done' });
    expect(a.restoreConflict(told!.id)).toMatchObject({ restored: false, reason: 'NOTHING_LOST' });
    await world.settle(a, b);
    expect(q(b)).toEqual({ id: 'q', n: 'done' });
    expect(a.conflicts('moved')).toMatchObject([{ restorable: false }]);
  });

  it('is possible on the side that won as well, before its edit is sent', async () => {
    const [a, b] = await both('winner');
    await b.goOffline();
    tasks(b).edit('winner', [...set('/status', 'blocked')]);
    tasks(a).edit('winner', [...set('/status', 'done')]);
    await world.settle(a);
    const restored = new Promise<void>((resolve) => {
      b.onConflict(({ id }) => {
        expect(b.restoreConflict(id)).toMatchObject({ restored: true });
        resolve();
      });
    });
    b.goOnline();
    await restored;
    await world.settle(b, a);
    expect(tasks(a).get('winner')?.value.status).toBe('done');
  });

  it('is refused where the place is gone', async () => {
    const [a, b] = await both('gone');
    await quarrel(a, b, 'gone', '/items/1/n');
    tasks(b).edit('gone', [{ op: 'remove', path: '/items/1' }]);
    await world.settle(b, a);
    const [told] = a.conflicts('gone');
    expect(a.restoreConflict(told!.id)).toMatchObject({ restored: false, reason: 'NOTHING_LOST' });
    await quarrel(a, b, 'gone', '/items/0/n');
    tasks(a).edit('gone', [{ op: 'remove', path: '/items/0' }]);
    const second = a.conflicts('gone').at(-1)!;
    expect(a.restoreConflict(second.id)).toMatchObject({ restored: false, reason: 'PLACE_GONE' });
    tasks(a).delete('gone');
    expect(a.restoreConflict(second.id)).toMatchObject({ restored: false, reason: 'DOCUMENT_GONE' });
    await until(async () => (await world.log('gone')).at(-1)?.kind === 'DELETE');
  });
});
