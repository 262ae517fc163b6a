import type { ConcordError } from '@concord/core';
import type { Environment } from './options.js';

/** What `work` comes to, or the error of `late` when that takes longer than `ms`: nothing that the replica waits for may hang it. */
export function inTime<T>(work: Promise<T>, timers: Environment['timers'], ms: number, late: () => ConcordError): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = timers.set(() => reject(late()), ms);
    work.then(resolve, reject).finally(() => timers.clear(timer));
  });
}
