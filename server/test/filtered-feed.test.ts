import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { matchesAll, type Condition, type JsonValue } from '@concord/core';
import type { ChangeBatch, FeedEvent } from '@concord/schema';
import { atHead, create, openWorld, patch, type Node, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';

const where = (path: string, operator: Condition['operator'], value: JsonValue = null): Condition => ({ path: path.split('/').slice(1), operator, value });

/** A reader that holds what its feed tells it to hold. */
class Reader {
  readonly held = new Set<string>();
  private readonly stream: AsyncIterator<FeedEvent>;

  constructor(
    private readonly world: World,
    node: Node,
    readonly conditions: readonly Condition[],
  ) {
    this.stream = node.feed.follow(world.reader, world.workspaceId, { after: null, filter: { collection: 'things', where: conditions } })[Symbol.asyncIterator]();
  }

  async next(): Promise<void> {
    const { value } = (await this.stream.next()) as { value: ChangeBatch };
    for (const { documentId } of value.changes) this.held.add(documentId);
    for (const id of value.left) this.held.delete(id);
  }

  async stop(): Promise<void> {
    await this.stream.return?.();
  }

  /** Takes what comes until it holds what the database says that it should. */
  async untilRight(): Promise<void> {
    for (;;) {
      const { rows } = await this.world.sql.query<{ id: string; value: JsonValue }>(`SELECT id, value FROM documents WHERE workspace_id = 'w1' AND collection = 'things'`);
      const expected = rows.filter(({ value }) => matchesAll(value, this.conditions)).map(({ id }) => id).sort();
      if (JSON.stringify([...this.held].sort()) === JSON.stringify(expected)) return;
      await this.next();
    }
  }
}

describe('Subscriptions with conditions', () => {
  let world: World;
  let here: Node;
  let there: Node;
  beforeAll(async () => {
    world = await openWorld(postgresUrl());
    here = await world.node();
    there = await world.node();
  });
  afterAll(() => world.close());

  const write = (node: Node, id: string, value: JsonValue, isNew: boolean) =>
    node.commit.push(world.editor, world.workspaceId, [atHead(id, isNew ? create(value, 'things') : patch({ op: 'replace', path: '', value }))]);

  it('hold what matches after each edit, on the node of the edit and on another', async () => {
    const filters = [
      [where('/n', 'EQUALS', 1)],
      [where('/n', 'GREATER_OR_EQUAL', 2), where('/tags', 'CONTAINS', 'a')],
      [where('/n', 'ABSENT')],
      [where('/tags/0', 'EXISTS'), where('/n', 'NOT_EQUALS', 3)],
      [where('/text', 'STARTS_WITH', 'x')],
    ];
    const readers = [here, there].flatMap((node) => filters.map((conditions) => new Reader(world, node, conditions)));
    for (const reader of readers) await reader.next();
    let state = 7;
    const pick = (count: number): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % count;
    const known = new Set<string>();
    for (let edit = 0; edit < 60; edit++) {
      const id = `d${pick(8)}`;
      const value = { ...(pick(3) > 0 ? { n: pick(5) } : {}), tags: pick(2) > 0 ? ['a'] : [], text: pick(2) > 0 ? 'xy' : 'yx' };
      await write(pick(3) > 0 ? here : there, id, value, !known.has(id));
      known.add(id);
      // Not after each: then several changes come at once.
      if (pick(3) === 0) for (const reader of readers) await reader.untilRight();
    }
    for (const reader of readers) await reader.untilRight();
    for (const reader of readers) await reader.stop();
  });

  it('ask the database nothing on the node of the edit, and once for all of them on another', async () => {
    const readers = [here, there].flatMap((node) => Array.from({ length: 100 }, (_, index) => new Reader(world, node, [where('/n', 'EQUALS', index % 50), where('/other', 'ABSENT')])));
    for (const reader of readers) await reader.next();
    await write(here, 'asked', { n: 0 }, true);
    for (const reader of readers) if (reader.conditions[0]!.value === 0) await reader.next();
    const asks = [here.database.reads, there.database.reads].map((pool) => vi.spyOn(pool, 'connect'));
    const values = vi.spyOn(there.database.pool, 'query');
    for (let edit = 1; edit <= 10; edit++) {
      await write(here, 'asked', { n: edit }, false);
      for (const reader of readers) {
        // It comes in, and leaves with the edit after that.
        if (reader.conditions[0]!.value === edit || reader.conditions[0]!.value === edit - 1) await reader.next();
      }
    }
    expect(asks.map((spy) => spy.mock.calls.length)).toEqual([0, 0]);
    expect(values.mock.calls.filter(([statement]) => (statement as unknown as { name?: string }).name === 'concord-feed-values').length).toBeLessThanOrEqual(10);
    for (const spy of [...asks, values]) spy.mockRestore();
    for (const reader of readers) await reader.stop();
  });

  it('look at a document in the database that is too large to be read into memory', async () => {
    const reader = new Reader(world, there, [where('/n', 'EQUALS', 1)]);
    await reader.next();
    const padding = Array.from({ length: 5 }, (_, index) => `large${index}`);
    for (const id of padding) {
      await write(here, id, { n: 1, text: 'x'.repeat(900_000) }, true);
      await reader.untilRight();
    }
    await here.commit.push(world.editor, world.workspaceId, padding.map((id) => atHead(id, patch({ op: 'replace', path: '/n', value: 0 }))));
    await reader.untilRight();
    expect(padding.some((id) => reader.held.has(id))).toBe(false);
    await reader.stop();
  });

  it('have together no more conditions than a principal may have, and give them back when they end', async () => {
    const node = await world.node({ maxConditions: 250 });
    const hundred = Array.from({ length: 100 }, (_, index) => where('/n', 'EQUALS', index));
    const readers = [new Reader(world, node, hundred), new Reader(world, node, hundred)];
    expect(() => new Reader(world, node, hundred)).toThrow(/would have 300 conditions together; 250 are allowed/);
    await readers[0]!.next();
    await readers[0]!.stop();
    readers[0] = new Reader(world, node, hundred);
    for (const reader of readers) await reader.next();
    for (const reader of readers) await reader.stop();
  });
});
