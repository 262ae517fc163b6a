/**
 * What one delivery costs the feed itself, without sockets and GraphQL: many followers of one workspace, one writer.
 *
 *     npx tsx --conditions=@concord/source bench/server-feed.ts [followers] [commits]
 *
 * Needs CONCORD_TEST_POSTGRES: a PostgreSQL in which it may create databases.
 */
import type { FeedEvent } from '@concord/schema';
import { parsePatch } from '@concord/core';
import { atHead, create, openWorld } from '../server/test/engine-world.js';
import { postgresUrl } from '../server/test/postgres-url.js';

const followers = Number(process.argv[2] ?? 500);
const commits = Number(process.argv[3] ?? 1000);
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
  let sent = 0;
  const readers = streams.map(async (stream) => {
    for (let seen = 0; seen < commits; ) {
      const { value } = (await stream.next()) as { value: FeedEvent };
      if (value.type !== 'ChangeBatch') throw new Error(value.reason);
      seen += value.changes.length;
      waits.push(performance.now() - sent);
    }
  });
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let commit = 0; commit < commits; commit++) {
    const pushed = node.commit.push(world.editor, world.workspaceId, [atHead('watched', bump.value)]);
    sent = performance.now();
    await pushed;
  }
  await Promise.all(readers);
  const elapsed = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  waits.sort((a, b) => a - b);
  const deliveries = followers * commits;
  process.stdout.write(
    `${Math.round(deliveries / elapsed)} deliveries/s to ${followers} followers, ${((used.user + used.system) / deliveries).toFixed(2)} µs of Node each with the commit, ` +
      `p50 ${waits[waits.length >> 1]?.toFixed(2)} ms, p99 ${waits[Math.floor(waits.length * 0.99)]?.toFixed(2)} ms after the push; ${((process.memoryUsage().heapUsed - heap) / followers / 1024).toFixed(1)} KiB a follower\n`,
  );
  await node.close();
} finally {
  await world.close();
}
