import type { Environment } from './options.js';

/**
 * Milliseconds to wait before attempt number `attempts` (0: the first repetition): doubling from `firstMs` to `longestMs`,
 * of which a random half to whole, so that many replicas do not come back at the same moment.
 */
export function backoff(attempts: number, { retry, random }: Pick<Environment, 'retry' | 'random'>): number {
  const most = Math.min(retry.longestMs, retry.firstMs * 2 ** Math.min(attempts, 30));
  return Math.round(most * (0.5 + random() / 2));
}
