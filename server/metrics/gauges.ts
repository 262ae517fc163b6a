import { monitorEventLoopDelay } from 'node:perf_hooks';
import type pg from 'pg';
import type { Database } from '../database.js';
import type { EngineFigures } from '../engine.js';
import type { RedisConnections } from '../redis.js';
import type { Metrics } from './metrics.js';

const nanosecondsPerSecond = 1e9;

/** What is looked up when the page is asked for: nothing of it costs anything in between, but the timer of the event loop, which the function that is returned stops. */
export function addGauges(metrics: Metrics, parts: { readonly database: Database; readonly redis: RedisConnections | null; readonly figures: () => EngineFigures }): () => Promise<void> {
  addPools(metrics, parts.database);
  addEngine(metrics, parts.figures);
  const { redis } = parts;
  if (redis !== null) metrics.gauge('concord_redis_up', '1: Redis is connected. Absent without REDIS_URL.', () => (redis.commands.status === 'ready' ? 1 : 0));
  return addProcess(metrics);
}

function addPools(metrics: Metrics, { pool, commits, reads }: Database): void {
  const pools: readonly (readonly [string, pg.Pool])[] = [['main', pool], ['commits', commits], ['reads', reads]];
  const of = (look: (pool: pg.Pool) => number) => () => pools.map(([name, one]) => [name, look(one)] as const);
  metrics.gauges('concord_pool_connections', 'Connections to PostgreSQL that are open, by pool.', 'pool', of(({ totalCount }) => totalCount));
  metrics.gauges('concord_pool_idle', 'Of those, the ones at rest.', 'pool', of(({ idleCount }) => idleCount));
  metrics.gauges('concord_pool_waiting', 'Callers that wait for a connection.', 'pool', of(({ waitingCount }) => waitingCount));
}

function addEngine(metrics: Metrics, figures: () => EngineFigures): void {
  metrics.gauge('concord_subscribers', 'Subscriptions that follow a feed.', () => figures().subscribers);
  metrics.gauge('concord_feeds', 'Workspaces whose newest changes are kept in memory for followers.', () => figures().feeds);
  metrics.gauge('concord_feed_behind_changes', 'Changes that the furthest feed was behind the database at the last look (FEED_POLL_MS).', () => figures().behind);
  metrics.gauge('concord_cache_documents', 'Documents held in memory.', () => figures().cachedDocuments);
  metrics.gauge('concord_cache_bytes', 'Bytes of those, of CACHE_BYTES.', () => figures().cachedBytes);
}

function addProcess(metrics: Metrics): () => Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  metrics.gauges('concord_event_loop_delay_seconds', 'How late the event loop was since the page was last asked for.', 'quantile', () => {
    const found = [['0.5', delay.percentile(50)], ['0.99', delay.percentile(99)], ['1', delay.max]] as const;
    delay.reset();
    return found.map(([quantile, nanoseconds]) => [quantile, nanoseconds / nanosecondsPerSecond] as const);
  });
  metrics.gauge('process_resident_memory_bytes', 'Memory of the process.', () => process.memoryUsage.rss());
  return () => {
    delay.disable();
    return Promise.resolve();
  };
}
