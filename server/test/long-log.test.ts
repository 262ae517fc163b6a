import type { Position } from '@concord/core';
import type { ChangeBatch, FeedEvent } from '@concord/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatCursor } from '../feed/cursor.js';
import { openWorld, type Node, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';

/** Changes of one document, and of `rare` every so often. */
const [changes, rareEvery] = [24_000, 8_000];

let world: World;
let node: Node;
beforeAll(async () => {
  world = await openWorld(postgresUrl());
  await world.sql.query(
    `INSERT INTO changes (workspace_id, position, document_id, revision, kind, collection, replica_id, counter, patch_id, principal_id, patch, base, committed_at)
     SELECT 'w1', n, CASE WHEN n % $2 = 0 THEN 'rare' ELSE 'often' END, n, 'PATCH', CASE WHEN n % $2 = 0 THEN 'letters' ELSE 'notes' END, 'r', n, 'p' || n, 'ed', '[]', n - 1, now()
     FROM generate_series(1, $1::int) n`,
    [changes, rareEvery],
  );
  await world.sql.query(`UPDATE workspaces SET position = $1 WHERE id = 'w1'`, [changes]);
  node = await world.node();
});
afterAll(() => world.close());

const rare = [8_000, 16_000, 24_000];
const batchOf = (event: FeedEvent): ChangeBatch => {
  if (event.type !== 'ChangeBatch') throw new Error(`no batch: ${JSON.stringify(event)}`);
  return event;
};

describe('A long log, of which a filter lets little through', () => {
  it.each([{ ids: ['rare'] }, { collection: 'letters' }])('is pulled in pages that look at a part each, some without a change, up to its head: %j', async (filter) => {
    const found: number[] = [];
    let pages = 0;
    for (let after: ChangeBatch['cursor'] | null = null; ; ) {
      const page = batchOf(await node.feed.pull(world.reader, world.workspaceId, { after, first: 1000, filter: filter as never }));
      pages += 1;
      found.push(...page.changes.map(({ position }) => position));
      if (page.upToDate) break;
      expect(page.cursor).not.toBe(after);
      after = page.cursor;
    }
    expect(found).toEqual(rare);
    expect(pages).toBe(3);
  });

  it('is followed up to its head, past parts without a change', async () => {
    const stream = node.feed.follow(world.reader, world.workspaceId, { after: formatCursor({ epoch: 1, position: 0 as Position, history: world.history, patchId: null }), filter: { collection: 'letters' } })[Symbol.asyncIterator]();
    const found: number[] = [];
    for (let upToDate = false; !upToDate; ) {
      const batch = batchOf((await stream.next()).value as FeedEvent);
      found.push(...batch.changes.map(({ position }) => position));
      upToDate = batch.upToDate;
    }
    expect(found).toEqual(rare);
    await stream.return?.();
  });
});
