import type { Counter, Cursor, Position, ReplicaId, Revision, WorkspaceId } from '@concord/core';
import type { ChangeBatch, ConflictBatch, FeedEvent } from '@concord/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadNeed, loadStates } from '../commit/load.js';
import { formatCursor } from '../feed/cursor.js';
import { dropAudit } from '../retention/audit-rows.js';
import { applyRetention } from '../retention/run.js';
import { scheduleRetention } from '../retention/schedule.js';
import { atHead, committed, create, documentId, edit, openWorld, patch, quiet, replica, told, type Node, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';
import { checkReplay, compact } from './retention-world.js';

const day = 86_400_000;
const start = Date.parse('2026-01-01T00:00:00Z');

let world: World;
let node: Node;
let now = start;

beforeAll(async () => {
  world = await openWorld(postgresUrl());
  node = await another();
});
afterAll(() => world.close());

const another = () => world.node({ now: () => new Date(now) });
const push = async (...edits: Parameters<Node['commit']['push']>[2]) => (await node.commit.push(world.editor, world.workspaceId, edits)).map(told);
const bump = patch({ op: 'inc', path: '/n', value: 1 });
const cursor = (position: number): Cursor => formatCursor({ epoch: 1, position: position as Position, history: world.history, patchId: null });
const pull = (after: Cursor | null, first = 100) => node.feed.pull(world.reader, world.workspaceId, { after, first, filter: {} });
const head = async (): Promise<number> => (await world.sql.query<{ position: number }>(`SELECT position::int AS position FROM workspaces WHERE id = 'w1'`)).rows[0]!.position;
const count = async (table: string): Promise<number> => (await world.sql.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table} WHERE workspace_id = 'w1'`)).rows[0]!.n;

describe('compaction', () => {
  it('takes away what is older, up to the first younger change, and leaves every document as it was', async () => {
    await push(edit('quiet', 'A', 1, 0, create({ n: 0 })), edit('busy', 'A', 1, 0, create({ n: 0 })), edit('gone', 'A', 1, 0, create({ text: 'last' })), edit('nil', 'A', 1, 0, create(null)));
    await push(...Array.from({ length: 200 }, (_, index) => edit('busy', 'A', index + 2, 1, bump)), edit('gone', 'B', 1, 1, { kind: 'DELETE' }));
    now += 10 * day;
    await push(...Array.from({ length: 5 }, (_, index) => edit('busy', 'A', index + 202, 201, bump)), edit('new', 'A', 1, 0, create({ n: 1 })));
    // A clock that went wrong on a node: older than what stands before it, and kept with it.
    now -= 9 * day;
    await push(edit('new', 'A', 2, 1, bump));
    now += 9 * day;

    expect(await compact(world, { olderThan: new Date(start + 5 * day), slice: 50 })).toEqual({ changes: 205, retainedFrom: 205, complete: true });
    expect(await checkReplay(world)).toBe(5);
    expect(await compact(world, { olderThan: new Date(start + 5 * day) })).toEqual({ changes: 0, retainedFrom: 205, complete: true });
    const { rows } = await world.sql.query(`SELECT document_id AS id, revision::int FROM snapshots ORDER BY 1, 2`);
    expect(rows).toEqual([{ id: 'busy', revision: 201 }, { id: 'gone', revision: 2 }, { id: 'nil', revision: 1 }, { id: 'quiet', revision: 1 }]);

    expect(await node.read.document(world.reader, world.workspaceId, documentId('gone'))).toMatchObject({ deleted: true, value: { text: 'last' } });
    const history = await node.read.history(world.reader, world.workspaceId, documentId('busy'), { first: 100, after: null });
    expect(history.rows.map(({ row }) => row.revision)).toEqual([206, 205, 204, 203, 202]);
    expect(await push(edit('gone', 'B', 2, 2, { kind: 'RESTORE' }), edit('gone', 'B', 3, 3, patch({ op: 'replace', path: '/text', value: 'back' })))).toEqual(['ok 3', 'ok 4']);
  });

  it('tells a reader whose cursor is before it, with or without a cursor, and serves the others', async () => {
    const to = await head();
    for (const after of [null, cursor(0), cursor(204)]) expect(await pull(after)).toEqual({ type: 'Resync', reason: 'CURSOR_EXPIRED' });
    expect((await pull(cursor(205)) as ChangeBatch).changes.map(({ position }) => position)).toEqual(Array.from({ length: to - 205 }, (_, index) => 206 + index));
    const follow = (after: Cursor | null): AsyncIterator<FeedEvent> => node.feed.follow(world.reader, world.workspaceId, { after, filter: {} })[Symbol.asyncIterator]();
    const expired = follow(cursor(100));
    expect(await expired.next()).toEqual({ done: false, value: { type: 'Resync', reason: 'CURSOR_EXPIRED' } });
    expect(await expired.next()).toEqual({ done: true, value: undefined });
    const served = follow(cursor(205));
    expect((await served.next()).value).toMatchObject({ type: 'ChangeBatch', upToDate: true });
    await served.return?.();
  });

  it('goes by fewer changes at a time where they are large, so that what it replays fits into memory', async () => {
    await push(edit('wide', 'A', 1, 0, create({ text: '' })));
    for (let counter = 2; counter <= 9; counter++) await push(edit('wide', 'A', counter, counter - 1, patch({ op: 'replace', path: '/text', value: String(counter).repeat(10_000) })));
    let slices = 0;
    const counting = () => {
      slices += 1;
      return new Date();
    };
    expect(await compact(world, { sliceBytes: 30_000, now: counting })).toMatchObject({ complete: true, retainedFrom: await head() });
    expect(slices).toBeGreaterThanOrEqual(3);
    await checkReplay(world);
  });

  it('overtakes a reader in the middle of its scan: it is told, and has missed nothing unknowingly', async () => {
    await push(edit('long', 'A', 1, 0, create({ n: 0 })), ...Array.from({ length: 30 }, (_, index) => edit('long', 'A', index + 2, 1, bump)));
    const from = (await head()) - 31;
    const first = (await pull(cursor(from), 10)) as ChangeBatch;
    expect(first.changes).toHaveLength(10);
    await compact(world, { slice: 7 });
    expect(await pull(first.cursor, 10)).toEqual({ type: 'Resync', reason: 'CURSOR_EXPIRED' });
    expect(await pull(cursor(from + 31))).toMatchObject({ type: 'ChangeBatch', changes: [], upToDate: true });
  });

  it('does not disturb a live reader, who holds nothing in the log', async () => {
    const stream = node.feed.follow(world.reader, world.workspaceId, { after: null, filter: {} })[Symbol.asyncIterator]();
    await stream.next();
    for (let round = 0; round < 3; round++) {
      const waiting = stream.next();
      await push(atHead('long', bump));
      expect((await waiting).value).toMatchObject({ changes: [{ documentId: 'long' }] });
      await compact(world);
    }
    await stream.return?.();
  });
});

describe('an edit that meets compacted changes', () => {
  it('is not committed again: the newest gets its verdict, older ones are told where to go on', async () => {
    const edits = [edit('dup', 'A', 1, 0, create({ n: 0 })), edit('dup', 'A', 2, 0, bump), edit('dup', 'A', 3, 0, bump)];
    const first = await node.commit.push(world.editor, world.workspaceId, edits);
    await compact(world);
    for (const at of [node, await another()]) {
      const again = await at.commit.push(world.editor, world.workspaceId, edits);
      // The first node still has them in memory.
      if (at === node) expect(again.map(told)).toEqual(['again 1', 'again 2', 'again 3']);
      else expect(again.map(told)).toEqual(['CLOCK_STALE', 'CLOCK_STALE', 'again 3']);
      expect(committed(again[2])).toEqual({ ...committed(first[2]), duplicate: true });
      if (at !== node) expect(again[0]).toMatchObject({ expected: 4, message: expect.stringContaining('go on from counter 4') as string });
    }
    expect((await node.read.document(world.reader, world.workspaceId, documentId('dup')))?.value).toEqual({ n: 2 });
  });

  it('is answered alike whatever has become of the document since', async () => {
    await push(edit('dup', 'B', 1, 3, { kind: 'DELETE' }));
    await compact(world);
    const other = await another();
    const again = await other.commit.push(world.editor, world.workspaceId, [edit('dup', 'A', 1, 0, create({ n: 0 })), edit('dup', 'A', 2, 0, bump), edit('dup', 'B', 1, 3, { kind: 'DELETE' })]);
    expect(again.map(told)).toEqual(['CLOCK_STALE', 'CLOCK_STALE', 'again 4']);
    expect(await push(edit('dup', 'B', 2, 4, { kind: 'RESTORE' }))).toEqual(['ok 5']);
  });

  it('has its conflicts kept, and told again', async () => {
    await push(edit('clash', 'A', 1, 0, create({ text: 'old' })), edit('clash', 'A', 2, 1, patch({ op: 'replace', path: '/text', value: 'first' })));
    const late = edit('clash', 'B', 1, 1, patch({ op: 'replace', path: '/text', value: 'second' }));
    const [first] = await node.commit.push(world.editor, world.workspaceId, [late]);
    expect(committed(first).conflicts).toHaveLength(1);
    const reads = async () => {
      const from = (await world.sql.query<{ position: Position }>(`SELECT position::float8 - 1 AS position FROM documents WHERE id = 'clash'`)).rows[0]!.position;
      const stream = node.feed.conflicts(world.reader, world.workspaceId, { documentId: documentId('clash'), after: cursor(from) })[Symbol.asyncIterator]();
      const { value } = (await stream.next()) as { value: ConflictBatch };
      await stream.return?.();
      return [(await node.read.conflicts(world.reader, world.workspaceId, { documentId: documentId('clash'), first: 10, after: null })).rows.map(({ row }) => row), value.conflicts];
    };
    const before = await reads();
    const parties = { lostBy: { patchId: 'clash.A.2' }, wonBy: { patchId: 'clash.B.1' } };
    expect(before).toMatchObject([[parties], [parties]]);
    // A verdict names neither edit, so that a repeated one is the first again.
    expect(before.map((rows) => rows.map((row) => ({ ...row, lostBy: null, wonBy: null })))).toEqual([committed(first).conflicts, committed(first).conflicts]);
    await compact(world);
    expect(await reads()).toEqual(before);
    const other = await another();
    const [again] = await other.commit.push(world.editor, world.workspaceId, [late]);
    expect(committed(again)).toEqual({ ...committed(first), duplicate: true, patch: null });
  });

  it('counts on where its replica was, and an unknown replica is still told apart', async () => {
    await compact(world);
    const other = await another();
    const asked = await other.commit.push(world.editor, world.workspaceId, [
      edit('dup', 'A', 3, 5, bump, 'another-id'),
      edit('dup', 'A', 5, 5, bump),
      edit('dup', 'C', 2, 5, bump),
    ]);
    expect(asked.map(told)).toEqual(['REPLICA_CLONED', 'PATCH_DEPENDS_ON_REFUSED', 'REPLICA_RETIRED']);
    expect((await other.commit.push(world.editor, world.workspaceId, [edit('dup', 'A', 5, 5, bump)])).map(told)).toEqual(['CLOCK_GAP']);
    expect((await other.commit.push(world.editor, world.workspaceId, [edit('dup', 'A', 4, 5, bump), edit('dup', 'C', 1, 5, bump)])).map(told)).toEqual(['ok 6', 'ok 7']);
    const clock = await other.read.clock(world.reader, world.workspaceId, documentId('dup'));
    expect([...clock.vector]).toEqual([[replica('A'), 4], [replica('B'), 2], [replica('C'), 1]].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
    expect(clock.patchIds.get(replica('B'))).toBe('dup.B.2');
    await compact(world);
    expect(await other.read.clock(world.reader, world.workspaceId, documentId('dup'))).toEqual(clock);
  });

  it('finds its vector among compacted replicas', async () => {
    const other = await another();
    const made = edit('dup', 'C', 2, 0, bump);
    const vector = new Map<ReplicaId, Counter>([[replica('A'), 4], [replica('B'), 2], [replica('C'), 2]] as [ReplicaId, Counter][]);
    expect((await other.commit.push(world.editor, world.workspaceId, [{ ...made, stamp: { ...made.stamp!, clock: { epoch: 1, vector } } }])).map(told)).toEqual(['ok 8']);
  });

  it('merges on a base where the retained log begins, and is stale before it', async () => {
    await push(edit('base', 'A', 1, 0, create({ list: ['a'] })), edit('base', 'A', 2, 1, patch({ op: 'add', path: '/list/-', value: 'b' })));
    await compact(world);
    const other = await another();
    const add = (by: string, base: number, value: string) => edit('base', by, 1, base, patch({ op: 'add', path: '/list/0', value }));
    const told2 = async (...edits: ReturnType<typeof edit>[]) => (await other.commit.push(world.editor, world.workspaceId, edits)).map(told);
    expect(await told2(add('B', 2, 'c'))).toEqual(['ok 3']);
    expect(await told2(add('C', 2, 'd'))).toEqual(['ok 4']);
    expect(await told2(add('D', 1, 'e'))).toEqual(['CLOCK_STALE']);
    expect((await other.read.document(world.reader, world.workspaceId, documentId('base')))?.value).toEqual({ list: ['c', 'd', 'a', 'b'] });
  });

  it('is not decided on a memory from before the compaction, though no key in the log can tell', async () => {
    const [old, busy] = [await another(), await another()];
    const on = async (at: Node, ...edits: Parameters<Node['commit']['push']>[2]) => (await at.commit.push(world.editor, world.workspaceId, edits)).map(told);
    expect(await on(old, edit('memory', 'A', 1, 0, create({ n: 0 })))).toEqual(['ok 1']);
    for (let revision = 2; revision <= 5; revision++) expect(await on(busy, atHead('memory', bump))).toEqual([`ok ${revision}`]);
    await compact(world);
    expect(await on(old, edit('memory', 'B', 1, 1, bump))).toEqual(['CLOCK_STALE']);
    for (let revision = 6; revision <= 8; revision++) expect(await on(busy, atHead('memory', bump))).toEqual([`ok ${revision}`]);
    await compact(world);
    expect(await on(old, atHead('memory', bump), edit('memory', 'A', 2, 8, bump))).toEqual(['ok 9', 'ok 10']);
    expect((await old.read.document(world.reader, world.workspaceId, documentId('memory')))?.value).toEqual({ n: 9 });
    await checkReplay(world);
  });

  it('is stale when the log goes while its base is being rebuilt', async () => {
    await push(edit('race', 'A', 1, 0, create({ n: 0 })), ...Array.from({ length: 4 }, (_, index) => edit('race', 'A', index + 2, 1, bump)));
    const reach = { changes: 100, bytes: 1e6 };
    const { states: [state] } = await loadStates(node.database.pool, [{ workspaceId: world.workspaceId, documentId: documentId('race'), from: 1, replicas: new Set() }], reach, 1, 1);
    expect(state!.tail.map(({ revision }) => revision)).toEqual([2, 3, 4, 5]);
    await compact(world);
    await loadNeed(node.database.pool, state!, { kind: 'value', at: 2 as Revision }, reach);
    expect(state!.rebuilt.size).toBe(0);
    expect(state!.tail.map(({ revision }) => revision)).toEqual([4, 5]);
    expect(state!.tailEnds).toBe(true);
  });
});

describe('the retention', () => {
  it('applies to every workspace and to the audit, in days', async () => {
    await node.commit.push(world.editor, 'w2' as WorkspaceId, [atHead('other', create({ n: 0 }))]);
    const rows = await count('audit');
    now += 100 * day;
    await push(atHead('young', create({ n: 0 })));
    const told = new Map<string, number>();
    const run = await applyRetention(
      { pool: node.database.pool, log: quiet, now: () => new Date(now), compacted: (workspaceId, { changes }) => told.set(workspaceId, changes) },
      { changesDays: 90, auditDays: 0 },
    );
    expect(run.auditRows).toBe(0);
    expect(told.get('w2')).toBe(1);
    expect(await count('changes')).toBe(1);
    expect(await checkReplay(world)).toBeGreaterThan(5);
    expect(await count('audit')).toBe(rows + 1);
    await world.sql.query(`INSERT INTO audit_entries (workspace_id, at, principal_id, action, outcome) VALUES ('', $1, '', 'LOGIN', 'OK')`, [new Date(start)]);
    expect(await dropAudit(node.database.pool, new Date(now - 90 * day), { slice: 50 })).toBe(rows + 2);
    expect((await world.sql.query(`SELECT DISTINCT action FROM audit_entries`)).rows).toEqual([{ action: 'DROP_AUDIT' }]);
    expect(await count('changes')).toBe(1);
    expect(await applyRetention({ pool: node.database.pool, log: quiet, now: () => new Date(now) }, { changesDays: 90, auditDays: 90 })).toEqual({ changes: 0, auditRows: 0, failed: 0 });
  });

  it('goes on with the other workspaces when one cannot be compacted, and counts it', async () => {
    await push(atHead('stuck', create({ n: 0 })));
    await node.commit.push(world.editor, 'w2' as WorkspaceId, [atHead('free', create({ n: 0 }))]);
    await world.sql.query(`ALTER TABLE retired_counters ADD CONSTRAINT broken CHECK (document_id <> 'stuck')`);
    const policy = { changesDays: 90, auditDays: 0 };
    const apply = () => applyRetention({ pool: node.database.pool, log: quiet, now: () => new Date(now + 100 * day) }, policy);
    expect(await apply()).toEqual({ changes: 1, auditRows: 0, failed: 1 });
    await world.sql.query('ALTER TABLE retired_counters DROP CONSTRAINT broken');
    expect(await apply()).toMatchObject({ failed: 0 });
    expect(await count('changes')).toBe(0);
  });

  it('keeps everything at 0 days, and runs by itself otherwise', async () => {
    const schedule = (changesDays: number) =>
      scheduleRetention({ pool: node.database.pool, log: quiet, now: () => new Date(now + 200 * day), random: () => 0.5, policy: { changesDays, auditDays: 0 }, everyMs: 20 });
    const off = schedule(0);
    const on = schedule(90);
    while ((await count('changes')) > 0);
    await push(atHead('young', bump));
    while ((await count('changes')) > 0);
    await on.close();
    await push(atHead('young', bump));
    await off.close();
    expect(await count('changes')).toBe(1);
  });
});
