import { mkdirSync, openSync, closeSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConcordError } from '@concord/core';
import { openReplica, rescueOutbox, type Replica } from '../index.js';
import { reaches, World } from './world.js';

/** Alters a file behind the back of its replica, which is closed. */
function alter(path: string, work: (file: Database.Database) => void): void {
  const file = new Database(path);
  file.pragma('journal_mode = DELETE');
  work(file);
  file.close();
}

/** Writes nonsense over a page of a table, not over its root. */
function breakPage(path: string, table: string): void {
  let page = 0;
  let size = 0;
  alter(path, (file) => {
    size = file.pragma('page_size', { simple: true }) as number;
    page = file.prepare<[string], { pageno: number }>("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno LIMIT 1 OFFSET 1").get(table)!.pageno;
  });
  const handle = openSync(path, 'r+');
  writeSync(handle, Buffer.alloc(size, 0xee), 0, size, (page - 1) * size);
  closeSync(handle);
}

async function refusalOf(work: () => Promise<unknown>): Promise<ConcordError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ConcordError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a file that was altered behind its replica', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  const offlineFile = async (work: (replica: Replica) => void): Promise<string> => {
    const database = world.newFile();
    const replica = await world.open({ database, online: false });
    work(replica);
    await replica.close();
    return database;
  };

  it('stops no other document: edits that cannot be read are told, set aside, and kept as they stand', async () => {
    const database = await offlineFile((replica) => {
      for (const id of ['a1', 'a2', 'a3']) replica.collection('c').create({ n: 1 }, { id });
    });
    alter(database, (file) => file.prepare("UPDATE outbox SET patch = '{broken' WHERE document = 'a2'").run());
    const replica = await world.open({ database, online: false });
    const told = await reaches(replica, ({ quarantined }) => quarantined === 1);
    expect(told).toMatchObject({ pending: 2, quarantined: 1, lastError: { code: 'INTERNAL' } });
    replica.goOnline();
    await world.settle(replica);
    expect(await world.serverDocuments()).toMatchObject({ a1: { n: 1 }, a3: { n: 1 } });
    const [edit] = replica.quarantined();
    expect(edit).toMatchObject({ documentId: 'a2', kind: 'CREATE', code: 'INTERNAL', unreadable: '{broken', patch: [] });
    expect(replica.get('a2')).toBeUndefined();
    expect((await refusalOf(() => Promise.resolve().then(() => replica.retryQuarantined(edit!.patchId)))).code).toBe('INPUT_INVALID');
    replica.retryQuarantined(edit!.patchId, [{ op: 'add', path: '', value: { n: 2 } }]);
    await world.settle(replica);
    expect(await world.serverDocuments()).toMatchObject({ a2: { n: 2 } });
  });

  it('gives back what the server had, where edits do not apply to it any more', async () => {
    const database = world.newFile();
    const before = await world.open({ database });
    before.collection('c').create({ n: 1 }, { id: 'b1' });
    await before.settled();
    await before.goOffline();
    before.collection('c').increment('b1', '/n');
    before.collection('c').edit('b1', [{ op: 'add', path: '/m', value: 1 }]);
    await before.close();
    alter(database, (file) => file.prepare('UPDATE outbox SET patch = ? WHERE seq = (SELECT min(seq) FROM outbox)').run(JSON.stringify([{ op: 'remove', path: ['nothing'] }])));
    const replica = await world.open({ database });
    expect(replica.get('b1')).toMatchObject({ value: { n: 1 }, pendingEdits: 0 });
    replica.collection('c').increment('b1', '/n', 5);
    await replica.settled({ timeoutMs: 10_000 });
    expect((await world.serverDocuments())['b1']).toEqual({ n: 6 });
    expect(replica.quarantined().map(({ patch }) => patch)).toEqual([[{ op: 'remove', path: '/nothing' }], [{ op: 'add', path: '/m', value: 1 }]]);
  });

  it('takes a document that cannot be read from the server again, and answers queries meanwhile', async () => {
    const database = world.newFile();
    const before = await world.open({ database });
    for (const id of ['d1', 'd2']) before.collection('docs').create({ n: 1 }, { id });
    await before.settled();
    await before.close();
    alter(database, (file) => file.prepare("UPDATE documents SET value = '{' WHERE id = 'd1'").run());
    const replica = await world.open({ database, online: false });
    const query = replica.collection('docs').query({ where: [{ path: '/n', value: 1 }] });
    expect(query.all().map(({ id }) => id)).toEqual(['d2']);
    expect(replica.get('d1')).toBeUndefined();
    await reaches(replica, ({ lastError }) => lastError?.code === 'INTERNAL');
    replica.goOnline();
    await replica.settled({ timeoutMs: 10_000 });
    expect(query.all().map(({ id }) => id)).toEqual(['d1', 'd2']);
  });

  it('takes it while it is live, too', async () => {
    const database = world.newFile();
    const before = await world.open({ database });
    before.collection('docs').create({ n: 1 }, { id: 'e1' });
    await before.settled();
    await before.close();
    alter(database, (file) => file.prepare("UPDATE documents SET value = '{' WHERE id = 'e1'").run());
    const replica = await world.open({ database });
    await replica.settled({ timeoutMs: 10_000 });
    const arrived = new Promise<void>((resolve) => {
      replica.watch('e1', (document) => {
        if (document !== undefined) resolve();
      });
    });
    await arrived;
    expect(replica.get('e1')?.value).toEqual({ n: 1 });
  });

  it('is refused at the opening where it is no file of a replica, or damaged where edits are', async () => {
    const full = (replica: Replica): void => {
      for (let n = 0; n < 300; n++) replica.collection('c').create({ text: 'x'.repeat(200) }, { id: `f${n}` });
    };
    const folder = join(world.newFile(), '..');
    const aFolder = join(folder, 'a-folder.db');
    mkdirSync(aFolder);
    const text = join(folder, 'text.db');
    writeFileSync(text, 'Dear diary, '.repeat(100));
    const other = join(folder, 'other.db');
    alter(other, (file) => file.exec('CREATE TABLE mine (x)'));
    const cut = await offlineFile(full);
    alter(cut, () => undefined);
    truncateSync(cut, Math.floor(statSync(cut).size / 8192) * 4096);
    const page = await offlineFile(full);
    breakPage(page, 'outbox');
    const column = await offlineFile(full);
    alter(column, (file) => file.exec('ALTER TABLE outbox RENAME COLUMN patch TO pach'));
    const cases: [string, RegExp][] = [
      [join(folder, 'missing', 'replica.db'), /The folder of .* does not exist\. Make it first/],
      [aFolder, /cannot be opened for writing/],
      [text, /is not an SQLite database\. Name a file/],
      [other, /is an SQLite database of something else/],
      [cut, /is damaged .*rescueOutbox/],
      [page, /is damaged .*rescueOutbox/],
      [column, /outbox\.patch is missing.*rescueOutbox/],
    ];
    for (const [database, message] of cases) {
      const refused = await refusalOf(() => openReplica({ url: world.server.url, token: world.server.token, database, online: false }));
      expect([refused.code, refused.details.path]).toEqual(['INPUT_INVALID', '/database']);
      expect(refused.message).toMatch(message);
    }
  });

  it('gives its edits to rescueOutbox, as far as they can be read, and stays as it is', async () => {
    const ids = Array.from({ length: 300 }, (_, n) => `g${n}`);
    const database = await offlineFile((replica) => {
      for (const id of ids) replica.collection('c').create({ text: 'x'.repeat(200), id }, { id });
      replica.collection('c').edit('g299', (draft) => void ((draft as { more?: string }).more = 'edited'));
    });
    const whole = await rescueOutbox(database);
    expect([whole.edits.length, whole.unreadable]).toEqual([301, []]);
    alter(database, (file) => file.prepare("UPDATE outbox SET patch = '[' WHERE document = 'g0'").run());
    breakPage(database, 'outbox');
    const bytes = readFileSync(database);
    const { edits, unreadable } = await rescueOutbox(database);
    expect(readFileSync(database).equals(bytes)).toBe(true);
    expect(edits.length).toBeGreaterThan(200);
    expect(unreadable).toContainEqual(expect.objectContaining({ documentId: 'g0', text: '[' }));
    expect(unreadable).toContainEqual(expect.objectContaining({ documentId: null, message: expect.stringContaining('outbox') as string }));

    const replica = await world.open();
    for (const { documentId, kind, patch, collection } of edits) {
      if (kind === 'CREATE') replica.collection(collection!).create((patch[0] as { value: unknown }).value, { id: documentId });
      else if (replica.get(documentId) !== undefined) replica.collection('c').edit(documentId, patch);
    }
    await replica.settled({ timeoutMs: 15_000 });
    const rescued = edits[0]!.documentId;
    expect((await world.serverDocuments())[rescued]).toMatchObject({ id: rescued });
    expect((await refusalOf(() => rescueOutbox(join(database, 'nothing')))).code).toBe('INPUT_INVALID');
    expect((await refusalOf(() => rescueOutbox('')))).toMatchObject({ code: 'INPUT_INVALID', details: { path: '/database' } });
  });
});
