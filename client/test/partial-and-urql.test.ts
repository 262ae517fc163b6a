import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CreateDocumentDocument, HistoryDocument, PatchDocumentDocument, WatchDocumentDocument, type Replica } from '../index.js';
import { live, World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

describe('a replica of a part of the workspace', () => {
  const held = (replica: Replica, collection: string) =>
    replica.collection(collection).query().all().map(({ id }) => id as string);

  it('holds only what matches, and lets go of what no longer does', async () => {
    const all = await world.open();
    const tasks = all.collection<{ open: boolean; n: number }>('tasks');
    tasks.create({ open: true, n: 0 }, { id: 'open-1' });
    tasks.create({ open: false, n: 0 }, { id: 'closed-1' });
    all.collection('others').create({ open: true }, { id: 'other-1' });
    await world.settle(all);

    const part = await world.open({ filter: { collection: 'tasks', where: [{ path: '/open', value: true }] } });
    await world.settle(part);
    expect(held(part, 'tasks')).toEqual(['open-1']);
    expect(held(part, 'others')).toEqual([]);

    // One comes in with history the replica never saw, one goes.
    tasks.increment('closed-1', '/n', 5);
    tasks.edit('closed-1', [{ op: 'replace', path: '/open', value: true }]);
    tasks.edit('open-1', [{ op: 'replace', path: '/open', value: false }]);
    await world.settle(all, part);
    expect(held(part, 'tasks')).toEqual(['closed-1']);
    expect(part.get('closed-1')?.value).toEqual({ open: true, n: 5 });
  });

  it('sends edits that take a document out of its part, and settles', async () => {
    const part = await world.open({ filter: { collection: 'chores', where: [{ path: '/open', value: true }] } });
    const chores = part.collection<{ open: boolean; n: number }>('chores');
    chores.create({ open: true, n: 0 }, { id: 'chore' });
    part.collection('elsewhere').create({ open: true }, { id: 'elsewhere' });
    await world.settle(part);
    await part.goOffline();
    chores.increment('chore', '/n');
    chores.edit('chore', [{ op: 'replace', path: '/open', value: false }]);
    part.goOnline();
    await world.settle(part);
    expect(held(part, 'chores')).toEqual([]);
    expect(await world.serverDocuments()).toMatchObject({ chore: { open: false, n: 1 }, elsewhere: { open: true } });
  });

  it('takes in all documents that come to match at once, also when they are large', async () => {
    const [all, part] = [await world.open(), await world.open({ filter: { collection: 'large', where: [{ path: '/open', value: true }] } })];
    const large = all.collection<{ open: boolean; text: string }>('large');
    const names = Array.from({ length: 7 }, (_, index) => `large-${index}`);
    for (const id of names) large.create({ open: false, text: 'x'.repeat(900_000) }, { id });
    await world.settle(all, part);
    for (const id of names) large.edit(id, [{ op: 'replace', path: '/open', value: true }]);
    await world.settle(all, part);
    expect(held(part, 'large')).toEqual(names);
  });

  it('settles while documents outside of its part go on changing', async () => {
    const [all, part] = [await world.open(), await world.open({ filter: { collection: 'moving', where: [{ path: '/open', value: true }] } })];
    const moving = all.collection<{ open: boolean; n: number }>('moving');
    moving.create({ open: true, n: 0 }, { id: 'moved-out' });
    moving.create({ open: false, n: 0 }, { id: 'never-in' });
    await world.settle(all, part);
    moving.edit('moved-out', [{ op: 'replace', path: '/open', value: false }]);
    await world.settle(all, part);
    moving.increment('moved-out', '/n');
    moving.increment('never-in', '/n');
    await all.settled();
    await part.settled({ timeoutMs: 2_000 });
    expect(held(part, 'moving')).toEqual([]);
  });

  it('takes a new first sync when its filter is changed', async () => {
    const database = world.newFile();
    const whole = await world.open({ database });
    whole.collection('one').create({}, { id: 'of-one' });
    whole.collection('two').create({}, { id: 'of-two' });
    await world.settle(whole);
    await whole.close();
    const part = await world.open({ database, filter: { collection: 'two' } });
    await world.settle(part);
    expect(part.get('of-one')).toBeUndefined();
    expect(part.get('of-two')).toBeDefined();
  });
});

describe('a replica of a principal with several workspaces', () => {
  it('keeps to the first one unless another is named, and never mixes two in one file', async () => {
    const second = await world.server.newWorkspace();
    const database = world.newFile();
    const named = await world.open({ token: world.server.adminToken, workspaceId: second, database });
    named.collection('notes').create({ in: 'second' }, { id: 'in-second' });
    await world.settle(named);
    const unnamed = await world.open({ token: world.server.adminToken });
    await world.settle(unnamed);
    expect(unnamed.get('in-second')).toBeUndefined();
    expect((await world.serverDocuments())['in-second']).toBeUndefined();
    await named.close();
    await expect(world.open({ token: world.server.adminToken, workspaceId: 'main', database })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('the urql client of a connected replica', () => {
  it('sends mutations and what only the server knows over the network, and the replica hears of them', async () => {
    const replica = await world.open();
    await live(replica);
    const created = await replica.client.mutation(CreateDocumentDocument, { id: 'by-urql', collection: 'urql', value: { likes: 0 } }).toPromise();
    expect(created.data?.createDocument).toMatchObject({ __typename: 'Edited', document: { id: 'by-urql', revision: 1 } });
    const refused = await replica.client.mutation(PatchDocumentDocument, { id: 'by-urql', patch: [{ op: 'remove', path: '/nothing' }] }).toPromise();
    expect(refused.data?.patchDocument).toMatchObject({ __typename: 'Refused', code: 'PATH_NOT_FOUND' });
    await world.settle(replica);
    expect(replica.get('by-urql')?.value).toEqual({ likes: 0 });
    const history = await replica.client.query(HistoryDocument, { documentId: 'by-urql' }).toPromise();
    expect(history.data?.history.nodes).toMatchObject([{ revision: 1, kind: 'CREATE' }]);
  });

  it('carries subscriptions over the replica\'s socket', async () => {
    const replica = await world.open();
    await live(replica);
    const seen: unknown[] = [];
    await new Promise<void>((resolve) => {
      const subscription = replica.client.subscription(WatchDocumentDocument, { id: 'watched' }).subscribe(({ data }) => {
        seen.push(data?.document?.value ?? null);
        if (seen.length === 1) replica.collection('urql').create({ n: 1 }, { id: 'watched' });
        if (seen.length === 2) {
          subscription.unsubscribe();
          resolve();
        }
      });
    });
    expect(seen).toEqual([null, { n: 1 }]);
  });

  it('keeps a subscription that is made while the connection ends, for the next one', async () => {
    const replica = await world.open();
    await live(replica);
    const offline = replica.goOffline();
    const answered = new Promise<unknown>((resolve) => {
      const subscription = replica.client.subscription(WatchDocumentDocument, { id: 'by-urql' }).subscribe(({ data }) => {
        resolve(data?.document?.id);
        queueMicrotask(() => subscription.unsubscribe());
      });
    });
    await offline;
    replica.goOnline();
    expect(await answered).toBe('by-urql');
  });
});
