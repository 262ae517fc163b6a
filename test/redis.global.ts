import type { TestProject } from 'vitest/node';
import { requireRedisServer, startRedisServer } from './redis-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of a Redis for all tests. One that kills or stalls it starts its own with `startRedisServer`. */
    readonly redisUrl: string;
  }
}

/** One real Redis for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  requireRedisServer();
  const redis = await startRedisServer();
  project.provide('redisUrl', redis.url);
  return () => redis.close();
}
