import type { Cursor, DocumentId } from '@concord/core';
import type { ChangeBatch, FeedEvent } from '@concord/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchBytes, roundEnd } from '../feed/batch-end.js';
import type { Pushing } from '../feed/pushing.js';
import { atHead, create, openWorld, patch, type Node, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';

type Stream = AsyncIterator<FeedEvent> & Pushing<FeedEvent>;

const text = 'x'.repeat(20_000);

describe('What is made for readers that are slow', () => {
  let world: World;
  let node: Node;
  beforeAll(async () => {
    world = await openWorld(postgresUrl());
    node = await world.node({ feedRingBytes: 500_000 });
    await node.commit.push(world.editor, world.workspaceId, [atHead('d', create({ text: '' }))]);
  });
  afterAll(() => world.close());

  const follow = (after: Cursor | null, ids?: readonly string[]) =>
    node.feed.follow(world.reader, world.workspaceId, { after, filter: ids === undefined ? {} : { ids: ids as readonly DocumentId[] } })[Symbol.asyncIterator]() as Stream;
  const write = async (times: number) => {
    for (let n = 0; n < times; n++) await node.commit.push(world.editor, world.workspaceId, [atHead('d', patch({ op: 'replace', path: '/text', value: `${n} ${text}` }))]);
  };
  const head = async () => (await node.read.head(world.reader, world.workspaceId));
  const next = async (stream: Stream): Promise<ChangeBatch> => {
    const { value } = (await stream.next()) as { value: FeedEvent };
    if (value?.type !== 'ChangeBatch') throw new Error(`no batch: ${JSON.stringify(value)}`);
    return value;
  };
  /** Every batch up to the head. */
  const readAll = async (stream: Stream): Promise<readonly ChangeBatch[]> => {
    const batches = [await next(stream)];
    while (!batches.at(-1)!.upToDate) batches.push(await next(stream));
    await stream.return?.();
    return batches;
  };
  const positionsOf = (batches: readonly ChangeBatch[]) => batches.flatMap(({ changes }) => changes.map(({ position }) => Number(position)));

  it('waits until the last was taken, and is then what there is to say', async () => {
    const stream = follow(null);
    let room: Promise<void> | undefined;
    let asked: () => void = () => undefined;
    stream.pushTo(() => room === undefined, () => {
      asked();
      return room;
    });
    const { cursor } = await next(stream);
    let taken: () => void = () => undefined;
    const stall = () => {
      room = new Promise((resolve) => (taken = resolve));
      return new Promise<void>((resolve) => (asked = resolve));
    };
    const askedForRoom = stall();
    const waiting = next(stream);
    await write(3);
    await askedForRoom;
    room = undefined;
    taken();
    // One batch of all three: nothing was made at the first of them.
    expect((await waiting).changes).toHaveLength(3);

    const again = stall();
    const late = stream.next();
    await write(40);
    await again;
    room = undefined;
    taken();
    await expect(late).rejects.toMatchObject({ code: 'LAGGED' });
    expect(positionsOf(await readAll(follow(cursor)))).toHaveLength(43);
  });

  it('ends when the reader leaves while it waits', async () => {
    const stream = follow(null);
    let taken: () => void = () => undefined;
    const room = new Promise<void>((resolve) => (taken = resolve));
    stream.pushTo(() => false, () => room);
    await next(stream);
    const waiting = stream.next();
    await write(1);
    await stream.return?.();
    taken();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it('is in batches of a bounded size, from the log and from memory, each change once', async () => {
    const start = await head();
    await write(60);
    for (const batches of [await readAll(follow(start)), await readAll(follow(start, ['d']))]) {
      const positions = positionsOf(batches);
      expect(positions).toEqual(Array.from({ length: 60 }, (_, index) => positions[0]! + index));
      for (const { changes } of batches) expect(changes.reduce((sum, change) => sum + JSON.stringify(change.patch).length, 0)).toBeLessThan(batchBytes + text.length + 100);
    }
  });

  it('is the same for readers of the log who come from different places, from where they meet', async () => {
    const starts = [];
    for (let n = 0; n < 5; n++) {
      starts.push(await head());
      await write(1);
    }
    await write(100);
    const readings = await Promise.all(starts.map((start) => readAll(follow(start, ['d']))));
    const made = new Set(readings.flat());
    const longest = Math.max(...readings.map(({ length }) => length));
    expect(made.size).toBeLessThan(longest + 2 * starts.length);
    readings.forEach((batches, index) => expect(positionsOf(batches)).toHaveLength(105 - index));
  });

  it('is in batches of a bounded size too where the changes are small', async () => {
    const start = await head();
    for (let n = 0; n < 3; n++) await node.commit.push(world.editor, world.workspaceId, Array.from({ length: 500 }, (_, index) => atHead('d', patch({ op: 'replace', path: '/text', value: String(index) }))));
    const batches = await readAll(follow(start, ['d']));
    expect(positionsOf(batches)).toHaveLength(1500);
    for (const batch of batches) expect(JSON.stringify(batch).length).toBeLessThan(batchBytes + text.length + 1000);
  });

  it('is the same for all with the same filter, however many filters there are', async () => {
    const filters = Array.from({ length: 100 }, (_, index) => ['d', `other-${index}`]);
    const streams = [...filters, ...filters].map((ids) => follow(null, ids));
    const taken = await Promise.all(
      streams.map(async (stream) => {
        await next(stream);
        const pushed = new Promise<FeedEvent>((resolve) => stream.pushTo((event) => (resolve(event), true)));
        return { pushed, waiting: stream.next() };
      }),
    );
    await node.commit.push(world.editor, world.workspaceId, [atHead('d', patch({ op: 'replace', path: '/text', value: '' }))]);
    const batches = await Promise.all(taken.map(({ pushed }) => pushed));
    for (const stream of streams) await stream.return?.();
    await Promise.all(taken.map(({ waiting }) => waiting));
    expect(new Set(batches).size).toBe(filters.length);
  });

  it('ends at the roundest position, past a quarter of what there is', () => {
    const end = (from: number, count: number) => {
      const positions = Array.from({ length: count }, (_, index) => from + index);
      return positions[roundEnd(positions, (position) => position) - 1];
    };
    expect(end(1, 1)).toBe(1);
    expect(end(5, 4)).toBe(8);
    expect(end(8, 4)).toBe(10);
    expect(end(2 ** 40 - 3, 10)).toBe(2 ** 40);
    expect(end(1000, 100)).toBe(1088);
  });
});
