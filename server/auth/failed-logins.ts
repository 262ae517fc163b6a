import { RateLimiterMemory } from 'rate-limiter-flexible';
import { ConcordError } from '@concord/core';

/** Slows down guessing of tokens: after too many failures an address is refused before anything is computed for it. */
export interface FailedLogins {
  /** @throws ConcordError RATE_LIMITED with `retryAfter`. */
  check(address: string): Promise<void>;
  count(address: string): Promise<void>;
}

/** `perMinute` 0: no limit. */
export function createFailedLogins(perMinute: number): FailedLogins {
  if (perMinute === 0) return { check: () => Promise.resolve(), count: () => Promise.resolve() };
  const limiter = new RateLimiterMemory({ keyPrefix: 'login', points: perMinute, duration: 60 });
  return {
    async check(address) {
      const state = await limiter.get(address);
      if (state === null || state.consumedPoints < perMinute) return;
      throw new ConcordError('RATE_LIMITED', `Too many failed logins from this address: more than ${perMinute} in a minute. Try again in ${Math.ceil(state.msBeforeNext / 1000)} s.`, {
        retryAfter: state.msBeforeNext,
        limit: perMinute,
        actual: state.consumedPoints,
      });
    },
    async count(address) {
      await limiter.penalty(address, 1);
    },
  };
}
