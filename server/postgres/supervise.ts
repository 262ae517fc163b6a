import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { startEmbedded, type EmbeddedPostgres } from './embedded.js';

/** Between two looks whether it still runs. */
const lookMs = 200;
/** A start that fails is tried again after so long, then PostgreSQL is given up. */
const pausesMs: readonly number[] = [200, 1_000, 3_000, 5_000];
/** A PostgreSQL that was started so often within the time does not live: starting it again heals nothing. */
const maxRestarts = 10;
const restartsWithinMs = 60_000;

export interface SupervisedPostgres {
  /** The same after every restart. */
  readonly connectionString: string;
  stop(): Promise<void>;
}

/**
 * The embedded PostgreSQL, started again whenever it is gone without having been asked to. It may be another process's child (it was
 * adopted), so its end is looked for, not waited for. A killed backend is PostgreSQL's own affair: its postmaster restarts the others.
 */
export async function superviseEmbedded(options: {
  readonly dataFolder: string;
  readonly log: Logger;
  /** Called once, when it cannot be started again. */
  readonly givenUp: (reason: Error) => void;
}): Promise<SupervisedPostgres> {
  const { dataFolder, log } = options;
  let postgres = await startEmbedded({ dataFolder, log });
  const { connectionString, port } = postgres;
  const ending = new AbortController();

  async function watch(): Promise<void> {
    const restarts: number[] = [];
    for (;;) {
      // Ended by the stop, which waits for this: alone, a timer without a reference would let the process end in between.
      await delay(lookMs, undefined, { ref: false, signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted) return;
      if (await postgres.isRunning()) continue;
      if (ending.signal.aborted) return;
      log.error({ pid: postgres.pid }, 'PostgreSQL has ended; starting it again.');
      const now = performance.now();
      restarts.push(now);
      if (restarts.filter((at) => at > now - restartsWithinMs).length > maxRestarts) {
        throw new Error(`its PostgreSQL has ended ${maxRestarts} times within ${restartsWithinMs / 1000} s; look at postgres.log in ${dataFolder}.`);
      }
      postgres = await restart();
    }
  }

  async function restart(): Promise<EmbeddedPostgres> {
    for (let attempt = 0; ; attempt++) {
      try {
        const started = await startEmbedded({ dataFolder, log, port });
        if (started.connectionString !== connectionString) throw new Error(`it runs at another address now (port ${started.port} instead of ${port})`);
        return started;
      } catch (error) {
        const pause = pausesMs[attempt];
        const why = error instanceof Error ? error.message : String(error);
        if (pause === undefined || ending.signal.aborted) throw new Error(`its PostgreSQL has ended and cannot be started again: ${why}`, { cause: error });
        log.error({ err: error }, 'PostgreSQL could not be started; trying again.');
        await delay(pause);
      }
    }
  }

  const watching = watch().catch((error: unknown) => {
    if (ending.signal.aborted) return;
    log.fatal({ err: error }, 'PostgreSQL cannot be started again.');
    options.givenUp(error instanceof Error ? error : new Error(String(error)));
  });

  return {
    connectionString,
    async stop() {
      ending.abort();
      // One that is just being started is stopped too.
      await watching;
      if (await postgres.isRunning()) await postgres.stop();
    },
  };
}
