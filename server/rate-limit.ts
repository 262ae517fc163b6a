import { ConcordError } from '@concord/core';
import type { RateLimitConfig } from './config.js';
import type { Buckets, BucketSize } from './rate-limit-buckets.js';

/** How often one principal may call. @throws ConcordError RATE_LIMITED with `retryAfter` in milliseconds. */
export interface RateLimit {
  /** GraphQL operations of a principal, and what costs as much. */
  operations(principalId: string, count: number): Promise<void>;
  /** The same without a session, for a network. */
  anonymous(network: string, count: number): Promise<void>;
  /** Edits of a push, each for itself. */
  edits(caller: string, count: number): Promise<void>;
}

/** Makes the buckets of a name: in the memory of this node, or shared by all nodes. */
export type BucketsOf = (name: string, size: BucketSize) => Buckets;

const passed = Promise.resolve();

/** Who opens a page or two at once asks for the schema a few times. */
const anonymousBurstSeconds = 10;

/** A call that is refused has used nothing: one that is too large does not shut out the smaller one after it. */
export function createRateLimit(config: RateLimitConfig, bucketsOf: BucketsOf): RateLimit {
  const operations = limiter('operations', config.operationsPerSecond, config.operationsBurst, bucketsOf);
  const edits = limiter('edits', config.editsPerSecond, config.editsBurst, bucketsOf);
  const anonymous = limiter('operations without a token', config.anonymousPerSecond, config.anonymousPerSecond * anonymousBurstSeconds, bucketsOf);
  // What a call costs in bytes or in characters makes it dear, not impossible.
  const atMost = (most: number, limit: typeof operations) => (caller: string, count: number) => limit(caller, Math.min(count, most));
  return {
    operations: atMost(Math.max(config.operationsPerSecond, config.operationsBurst), operations),
    anonymous: atMost(config.anonymousPerSecond * anonymousBurstSeconds, anonymous),
    edits,
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
