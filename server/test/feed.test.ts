import type { Cursor, DocumentId } from '@concord/core';
import type { ChangeBatch, DocumentFilter, FeedEvent, Role, Viewer } from '@concord/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeJson } from '../feed/change-json.js';
import { formatCursor } from '../feed/cursor.js';
import { createFeed } from '../feed/port.js';
import type { Queryable } from '../postgres/queryable.js';
import { Watch } from '../feed/watch.js';
import { openCuttableProxy } from './cuttable-proxy.js';
import { atHead, create, documentId, edit, openWorld, patch, quiet, told, type Node, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';

let world: World;
let node: Node;

beforeAll(async () => {
  world = await openWorld(postgresUrl());
  node = await world.node();
});
afterAll(() => world.close());

const follow = (at: Node, after: Cursor | null, filter: DocumentFilter = {}, viewer: Viewer = world.reader): AsyncIterator<FeedEvent> =>
  at.feed.follow(viewer, world.workspaceId, { after, filter })[Symbol.asyncIterator]();
const next = async (stream: AsyncIterator<FeedEvent>): Promise<ChangeBatch> => {
  const { value } = (await stream.next()) as { value: FeedEvent };
  if (value?.type !== 'ChangeBatch') throw new Error(`no batch: ${JSON.stringify(value)}`);
  return value;
};
const pushAll = (at: Node, ...edits: Parameters<Node['commit']['push']>[2]) => at.commit.push(world.editor, world.workspaceId, edits);
const bump = (id: string) => atHead(id, patch({ op: 'inc', path: '/n', value: 1 }));
const positionsOf = (batches: readonly ChangeBatch[]) => batches.flatMap(({ changes }) => changes.map(({ position }) => position as number));

describe('following the feed', () => {
  it('marks the head first, then brings each commit with the cursor after it', async () => {
    const stream = follow(node, null);
    const mark = await next(stream);
    expect(mark).toMatchObject({ changes: [], upToDate: true });
    const waiting = next(stream);
    await pushAll(node, edit('f1', 'A', 1, 0, create({ n: 0 })), edit('f1', 'A', 2, 0, patch({ op: 'inc', path: '/n', value: 1 })));
    const batch = await waiting;
    expect(batch.changes.map(({ kind, revision, title }) => [kind, revision, title])).toEqual([['CREATE', 1, ''], ['PATCH', 2, null]]);
    expect(batch.changes[0]!.patch).toEqual([{ op: 'add', path: '', value: { n: 0 } }]);
    expect(batch.upToDate).toBe(true);
    await stream.return?.();
    expect(await stream.next()).toEqual({ done: true, value: undefined });

    await pushAll(node, bump('f1'));
    const resumed = follow(node, batch.cursor);
    expect((await next(resumed)).changes.map(({ revision }) => revision)).toEqual([3]);
    await resumed.return?.();
  });

  it('hands the same batch to all who stand at the same place', async () => {
    const streams = [follow(node, null), follow(node, null)];
    for (const stream of streams) await next(stream);
    const waiting = streams.map((stream) => next(stream));
    await pushAll(node, bump('f1'));
    const [one, two] = await Promise.all(waiting);
    expect(one).toBe(two);
    const [change] = one!.changes;
    expect(JSON.parse(changeJson(change!))).toMatchObject({ documentId: 'f1', kind: 'PATCH', author: 'ed', patch: [{ op: 'inc', path: '/n', value: 1 }] });
    expect(changeJson(change!)).toBe(changeJson(change!));
    for (const stream of streams) await stream.return?.();
  });

  it('has no hole and no repetition from the scan into the live part, under commits on two nodes', async () => {
    const other = await world.node();
    const target = 400;
    await pushAll(node, atHead('seam', create({ n: 0 })));
    const start = (await node.read.head(world.reader, world.workspaceId)) as string;
    const first = Number(Buffer.from(start, 'base64url').toString().split('.')[1]);
    const write = async (at: Node) => {
      for (let round = 0; round < target / 4; round++) await Promise.all([pushAll(at, bump('seam')), pushAll(at, bump('seam'))]);
    };
    const writing = Promise.all([write(node), write(other)]);
    const read = async (at: Node, delay: number) => {
      await new Promise((resolve) => setTimeout(resolve, delay));
      const stream = follow(at, start as Cursor);
      const batches: ChangeBatch[] = [];
      while (positionsOf(batches).at(-1) !== first + target) batches.push(await next(stream));
      await stream.return?.();
      return batches;
    };
    const readings = await Promise.all([read(node, 0), read(node, 30), read(other, 60), read(other, 120)]);
    await writing;
    for (const batches of readings) {
      expect(positionsOf(batches)).toEqual(Array.from({ length: target }, (_, index) => first + 1 + index));
      for (const batch of batches.filter(({ changes }) => changes.length > 0)) {
        expect(batch.cursor).toBe(formatCursor({ epoch: 1, position: batch.changes.at(-1)!.position, history: world.history, patchId: batch.changes.at(-1)!.patchId }));
      }
    }
    await other.close();
  });

  it('brings commits of another node by hint, and by the poll when the hint is lost', async () => {
    const other = await world.node();
    const polling = await world.node({ pollMs: 30, notify: { pauseMs: 0, alone: false, publish: () => Promise.resolve(), subscribe: () => () => undefined, onGap: () => () => undefined, close: () => Promise.resolve() } });
    for (const listening of [other, polling]) {
      const stream = follow(listening, null);
      await next(stream);
      const waiting = next(stream);
      await pushAll(node, bump('f1'));
      expect((await waiting).changes).toHaveLength(1);
      await stream.return?.();
    }
    await other.close();
    await polling.close();
  });

  it('ends with FORBIDDEN as soon as the role is taken away, on every node', async () => {
    const other = await world.node();
    const streams = [follow(node, null), follow(other, null)];
    for (const stream of streams) await next(stream);
    const ends = streams.map((stream) => expect(stream.next()).rejects.toMatchObject({ code: 'FORBIDDEN' }));
    await world.sql.query(`DELETE FROM memberships WHERE principal_id = 'rea'`);
    await node.memberships.changed({ principalId: world.reader.principalId, workspaceId: world.workspaceId });
    await Promise.all(ends);
    expect(await streams[0]!.next()).toEqual({ done: true, value: undefined });
    await expect(follow(node, null).next()).rejects.toMatchObject({ code: 'WORKSPACE_NOT_FOUND' });
    await world.sql.query(`INSERT INTO memberships (workspace_id, principal_id, role) VALUES ('w1', 'rea', 'VIEWER')`);
    await node.memberships.changed({ principalId: world.reader.principalId, workspaceId: world.workspaceId });
    await other.close();
  });

  it('tells a live reader that fell behind the ring LAGGED, and one that resumes misses nothing', async () => {
    const small = await world.node({ feedRingBytes: 4000 });
    await pushAll(small, atHead('lag', create({ n: 0 })));
    const stream = follow(small, null);
    const { cursor } = await next(stream);
    for (let count = 0; count < 40; count++) await pushAll(small, bump('lag'));
    await expect(stream.next()).rejects.toMatchObject({ code: 'LAGGED' });
    const resumed = follow(small, cursor);
    const batches: ChangeBatch[] = [];
    while (positionsOf(batches).length < 40) batches.push(await next(resumed));
    expect(batches.at(-1)!.upToDate).toBe(true);
    await small.close();
    await expect(resumed.next()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});

describe('cursors', () => {
  it('that no server made are refused, in pull and in follow', async () => {
    for (const cursor of ['x', 'MS4wMQ', Buffer.from('1.1.0.0').toString('base64url')] as Cursor[]) {
      await expect(node.feed.pull(world.reader, world.workspaceId, { after: cursor, first: 5, filter: {} })).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
      await expect(follow(node, cursor).next()).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
    }
  });

  it('of an older epoch get a resync, and so does a stream that is live when the epoch rises', async () => {
    const own = await openWorld(postgresUrl());
    const at = await own.node({ pollMs: 30 });
    await at.commit.push(own.editor, own.workspaceId, [edit('e', 'A', 1, 0, create({}))]);
    const cursor = await at.read.head(own.reader, own.workspaceId);
    const stream = at.feed.follow(own.reader, own.workspaceId, { after: null, filter: {} })[Symbol.asyncIterator]();
    await stream.next();
    const waiting = stream.next();
    await own.sql.query('UPDATE workspaces SET epoch = 2');
    const resync = { type: 'Resync', reason: 'EPOCH_CHANGED' };
    expect((await waiting).value).toEqual(resync);
    expect((await stream.next()).done).toBe(true);
    expect(await at.feed.pull(own.reader, own.workspaceId, { after: cursor, first: 5, filter: {} })).toEqual(resync);
    expect((await at.feed.follow(own.reader, own.workspaceId, { after: cursor, filter: {} })[Symbol.asyncIterator]().next()).value).toEqual(resync);
    const verdicts = await at.commit.push(own.editor, own.workspaceId, [edit('e', 'A', 2, 1, { kind: 'DELETE' }), edit('e', 'A', 2, 1, { kind: 'DELETE' }, 'x', 2)]);
    expect(verdicts.map(told)).toEqual(['EPOCH_CHANGED', 'PATCH_DEPENDS_ON_REFUSED']);
    expect((await at.commit.push(own.editor, own.workspaceId, [edit('e', 'A', 2, 1, { kind: 'DELETE' }, 'x', 2)])).map(told)).toEqual(['ok 2']);
    await own.close();
  });
});

describe('partial sync', () => {
  it('by collection and by ids brings only their changes, and a cursor that moves on', async () => {
    const byCollection = follow(node, null, { collection: 'chosen' });
    const byIds = follow(node, null, { ids: [documentId('p2')] });
    await next(byCollection);
    await next(byIds);
    const waiting = [next(byCollection), next(byIds)];
    await pushAll(node, atHead('p1', create({ n: 0 })), atHead('p2', create({ n: 0 }, 'chosen')), atHead('p3', create({ n: 0 })));
    for (const batch of await Promise.all(waiting)) {
      expect(batch.changes.map(({ documentId: id }) => id)).toEqual(['p2']);
      expect(batch).toMatchObject({ left: [], upToDate: true });
      expect(batch.cursor).toBe(await node.read.head(world.reader, world.workspaceId));
    }
    await byCollection.return?.();
    await byIds.return?.();
    const pulled = await node.feed.pull(world.reader, world.workspaceId, { after: null, first: 1000, filter: { collection: 'chosen' } });
    expect(pulled).toMatchObject({ type: 'ChangeBatch', upToDate: true, changes: [{ documentId: 'p2' }] });
  });

  it('by conditions names documents that leave, once, and brings them again when they return', async () => {
    const filter: DocumentFilter = { where: [{ path: ['open'], operator: 'EQUALS', value: true }] };
    const stream = follow(node, null, filter);
    await next(stream);
    const step = async (value: boolean) => {
      const waiting = next(stream);
      await pushAll(node, atHead('cond', patch({ op: 'replace', path: '/open', value })));
      const batch = await waiting;
      return [batch.changes.map(({ documentId: id }) => id), batch.left];
    };
    const made = next(stream);
    await pushAll(node, atHead('cond', create({ open: true, n: 0 })));
    expect((await made).changes).toHaveLength(1);
    expect(await step(false)).toEqual([[], ['cond']]);
    const waiting = next(stream);
    await pushAll(node, bump('cond'));
    await pushAll(node, atHead('cond', patch({ op: 'replace', path: '/open', value: true })));
    const back = await waiting;
    expect(back.changes.map(({ documentId: id }) => id)).toContain('cond');
    expect(back.left).toEqual([]);
    await stream.return?.();
  });
});

describe('watching and snapshots', () => {
  it('shows one document now, while it does not exist, and after each change', async () => {
    const stream = node.feed.watch(world.reader, world.workspaceId, documentId('watched'))[Symbol.asyncIterator]();
    expect((await stream.next()).value).toBeNull();
    for (const [value, act] of [[0, create({ n: 0 })], [1, bump('watched').action]] as const) {
      const waiting = stream.next();
      await pushAll(node, atHead('watched', act));
      expect((await waiting).value).toMatchObject({ id: 'watched', value: { n: value } });
    }
    const last = stream.next();
    await stream.return?.();
    expect((await last).done).toBe(true);
  });

  it('shows nothing that was read while the right to it was taken away', async () => {
    await pushAll(node, atHead('secret', create({ n: 0 })));
    let role: Role | null = 'VIEWER';
    const db: Queryable = {
      query: async (statement) => {
        const result = await world.sql.query(statement);
        if (statement.name === 'concord-read-document') role = null;
        return result as never;
      },
    };
    const feed = createFeed({
      db,
      shares: { run: (_principalId, _left, work) => work(db), following: () => db },
      log: quiet,
      // The revocation has not been heard of yet.
      rights: { role: () => Promise.resolve(role), onRevoked: () => () => undefined },
      notify: node.notify,
      ringBytes: 1_000_000,
      pollMs: 60_000,
    });
    const stream = feed.watch(world.reader, world.workspaceId, documentId('secret'))[Symbol.asyncIterator]();
    await expect(stream.next()).rejects.toMatchObject({ code: 'WORKSPACE_NOT_FOUND' });
    expect((await stream.next()).done).toBe(true);
    await feed.close();
  });

  it('stops following when the document cannot be read', async () => {
    const changes = follow(node, null, { ids: [documentId('f1')] });
    await expect(new Watch(changes, () => Promise.reject(new Error('no answer'))).next()).rejects.toThrow('no answer');
    expect((await changes.next()).done).toBe(true);
  });

  it('pages through the living documents with one cursor, from which the feed goes on', async () => {
    const own = await openWorld(postgresUrl());
    const at = await own.node();
    const ids = Array.from({ length: 25 }, (_, index) => `s${String(index).padStart(2, '0')}`);
    await at.commit.push(own.editor, own.workspaceId, ids.map((id) => atHead(id, create({ id }))));
    await at.commit.push(own.editor, own.workspaceId, [atHead('s03', { kind: 'DELETE' })]);
    const seen: DocumentId[] = [];
    const cursors = new Set<Cursor>();
    let after: string | null = null;
    do {
      const page = await at.feed.snapshot(own.reader, own.workspaceId, { first: 8, after, filter: {} });
      seen.push(...page.documents.map(({ id }) => id));
      cursors.add(page.cursor);
      // What is made between the pages comes through the feed.
      if (after === null) await at.commit.push(own.editor, own.workspaceId, [atHead('s00a', create({}))]);
      after = page.next;
    } while (after !== null);
    expect(seen).toEqual(ids.filter((id) => id !== 's03'));
    expect(cursors.size).toBe(1);
    const rest = await at.feed.pull(own.reader, own.workspaceId, { after: [...cursors][0]!, first: 10, filter: {} });
    expect(rest).toMatchObject({ changes: [{ documentId: 's00a' }], upToDate: true });
    await expect(at.feed.snapshot(own.reader, own.workspaceId, { first: 8, after: 'x', filter: {} })).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
    await own.close();
  });
});

describe('a page', () => {
  it('ends by the size of what it holds, not of how it is stored', async () => {
    const own = await openWorld(postgresUrl());
    const at = await own.node();
    const ids = Array.from({ length: 30 }, (_, index) => `large${String(index).padStart(2, '0')}`);
    for (const id of ids) await at.commit.push(own.editor, own.workspaceId, [atHead(id, create('x'.repeat(250_000)))]);
    const seen: DocumentId[] = [];
    const pulled = await at.feed.pull(own.reader, own.workspaceId, { after: null, first: 1000, filter: {} });
    expect(pulled).toMatchObject({ type: 'ChangeBatch', upToDate: false });
    expect(pulled.type === 'ChangeBatch' && pulled.changes.length).toBe(17);
    const page = await at.feed.snapshot(own.reader, own.workspaceId, { first: 1000, after: null, filter: {} });
    expect(page.documents).toHaveLength(17);
    let after: string | null = null;
    do {
      const { rows, hasNextPage } = await at.read.documents(own.reader, own.workspaceId, { filter: {}, order: { field: 'ID', descending: false }, first: 1000, after, includeDeleted: false });
      expect(rows.length).toBeLessThanOrEqual(17);
      seen.push(...rows.map(({ row }) => row.id));
      after = hasNextPage ? rows.at(-1)!.key : null;
    } while (after !== null);
    expect(seen).toEqual(ids);

    const replaced = (by: string, counter: number, base: number) => edit('large00', by, counter, base, patch({ op: 'replace', path: '', value: `${by}${counter}`.repeat(75_000) }));
    for (let counter = 1; counter <= 30; counter++) await at.commit.push(own.editor, own.workspaceId, [replaced('A', counter, counter)]);
    const both = async (after: string | null) => await at.read.history(own.reader, own.workspaceId, documentId('large00'), { first: 1000, after });
    const newest = await both(null);
    expect(newest.hasNextPage).toBe(true);
    const oldest = await both(newest.rows.at(-1)!.key);
    expect([...newest.rows, ...oldest.rows].map(({ row }) => row.revision as number)).toEqual(Array.from({ length: 31 }, (_, index) => 31 - index));
    expect(newest.rows.length).toBeGreaterThan(10);
    await at.commit.push(own.editor, own.workspaceId, [replaced('B', 1, 5)]);
    expect((await at.read.conflicts(own.reader, own.workspaceId, { documentId: documentId('large00'), first: 1000, after: null })).rows.length).toBeGreaterThan(0);
    await own.close();
  });
});

describe('a database that does not answer', () => {
  it('ends a reader with UNAVAILABLE, which resumes from its cursor when it is back', async () => {
    const proxy = await openCuttableProxy(world.databaseUrl);
    const at = await world.node({ through: proxy.url, poolSize: 2 });
    const cursor = await at.read.head(world.reader, world.workspaceId);
    await pushAll(node, bump('f1'));
    const asked = proxy.holdAnswers();
    const waiting = expect(follow(at, cursor).next()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await asked;
    proxy.breakAll();
    await waiting;
    expect((await next(follow(at, cursor))).changes).toHaveLength(1);
    await at.close();
    await proxy.close();
  });
});
