import { ConcordError } from '@concord/core';
import type { Environment } from './options.js';

export interface SettlingSurroundings {
  isClosed(): boolean;
  /** Why the server takes nothing from this replica, or does not let it in; undefined: it does, or is not reached. */
  refusal(): ConcordError | undefined;
  /** Connected, and nothing waits in the outbox. */
  mayBeSettled(): boolean;
  /** Asks the server. */
  nothingNewer(): Promise<boolean>;
  /** What is in the way, for a person. */
  describe(): string;
}

/** Waits for a replica to have nothing left to do. */
export class Settling {
  /** Counts what happened, so that nobody waits for what is past. */
  private progress = 0;
  private readonly waiters = new Set<() => void>();

  constructor(
    private readonly environment: Pick<Environment, 'timers' | 'retry'>,
    private readonly surroundings: SettlingSurroundings,
  ) {}

  /** Something has happened that may have settled the replica, or closed it. */
  progressed(): void {
    this.progress++;
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const resolve of waiters) resolve();
  }

  /** @throws ConcordError UNAVAILABLE when the replica is closed, or after `timeoutMs`; what the server refused the connection or the edits with. */
  async settled(timeoutMs: number | undefined): Promise<void> {
    const { timers, retry } = this.environment;
    let timedOut = false;
    const timer =
      timeoutMs === undefined
        ? undefined
        : timers.set(() => {
            timedOut = true;
            this.progressed();
          }, timeoutMs);
    const check = (): void => {
      if (this.surroundings.isClosed()) throw new ConcordError('UNAVAILABLE', 'The replica was closed before it was settled. Open it again and wait there.');
      const refusal = this.surroundings.refusal();
      if (refusal !== undefined) throw refusal;
      if (timedOut) throw new ConcordError('UNAVAILABLE', `The replica was not settled after ${timeoutMs} ms: ${this.surroundings.describe()}.`);
    };
    try {
      for (;;) {
        check();
        const seen = this.progress;
        let retryMs: number | undefined;
        if (this.surroundings.mayBeSettled()) {
          try {
            if (await this.surroundings.nothingNewer()) return;
          } catch (error) {
            // Told by the connection where it matters; a refused question is asked again.
            retryMs = error instanceof ConcordError ? (error.details.retryAfter ?? retry.firstMs) : retry.firstMs;
          }
        }
        check();
        if (this.progress === seen) await this.next(retryMs);
      }
    } finally {
      timers.clear(timer);
    }
  }

  /** Waits until something has happened, or for `atMostMs`. */
  private next(atMostMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = atMostMs === undefined ? undefined : this.environment.timers.set(() => this.progressed(), atMostMs);
      this.waiters.add(() => {
        this.environment.timers.clear(timer);
        resolve();
      });
    });
  }
}
