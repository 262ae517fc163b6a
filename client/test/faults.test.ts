import { copyFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalConflict, Replica } from '../index.js';
import { CutProxy } from './cut-proxy.js';
import { live, reaches, until, World } from './world.js';

interface Item {
  n: number;
  list: string[];
  text: string;
}

describe('a replica in trouble', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  const items = (replica: Replica) => replica.collection<Item>('items');
  const fresh = (): Item => ({ n: 0, list: ['a', 'b'], text: 'text' });

  /** What an operator does who restores a backup or purges a document: the epoch rises. */
  async function rewriteHistory(purged = 'nothing'): Promise<void> {
    await world.server.stop();
    const client = new pg.Client({ connectionString: world.server.databaseUrl });
    await client.connect();
    await client.query(`UPDATE workspaces SET epoch = epoch + 1`);
    await client.query(`DELETE FROM documents WHERE id = $1`, [purged]);
    await client.query(`DELETE FROM changes WHERE document_id = $1`, [purged]);
    await client.end();
    await world.server.restart();
  }

  it('commits an edit once when the acknowledgement is lost', async () => {
    const proxy = await CutProxy.before(world.server.url);
    const replica = await world.open({ url: proxy.url });
    items(replica).create(fresh(), { id: 'lost-ack' });
    await world.settle(replica);
    proxy.loseAnswers();
    const { patchId } = items(replica).increment('lost-ack', '/n');
    await until(async () => (await world.log('lost-ack')).length === 2);
    expect(replica.status.pending).toBe(1);
    // More is edited before the connection is found broken; a stranger edits as well.
    items(replica).increment('lost-ack', '/n', 10);
    items(replica).edit('lost-ack', [{ op: 'add', path: '/list/0', value: 'mine' }]);
    await world.server.graphql('mutation { patchDocument(id: "lost-ack", patch: [{op: "add", path: "/list/0", value: "theirs"}]) { __typename } }');
    proxy.cut();
    await world.settle(replica);
    const log = await world.log('lost-ack');
    expect(log.filter((change) => change.patchId === patchId)).toHaveLength(1);
    expect(log).toHaveLength(5);
    expect(items(replica).get('lost-ack')?.value).toEqual({ n: 11, list: ['theirs', 'mine', 'a', 'b'], text: 'text' });
    expect((await world.serverDocuments())['lost-ack']).toEqual(items(replica).get('lost-ack')?.value);
    await replica.close();
    await proxy.close();
  });

  it('commits an edit once when the replica dies after sending it and starts again from its file', async () => {
    const proxy = await CutProxy.before(world.server.url);
    const database = world.newFile();
    let replica = await world.open({ url: proxy.url, database });
    items(replica).create(fresh(), { id: 'died' });
    await world.settle(replica);
    proxy.loseAnswers();
    items(replica).increment('died', '/n');
    await until(async () => (await world.log('died')).length === 2);
    await replica.close();
    proxy.cut();
    replica = await world.open({ url: proxy.url, database, online: false });
    expect(replica.status.pending).toBe(1);
    items(replica).increment('died', '/n', 10);
    replica.goOnline();
    await world.settle(replica);
    expect(items(replica).get('died')?.value.n).toBe(11);
    expect(await world.log('died')).toHaveLength(3);
    await replica.close();
    await proxy.close();
  });

  it('goes on by itself when the server stops and comes back', async () => {
    const [a, b] = [await world.open(), await world.open()];
    items(a).create(fresh(), { id: 'restart' });
    await world.settle(a, b);
    await world.server.stop();
    await reaches(a, ({ connection }) => connection !== 'live');
    items(a).increment('restart', '/n', 2);
    items(b).increment('restart', '/n', 3);
    await world.server.restart();
    await world.settle(a, b);
    expect(items(a).get('restart')?.value.n).toBe(5);
    expect(items(b).get('restart')?.value.n).toBe(5);
    expect(a.status.lastError).toBeNull();
  });

  it('puts a refused edit into quarantine, while what does not depend on it is committed', async () => {
    const [a, b] = [await world.open(), await world.open()];
    items(a).create(fresh(), { id: 'guarded' });
    items(a).create(fresh(), { id: 'unguarded' });
    await world.settle(a, b);
    await a.goOffline();
    const refused = items(a).edit('guarded', [{ op: 'test', path: '/n', value: 0 }, { op: 'replace', path: '/text', value: 'only if n is 0' }, { op: 'add', path: '/list/0', value: 'x' }]);
    items(a).edit('guarded', [{ op: 'add', path: '/list/3', value: 'later' }]);
    const inside = items(a).insertText('guarded', '/text', 0, '>');
    items(a).increment('unguarded', '/n', 4);
    items(b).increment('guarded', '/n');
    await world.settle(b);
    const told: LocalConflict[] = [];
    a.onConflict((conflict) => told.push(conflict));
    a.goOnline();
    await world.settle(a, b);
    expect(a.quarantined()).toMatchObject([{ documentId: 'guarded', patchId: refused.patchId, code: 'TEST_FAILED' }]);
    expect(a.status.quarantined).toBe(1);
    expect(a.conflicts()).toMatchObject([{ documentId: 'guarded', revision: null, patchId: inside.patchId, conflict: { loser: 'later', lost: '>' } }]);
    expect(told).toEqual(a.conflicts());
    const server = await world.serverDocuments();
    expect(server['guarded']).toEqual({ n: 1, list: ['a', 'b', 'later'], text: 'text' });
    expect(items(a).get('guarded')?.value).toEqual(server['guarded']);
    expect(items(b).get('guarded')?.value).toEqual(server['guarded']);
    expect(items(b).get('unguarded')?.value.n).toBe(4);
    expect(a.discardQuarantined(refused.patchId!)).toBe(true);
    expect(a.quarantined()).toEqual([]);
  });

  it('keeps both documents\' content when two replicas create the same id', async () => {
    const [a, b] = [await world.open(), await world.open()];
    await Promise.all([live(a), live(b)]);
    await b.goOffline();
    items(b).create({ ...fresh(), text: 'second' }, { id: 'twice' });
    items(b).increment('twice', '/n');
    items(a).create({ ...fresh(), text: 'first' }, { id: 'twice' });
    await world.settle(a);
    b.goOnline();
    await world.settle(b, a);
    expect(items(b).get('twice')?.value.text).toBe('first');
    expect(b.quarantined().map(({ kind, code }) => [kind, code])).toEqual([
      ['CREATE', 'DOCUMENT_EXISTS'],
      ['PATCH', 'PATCH_DEPENDS_ON_REFUSED'],
    ]);
    expect(b.quarantined()[0]?.patch).toMatchObject([{ op: 'add', path: '', value: { text: 'second' } }]);
  });

  it('finds at its first sync that an id it used is taken, and shows the server\'s document', async () => {
    const a = await world.open();
    items(a).create({ ...fresh(), text: 'first' }, { id: 'taken' });
    await world.settle(a);
    const b = await world.open({ online: false });
    items(b).create({ ...fresh(), text: 'second' }, { id: 'taken' });
    b.goOnline();
    await world.settle(b);
    expect(items(b).get('taken')?.value.text).toBe('first');
    expect(b.quarantined()).toMatchObject([{ kind: 'CREATE', code: 'DOCUMENT_EXISTS' }]);
  });

  it('closes at once while it waits for a server that never answers', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const connected = new Promise((resolve) => silent.once('connection', resolve));
    const replica = await world.open({ url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/graphql` });
    await connected;
    expect(replica.status.connection).toBe('connecting');
    await replica.close();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('takes a new replica id when its file turns out to be a copy, and loses nothing', async () => {
    const database = world.newFile();
    const copy = world.newFile();
    let a = await world.open({ database });
    items(a).create(fresh(), { id: 'copied' });
    await world.settle(a);
    await a.goOffline();
    items(a).increment('copied', '/n');
    await a.close();
    copyFileSync(database, copy);
    a = await world.open({ database });
    await world.settle(a);
    items(a).increment('copied', '/n', 10);
    await world.settle(a);
    const b = await world.open({ database: copy, online: false });
    expect(b.replicaId).toBe(a.replicaId);
    items(b).increment('copied', '/n', 100);
    items(b).edit('copied', [{ op: 'add', path: '/list/-', value: 'of the copy' }]);
    b.goOnline();
    await world.settle(b, a);
    expect(b.replicaId).not.toBe(a.replicaId);
    const server = await world.serverDocuments();
    expect(server['copied']).toEqual({ n: 111, list: ['a', 'b', 'of the copy'], text: 'text' });
    expect(items(a).get('copied')?.value).toEqual(server['copied']);
    expect(items(b).get('copied')?.value).toEqual(server['copied']);
    expect(await world.log('copied')).toHaveLength(5);
    expect([...a.quarantined(), ...b.quarantined()]).toEqual([]);
  });

  it('does not commit again in a resync what was committed before, though its acknowledgement was lost', async () => {
    const proxy = await CutProxy.before(world.server.url);
    const database = world.newFile();
    let replica = await world.open({ url: proxy.url, database });
    items(replica).create(fresh(), { id: 'lost-and-rewritten' });
    await world.settle(replica);
    proxy.loseAnswers();
    items(replica).increment('lost-and-rewritten', '/n');
    await until(async () => (await world.log('lost-and-rewritten')).length === 2);
    items(replica).increment('lost-and-rewritten', '/n', 10);
    await replica.close();
    proxy.cut();
    await world.server.graphql('mutation { patchDocument(id: "lost-and-rewritten", patch: [{op: "inc", path: "/n", value: 100}, {op: "str_ins", path: "/text", pos: 0, str: "their "}]) { __typename } }');
    await rewriteHistory();
    replica = await world.open({ url: proxy.url, database, online: false });
    items(replica).insertText('lost-and-rewritten', '/text', 4, '!');
    replica.goOnline();
    await world.settle(replica);
    const server = await world.serverDocuments();
    expect(items(replica).get('lost-and-rewritten')?.value).toEqual(server['lost-and-rewritten']);
    expect(server['lost-and-rewritten']).toMatchObject({ text: 'their text!' });
    expect((server['lost-and-rewritten'] as unknown as Item).n).toBe(111);
    expect(replica.conflicts('lost-and-rewritten')).toEqual([]);
    await replica.close();
    await proxy.close();
  });

  it('resyncs when the history was rewritten, and keeps what is pending', async () => {
    const [a, b] = [await world.open(), await world.open()];
    items(a).create(fresh(), { id: 'epoch' });
    items(a).create(fresh(), { id: 'purged' });
    await world.settle(a, b);
    await a.goOffline();
    items(a).insertText('epoch', '/text', 4, '!');
    items(a).edit('epoch', [{ op: 'add', path: '/list/0', value: 'mine' }]);
    items(b).edit('epoch', [{ op: 'add', path: '/list/2', value: 'theirs' }]);
    await world.settle(b);
    await rewriteHistory('purged');
    a.goOnline();
    await world.settle(a, b);
    const server = await world.serverDocuments();
    expect(server['epoch']).toEqual({ n: 0, list: ['mine', 'a', 'b', 'theirs'], text: 'text!' });
    expect(items(a).get('epoch')?.value).toEqual(server['epoch']);
    expect(items(b).get('epoch')?.value).toEqual(server['epoch']);
    expect(items(a).get('purged')).toBeUndefined();
    expect(items(b).get('purged')).toBeUndefined();
  });

  it('lets go of a document that was purged while edits of it were pending, and keeps these in quarantine', async () => {
    const a = await world.open();
    items(a).create(fresh(), { id: 'purged-under-edits' });
    await world.settle(a);
    await a.goOffline();
    items(a).increment('purged-under-edits', '/n');
    items(a).edit('purged-under-edits', [{ op: 'add', path: '/list/0', value: 'mine' }]);
    await rewriteHistory('purged-under-edits');
    a.goOnline();
    await world.settle(a);
    expect(items(a).get('purged-under-edits')).toBeUndefined();
    expect(a.quarantined().map(({ code }) => code)).toEqual(['OTHER_HISTORY', 'OTHER_HISTORY']);
  });
});
