import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConcordError } from '@concord/core';
import { DocumentsDocument, openReplica, type Replica, type ReplicaOptions } from '../index.js';

const good: ReplicaOptions = { url: 'http://127.0.0.1:1/graphql', token: 'a.b', database: ':memory:', online: false };
const opened: Replica[] = [];
const open = async (options: object = {}): Promise<Replica> => {
  const replica = await openReplica({ ...good, ...options });
  opened.push(replica);
  return replica;
};
const refusalOf = async (work: () => unknown): Promise<{ code: string; path: string | undefined; message: string }> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof ConcordError) return { code: error.code, path: error.details.path, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('odd input', () => {
  const folder = mkdtempSync(join(tmpdir(), 'concord-odd-'));
  afterAll(async () => {
    await Promise.all(opened.map((replica) => replica.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  it.each<[string, object, string]>([
    ['url', { url: 'localhost' }, '/url'],
    ['url', { url: 'ftp://a/' }, '/url'],
    ['url', { url: undefined }, '/url'],
    ['token', { token: '' }, '/token'],
    ['token', { token: 7 }, '/token'],
    ['token', { token: undefined }, '/token'],
    ['database', { database: '' }, '/database'],
    ['database', { database: undefined }, '/database'],
    ['database', { database: Buffer.from('x') }, '/database'],
    ['workspaceId', { workspaceId: 'a b' }, '/workspaceId'],
    ['filter', { filter: 'notes' }, '/filter'],
    ['filter', { filter: { collection: 1 } }, '/filter/collection'],
    ['filter', { filter: { ids: 'x' } }, '/filter/ids'],
    ['filter', { filter: { ids: ['x', 1] } }, '/filter/ids/1'],
    ['filter', { filter: { where: { path: '/a', value: 1 } } }, '/filter/where'],
    ['filter', { filter: { where: [{ path: ['a'], value: 1 }] } }, '/filter/where/0/path'],
    ['filter', { filter: { where: [{ path: '/a' }] } }, '/filter/where/0/value'],
    ['filter', { filter: { colection: 'x' } }, '/filter/colection'],
    ['durability', { durability: 'FULL' }, '/durability'],
    ['online', { online: 'no' }, '/online'],
    ['squashFrom', { squashFrom: 1.5 }, '/squashFrom'],
    ['squashFrom', { squashFrom: -1 }, '/squashFrom'],
    ['now', { now: 1 }, '/now'],
    ['random', { random: 0.5 }, '/random'],
    ['newId', { newId: 'x' }, '/newId'],
    ['newReplicaId', { newReplicaId: 'x' }, '/newReplicaId'],
    ['timers', { timers: {} }, '/timers'],
    ['WebSocket', { WebSocket: 'ws' }, '/WebSocket'],
    ['retry', { retry: { firstMs: 0, longestMs: 1 } }, '/retry/firstMs'],
    ['retry', { retry: { firstMs: 5, longestMs: 1 } }, '/retry/longestMs'],
    ['retry', { retry: { firstMs: 5 } }, '/retry/longestMs'],
    ['answerTimeoutMs', { answerTimeoutMs: '30' }, '/answerTimeoutMs'],
    ['an option that is none', { offline: true }, '/offline'],
  ])('in the option %s is refused with its place: %j', async (_, options, path) => {
    const { code, path: place, message } = await refusalOf(() => openReplica({ ...good, ...options }));
    expect([code, place]).toEqual(['INPUT_INVALID', path]);
    expect(message).toMatch(/\.$/);
  });

  it('in several options is told at once', async () => {
    const { message } = await refusalOf(() => openReplica({ ...good, url: 'x', durability: 'x' as never, squashFrom: -1 }));
    expect(message).toMatch(/url must be.*durability must be.*squashFrom must be/);
    expect((await refusalOf(() => openReplica(undefined as never))).code).toBe('INPUT_INVALID');
    expect((await refusalOf(() => openReplica({} as never))).message).toMatch(/url.*token.*database/);
  });

  it.each<[string, object, string, string]>([
    ['a limit that is no whole number', { limit: 1.5 }, 'INPUT_INVALID', '/limit'],
    ['a negative limit', { limit: -1 }, 'INPUT_INVALID', '/limit'],
    ['a limit that is a text', { limit: '1' }, 'INPUT_INVALID', '/limit'],
    ['an unknown operator', { where: [{ path: '/n', operator: 'LIKE', value: 1 }] }, 'INPUT_INVALID', '/where/0/operator'],
    ['an operator of Object', { where: [{ path: '/n', operator: 'constructor', value: 1 }] }, 'INPUT_INVALID', '/where/0/operator'],
    ['a condition without value', { where: [{ path: '/n', value: 1 }, { path: '/n', operator: 'LESS' }] }, 'INPUT_INVALID', '/where/1/value'],
    ['a condition that is a text', { where: ['/n'] }, 'INPUT_INVALID', '/where/0'],
    ['conditions that are no array', { where: { path: '/n', value: 1 } }, 'INPUT_INVALID', '/where'],
    ['a path in another form', { where: [{ path: ['n'], value: 1 }] }, 'INPUT_INVALID', '/where/0/path'],
    ['a path that is no pointer', { where: [{ path: 'n', value: 1 }] }, 'POINTER_INVALID', '/where/0/path'],
    ['a lone surrogate', { where: [{ path: '/n', value: '\ud800' }] }, 'VALUE_INVALID', '/where/0/value'],
    ['a lone surrogate in a list', { where: [{ path: '/n', operator: 'NOT_EQUALS', value: ['a', '\udc00'] }] }, 'VALUE_INVALID', '/where/0/value/1'],
    ['U+0000', { where: [{ path: '/n', operator: 'STARTS_WITH', value: '\0' }] }, 'VALUE_INVALID', '/where/0/value'],
    ['a BigInt', { where: [{ path: '/n', value: 1n }] }, 'VALUE_INVALID', '/where/0/value'],
    ['an order by no pointer', { orderBy: 'name' }, 'POINTER_INVALID', '/orderBy'],
    ['an order by a number', { orderBy: 1 }, 'INPUT_INVALID', '/orderBy'],
    ['a direction that is a text', { descending: 'yes' }, 'INPUT_INVALID', '/descending'],
  ])('in a query is refused: %s', async (_, query, code, path) => {
    const replica = await open();
    const refused = await refusalOf(() => replica.collection('c').query(query));
    expect([refused.code, refused.path]).toEqual([code, path]);
  });

  it('in a condition has one meaning everywhere: a filter, a query and GraphQL refuse a lone surrogate alike', async () => {
    const where = [{ path: '/a', operator: 'NOT_EQUALS' as const, value: '\ud800' }];
    const replica = await open();
    const answered = await replica.client.query(DocumentsDocument, { where }).toPromise();
    expect(answered.error?.graphQLErrors[0]?.extensions).toMatchObject({ code: 'VALUE_INVALID', path: '/where/0/value' });
    expect((await refusalOf(() => replica.collection('c').query({ where }))).code).toBe('VALUE_INVALID');
    expect((await refusalOf(() => openReplica({ ...good, filter: { where } }))).code).toBe('VALUE_INVALID');
  });

  it('in a call is refused with a code, and changes nothing', async () => {
    const replica = await open();
    const notes = replica.collection<unknown>('notes');
    notes.create({ n: 0 }, { id: 'd' });
    const cases: [() => unknown, string, string | undefined][] = [
      [() => replica.collection(''), 'INPUT_INVALID', '/collection'],
      [() => replica.collection(undefined as never), 'INPUT_INVALID', '/collection'],
      [() => replica.get(undefined as never), 'INPUT_INVALID', '/id'],
      [() => notes.get(7 as never), 'INPUT_INVALID', '/id'],
      [() => notes.edit({} as never, []), 'INPUT_INVALID', '/id'],
      [() => notes.edit('d', undefined as never), 'PATCH_MALFORMED', undefined],
      [() => notes.edit('d', 'x' as never), 'PATCH_MALFORMED', undefined],
      [() => notes.increment('d', 'n'), 'POINTER_INVALID', 'n'],
      [() => notes.increment('d', '/n', 0.5), 'VALUE_INVALID', '/n'],
      [() => notes.increment('d', '/n', 1n as never), 'PATCH_MALFORMED', '/n'],
      [() => notes.create({}, { title: 1 as never }), 'INPUT_INVALID', '/title'],
      [() => notes.create(undefined), 'VALUE_INVALID', ''],
      [() => notes.watch('d', undefined as never), 'INPUT_INVALID', '/listener'],
      [() => replica.watch('d', undefined as never), 'INPUT_INVALID', '/listener'],
      [() => replica.onStatus(undefined as never), 'INPUT_INVALID', '/listener'],
      [() => replica.onConflict('x' as never), 'INPUT_INVALID', '/listener'],
      [() => notes.query().subscribe(undefined as never), 'INPUT_INVALID', '/listener'],
      [() => replica.setToken(''), 'INPUT_INVALID', '/token'],
      [() => replica.settled({ timeoutMs: -1 }), 'INPUT_INVALID', '/timeoutMs'],
    ];
    for (const [call, code, path] of cases) {
      const refused = await refusalOf(call);
      expect([String(call), refused.code, refused.path]).toEqual([String(call), code, path]);
    }
    expect(replica.pending()).toHaveLength(1);
  });

  it('edits no document through the handle of another collection, as it reads none', async () => {
    const replica = await open();
    const [notes, cards] = [replica.collection<{ n: number }>('notes'), replica.collection<{ n: number }>('cards')];
    notes.create({ n: 0 }, { id: 'd' });
    expect(cards.get('d')).toBeUndefined();
    for (const call of [() => cards.edit('d', (card) => void card.n++), () => cards.increment('d', '/n'), () => cards.delete('d'), () => cards.restore('d')]) {
      const { code, message } = await refusalOf(call);
      expect([code, message]).toEqual(['DOCUMENT_NOT_FOUND', expect.stringContaining('collection("notes")')]);
    }
    expect(notes.get('d')?.value).toEqual({ n: 0 });
  });

  it('that is altered later changes nothing: options and queries are copied', async () => {
    const where = [{ path: '/done', value: false as unknown }];
    const replica = await open();
    const notes = replica.collection('notes');
    notes.create({ done: false }, { id: 'd' });
    const query = notes.query({ where: where as never });
    where[0]!.value = true;
    where[0]!.path = '/other';
    expect(query.all()).toHaveLength(1);
  });

  it('of a listener that throws is told as uncaught, and stops neither the replica nor the other listeners', async () => {
    const replica = await open();
    const notes = replica.collection<{ n: number }>('notes');
    notes.create({ n: 0 }, { id: 'd' });
    const uncaught: unknown[] = [];
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error.message));
    try {
      const thrower = (name: string) => () => {
        throw new Error(name);
      };
      const told: unknown[] = [];
      const stops = [
        notes.watch('d', thrower('watch')),
        replica.watch('d', thrower('replica watch')),
        notes.query().subscribe(thrower('query')),
        replica.onStatus(thrower('status')),
        notes.watch('d', (document) => told.push(document?.value.n)),
      ];
      notes.increment('d', '/n');
      await new Promise((resolve) => setImmediate(resolve));
      for (const stop of stops) stop();
      expect(told).toEqual([0, 1]);
      expect(uncaught.sort()).toEqual(['query', 'query', 'replica watch', 'replica watch', 'status', 'status', 'watch', 'watch']);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of before) process.on('uncaughtException', listener);
    }
  });
});
