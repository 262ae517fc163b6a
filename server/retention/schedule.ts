import type pg from 'pg';
import type { Logger } from 'pino';
import type { RetentionOutcome } from '../metrics/metrics.js';
import { applyRetention, type RetentionPolicy } from './run.js';

export interface RetentionSchedule {
  /** Ends after the slice at work. */
  close(): Promise<void>;
}

/** Between two runs, on the average. */
const defaultEveryMs = 3_600_000;

/**
 * Applies the retention now and then, on every node: the first time soon after the start, then about once an hour. The moments
 * are spread by chance, so that nodes that were started together do not meet; if they do, one of them steps back.
 */
export function scheduleRetention(options: {
  readonly pool: pg.Pool;
  readonly log: Logger;
  readonly now: () => Date;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly policy: RetentionPolicy;
  readonly everyMs?: number;
  /** Told of how each run ended. */
  readonly ran?: (outcome: RetentionOutcome) => void;
}): RetentionSchedule {
  const { pool, log, now, random, policy, everyMs = defaultEveryMs } = options;
  const ending = new AbortController();
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const plan = (ms: number): void => {
    timer = setTimeout(() => {
      running = run().finally(() => {
        running = undefined;
        if (!ending.signal.aborted) plan(everyMs * (0.5 + random()));
      });
    }, ms);
    timer.unref();
  };

  async function run(): Promise<void> {
    try {
      const { changes, auditRows } = await applyRetention({ pool, log, now, signal: ending.signal }, policy);
      options.ran?.({ changes, auditRows });
      if (changes + auditRows > 0) log.info({ changes, auditRows }, 'What was older than the retention is gone.');
    } catch (error) {
      options.ran?.('FAILED');
      log.warn({ err: error }, 'The retention could not be applied; the next run tries again.');
    }
  }

  if (policy.changesDays > 0 || policy.auditDays > 0) plan(everyMs * 0.1 * random());
  return {
    async close() {
      ending.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
