import { ConcordError } from '@concord/core';
import type { BucketsOf } from '../rate-limit.js';

/** Slows down guessing of tokens: after too many failures an address is refused before anything is computed for it. */
export interface FailedLogins {
  /** @throws ConcordError RATE_LIMITED with `retryAfter`. */
  check(address: string): Promise<void>;
  count(address: string): Promise<void>;
}

/** `perMinute` at once, and as many a minute after that. 0: no limit. */
export function createFailedLogins(perMinute: number, bucketsOf: BucketsOf): FailedLogins {
  if (perMinute === 0) return { check: () => Promise.resolve(), count: () => Promise.resolve() };
  const buckets = bucketsOf('failed-logins', { perSecond: perMinute / 60, most: perMinute });
  return {
    async check(address) {
      const wait = await buckets.look(address);
      if (wait === 0) return;
      throw new ConcordError('RATE_LIMITED', `Too many failed logins from this address: more than ${perMinute} in a minute. Try again in ${Math.ceil(wait / 1000)} s.`, {
        retryAfter: wait,
        limit: perMinute,
      });
    },
    async count(address) {
      await buckets.charge(address);
    },
  };
}
