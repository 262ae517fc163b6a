import type { Cursor, Position } from '@concord/core';
import type { FeedEvent } from '@concord/schema';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatCursor } from '../feed/cursor.js';
import { atHead, create, documentId, edit, openWorld, patch, told, type Node, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';
import { checkReplay, compact } from './retention-world.js';

let world: World;
let nodes: [Node, Node];

beforeAll(async () => {
  world = await openWorld(postgresUrl());
  nodes = [await world.node(), await world.node()];
});
afterAll(() => world.close());

const bump = patch({ op: 'inc', path: '/n', value: 1 });
const push = async (at: Node, ...edits: Parameters<Node['commit']['push']>[2]) => (await at.commit.push(world.editor, world.workspaceId, edits)).map(told);
const head = async (): Promise<number> => (await world.sql.query<{ position: number }>(`SELECT position::int AS position FROM workspaces WHERE id = 'w1'`)).rows[0]!.position;
const cursor = (position: number): Cursor => formatCursor({ epoch: 1, position: position as Position, history: world.history, patchId: null });

/** Positions told to a reader that goes on from the head after each resync; throws at a hole or a repetition. */
class CheckedReader {
  position: number;
  resyncs = 0;
  changes = 0;

  constructor(position: number) {
    this.position = position;
  }

  /** True: it had to begin anew. */
  async take(event: FeedEvent): Promise<boolean> {
    if (event.type === 'Resync') {
      expect(event.reason).toBe('CURSOR_EXPIRED');
      this.resyncs += 1;
      this.position = await head();
      return true;
    }
    for (const { position } of event.changes) {
      if (position !== this.position + 1) throw new Error(`after ${this.position} came ${position}`);
      this.position = position;
      this.changes += 1;
    }
    return false;
  }
}

describe('readers that race with compaction', () => {
  it('see every change once and in order, or are told that they cannot', async () => {
    let writing = true;
    const from = await head();
    await push(nodes[0], atHead('hot', create({ n: 0 })), atHead('warm', create({ n: 0 })));
    const writers = nodes.map(async (node, index) => {
      for (let round = 0; round < 60; round++) await push(node, ...Array.from({ length: 5 }, () => atHead(index === 0 ? 'hot' : round % 2 === 0 ? 'warm' : 'hot', bump)));
    });
    const compacting = (async () => {
      let changes = 0;
      while (writing) {
        changes += (await compact(world, { slice: 20, olderThan: new Date() })).changes;
        await turn();
      }
      return changes;
    })();
    const pulling = nodes.map(async (node, index) => {
      const reader = new CheckedReader(from);
      while (writing) {
        await reader.take(await node.feed.pull(world.reader, world.workspaceId, { after: cursor(reader.position), first: 3 + 4 * index, filter: {} }));
        // One of them is slow, so that it is overtaken; none keeps the others from their turn.
        for (let idle = 0; idle <= 20 * index; idle++) await turn();
      }
      return reader;
    });
    const following = nodes.map(async (node) => {
      const reader = new CheckedReader(from);
      while (writing) {
        const stream = node.feed.follow(world.reader, world.workspaceId, { after: cursor(reader.position), filter: {} })[Symbol.asyncIterator]();
        const most = reader.changes + 100;
        for (let next = await stream.next(); next.done !== true && !(await reader.take(next.value)) && reader.changes < most && writing; next = await stream.next());
        await stream.return?.();
        await turn();
      }
      return reader;
    });
    await Promise.all(writers).finally(() => (writing = false));
    // Readers that wait for something new.
    await push(nodes[0], atHead('hot', bump));
    await push(nodes[1], atHead('hot', bump));
    const readers = await Promise.all([...pulling, ...following]);
    expect(await compacting).toBeGreaterThan(40);
    expect(readers.every(({ changes }) => changes > 0)).toBe(true);
    expect(readers.some(({ resyncs }) => resyncs > 0)).toBe(true);
    const value = (id: string) => nodes[0].read.document(world.reader, world.workspaceId, documentId(id));
    expect([(await value('hot'))?.value, (await value('warm'))?.value]).toEqual([{ n: 452 }, { n: 150 }]);
    expect(await checkReplay(world)).toBe(2);
  });
});

describe('edits that race with compaction', () => {
  it('are committed once each or told that their base is gone, on two nodes that know nothing of each other', async () => {
    await push(nodes[0], edit('shared', 'maker', 1, 0, create({ n: 0, list: [] })));
    let editing = true;
    const compacting = (async () => {
      while (editing) {
        await compact(world, { slice: 3, olderThan: new Date() });
        await turn();
      }
    })();
    const outcomes = new Map<string, number>();
    const note = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    const writers = nodes.flatMap((node, on) =>
      [0, 1, 2].map(async (writer) => {
        const name = `W${on}.${writer}`;
        let base = 1;
        for (let counter = 1; counter <= 15; ) {
          const [verdict] = await node.commit.push(world.editor, world.workspaceId, [
            edit('shared', name, counter, base, patch({ op: 'inc', path: '/n', value: 1 }, { op: 'add', path: '/list/0', value: `${name}.${counter}` })),
          ]);
          const outcome = told(verdict).replace(/ \d+$/, '');
          note(outcome);
          if (verdict?.type === 'Committed') {
            counter += 1;
            // An old base now and then: it has to be rebuilt, or is gone.
            if (counter % 4 === 0) base = verdict.revision;
          } else {
            expect(outcome).toBe('CLOCK_STALE');
            base = (await node.read.document(world.reader, world.workspaceId, documentId('shared')))!.revision;
          }
        }
      }),
    );
    await Promise.all(writers).finally(() => (editing = false));
    await compacting;
    expect(outcomes.get('ok')).toBe(90);
    const shared = await nodes[0].read.document(world.reader, world.workspaceId, documentId('shared'));
    expect(shared).toMatchObject({ revision: 91, value: { n: 90 } });
    expect(new Set((shared!.value as { list: string[] }).list).size).toBe(90);
    const clock = await nodes[1].read.clock(world.reader, world.workspaceId, documentId('shared'));
    expect([...clock.vector.values()].reduce((sum, counter) => sum + counter, 0)).toBe(91);
    await checkReplay(world);
  });

  it('do not wait while it works', async () => {
    await push(nodes[0], edit('held', 'A', 1, 0, create({ n: 0 })));
    // It stops in the middle of its transaction: another one has taken the row that it is to write next.
    const blocker = await world.sql.connect();
    await blocker.query('BEGIN');
    await blocker.query(`INSERT INTO retired_counters VALUES ('w1', 'held', $1, 1, 'x', 1, 1)`, [edit('held', 'A', 1, 0, bump).stamp!.replicaId]);
    const compacting = compact(world);
    await waitingFor('INSERT INTO retired_counters');
    expect(await push(nodes[0], atHead('held', bump), edit('held', 'A', 2, 1, bump))).toEqual(['ok 2', 'ok 3']);
    expect(await push(nodes[1], atHead('held', bump))).toEqual(['ok 4']);
    await blocker.query('ROLLBACK');
    blocker.release();
    expect((await compacting).complete).toBe(true);
    await checkReplay(world);
  });
});

/** Until a statement that begins so waits for a lock; its backend. */
async function waitingFor(text: string): Promise<number> {
  for (;;) {
    const { rows } = await world.sql.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND ltrim(query, E' \n') LIKE $1`,
      [`${text}%`],
    );
    if (rows[0] !== undefined) return rows[0].pid;
  }
}

describe('several compactions', () => {
  it('of one workspace at a time do the work once', async () => {
    await push(nodes[0], ...Array.from({ length: 100 }, () => atHead('hot', bump)));
    await push(nodes[1], ...Array.from({ length: 100 }, () => atHead('warm', bump)));
    const { rows } = await world.sql.query<{ n: number }>(`SELECT count(*)::int AS n FROM changes WHERE workspace_id = 'w1'`);
    let changes = 0;
    const until = async () => {
      for (;;) {
        const done = await compact(world, { slice: 9 });
        changes += done.changes;
        if (done.complete) return;
        await turn();
      }
    };
    await Promise.all([until(), until(), until()]);
    expect(changes).toBe(rows[0]!.n);
    await checkReplay(world);
  });

  it('leave everything right when one is killed in the middle, and the next goes on', async () => {
    await push(nodes[0], ...Array.from({ length: 60 }, () => atHead('hot', bump)));
    const before = await world.sql.query(`SELECT retained_from, (SELECT count(*) FROM changes), (SELECT count(*) FROM retired_counters), (SELECT count(*) FROM snapshots) FROM workspaces WHERE id = 'w1'`);
    const blocker = await world.sql.connect();
    await blocker.query('BEGIN');
    await blocker.query(`SELECT FROM workspaces WHERE id = 'w1' FOR UPDATE`);
    const compacting = compact(world, { slice: 20 });
    const failed = expect(compacting).rejects.toThrow();
    await world.sql.query('SELECT pg_terminate_backend($1)', [await waitingFor('UPDATE workspaces')]);
    await failed;
    await blocker.query('ROLLBACK');
    blocker.release();
    expect((await world.sql.query(`SELECT retained_from, (SELECT count(*) FROM changes), (SELECT count(*) FROM retired_counters), (SELECT count(*) FROM snapshots) FROM workspaces WHERE id = 'w1'`)).rows).toEqual(before.rows);
    await checkReplay(world);
    expect(await compact(world, { slice: 20 })).toMatchObject({ changes: 60, complete: true });
    await checkReplay(world);
  });
});
