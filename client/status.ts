import { ConcordError, type ErrorCode } from '@concord/core';
import type { ConnectionState } from './connection.js';
import type { Environment } from './options.js';
import { callOfApp, type Unsubscribe } from './live.js';
import type { Store } from './store/store.js';

/** How a replica is doing. A new object after each change. */
export interface ReplicaStatus {
  readonly connection: ConnectionState;
  /** True: connected, and everything the server has told is here. */
  readonly upToDate: boolean;
  /** Edits made here that have not come back from the server. */
  readonly pending: number;
  /** When the oldest of them was made, ISO 8601; null: there is none. */
  readonly oldestPendingSince: string | null;
  /** True: an edit has waited for more than five seconds, all the while connected. The server is slow, or sends this edit back. */
  readonly delayed: boolean;
  /** Edits that the server refused for good; `quarantined()` lists them. */
  readonly quarantined: number;
  /** Documents that were held otherwise than the history that was taken; `kept()` lists them. */
  readonly kept: number;
  /** Why the replica has stopped: the app must decide (see `takeHistory`, `handOver`, `clear`), or connect to the right server. Null: it has not. */
  readonly stopped: { readonly reason: StopReason; readonly message: string } | null;
  /** The last thing that went wrong, until the connection is live again; null: nothing. `UNAVAILABLE` is what being offline looks like. */
  readonly lastError: { readonly code: ErrorCode; readonly message: string } | null;
}

/** An edit that waits for longer while the replica is live is late. */
const lateAfterMs = 5_000;

/** The server holds another history than the file; or the token is of somebody else than the file. */
export type StopReason = 'OTHER_HISTORY' | 'OTHER_PRINCIPAL';

/** Tells who listens how the replica is doing: once for all that happened in one turn of the event loop, and only what is new. */
export class WatchedStatus {
  private readonly listeners = new Set<(status: ReplicaStatus) => void>();
  private told: ReplicaStatus;
  private due = false;
  private ended = false;
  private feedUpToDate = false;
  private lastError: ReplicaStatus['lastError'] = null;
  /** Milliseconds. */
  private liveSince = 0;
  /** One for all edits; runs only while the oldest one is not late yet. */
  private alarm: unknown;
  private stopped: ReplicaStatus['stopped'] = null;
  private met: string | null = null;

  constructor(
    private readonly store: Store,
    private readonly connection: { readonly state: ConnectionState },
    private readonly environment: Pick<Environment, 'now' | 'timers'>,
  ) {
    this.told = this.now();
  }

  /** As it was told last. */
  get current(): ReplicaStatus {
    return this.told;
  }

  /** As it is at this moment. */
  now(): ReplicaStatus {
    const { state } = this.connection;
    const oldest = this.store.outbox.oldest() ?? null;
    return Object.freeze({
      connection: state,
      upToDate: this.feedUpToDate && state === 'live',
      pending: this.store.pendingCount,
      oldestPendingSince: oldest,
      delayed: state === 'live' && oldest !== null && this.lateIn(oldest) <= 0,
      quarantined: this.store.quarantine.count(),
      kept: this.store.kept.count(),
      stopped: this.stopped,
      lastError: this.lastError,
    });
  }

  subscribe(listener: (status: ReplicaStatus) => void): Unsubscribe {
    this.listeners.add(listener);
    callOfApp(() => listener(this.told));
    return () => this.listeners.delete(listener);
  }

  live(): void {
    this.liveSince = this.environment.now();
    this.lastError = null;
  }

  /** The id of what the replica has stopped at. @throws ConcordError INPUT_INVALID when it has not stopped for this reason. */
  stoppedAt(reason: StopReason): string {
    if (this.stopped?.reason !== reason || this.met === null) {
      throw new ConcordError('INPUT_INVALID', `The replica has not stopped with ${reason}, so there is nothing to decide; status.stopped says when it has.`);
    }
    return this.met;
  }

  /** The app has decided. */
  decided(): void {
    this.stopped = null;
    this.met = null;
    this.lastError = null;
  }

  pulled(upToDate: boolean): void {
    this.stopped = null;
    this.feedUpToDate = upToDate;
  }

  failed({ code, message, details }: ConcordError): void {
    this.lastError = Object.freeze({ code, message });
    if (code !== 'OTHER_HISTORY' && code !== 'OTHER_PRINCIPAL') return;
    if (details.id !== undefined) this.met = details.id;
    if (this.stopped?.reason !== code) this.stopped = Object.freeze({ reason: code, message });
  }

  /** Something has happened that the status may show. */
  progressed(): void {
    if (this.due) return;
    this.due = true;
    queueMicrotask(() => {
      this.due = false;
      if (!this.ended) this.tell(this.now());
    });
  }

  /** The file is closed: there is nothing to tell any more. */
  end(): void {
    this.ended = true;
    this.environment.timers.clear(this.alarm);
    this.listeners.clear();
  }

  /** Milliseconds until the edit has waited for too long. */
  private lateIn(madeAt: string): number {
    return Math.max(Date.parse(madeAt), this.liveSince) + lateAfterMs - this.environment.now();
  }

  private watchOldest({ connection, oldestPendingSince, delayed }: ReplicaStatus): void {
    if (this.alarm !== undefined || connection !== 'live' || oldestPendingSince === null || delayed) return;
    // What is oldest by then is looked at then; a clock that was set back must not make it wait for long.
    const wait = Math.min(lateAfterMs, Math.max(1, this.lateIn(oldestPendingSince)));
    this.alarm = this.environment.timers.set(() => {
      this.alarm = undefined;
      this.progressed();
    }, wait);
  }

  private tell(status: ReplicaStatus): void {
    this.watchOldest(status);
    const { told } = this;
    const keys = Object.keys(status) as (keyof ReplicaStatus)[];
    if (keys.every((key) => status[key] === told[key])) return;
    this.told = status;
    // Copied: a listener may stop and listen anew, which would put it behind the others again and again.
    for (const listener of [...this.listeners]) if (this.listeners.has(listener)) callOfApp(() => listener(status));
  }
}
