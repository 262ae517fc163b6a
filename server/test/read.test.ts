import type { DocumentId, JsonValue } from '@concord/core';
import type { DocumentFilter, DocumentOrder } from '@concord/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atHead, create, documentId, edit, openWorld, patch, replica, type Node, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';

let world: World;
let node: Node;

const values: Readonly<Record<string, JsonValue>> = {
  d1: { rank: 10, tags: ['red', 'big'] },
  d2: { rank: 9, tags: ['red'] },
  d3: { rank: 'b' },
  d4: { rank: 'a', open: true },
  d5: { rank: null },
  d6: { other: 1 },
  d7: { rank: true },
  d8: { rank: 1e21 },
};

beforeAll(async () => {
  world = await openWorld(postgresUrl());
  node = await world.node();
  for (const [id, value] of Object.entries(values)) {
    await node.commit.push(world.editor, world.workspaceId, [atHead(id, create(value, id < 'd5' ? 'low' : 'high', `Title ${9 - Number(id[1])}`))]);
  }
  await node.commit.push(world.editor, world.workspaceId, [atHead('d7', { kind: 'DELETE' }), atHead('d2', patch({ op: 'inc', path: '/rank', value: -1 }))]);
});
afterAll(() => world.close());

async function list(order: Partial<DocumentOrder>, filter: DocumentFilter = {}, options: { first?: number; includeDeleted?: boolean } = {}): Promise<DocumentId[]> {
  const ids: DocumentId[] = [];
  let after: string | null = null;
  for (;;) {
    const page = await node.read.documents(world.reader, world.workspaceId, {
      filter,
      order: { field: 'ID', descending: false, ...order },
      first: options.first ?? 3,
      after,
      includeDeleted: options.includeDeleted ?? false,
    });
    ids.push(...page.rows.map(({ row }) => row.id));
    if (!page.hasNextPage) return ids;
    after = page.rows.at(-1)!.key;
  }
}

describe('a list of documents', () => {
  it.each([1, 2, 3, 100])('is the same in pages of %i', async (first) => {
    expect(await list({}, {}, { first })).toEqual(['d1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd8']);
    expect(await list({ descending: true }, {}, { first })).toEqual(['d8', 'd6', 'd5', 'd4', 'd3', 'd2', 'd1']);
    expect(await list({ field: 'TITLE' }, {}, { first })).toEqual(['d8', 'd6', 'd5', 'd4', 'd3', 'd2', 'd1']);
    expect(await list({ field: 'CREATED_AT' }, {}, { first })).toEqual(['d1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd8']);
    expect(await list({ field: 'UPDATED_AT' }, {}, { first })).toEqual(['d1', 'd3', 'd4', 'd5', 'd6', 'd8', 'd2']);
    expect(await list({ field: 'VALUE', path: ['rank'] }, {}, { first })).toEqual(['d2', 'd1', 'd8', 'd4', 'd3', 'd5', 'd6']);
    expect(await list({ field: 'VALUE', path: ['rank'], descending: true }, {}, { first })).toEqual(['d5', 'd3', 'd4', 'd8', 'd1', 'd2', 'd6']);
  });

  it('can be filtered by collection, ids and conditions, and can show tombstones', async () => {
    expect(await list({}, { collection: 'high' })).toEqual(['d5', 'd6', 'd8']);
    expect(await list({}, { ids: ['d6', 'd1', 'nowhere'] as DocumentId[] })).toEqual(['d1', 'd6']);
    expect(await list({}, { where: [{ path: ['tags'], operator: 'CONTAINS', value: 'red' }, { path: ['rank'], operator: 'GREATER', value: 9 }] })).toEqual(['d1']);
    expect(await list({}, { collection: 'high' }, { includeDeleted: true })).toEqual(['d5', 'd6', 'd7', 'd8']);
  });

  it('refuses a row key that it did not hand out in this order', async () => {
    const page = { filter: {}, first: 2, includeDeleted: false };
    const request = (order: DocumentOrder, after: string) => node.read.documents(world.reader, world.workspaceId, { ...page, order, after });
    const forged = Buffer.from(JSON.stringify(['now()', 'x'])).toString('base64url');
    for (const key of ['', 'x', forged]) {
      await expect(request({ field: 'CREATED_AT', descending: false }, key)).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
    }
  });
});

describe('one document', () => {
  it('is null when there is none, and told as deleted when it is a tombstone', async () => {
    expect(await node.read.document(world.reader, world.workspaceId, documentId('nowhere'))).toBeNull();
    expect(await node.read.document(world.reader, world.workspaceId, documentId('d7'))).toMatchObject({ deleted: true, value: { rank: true }, revision: 2 });
  });

  it('has a history, newest first, in pages', async () => {
    for (let counter = 1; counter <= 5; counter++) await node.commit.push(world.editor, world.workspaceId, [edit('d1', 'A', counter, counter, patch({ op: 'inc', path: '/rank', value: 1 }))]);
    const first = await node.read.history(world.reader, world.workspaceId, documentId('d1'), { first: 4, after: null });
    expect(first.rows.map(({ row }) => row.revision)).toEqual([6, 5, 4, 3]);
    const rest = await node.read.history(world.reader, world.workspaceId, documentId('d1'), { first: 4, after: first.rows.at(-1)!.key });
    expect(rest).toMatchObject({ hasNextPage: false, rows: [{ row: { revision: 2, kind: 'PATCH' } }, { row: { revision: 1, kind: 'CREATE', patch: [{ op: 'add', path: '' }] } }] });
    await expect(node.read.history(world.reader, world.workspaceId, documentId('d1'), { first: 4, after: 'x' })).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
    const clock = await node.read.clock(world.reader, world.workspaceId, documentId('d1'));
    expect(clock.epoch).toBe(1);
    expect(clock.vector.get(replica('A'))).toBe(5);
  });
});
