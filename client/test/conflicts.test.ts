import { afterAll, beforeAll, expect, it } from 'vitest';
import { WatchConflictsDocument, type LocalConflict, type WatchConflictsSubscription } from '../index.js';
import { live, World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

it('a conflict is told to listeners where it is found, and over the subscription to everybody else', async () => {
  const [here, there] = [await world.open(), await world.open()];
  here.collection('notes').create({ text: 'first' }, { id: 'quarrel' });
  await world.settle(here, there);
  const found: LocalConflict[] = [];
  const stop = there.onConflict((conflict) => found.push(conflict));
  const batches: NonNullable<WatchConflictsSubscription['conflicts']>[] = [];
  let arrived: () => void = () => undefined;
  const told = new Promise<void>((resolve) => (arrived = resolve));
  await live(here);
  const begun = new Promise<void>((resolve) => {
    const subscription = here.client.subscription(WatchConflictsDocument, { documentId: 'quarrel' }).subscribe(({ data }) => {
      if (data === undefined) return;
      batches.push(data.conflicts);
      resolve();
      if (data.conflicts.conflicts.length === 0) return;
      arrived();
      queueMicrotask(() => subscription.unsubscribe());
    });
  });
  await begun;

  await there.goOffline();
  there.collection('notes').edit('quarrel', [{ op: 'replace', path: '/text', value: 'theirs' }]);
  here.collection('notes').edit('quarrel', [{ op: 'replace', path: '/text', value: 'ours' }]);
  await world.settle(here);
  expect(found).toEqual([]);
  there.goOnline();
  await world.settle(there, here);
  await told;

  expect(found).toMatchObject([{ documentId: 'quarrel', revision: 2, conflict: { rule: 'replaceReplace', lost: 'ours' } }]);
  expect(there.conflicts()).toEqual(found);
  expect(batches).toMatchObject([
    { conflicts: [], upToDate: true },
    { conflicts: [{ documentId: 'quarrel', revision: 2, rule: 'replaceReplace', lost: 'ours', restore: [{ op: 'replace', path: '/text', value: 'ours' }] }] },
  ]);

  stop();
  there.dismissConflict(found[0]!.id);
  await there.goOffline();
  there.collection('notes').edit('quarrel', [{ op: 'replace', path: '/text', value: 'theirs again' }]);
  here.collection('notes').edit('quarrel', [{ op: 'replace', path: '/text', value: 'ours again' }]);
  await world.settle(here);
  there.goOnline();
  await world.settle(there, here);
  expect(there.conflicts()).toHaveLength(1);
  expect(found).toHaveLength(1);
});
