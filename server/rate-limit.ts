import { BurstyRateLimiter, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ConcordError } from '@concord/core';
import type { RateLimitConfig } from './config.js';

/** How often one principal may call. @throws ConcordError RATE_LIMITED with `retryAfter` in milliseconds. */
export interface RateLimit {
  /** One GraphQL operation. `caller`: the principal, or the address of one without a token. */
  operation(caller: string): Promise<void>;
  /** Edits of a push, each for itself. */
  edits(caller: string, count: number): Promise<void>;
}

const burstWindowSeconds = 10;

/** In the memory of this node: behind a balancer with several nodes a principal may call each of them as often. */
export function createRateLimit(config: RateLimitConfig): RateLimit {
  const operations = limiter('operations', config.operationsPerSecond, config.operationsBurst);
  const edits = limiter('edits', config.editsPerSecond, config.editsBurst);
  return {
    operation: (caller) => operations(caller, 1),
    edits: (caller, count) => edits(caller, count),
  };
}

function limiter(what: string, perSecond: number, burst: number): (caller: string, points: number) => Promise<void> {
  if (perSecond === 0) return () => Promise.resolve();
  const steady = new RateLimiterMemory({ keyPrefix: what, points: perSecond, duration: 1 });
  const reserve = new RateLimiterMemory({ keyPrefix: `${what}-burst`, points: burst, duration: burstWindowSeconds });
  const bursty = new BurstyRateLimiter(steady, reserve);
  return async (caller, points) => {
    try {
      await bursty.consume(caller, points);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      // A call that was refused has used nothing: one that is too large must not shut out the smaller one after it.
      await Promise.all([steady.reward(caller, points), reserve.reward(caller, points)]);
      const retryAfter = Math.max(1, Math.ceil(refusal.msBeforeNext));
      throw new ConcordError('RATE_LIMITED', `More than ${perSecond} ${what} a second (and ${burst} at once). Wait ${retryAfter} ms; nothing of this call was done.`, {
        retryAfter,
        limit: perSecond,
      });
    }
  };
}
