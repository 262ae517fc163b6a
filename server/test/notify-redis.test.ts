import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Cursor } from '@concord/core';
import type { ChangeBatch, FeedEvent } from '@concord/schema';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startRedisServer, type RedisServer } from '../../test/redis-server.js';
import type { Notifications } from '../notify.js';
import { openRedisNotifications, redisPrefix } from '../notify-redis.js';
import { openSharedBuckets } from '../rate-limit-redis.js';
import { openRedis } from '../redis.js';
import { atHead, create, openWorld, patch, type Node, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';

const log = pino({ level: 'silent' });
const soon = { everyMs: 50, deadlineMs: 150 };

/** Hints as they are heard, to wait for. */
function hear(notify: Notifications, channel: string) {
  const heard: string[] = [];
  let wake: () => void = () => undefined;
  notify.subscribe(channel, (payload) => {
    heard.push(payload);
    wake();
  });
  return {
    heard,
    async until(payload: string) {
      while (!heard.includes(payload)) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

/** Publishing does not wait for a Redis that is away: asked in a tight loop it would keep the connections from coming back. */
async function publishUntilHeard(notify: Notifications, channel: string, payload: string, heard: readonly string[]): Promise<void> {
  while (!heard.includes(payload)) {
    await notify.publish(channel, payload);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const gapOf = (notify: Notifications) => new Promise<void>((resolve) => notify.onGap(resolve));

describe('Hints over Redis', () => {
  let server: RedisServer;
  const opened: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(async () => {
    for (const close of opened) await close();
    await server.close();
  });

  async function open(prefix: string): Promise<Notifications> {
    const redis = await openRedis({ url: server.url, log, heartbeat: soon });
    const notify = await openRedisNotifications({ redis, prefix, log });
    opened.push(async () => {
      await notify.close();
      redis.close();
    });
    return notify;
  }

  it('reach every node of the database, in order, and no node of another database', async () => {
    const [here, there, elsewhere] = [await open('one:'), await open('one:'), await open('two:')];
    const [ours, theirs, foreign] = [hear(here, 'c'), hear(there, 'c'), hear(elsewhere, 'c')];
    await there.publish('c', 'ready');
    await theirs.until('ready');
    for (const payload of ['1', '2', '3']) await here.publish('c', payload);
    await Promise.all([ours.until('3'), theirs.until('3')]);
    expect(theirs.heard).toEqual(['ready', '1', '2', '3']);
    await elsewhere.publish('c', 'mine');
    await foreign.until('mine');
    expect(foreign.heard).toEqual(['mine']);
  });

  it('flow again after Redis was killed, and what was given up meanwhile is told as a gap to every node', async () => {
    const [here, there] = [await open('kill:'), await open('kill:')];
    const theirs = hear(there, 'c');
    await there.publish('c', 'ready');
    await theirs.until('ready');
    await server.kill();
    await here.publish('c', 'lost');
    const gaps = Promise.all([gapOf(here), gapOf(there)]);
    await server.restart();
    await gaps;
    // Both listen again, but `here` may not be able to send yet.
    await publishUntilHeard(here, 'c', 'back', theirs.heard);
    expect(theirs.heard.slice(0, 2)).toEqual(['ready', 'back']);
  });

  it('do not wait for a Redis that stalls: it is left alone, and looked for again', async () => {
    const [here, there] = [await open('stall:'), await open('stall:')];
    const theirs = hear(there, 'c');
    await there.publish('c', 'ready');
    await theirs.until('ready');
    const gap = gapOf(there);
    server.stall();
    const began = performance.now();
    await Promise.all(Array.from({ length: 5_000 }, () => here.publish('c', 'lost')));
    expect(performance.now() - began).toBeLessThan(2_000);
    server.goOn();
    await gap;
    await publishUntilHeard(here, 'c', 'back', theirs.heard);
  });

  it('and limits need no more rights in Redis than docs/OPERATIONS.md says', async () => {
    const own = await startRedisServer();
    const rules = /`(~concord:[^`]*)`/.exec(readFileSync(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8'))?.[1] ?? '';
    const admin = await openRedis({ url: own.url, log, heartbeat: soon });
    await admin.commands.call('ACL', 'SETUSER', 'narrow', 'on', '>geheim', ...rules.split(' '));
    const redis = await openRedis({ url: own.url.replace('//', '//narrow:geheim@'), log, heartbeat: soon });
    const notify = await openRedisNotifications({ redis, prefix: 'concord:narrow:', log });
    const ours = hear(notify, 'c');
    await notify.publish('c', 'heard');
    await ours.until('heard');
    const shared = openSharedBuckets({ redis, prefix: 'concord:narrow:', log, monotonicNow: () => performance.now() });
    const buckets = shared.of('calls', { perSecond: 0.01, most: 1 });
    // A second node would let one more pass if the first had counted for itself.
    expect(await buckets.take('ann', 1)).toBe(0);
    expect(await openSharedBuckets({ redis, prefix: 'concord:narrow:', log, monotonicNow: () => performance.now() }).of('calls', { perSecond: 0.01, most: 1 }).take('ann', 1)).toBeGreaterThan(0);
    await notify.close();
    shared.close();
    redis.close();
    admin.close();
    await own.close();
  });

  it('are a reason not to start when the user in REDIS_URL may not listen', async () => {
    const own = await startRedisServer();
    const admin = await openRedis({ url: own.url, log, heartbeat: soon });
    await admin.commands.call('ACL', 'SETUSER', 'deaf', 'on', '>geheim', '~concord:*', 'resetchannels', '+@all');
    const redis = await openRedis({ url: own.url.replace('//', '//deaf:geheim@'), log, heartbeat: soon });
    await expect(openRedisNotifications({ redis, prefix: 'concord:deaf:', log })).rejects.toThrow(/does not let its user listen to the channel concord:deaf:\w+ \(NOPERM .*\)\. Give it the rights that docs\/OPERATIONS\.md lists/);
    redis.close();
    admin.close();
    await own.close();
  });

  it('leave no connection behind where Redis takes only one of the two', async () => {
    const own = await startRedisServer();
    const admin = await openRedis({ url: own.url, log, heartbeat: soon });
    await admin.commands.config('SET', 'maxclients', '3');
    await expect(openRedis({ url: own.url, log, heartbeat: soon })).rejects.toThrow('cannot be reached');
    const connected = async () => Number(/connected_clients:(\d+)/.exec(await admin.commands.info('clients'))?.[1]);
    while ((await connected()) > 2);
    admin.close();
    await own.close();
  });

  it('come back when the first connection broke while the second was made', async () => {
    const taken: Socket[] = [];
    const between = createServer((near) => {
      near.on('error', () => undefined);
      if (taken.push(near) === 2) taken[0]!.destroy();
      const far = connect(Number(new URL(server.url).port), '127.0.0.1');
      far.on('error', () => undefined).on('close', () => near.destroy());
      near.on('close', () => far.destroy()).pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
    const redis = await openRedis({ url: `redis://127.0.0.1:${(between.address() as AddressInfo).port}`, log, heartbeat: soon });
    const notify = await openRedisNotifications({ redis, prefix: 'between:', log });
    const ours = hear(notify, 'c');
    await publishUntilHeard(notify, 'c', 'heard', ours.heard);
    expect(taken.length).toBeGreaterThanOrEqual(3);
    await notify.close();
    redis.close();
    await new Promise((resolve) => between.close(resolve));
  });

  it.each([
    ['is killed', (own: RedisServer) => own.kill(), (own: RedisServer) => own.restart()],
    ['stalls', (own: RedisServer) => Promise.resolve(own.stall()), (own: RedisServer) => Promise.resolve(own.goOn())],
  ])('that stop because Redis %s are told to the operator once, with what it means and what to do, and so is their return', async (_how, lose, bring) => {
    const own = await startRedisServer();
    const lines: { readonly msg: string; readonly reason?: string }[] = [];
    let wake = (): void => undefined;
    const operatorsLog = pino({}, { write: (line: string) => (lines.push(JSON.parse(line) as (typeof lines)[number]), wake()) });
    const said = async (pattern: RegExp) => {
      while (!lines.some(({ msg }) => pattern.test(msg))) await new Promise<void>((resolve) => (wake = resolve));
    };
    const redis = await openRedis({ url: own.url, log: operatorsLog, heartbeat: soon });
    const notify = await openRedisNotifications({ redis, prefix: 'told:', log: operatorsLog });
    const shared = openSharedBuckets({ redis, prefix: 'told:', log: operatorsLog, monotonicNow: () => performance.now() });
    const buckets = shared.of('calls', { perSecond: 1, most: 5 });
    const ours = hear(notify, 'c');
    await notify.publish('c', 'ready');
    await ours.until('ready');
    const broken = Promise.all([redis.commands, redis.subscriber].map((connection) => new Promise((resolve) => connection.once('close', resolve))));
    const [lost] = [lose(own), notify.publish('c', 'lost'), buckets.look('ann'), buckets.charge('ann')];
    await Promise.all([lost, broken]);
    expect(lines.map(({ msg }) => msg)).toEqual([
      'Redis is away; it is tried again every 2 seconds. Nothing is lost and everything is served, but until it is back changes that other nodes commit come up to FEED_POLL_MS late, a token that is revoked on one node may be used on another for up to a minute, and each node counts rate limits for itself. See that the Redis of REDIS_URL runs and can be reached; no server needs a restart.',
    ]);
    expect(lines[0]?.reason).toMatch(/^(the connection was closed|no answer within \d+ ms)( \(\w+\))?$/);
    await bring(own);
    await said(/^Redis is back: hints between nodes and shared rate limits go over it again\.$/);
    expect(lines).toHaveLength(2);
    await notify.close();
    shared.close();
    redis.close();
    await own.close();
  });

  it('are a reason not to start when Redis is not there, and the message holds no password', async () => {
    const away = openRedis({ url: 'redis://user:geheim@127.0.0.1:1', log, heartbeat: soon });
    await expect(away).rejects.toThrow(/REDIS_URL cannot be reached at 127\.0\.0\.1:1 \(ECONNREFUSED\)\. Start it/);
    await expect(away).rejects.not.toThrow(/geheim/);
    await expect(openRedis({ url: `${server.url}/99`, log, heartbeat: soon })).rejects.toThrow(/has no database of the number at its end/);
    await expect(openRedis({ url: server.url.replace('//', '//user:geheim@'), log, heartbeat: soon })).rejects.toThrow(/refuses the user or the password/);
    await expect(openRedis({ url: server.url.replace('redis:', 'rediss:'), log, heartbeat: soon })).rejects.toThrow(/\(ETIMEDOUT\)\. If it does not speak TLS, write redis:\/\/ instead of rediss:\/\/\./);
  });
});

describe('The feed of another node, with Redis', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(postgresUrl());
  });
  afterAll(() => world.close());

  const follow = (at: Node, after: Cursor | null): AsyncIterator<FeedEvent> => at.feed.follow(world.reader, world.workspaceId, { after, filter: {} })[Symbol.asyncIterator]();
  const next = async (stream: AsyncIterator<FeedEvent>): Promise<ChangeBatch> => (await stream.next()).value as ChangeBatch;
  const bump = (at: Node) => at.commit.push(world.editor, world.workspaceId, [atHead('d', patch({ op: 'inc', path: '/n', value: 1 }))]);

  it('is told apart from the feeds of another database by a prefix, for which no special right is needed', async () => {
    const other = await openWorld(postgresUrl());
    const plain = await world.sql.connect();
    await plain.query('CREATE ROLE plain_of_redis_test');
    await plain.query('SET ROLE plain_of_redis_test');
    const prefixes = [await redisPrefix(world.sql), await redisPrefix(plain), await redisPrefix(other.sql)];
    await plain.query('RESET ROLE');
    await plain.query('DROP ROLE plain_of_redis_test');
    plain.release();
    await other.close();
    expect(prefixes[0]).toMatch(/^concord:[0-9a-f]{16}:$/);
    expect(prefixes[1]).toBe(prefixes[0]);
    expect(prefixes[2]).not.toBe(prefixes[0]);
  });

  it('moves within milliseconds of a commit', async () => {
    const redisUrl = inject('redisUrl');
    const [one, two] = [await world.node({ redisUrl }), await world.node({ redisUrl })];
    await one.commit.push(world.editor, world.workspaceId, [atHead('d', create({ n: 0 }))]);
    const stream = follow(two, null);
    await next(stream);
    const medians: number[] = [];
    for (let part = 0; part < 4; part++) {
      const taken: number[] = [];
      for (let round = 0; round < 25; round++) {
        const arrived = next(stream).then(() => performance.now());
        await bump(one);
        const committed = performance.now();
        taken.push((await arrived) - committed);
      }
      medians.push(taken.sort((a, b) => a - b)[12]!);
    }
    process.stdout.write(`Commit on one node to its arrival on another over Redis, medians of 25: ${medians.map((median) => median.toFixed(2)).join(', ')} ms\n`);
    // The quietest part: other tests run on the same cores.
    expect(Math.min(...medians)).toBeLessThan(20);
    await stream.return?.();
    await Promise.all([one.close(), two.close()]);
  });

  it('misses nothing while Redis is dead: the poll brings it, and the hints bring it again afterwards', async () => {
    const server = await startRedisServer();
    const [one, two] = [await world.node({ redisUrl: server.url }), await world.node({ redisUrl: server.url, pollMs: 50 })];
    const stream = follow(two, null);
    await next(stream);
    const positions: number[] = [];
    const writeAndRead = async () => {
      await bump(one);
      const { changes } = await next(stream);
      positions.push(...changes.map(({ position }) => position as number));
    };
    await writeAndRead();
    await server.kill();
    for (let round = 0; round < 3; round++) await writeAndRead();
    const gap = gapOf(two.notify);
    await server.restart();
    await gap;
    for (let round = 0; round < 3; round++) await writeAndRead();
    expect(positions).toEqual(Array.from({ length: 7 }, (_, index) => positions[0]! + index));
    await stream.return?.();
    await Promise.all([one.close(), two.close()]);
    await server.close();
  });
});
