import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkspaceId } from '@concord/core';
import { compactWorkspace, type Compaction } from '../../server/retention/compact.js';
import type { Replica } from '../index.js';
import { CutProxy } from './cut-proxy.js';
import { live, until, World } from './world.js';

interface Item {
  n: number;
  list: string[];
  text: string;
}

describe('a replica that was away for longer than the log is kept', () => {
  let world: World;
  let pool: pg.Pool;
  beforeAll(async () => {
    world = await World.start();
    pool = new pg.Pool({ connectionString: world.server.databaseUrl, max: 2 });
  });
  afterAll(async () => {
    await pool.end();
    await world.close();
  });

  const items = (replica: Replica) => replica.collection<Item>('items');
  const fresh = (): Item => ({ n: 0, list: ['a', 'b'], text: 'text' });
  /** All of the log, as after a very long time. */
  const compactAll = (): Promise<Compaction> =>
    compactWorkspace(pool, { workspaceId: 'main' as WorkspaceId, olderThan: new Date(Date.now() + 60_000), now: () => new Date(), slice: 50 });

  const revision = async (id: string): Promise<number> => {
    const { data } = await world.server.graphql('query ($id: ID!) { document(id: $id) { revision } }', { id });
    return (data!['document'] as { revision: number }).revision;
  };

  it('takes a snapshot, rebases what it has typed meanwhile and drops what is gone', async () => {
    const [away, other] = [await world.open(), await world.open()];
    for (const id of ['met', 'own', 'deleted']) items(away).create(fresh(), { id });
    await world.settle(away, other);
    await away.goOffline();
    items(away).increment('met', '/n', 10);
    items(away).insertText('met', '/text', 4, ' typed');
    items(away).edit('own', [{ op: 'add', path: '/list/-', value: 'kept' }]);
    items(away).create(fresh(), { id: 'made-away' });
    items(other).increment('met', '/n', 3);
    items(other).insertText('met', '/text', 0, 'their ');
    items(other).delete('deleted');
    await world.settle(other);
    expect((await compactAll()).changes).toBeGreaterThan(3);
    away.goOnline();
    await world.settle(away, other);
    const server = await world.serverDocuments();
    expect(server['met']).toEqual({ n: 13, list: ['a', 'b'], text: 'their text typed' });
    expect(server['own']).toEqual({ ...fresh(), list: ['a', 'b', 'kept'] });
    expect(Object.keys(server).sort()).toEqual(['made-away', 'met', 'own']);
    for (const replica of [away, other]) {
      for (const [id, value] of Object.entries(server)) expect(items(replica).get(id)?.value).toEqual(value);
      expect(items(replica).get('deleted')).toBeUndefined();
      expect(replica.quarantined()).toEqual([]);
    }
    await Promise.all([away.close(), other.close()]);
  });

  it('commits its edits once, though the acknowledgement was lost and the changes are compacted away', async () => {
    const proxy = await CutProxy.before(world.server.url);
    const replica = await world.open({ url: proxy.url });
    items(replica).create(fresh(), { id: 'lost' });
    await world.settle(replica);
    proxy.loseAnswers();
    for (let index = 0; index < 5; index++) items(replica).increment('lost', '/n');
    await until(async () => (await revision('lost')) === 6);
    expect(replica.status.pending).toBe(5);
    proxy.cut();
    await replica.goOffline();
    items(replica).increment('lost', '/n', 100);
    items(replica).edit('lost', [{ op: 'add', path: '/list/0', value: 'mine' }]);
    await world.server.graphql('mutation { patchDocument(id: "lost", patch: [{op: "add", path: "/list/0", value: "theirs"}]) { __typename } }');
    await compactAll();
    replica.goOnline();
    await world.settle(replica);
    expect((await world.serverDocuments())['lost']).toEqual({ n: 105, list: ['theirs', 'mine', 'a', 'b'], text: 'text' });
    expect(items(replica).get('lost')?.value).toEqual((await world.serverDocuments())['lost']);
    expect(await revision('lost')).toBe(9);
    expect(replica.quarantined()).toEqual([]);
    await replica.close();
    await proxy.close();
  });

  it('is told while it follows, too: a reader that is overtaken in the middle of its scan', async () => {
    const [away, other] = [await world.open(), await world.open()];
    items(other).create(fresh(), { id: 'scan' });
    await world.settle(away, other);
    await away.goOffline();
    items(away).increment('scan', '/n', 1000);
    for (let index = 0; index < 300; index++) items(other).increment('scan', '/n');
    await world.settle(other);
    // The scan and the compaction run at the same time; either may be first.
    const compacting = compactAll();
    away.goOnline();
    await compacting;
    await world.settle(away, other);
    expect(items(away).get('scan')?.value.n).toBe(1300);
    expect(items(other).get('scan')?.value.n).toBe(1300);
    await Promise.all([away.close(), other.close()]);
  });

  it('counts on rightly on a document that it had dropped and whose old edits nobody remembers', async () => {
    const replica = await world.open({ filter: { where: [{ path: '/text', value: 'inside' }] } });
    const move = async (text: string) => {
      const { data } = await world.server.graphql('mutation ($patch: JSON!) { patchDocument(id: "moving", patch: $patch) { __typename } }', { patch: [{ op: 'replace', path: '/text', value: text }] });
      expect(data).toEqual({ patchDocument: { __typename: 'Edited' } });
    };
    items(replica).create({ ...fresh(), text: 'inside' }, { id: 'moving' });
    for (let index = 0; index < 3; index++) items(replica).increment('moving', '/n');
    await world.settle(replica);
    await move('outside');
    await until(() => Promise.resolve(items(replica).get('moving') === undefined));
    await replica.goOffline();
    await move('inside');
    await compactAll();
    // So that the server does not remember either.
    await world.server.restart();
    replica.goOnline();
    await live(replica);
    await until(() => Promise.resolve(items(replica).get('moving') !== undefined));
    items(replica).increment('moving', '/n', 10);
    items(replica).increment('moving', '/n', 100);
    await world.settle(replica);
    expect((await world.serverDocuments())['moving']).toMatchObject({ n: 113 });
    expect(replica.quarantined()).toEqual([]);
    await replica.close();
  });

  it('is settled also when what was compacted away while it was live was none of its concern', async () => {
    const replica = await world.open({ filter: { where: [{ path: '/text', value: 'mine' }] } });
    items(replica).create({ ...fresh(), text: 'mine' }, { id: 'concern' });
    await world.settle(replica);
    for (let index = 0; index < 5; index++) {
      await world.server.graphql('mutation ($value: JSON!) { createDocument(collection: "items", value: $value) { __typename } }', { value: fresh() });
    }
    await compactAll();
    await replica.settled({ timeoutMs: 5_000 });
    items(replica).increment('concern', '/n');
    await replica.settled({ timeoutMs: 5_000 });
    expect((await world.serverDocuments())['concern']).toMatchObject({ n: 1 });
    await replica.close();
  });

  it('ends up with the others, whatever is compacted while all of them edit, go and come back', async () => {
    const replicas = [await world.open(), await world.open(), await world.open()];
    items(replicas[0]!).create(fresh(), { id: 'busy' });
    items(replicas[0]!).create(fresh(), { id: 'busier' });
    await world.settle(...replicas);
    let editing = true;
    let compacted = 0;
    const compacting = (async () => {
      while (editing) {
        compacted += (await compactAll()).changes;
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    })();
    let sum = 0;
    try {
      for (let round = 0; round < 24; round++) {
        const replica = replicas[round % 3]!;
        if (round % 4 === 1) await replica.goOffline();
        for (const [index, at] of replicas.entries()) {
          items(at).increment(index === round % 3 ? 'busy' : 'busier', '/n');
          items(at).edit('busy', [{ op: 'add', path: '/list/0', value: `${index}.${round}` }]);
          sum += 1;
        }
        if (round % 4 === 3) for (const at of replicas) at.goOnline();
        if (round % 8 === 7) await Promise.all(replicas.map(live));
      }
      for (const replica of replicas) replica.goOnline();
      await world.settle(...replicas);
    } finally {
      editing = false;
      await compacting;
    }
    await world.settle(...replicas);
    expect(compacted).toBeGreaterThan(50);
    const server = (await world.serverDocuments()) as Record<string, unknown> as Record<'busy' | 'busier', Item>;
    expect(server.busy.n + server.busier.n).toBe(sum);
    expect(new Set(server.busy.list).size).toBe(74);
    for (const replica of replicas) {
      expect(items(replica).get('busy')?.value).toEqual(server.busy);
      expect(items(replica).get('busier')?.value).toEqual(server.busier);
      expect(replica.quarantined()).toEqual([]);
    }
    await Promise.all(replicas.map((replica) => replica.close()));
  });
});
