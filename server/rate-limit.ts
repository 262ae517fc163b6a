import { ConcordError } from '@concord/core';
import type { RateLimitConfig } from './config.js';
import type { Buckets, BucketSize } from './rate-limit-buckets.js';

/** How often one principal may call. @throws ConcordError RATE_LIMITED with `retryAfter` in milliseconds. */
export interface RateLimit {
  /** One GraphQL operation. `caller`: the principal, or the address of one without a token. */
  operation(caller: string): Promise<void>;
  /** Edits of a push, each for itself. */
  edits(caller: string, count: number): Promise<void>;
}

/** Makes the buckets of a name: in the memory of this node, or shared by all nodes. */
export type BucketsOf = (name: string, size: BucketSize) => Buckets;

const passed = Promise.resolve();

/** A call that is refused has used nothing: one that is too large does not shut out the smaller one after it. */
export function createRateLimit(config: RateLimitConfig, bucketsOf: BucketsOf): RateLimit {
  const operations = limiter('operations', config.operationsPerSecond, config.operationsBurst, bucketsOf);
  const edits = limiter('edits', config.editsPerSecond, config.editsBurst, bucketsOf);
  return {
    operation: (caller) => operations(caller, 1),
    edits: (caller, count) => edits(caller, count),
  };
}

function limiter(what: string, perSecond: number, burst: number, bucketsOf: BucketsOf): (caller: string, count: number) => Promise<void> {
  if (perSecond === 0) return () => passed;
  const most = Math.max(perSecond, burst);
  const buckets = bucketsOf(what, { perSecond, most });
  const answer = (wait: number, count: number): void => {
    if (wait === 0) return;
    const cure = count > most ? `${count} are more than that: send fewer in one call` : `Wait ${wait} ms`;
    throw new ConcordError('RATE_LIMITED', `More than ${perSecond} ${what} a second (and ${most} at once). ${cure}; nothing of this call was done.`, {
      retryAfter: wait,
      limit: perSecond,
    });
  };
  return (caller, count) => {
    const taken = buckets.take(caller, count);
    if (taken === 0) return passed;
    return Promise.resolve(taken).then((wait) => answer(wait, count));
  };
}
