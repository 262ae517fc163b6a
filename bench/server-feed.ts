/**
 * What one delivery costs the feed itself, without sockets and GraphQL: many followers of one workspace, one writer. Followers are
 * asked for each event, as those of event streams and with conditions are, or are pushed to, as the others over a WebSocket are.
 *
 *     npx tsx --conditions=@concord/source bench/server-feed.ts [followers] [commits] [asked | pushed]
 *
 * Needs CONCORD_TEST_POSTGRES: a PostgreSQL in which it may create databases.
 */
import type { FeedEvent } from '@concord/schema';
import { parsePatch } from '@concord/core';
import { canPush } from '../server/feed/pushing.js';
import { atHead, create, openWorld } from '../server/test/engine-world.js';
import { postgresUrl } from '../server/test/postgres-url.js';

const followers = Number(process.argv[2] ?? 500);
const commits = Number(process.argv[3] ?? 1000);
const pushed = process.argv[4] !== 'asked';
const bump = parsePatch([{ op: 'inc', path: '/n', value: 1 }]);
if (!bump.ok) throw new Error(bump.error.message);

const world = await openWorld(postgresUrl());
try {
  const node = await world.node();
  await node.commit.push(world.editor, world.workspaceId, [atHead('watched', create({ n: 0 }))]);
  const streams = Array.from({ length: followers }, () => node.feed.follow(world.reader, world.workspaceId, { after: null, filter: {} })[Symbol.asyncIterator]());
  await Promise.all(streams.map((stream) => stream.next()));
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed;

  const waits: number[] = [];
  const sentAt: number[] = [];
  const readers = streams.map(async (stream) => {
    let seen = 0;
    let done: () => void = () => undefined;
    const all = new Promise<void>((resolve) => (done = resolve));
    const take = (event: FeedEvent) => {
      if (event.type !== 'ChangeBatch') throw new Error(event.reason);
      const now = performance.now();
      // One writer and one order: the nth change that comes is the nth that was made.
      for (let n = 0; n < event.changes.length; n++) waits.push(now - sentAt[seen++]!);
      if (seen >= commits) done();
      return true;
    };
    if (pushed && canPush(stream)) {
      stream.pushTo(take);
      // Ends, with an error, when the node closes.
      stream.next().catch(() => undefined);
      return all;
    }
    while (seen < commits) take(((await stream.next()) as { value: FeedEvent }).value);
  });
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let commit = 0; commit < commits; commit++) {
    sentAt.push(performance.now());
    await node.commit.push(world.editor, world.workspaceId, [atHead('watched', bump.value)]);
  }
  await Promise.all(readers);
  const elapsed = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  waits.sort((a, b) => a - b);
  const deliveries = followers * commits;
  process.stdout.write(
    `${Math.round(deliveries / elapsed)} deliveries/s to ${followers} followers that are ${pushed ? 'pushed to' : 'asked'}, ${((used.user + used.system) / deliveries).toFixed(2)} µs of Node each with the commit, ` +
      `p50 ${waits[waits.length >> 1]?.toFixed(2)} ms, p99 ${waits[Math.floor(waits.length * 0.99)]?.toFixed(2)} ms after the push; ${((process.memoryUsage().heapUsed - heap) / followers / 1024).toFixed(1)} KiB a follower\n`,
  );
  await node.close();
} finally {
  await world.close();
}
