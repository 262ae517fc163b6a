import { describe, expect, it } from 'vitest';
import pg from 'pg';
import { copyDatabase, dropDatabase } from '../../server/test/harness.js';
import { edit, newFile, newId, onServer, openC, server } from './world.js';

/** Runs on a copy of the database as it was before `since`, as after a restore; `change` is SQL that the operator runs on it. */
async function onBackup(change: string, since: () => Promise<unknown>, work: () => Promise<void>): Promise<void> {
  await server.stop();
  const copy = await copyDatabase(server.databaseUrl);
  const client = new pg.Client({ connectionString: copy });
  await client.connect();
  if (change !== '') await client.query(change);
  await client.end();
  await server.restart();
  await since();
  await server.restart({ databaseUrl: copy });
  try {
    await work();
  } finally {
    await server.restart();
    await dropDatabase(copy);
  }
}

describe('a C replica', () => {
  it('stops at another database with the same ids, sends nothing, and goes on when it is back', async () => {
    const id = newId();
    const c = openC();
    await c.create(id, { n: 1 });
    await c.sync();
    await onBackup('UPDATE workspaces SET history = gen_random_uuid()', () => Promise.resolve(), async () => {
      await c.patch(id, [{ op: 'inc', path: '/n', value: 1 }]);
      expect((await c.command('sync')).status).toBe('OTHER_HISTORY');
      expect(await onServer(id)).toEqual({ n: 1 });
      expect((await c.get(id)).value).toEqual({ n: 2 });
    });
    await c.sync();
    expect(await onServer(id)).toEqual({ n: 2 });
  });

  it('stops at an older backup, and takes its history when told to, with what it lacks in the quarantine', async () => {
    const [old, fresh] = [newId(), newId()];
    const c = openC();
    await c.create(old, { n: 1 });
    await c.sync();
    const later = async () => {
      await c.patch(old, [{ op: 'inc', path: '/n', value: 1 }]);
      await c.create(fresh, { n: 1 });
      await c.sync();
    };
    await onBackup('', later, async () => {
      expect((await c.command('sync')).status).toBe('OTHER_HISTORY');
      await edit(old, [{ op: 'add', path: '/other', value: true }]);
      await edit(old, [{ op: 'add', path: '/more', value: true }]);
      await edit(old, [{ op: 'add', path: '/most', value: true }]);
      expect((await c.command('sync')).status).toBe('OTHER_HISTORY');
      await c.must('takeHistory');
      await c.sync();
      expect((await c.get(old)).value).toEqual({ n: 1, other: true, more: true, most: true });
      expect((await c.command('get', fresh)).status).toBe('DOCUMENT_NOT_FOUND');
      expect(await c.quarantine()).toEqual([
        { document: old, kind: 'PATCH', code: 'OTHER_HISTORY', payload: [{ op: 'replace', path: '', value: { n: 2 } }] },
        { document: fresh, kind: 'CREATE', code: 'OTHER_HISTORY', payload: { collection: 'notes', title: '', value: { n: 1 } } },
      ]);
    });
  });

  it('sends nothing under another name until it is handed over, and is empty when it is cleared', async () => {
    const id = newId();
    const file = newFile();
    const first = openC(file);
    await first.create(id, { n: 1 });
    await first.sync();
    await first.patch(id, [{ op: 'inc', path: '/n', value: 1 }]);
    await first.close();
    const c = openC(file, server.url, await server.newToken('EDITOR'));
    expect((await c.command('sync')).status).toBe('OTHER_PRINCIPAL');
    expect(await onServer(id)).toEqual({ n: 1 });
    await c.must('handOver');
    await c.sync();
    expect(await onServer(id)).toEqual({ n: 2 });
    await c.must('start');
    expect((await c.command('clear')).status).toBe('MISUSE');
    await c.must('stop');
    await c.must('clear');
    expect((await c.command('get', id)).status).toBe('DOCUMENT_NOT_FOUND');
    await c.sync();
    expect((await c.get(id)).value).toEqual({ n: 2 });
  });
});
