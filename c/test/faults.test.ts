import { copyFileSync } from 'node:fs';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '@concord/core';
import { CutProxy } from '../../client/test/cut-proxy.js';
import { compactAll, edit, newFile, newId, onServer, openC, revisions, server } from './world.js';

describe('a C replica', () => {
  it('keeps what was edited offline over a kill, and commits each edit once', async () => {
    const id = newId();
    const file = newFile();
    const first = openC(file);
    await first.create(id, { n: 0 });
    await first.patch(id, [{ op: 'inc', path: '/n', value: 1 }]);
    await first.kill();
    const second = openC(file);
    await second.patch(id, [{ op: 'inc', path: '/n', value: 10 }]);
    expect((await second.info()).pending).toBe(3);
    await second.sync();
    await second.sync();
    expect(await onServer(id)).toEqual({ n: 11 });
    expect(await revisions(id)).toBe(3);
  });

  it('commits an edit once when the acknowledgement is lost', async () => {
    const id = newId();
    const file = newFile();
    const proxy = await CutProxy.before(server.url);
    const c = openC(file, proxy.url);
    await c.create(id, { list: ['a'] });
    await c.sync();
    await c.patch(id, [{ op: 'add', path: '/list/0', value: 'first' }]);
    await c.patch(id, [{ op: 'add', path: '/list/1', value: 'second' }]);
    proxy.loseAnswers();
    const unanswered = c.command('sync').catch(() => undefined);
    await expect.poll(() => revisions(id)).toBe(3);
    await edit(id, [{ op: 'add', path: '/list/0', value: 'other' }]);
    await c.kill();
    await unanswered;
    proxy.cut();
    const again = openC(file, proxy.url);
    await again.patch(id, [{ op: 'add', path: '/list/-', value: 'third' }]);
    await again.sync();
    expect(await revisions(id)).toBe(5);
    expect(await onServer(id)).toEqual({ list: ['other', 'first', 'second', 'a', 'third'] });
    expect((await again.get(id)).value).toEqual(await onServer(id));
    await proxy.close();
  });

  it('loses and doubles nothing when it is killed again and again while it pushes', async () => {
    const id = newId();
    const file = newFile();
    const first = openC(file);
    await first.create(id, { n: 0, list: [] });
    await first.sync();
    await first.kill();
    let edits = 0;
    for (let life = 0; life < 5; life++) {
      const c = openC(file);
      await c.must('start');
      for (let count = 0; count < 15; count++) {
        await c.patch(id, [{ op: 'inc', path: '/n', value: 1 }, { op: 'add', path: '/list/-', value: edits }]);
        edits += 1;
        if (count === 7) await edit(id, [{ op: 'add', path: '/list/0', value: 'other' }]);
      }
      await c.kill();
    }
    const last = openC(file);
    await last.sync();
    const value = (await onServer(id)) as { n: number; list: JsonValue[] };
    expect(value.n).toBe(edits);
    expect(value.list.filter((item) => item !== 'other')).toEqual(Array.from({ length: edits }, (_, index) => index));
    expect((await last.get(id)).value).toEqual(value);
  });

  it('goes on under a new replica id when its file was copied', async () => {
    const id = newId();
    const file = newFile();
    const original = openC(file);
    await original.create(id, { list: [] });
    await original.sync();
    await original.close();
    const copy = newFile();
    copyFileSync(file, copy);
    const [one, two] = [openC(file), openC(copy)];
    await one.patch(id, [{ op: 'add', path: '/list/-', value: 'one' }]);
    await two.patch(id, [{ op: 'add', path: '/list/-', value: 'two' }]);
    await two.patch(id, [{ op: 'add', path: '/list/-', value: 'three' }]);
    await one.sync();
    await two.sync();
    await one.sync();
    expect(await onServer(id)).toEqual({ list: ['one', 'two', 'three'] });
    for (const replica of [one, two]) {
      expect((await replica.get(id)).value).toEqual({ list: ['one', 'two', 'three'] });
      expect(await replica.info()).toMatchObject({ pending: 0, quarantined: 0 });
    }
  });

  it('reads a snapshot when the history was rewritten, and keeps what still fits', async () => {
    const [same, changed] = [newId(), newId()];
    const c = openC();
    await c.create(same, { n: 1 });
    await c.create(changed, { n: 1 });
    await c.sync();
    await edit(changed, [{ op: 'inc', path: '/n', value: 5 }]);
    await c.patch(same, [{ op: 'inc', path: '/n', value: 1 }]);
    await c.patch(changed, [{ op: 'inc', path: '/n', value: 1 }]);
    await server.stop();
    const client = new pg.Client({ connectionString: server.databaseUrl });
    await client.connect();
    await client.query('UPDATE workspaces SET epoch = epoch + 1');
    await client.end();
    await server.restart();
    await c.sync();
    expect(await onServer(same)).toEqual({ n: 2 });
    expect(await onServer(changed)).toEqual({ n: 6 });
    expect((await c.get(same)).value).toEqual({ n: 2 });
    expect((await c.get(changed)).value).toEqual({ n: 6 });
    expect((await c.quarantine()).map(({ document, code }) => [document, code])).toEqual([[changed, 'OTHER_HISTORY'], [changed, 'EPOCH_CHANGED']]);
    await c.patch(changed, [{ op: 'inc', path: '/n', value: 10 }]);
    await c.sync();
    expect(await onServer(changed)).toEqual({ n: 16 });
  });

  it('takes a snapshot when its cursor is older than the log, and has nothing twice', async () => {
    const [lost, chain, same, changed] = [newId(), newId(), newId(), newId()];
    const proxy = await CutProxy.before(server.url);
    const file = newFile();
    const c = openC(file, proxy.url);
    for (const id of [lost, chain, same, changed]) await c.create(id, { n: 1 });
    await c.sync();
    await c.patch(lost, [{ op: 'inc', path: '/n', value: 1 }]);
    for (let index = 0; index < 3; index++) await c.patch(chain, [{ op: 'inc', path: '/n', value: 1 }]);
    proxy.loseAnswers();
    const unanswered = c.command('sync').catch(() => undefined);
    await expect.poll(async () => [await onServer(lost), await onServer(chain)]).toEqual([{ n: 2 }, { n: 4 }]);
    await c.kill();
    await unanswered;
    await proxy.close();
    const again = openC(file);
    expect((await again.info()).pending).toBe(4);
    await again.patch(same, [{ op: 'inc', path: '/n', value: 1 }]);
    await again.patch(changed, [{ op: 'inc', path: '/n', value: 1 }]);
    for (const id of [lost, chain, changed]) await edit(id, [{ op: 'inc', path: '/n', value: 10 }]);
    await server.restart();
    await compactAll();
    expect((await server.graphql('{ changes { ... on Resync { reason } } }')).data).toEqual({ changes: { reason: 'CURSOR_EXPIRED' } });

    await again.sync();
    expect([await onServer(lost), await onServer(chain), await onServer(same), await onServer(changed)]).toEqual([{ n: 12 }, { n: 14 }, { n: 2 }, { n: 11 }]);
    // It has no transform of its own: what was made on a base that is gone waits for the user.
    expect((await again.quarantine()).map(({ document, code }) => [document, code])).toEqual([[changed, 'CLOCK_STALE']]);
    for (const id of [lost, chain, changed]) await again.patch(id, [{ op: 'inc', path: '/n', value: 100 }]);
    await again.sync();
    expect(await again.info()).toMatchObject({ pending: 0, quarantined: 1 });
    for (const [id, n] of [[lost, 112], [chain, 114], [changed, 111]] as const) {
      expect(await onServer(id)).toEqual({ n });
      expect((await again.get(id)).value).toEqual({ n });
    }
  });

  it('waits as long as the server asks, and then goes on', async () => {
    const id = newId();
    const c = openC();
    await c.create(id, {});
    await c.sync();
    await server.restart({ rateLimit: { operationsPerSecond: 4, operationsBurst: 1, anonymousPerSecond: 0, editsPerSecond: 0, editsBurst: 1, failedLoginsPerMinute: 0 } });
    await c.patch(id, [{ op: 'add', path: '/a', value: 1 }]);
    await c.sync();
    expect((await c.info()).pending).toBe(0);
    await server.restart();
    expect(await onServer(id)).toEqual({ a: 1 });
  });

  it('says that a viewer may not write, and keeps the edit', async () => {
    const id = newId();
    const c = openC(newFile(), server.url, await server.newToken('VIEWER'));
    await c.create(id, {});
    expect((await c.command('sync')).status).toBe('FORBIDDEN');
    expect((await c.info()).pending).toBe(1);
  });

  it('says that a server is none', async () => {
    const c = openC(newFile(), `${new URL(server.url).origin}/health`);
    expect((await c.command('sync')).status).toBe('PROTOCOL');
  });
});
