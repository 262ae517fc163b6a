import { pino, type Logger } from 'pino';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startRedisServer, type RedisServer } from '../../test/redis-server.js';
import { LocalBuckets, type Buckets, type BucketSize } from '../rate-limit-buckets.js';
import { openSharedBuckets } from '../rate-limit-redis.js';
import { openRedis, type RedisConnections } from '../redis.js';

const quiet = pino({ level: 'silent' });

describe('A rate limit of one node', () => {
  const size: BucketSize = { perSecond: 10, most: 20 };

  it('lets a burst pass, then as many as come in, and tells how long to wait', () => {
    let now = 0;
    const buckets = new LocalBuckets(size, () => now);
    for (let call = 0; call < 20; call++) expect(buckets.take('ann', 1)).toBe(0);
    expect(buckets.take('ann', 1)).toBe(100);
    expect(buckets.take('ann', 5)).toBe(500);
    expect(buckets.take('ben', 20)).toBe(0);
    now = 100;
    expect(buckets.take('ann', 1)).toBe(0);
    expect(buckets.take('ann', 1)).toBe(100);
    now = 60_000;
    expect(buckets.take('ann', 21)).toBe(100);
    expect(buckets.take('ann', 20)).toBe(0);
  });

  it('takes nothing for a call it refuses', () => {
    const buckets = new LocalBuckets(size, () => 0);
    expect(buckets.take('ann', 15)).toBe(0);
    expect(buckets.take('ann', 6)).toBe(100);
    expect(buckets.take('ann', 5)).toBe(0);
  });
});

describe('A rate limit shared over Redis', () => {
  let redisUrl: string;
  let names = 0;
  const opened: (() => void)[] = [];
  beforeAll(() => {
    redisUrl = inject('redisUrl');
  });
  afterAll(() => {
    for (const close of opened) close();
  });

  async function connect(url = redisUrl, log = quiet): Promise<RedisConnections> {
    const redis = await openRedis({ url, log, heartbeat: { everyMs: 100, deadlineMs: 300 } });
    opened.push(() => redis.close());
    return redis;
  }

  /** As many nodes as asked for, each with its own connection and its own clock. */
  async function nodes(count: number, size: BucketSize, { url, log = quiet }: { url?: string; log?: Logger } = {}): Promise<Buckets[]> {
    const prefix = `test-${process.pid}-${++names}:`;
    return Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const shared = openSharedBuckets({ redis: await connect(url, log), prefix, log, monotonicNow: () => performance.now() + index * 3_600_000 });
        opened.push(() => shared.close());
        return shared.of('calls', size);
      }),
    );
  }

  /** Calls as fast as answers come, over `lanes` at a time. Returns how many passed. */
  async function hammer(buckets: Buckets, ms: number, lanes: number): Promise<number> {
    const end = performance.now() + ms;
    let passed = 0;
    const lane = async () => {
      while (performance.now() < end) {
        if ((await buckets.take('ann', 1)) === 0) passed += 1;
        else await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return passed;
  }

  it.each([
    { count: 2, size: { perSecond: 100, most: 50 } },
    { count: 2, size: { perSecond: 5_000, most: 5_000 } },
    { count: 5, size: { perSecond: 200, most: 200 } },
  ])('holds over $count nodes with $size.perSecond a second, within a fifth of a second’s worth a node', async ({ count, size }) => {
    const all = await nodes(count, size);
    const began = performance.now();
    const passed = (await Promise.all(all.map((buckets) => hammer(buckets, 1_000, 8)))).reduce((sum, each) => sum + each, 0);
    const allowed = size.most + ((performance.now() - began) * size.perSecond) / 1_000;
    const tolerance = count * 2 * Math.floor(size.perSecond / 10);
    expect(passed).toBeLessThanOrEqual(allowed + tolerance);
    // Leases that are not used up are the most that is lost.
    expect(passed).toBeGreaterThan(allowed * 0.9 - tolerance);
  });

  it('is exact where it is small', async () => {
    const [one, two] = (await nodes(2, { perSecond: 0.01, most: 3 })) as [Buckets, Buckets];
    const waits: number[] = [];
    for (let call = 0; call < 4; call++) waits.push(await one.take('ann', 1), await two.take('ann', 1));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(3);
    expect(Math.min(...waits.filter((wait) => wait > 0))).toBeGreaterThan(90_000);
  });

  it('lets the first call of an idle principal pass without waiting for Redis', async () => {
    const [one] = (await nodes(1, { perSecond: 200, most: 2_000 })) as [Buckets];
    expect(one.take('ann', 1)).toBe(0);
  });

  it('gives one lease and one credit to a node that has not heard that another has emptied the bucket, and no more', async () => {
    const [one, two] = (await nodes(2, { perSecond: 100, most: 100 })) as [Buckets, Buckets];
    expect(one.take('ann', 1)).toBe(0);
    // Answered after the lease of ten was.
    await one.look('ann');
    for (let wait = await two.take('ann', 100); wait > 0; wait = await two.take('ann', 100)) await delay(wait);
    expect([one.take('ann', 10), one.take('ann', 10)]).toEqual([0, 0]);
    expect(await one.take('ann', 10)).toBeGreaterThan(0);
  });

  it('takes nothing for a call that is too large, on any node', async () => {
    const [one, two] = (await nodes(2, { perSecond: 1, most: 10 })) as [Buckets, Buckets];
    expect(await one.take('ann', 6)).toBe(0);
    expect(await two.take('ann', 6)).toBeGreaterThan(0);
    expect(await two.take('ann', 4)).toBe(0);
  });

  it('asks Redis about ten times a second for a principal that is busy all the time, and hardly for one that is refused', async () => {
    const server = await startRedisServer();
    const [one] = (await nodes(1, { perSecond: 1_000, most: 1_000 }, { url: server.url })) as [Buckets];
    const { commands } = await connect(server.url);
    const asked = async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await commands.info('commandstats'))?.[1] ?? 0);
    const passed = await hammer(one, 1_000, 20);
    const calls = await asked();
    process.stdout.write(`${passed} calls of one principal in a second cost ${calls} calls of Redis\n`);
    expect(passed).toBeGreaterThan(1_500);
    expect(calls).toBeLessThan(passed / 20);
    await server.close();
  });

  it('is counted by each node for itself while Redis is away, said once, and shared again when it is back', async () => {
    const server = await startRedisServer();
    const said: string[] = [];
    let wake: () => void = () => undefined;
    const log = pino({ level: 'info' }, {
      write(line: string) {
        said.push((JSON.parse(line) as { msg: string }).msg);
        wake();
      },
    });
    const [one, two] = (await nodes(2, { perSecond: 0.01, most: 3 }, { url: server.url, log })) as [Buckets, Buckets];
    const passes = async () => {
      let passed = 0;
      for (let call = 0; call < 5; call++) for (const node of [one, two]) if ((await node.take('ann', 1)) === 0) passed += 1;
      return passed;
    };
    expect(await passes()).toBe(3);
    await server.kill();
    expect(await one.look('ann')).toBe(0);
    expect(await two.look('ann')).toBe(0);
    expect(await passes()).toBe(6);
    expect(said).toEqual(Array.from({ length: 2 }, () => expect.stringMatching(/^Redis is away; .* each node counts rate limits for itself/) as string));
    await server.restart();
    while (said.filter((line) => line.startsWith('Redis is back')).length < 2) await new Promise<void>((resolve) => (wake = resolve));
    // An empty Redis has full buckets, which the nodes learn as they ask.
    expect(await one.look('ann')).toBe(0);
    await server.close();
  });

  it('is not shared, and said once, while Redis answers but refuses to write', async () => {
    const server = await startRedisServer();
    const said: string[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void said.push(line) });
    const [one] = (await nodes(1, { perSecond: 0.01, most: 2 }, { url: server.url, log })) as [Buckets];
    const { commands } = await connect(server.url);
    await commands.config('SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction');
    expect([await one.take('ann', 1), await one.take('ann', 1)]).toEqual([0, 0]);
    expect(await one.take('ann', 1)).toBeGreaterThan(0);
    // Longer than it takes to look at Redis again.
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(said).toHaveLength(1);
    await server.close();
  });

  it('makes a call wait once, and shortly, for a Redis that stalls', async () => {
    const server: RedisServer = await startRedisServer();
    const [one] = (await nodes(1, { perSecond: 1, most: 100 }, { url: server.url })) as [Buckets];
    expect(await one.take('ann', 1)).toBe(0);
    server.stall();
    const began = performance.now();
    expect(await one.take('ann', 1)).toBe(0);
    expect(performance.now() - began).toBeLessThan(1_000);
    for (let call = 0; call < 50; call++) expect(one.take('ann', 1)).toBe(0);
    server.goOn();
    await server.close();
  });
});
