import { statSync } from 'node:fs';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyDatabase, dropDatabase } from '../../server/test/harness.js';
import type { Replica } from '../index.js';
import { live, reaches, World } from './world.js';

// One address under which an operator exchanges the database: workspace, documents and positions have the same names in each.

interface Note {
  text: string;
  n: number;
}

let world: World;
let databases: string[];

beforeEach(async () => {
  world = await World.start();
  databases = [];
});
afterEach(async () => {
  await world.close();
  for (const database of databases) await dropDatabase(database);
});

const notes = (replica: Replica) => replica.collection<Note>('notes');
const stopped = (replica: Replica, reason: 'OTHER_HISTORY' | 'OTHER_PRINCIPAL') => reaches(replica, (status) => status.stopped?.reason === reason);

async function backup(change?: string): Promise<string> {
  await world.server.stop();
  const copy = await copyDatabase(world.server.databaseUrl);
  databases.push(copy);
  if (change !== undefined) {
    const client = new pg.Client({ connectionString: copy });
    await client.connect();
    await client.query(change);
    await client.end();
  }
  await world.server.restart();
  return copy;
}

/** A replica with three documents, of which `old` was changed and `new` was made after the backup. */
async function afterBackup(change?: string): Promise<{ readonly replica: Replica; readonly copy: string }> {
  const replica = await world.open();
  notes(replica).create({ text: 'old', n: 0 }, { id: 'old' });
  notes(replica).create({ text: 'same', n: 0 }, { id: 'same' });
  await world.settle(replica);
  const copy = await backup(change);
  notes(replica).edit('old', [{ op: 'replace', path: '/n', value: 1 }]);
  notes(replica).create({ text: 'new', n: 1 }, { id: 'new' });
  await world.settle(replica);
  return { replica, copy };
}

describe('a replica that meets another history', () => {
  it('stops at another database with the same ids, keeps everything, sends nothing, and goes on when it is back', async () => {
    const { replica } = await afterBackup();
    const copy = await backup('UPDATE workspaces SET history = gen_random_uuid()');
    await world.server.restart({ databaseUrl: copy });
    await stopped(replica, 'OTHER_HISTORY');
    await expect(replica.settled({ timeoutMs: 5000 })).rejects.toMatchObject({ code: 'OTHER_HISTORY' });
    notes(replica).edit('old', [{ op: 'replace', path: '/text', value: 'edited here' }]);
    expect(notes(replica).get('old')?.value).toEqual({ text: 'edited here', n: 1 });
    replica.goOnline();
    await stopped(replica, 'OTHER_HISTORY');
    expect(replica.status.pending).toBe(1);
    expect((await world.serverDocuments())['old']).toEqual({ text: 'old', n: 1 });

    await world.server.restart();
    replica.goOnline();
    await world.settle(replica);
    expect(replica.status.stopped).toBeNull();
    expect((await world.serverDocuments())['old']).toEqual({ text: 'edited here', n: 1 });
    expect(replica.kept()).toEqual([]);
  });

  it.each(['fewer', 'more'])('stops at an older backup with %s changes than it has seen, and what the server lost can be brought back', async (changes) => {
    const { replica, copy } = await afterBackup();
    await world.server.restart({ databaseUrl: copy });
    if (changes === 'more') for (const n of [1, 2, 3, 4]) await world.server.graphql(`mutation { patchDocument(id: "same", patch: [{ op: "replace", path: "/n", value: ${n} }]) { __typename } }`);
    replica.goOnline();
    await stopped(replica, 'OTHER_HISTORY');
    notes(replica).edit('old', [{ op: 'replace', path: '/text', value: 'pending' }]);
    notes(replica).edit('new', [{ op: 'replace', path: '/text', value: 'pending too' }]);

    replica.takeHistory();
    await world.settle(replica);
    expect(replica.status).toMatchObject({ stopped: null, kept: changes === 'more' ? 3 : 2, quarantined: 1 });
    const same = { reason: 'DIFFERS', documentId: 'same', value: { text: 'same', n: 0 } };
    expect(replica.kept().toSorted((a, b) => a.documentId.localeCompare(b.documentId))).toMatchObject([
      { reason: 'MISSING', documentId: 'new', value: { text: 'pending too', n: 1 }, serverRevision: null, patch: [{ op: 'add', path: '', value: { text: 'pending too', n: 1 } }] },
      { reason: 'DIFFERS', documentId: 'old', value: { text: 'old', n: 1 }, revision: 2 },
      ...(changes === 'more' ? [same] : []),
    ]);
    expect(replica.quarantined()).toMatchObject([{ documentId: 'new', code: 'OTHER_HISTORY' }]);
    expect(await world.serverDocuments()).toEqual({ old: { text: 'pending', n: 0 }, same: { text: 'same', n: changes === 'more' ? 4 : 0 } });
    expect(notes(replica).get('new')).toBeUndefined();

    for (const kept of replica.kept()) {
      if (kept.documentId === 'same') expect(replica.dropKept(kept.id)).toBe(true);
      else replica.bringBack(kept.id);
    }
    await world.settle(replica);
    expect(replica.kept()).toEqual([]);
    const server = await world.serverDocuments();
    expect(server).toMatchObject({ new: { text: 'pending too', n: 1 }, old: { n: 1 } });
    expect(notes(replica).get('old')?.value).toEqual(server['old']);
  });

  it('keeps what the server lost where the epoch was raised with the restore, without being asked', async () => {
    const { replica, copy } = await afterBackup(`UPDATE workspaces SET epoch = epoch + 1`);
    await world.server.restart({ databaseUrl: copy });
    replica.goOnline();
    await reaches(replica, ({ kept }) => kept === 2);
    await world.settle(replica);
    expect(replica.kept().map(({ documentId, reason }) => [documentId, reason]).toSorted()).toEqual([['new', 'MISSING'], ['old', 'DIFFERS']]);
    expect(notes(replica).get('old')?.value).toEqual({ text: 'old', n: 0 });
  });

  it('brings back a document that is deleted in the history that was taken', async () => {
    const { replica, copy } = await afterBackup();
    await world.server.restart({ databaseUrl: copy });
    await world.server.graphql('mutation { deleteDocument(id: "old") { __typename } }');
    replica.goOnline();
    await stopped(replica, 'OTHER_HISTORY');
    replica.takeHistory();
    await world.settle(replica);
    const old = replica.kept().find(({ documentId }) => documentId === 'old');
    expect(old).toMatchObject({ reason: 'DELETED', value: { text: 'old', n: 1 } });
    replica.bringBack(old!.id);
    await world.settle(replica);
    expect((await world.serverDocuments())['old']).toEqual({ text: 'old', n: 1 });
  });

  it('has no history to take while it has not stopped, and knows no list entry that is not there', async () => {
    const replica = await world.open();
    await live(replica);
    expect(() => replica.takeHistory()).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
    expect(() => replica.handOver()).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
    expect(() => replica.bringBack(7)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
    expect(replica.dropKept(7)).toBe(false);
  });
});

describe('a replica that meets the token of somebody else', () => {
  async function withOther(): Promise<{ readonly replica: Replica; readonly database: string }> {
    const database = world.newFile();
    const first = await world.open({ database });
    notes(first).create({ text: 'mine', n: 0 }, { id: 'mine' });
    await world.settle(first);
    await first.goOffline();
    notes(first).edit('mine', [{ op: 'replace', path: '/n', value: 1 }]);
    await first.close();
    return { replica: await world.open({ database, token: await world.server.newToken('EDITOR') }), database };
  }
  const authors = async (): Promise<string[]> => {
    const { data } = await world.server.graphql('{ history(documentId: "mine", first: 10) { nodes { author } } }');
    return (data!['history'] as { nodes: { author: string }[] }).nodes.map(({ author }) => author);
  };

  it('stops and sends nothing under the new name; with the right token it goes on', async () => {
    const { replica } = await withOther();
    await stopped(replica, 'OTHER_PRINCIPAL');
    expect(replica.status.pending).toBe(1);
    expect(await authors()).toHaveLength(1);
    replica.setToken(world.server.token);
    await world.settle(replica);
    expect(replica.status.stopped).toBeNull();
    const [last, first] = await authors();
    expect(last).toBe(first);
  });

  it('sends what is pending under the new name when the file is handed over', async () => {
    const { replica } = await withOther();
    await stopped(replica, 'OTHER_PRINCIPAL');
    replica.handOver();
    await world.settle(replica);
    const [last, first] = await authors();
    expect(last).not.toBe(first);
    expect((await world.serverDocuments())['mine']).toEqual({ text: 'mine', n: 1 });
  });

  it('starts anew, with an empty file, when it is cleared', async () => {
    const { replica, database } = await withOther();
    await stopped(replica, 'OTHER_PRINCIPAL');
    const id = replica.replicaId;
    await replica.clear();
    expect(notes(replica).get('mine')).toBeUndefined();
    expect(replica.status).toMatchObject({ connection: 'offline', pending: 0, stopped: null });
    expect(replica.replicaId).not.toBe(id);
    expect(statSync(`${database}-wal`).size).toBe(0);
    replica.goOnline();
    await world.settle(replica);
    expect(notes(replica).get('mine')?.value).toEqual({ text: 'mine', n: 0 });
    expect(await authors()).toHaveLength(1);
  });

  it('sends nothing of the first one when it is closed while it is cleared', async () => {
    const { replica, database } = await withOther();
    await stopped(replica, 'OTHER_PRINCIPAL');
    const cleared = replica.clear().catch((error: unknown) => error);
    await replica.close();
    // Either all of it is gone, or nothing is and the file is still the first one's.
    await cleared;
    const again = await world.open({ database, token: await world.server.newToken('EDITOR') });
    await reaches(again, ({ connection, stopped: reason }) => connection === 'live' || reason !== null);
    if (again.status.stopped === null) await world.settle(again);
    expect(await authors()).toHaveLength(1);
  });
});
