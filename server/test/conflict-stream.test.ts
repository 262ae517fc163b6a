import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cursor, DocumentId, Position, Revision } from '@concord/core';
import type { ConflictBatch, ConflictRecord, ReportedConflict } from '@concord/schema';
import { formatCursor } from '../feed/cursor.js';
import { startTestServer } from './harness.js';
import { committed, create, documentId, edit, openWorld, patch, type Node, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';
import { openSession } from './raw-socket.js';

let world: World;
let node: Node;
beforeAll(async () => {
  world = await openWorld(postgresUrl());
  node = await world.node();
});
afterAll(() => world.close());

const follow = (at: Node, after: Cursor | null = null, id: DocumentId | null = null): AsyncIterator<ConflictBatch> =>
  at.feed.conflicts(world.reader, world.workspaceId, { documentId: id, after })[Symbol.asyncIterator]();
const next = async (stream: AsyncIterator<ConflictBatch>): Promise<ConflictBatch> => (await stream.next()).value as ConflictBatch;
const head = (at: Node) => at.read.head(world.reader, world.workspaceId);
const replace = (value: number) => patch({ op: 'replace', path: '/n', value });
const key = ({ position, ordinal }: ConflictRecord) => `${position}.${ordinal}`;

/** Each round is a replacement by A and one by B that had not seen it: a conflict. */
async function quarrel(at: Node, id: string, rounds: number, from = 0): Promise<void> {
  if (from === 0) await at.commit.push(world.editor, world.workspaceId, [edit(id, 'A', 1, 0, create({ n: 0 }))]);
  for (let round = from; round < from + rounds; round++) {
    const base = 1 + 2 * round;
    const [first] = await at.commit.push(world.editor, world.workspaceId, [edit(id, 'A', 2 + round, base, replace(round))]);
    const [second] = await at.commit.push(world.editor, world.workspaceId, [edit(id, 'B', 1 + round, base, replace(-round - 1))]);
    committed(first);
    expect(committed(second).conflicts).toHaveLength(1);
  }
}

describe('following the conflicts', () => {
  it('marks the head first, then brings each new one, with the cursor after it; other changes are silent', async () => {
    const [all, one, other] = [follow(node), follow(node, null, documentId('c1')), follow(node, null, documentId('elsewhere'))];
    for (const stream of [all, one, other]) expect(await next(stream)).toMatchObject({ conflicts: [], upToDate: true });
    let quiet = true;
    void other.next().then(() => (quiet = false));
    const waiting = [next(all), next(one)];
    await quarrel(node, 'c1', 1);
    for (const batch of await Promise.all(waiting)) {
      expect(batch).toMatchObject({ upToDate: true, conflicts: [{ documentId: 'c1', againstRevision: 2, ordinal: 0, conflict: { rule: 'replaceReplace', lost: 0 } }] });
      expect(batch.cursor).toBe(await head(node));
    }
    expect(quiet).toBe(true);
    for (const stream of [all, one, other]) await stream.return?.();
    expect(await all.next()).toEqual({ done: true, value: undefined });
  });

  it('has no hole and no repetition from the old ones into the new ones, under commits on two nodes', async () => {
    const other = await world.node();
    const start = await head(node);
    const rounds = 40;
    const writing = Promise.all([quarrel(node, 'seam-1', rounds), quarrel(other, 'seam-2', rounds)]);
    const read = async (at: Node, delay: number) => {
      await new Promise((resolve) => setTimeout(resolve, delay));
      const stream = follow(at, start);
      const seen: ConflictRecord[] = [];
      while (seen.length < 2 * rounds) seen.push(...(await next(stream)).conflicts);
      await stream.return?.();
      return seen.map(key);
    };
    const readings = await Promise.all([read(node, 0), read(other, 40), read(node, 120), read(other, 250)]);
    await writing;
    const { rows } = await node.read.conflicts(world.reader, world.workspaceId, { documentId: null, first: 2 * rounds, after: null });
    for (const seen of readings) expect(seen).toEqual(rows.map(({ row }) => key(row)).reverse());
    // Everything is old by now.
    expect((await next(follow(node, start, documentId('seam-2')))).conflicts).toHaveLength(rounds);
    await other.close();
  });

  it('comes in pages that never part the conflicts of one change, and can be resumed after each', async () => {
    await quarrel(node, 'pages', 1);
    const { conflict } = (await node.read.conflicts(world.reader, world.workspaceId, { documentId: documentId('pages'), first: 1, after: null })).rows[0]!.row;
    const start = await head(node);
    const reported: ReportedConflict[] = Array.from({ length: 70 }, () => ({ againstRevision: 2 as Revision, conflict }));
    for (let count = 0; count < 12; count++) {
      committed((await node.commit.push(world.editor, world.workspaceId, [{ ...edit('pages', 'C', 1 + count, 3 + count, replace(count)), conflicts: reported }]))[0]);
    }
    const seen: ConflictRecord[] = [];
    let cursor = start;
    let upToDate = false;
    let pages = 0;
    for (; !upToDate; pages++) {
      const stream = follow(node, cursor);
      const batch = await next(stream);
      await stream.return?.();
      expect(batch.conflicts.length % reported.length).toBe(0);
      seen.push(...batch.conflicts);
      ({ cursor, upToDate } = batch);
    }
    expect([pages, seen.length]).toEqual([2, 840]);
    expect(new Set(seen.map(key)).size).toBe(840);
    const stream = follow(node, start);
    expect([(await next(stream)).conflicts.length, (await next(stream)).conflicts.length]).toEqual([560, 280]);
    await stream.return?.();
  });

  it('takes a cursor that another node gave before this one has heard of it, and refuses one that nobody gave', async () => {
    const deaf = await world.node({ pollMs: 30, notify: { pauseMs: 0, alone: false, publish: () => Promise.resolve(), subscribe: () => () => undefined, onGap: () => () => undefined, close: () => Promise.resolve() } });
    const before = follow(deaf);
    await next(before);
    await quarrel(node, 'heard-late', 1);
    const cursor = await head(node);
    const stream = follow(deaf, cursor);
    expect(await next(stream)).toMatchObject({ conflicts: [], cursor });
    await quarrel(node, 'heard-late', 1, 1);
    const waiting = next(stream);
    expect((await waiting).conflicts.map(({ documentId: id, againstRevision }) => [id, againstRevision])).toEqual([['heard-late', 4]]);
    await deaf.close();
    const position = Number(Buffer.from(await head(node), 'base64url').toString().split('.')[1]);
    const other = { history: world.history, patchId: null };
    for (const [wrong, code] of [
      ['x' as Cursor, 'CURSOR_INVALID'],
      [formatCursor({ ...other, epoch: 1, position: (position + 1) as Position }), 'OTHER_HISTORY'],
      [formatCursor({ ...other, epoch: 2, position: 0 as Position }), 'OTHER_HISTORY'],
    ] as const) {
      await expect(follow(node, wrong).next()).rejects.toMatchObject({ code });
    }
  });

  it('ends when the role is taken away, and with EPOCH_CHANGED when the history was rewritten', async () => {
    const own = await openWorld(postgresUrl());
    const at = await own.node({ pollMs: 30 });
    const open = (after: Cursor | null = null) => at.feed.conflicts(own.reader, own.workspaceId, { documentId: null, after })[Symbol.asyncIterator]();
    await expect(at.feed.conflicts(own.stranger, own.workspaceId, { documentId: null, after: null })[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'WORKSPACE_NOT_FOUND' });
    const cursor = await at.read.head(own.reader, own.workspaceId);
    const stream = open();
    await stream.next();
    const rewritten = expect(stream.next()).rejects.toMatchObject({ code: 'EPOCH_CHANGED' });
    await own.sql.query(`UPDATE workspaces SET epoch = 2`);
    await rewritten;
    await expect(open(cursor).next()).rejects.toMatchObject({ code: 'EPOCH_CHANGED' });
    const another = open();
    await another.next();
    const forbidden = expect(another.next()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await own.sql.query(`DELETE FROM memberships WHERE principal_id = 'rea'`);
    await at.memberships.changed({ principalId: own.reader.principalId, workspaceId: own.workspaceId });
    await forbidden;
    await own.close();
  });
});

describe('the subscription `conflicts`', () => {
  it('tells over the socket what was lost and how to put it back', async () => {
    const server = await startTestServer();
    const socket = await openSession(server.wsUrl, server.token);
    const push = async (by: string, counter: number, base: number, action: object) => {
      const { data } = await server.graphql('mutation ($edits: [EditInput!]!, $by: ID!) { push(replicaId: $by, edits: $edits) { verdicts { __typename } } }', {
        by: by.repeat(32),
        edits: [{ documentId: 'wire', patchId: `${by}${counter}`, counter, clock: { epoch: 1, base }, action }],
      });
      expect(data).toEqual({ push: { verdicts: [{ __typename: 'Committed' }] } });
    };
    socket.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { conflicts(documentId: "wire") { cursor upToDate conflicts { documentId rule lost restore } } }' } });
    expect(await socket.next()).toMatchObject({ payload: { data: { conflicts: { upToDate: true, conflicts: [] } } } });
    await push('a', 1, 0, { create: { collection: 'c', title: '', value: { n: 1 } } });
    await push('a', 2, 1, { patch: [{ op: 'replace', path: '/n', value: 2 }] });
    await push('b', 1, 1, { patch: [{ op: 'replace', path: '/n', value: 3 }] });
    expect(await socket.next()).toMatchObject({
      payload: { data: { conflicts: { upToDate: true, conflicts: [{ documentId: 'wire', rule: 'replaceReplace', lost: 2, restore: [{ op: 'replace', path: '/n', value: 2 }] }] } } },
    });
    socket.close();
    await server.close();
  });
});
