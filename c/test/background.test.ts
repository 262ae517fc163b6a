import { describe, expect, it } from 'vitest';
import { CONNECTION, DOCUMENT, LIVE, OFFLINE, edit, newFile, newId, onServer, openC, server } from './world.js';

describe('a C replica', () => {
  it('says that a token is refused, and goes on with a good one', async () => {
    const id = newId();
    const c = openC(newFile(), server.url, 'nobody.secret');
    await c.create(id, {});
    expect((await c.command('sync')).status).toBe('UNAUTHENTICATED');
    await c.must('start');
    await c.heard(({ event, status }) => event === CONNECTION && status === 'UNAUTHENTICATED');
    expect((await c.info()).lastStatus).toBe('UNAUTHENTICATED');
    await c.must('token', server.token);
    await c.heard(({ event, connection }) => event === CONNECTION && connection === LIVE);
    await expect.poll(() => onServer(id)).toEqual({});
    await c.must('stop');
  });

  it('pushes by itself and tells what others changed while it runs', async () => {
    const id = newId();
    const c = openC();
    await c.must('start');
    await c.heard(({ connection }) => connection === LIVE);
    await c.create(id, { n: 1 });
    await expect.poll(() => onServer(id)).toEqual({ n: 1 });
    await expect.poll(async () => (await c.get(id)).pending).toBe(false);
    c.events.length = 0;
    await edit(id, [{ op: 'inc', path: '/n', value: 41 }]);
    await c.heard(({ event, document }) => event === DOCUMENT && document === id);
    expect((await c.get(id)).value).toEqual({ n: 42 });
    expect(c.events.every(({ nested }) => nested === 'MISUSE')).toBe(true);
    await c.must('stop');
  });

  it('finds the server again after a restart', async () => {
    const id = newId();
    const c = openC();
    await c.must('start');
    await c.heard(({ connection }) => connection === LIVE);
    await server.stop();
    await c.heard(({ event, connection }) => event === CONNECTION && connection === OFFLINE);
    await c.create(id, { offline: true });
    c.events.length = 0;
    await server.restart();
    await c.heard(({ connection }) => connection === LIVE);
    await expect.poll(() => onServer(id), { timeout: 5000 }).toEqual({ offline: true });
  });

  it('reads a workspace of many documents and follows deletions', async () => {
    const writer = openC();
    const ids = Array.from({ length: 1200 }, () => newId());
    for (const id of ids) await writer.create(id, { id, text: 'x'.repeat(200) });
    await writer.sync();
    const reader = openC();
    await reader.sync();
    expect((await reader.get(ids[1199]!)).value).toEqual({ id: ids[1199], text: 'x'.repeat(200) });
    await writer.must('delete', ids[0]!);
    await writer.sync();
    await reader.sync();
    expect((await reader.get(ids[0]!)).deleted).toBe(true);
  });
});
