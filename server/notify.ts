import type { Logger } from 'pino';

/**
 * Hints between the nodes of one database, over PostgreSQL (notify-postgres.ts) or Redis (notify-redis.ts). A hint may be lost (a
 * broken connection) and never carries truth: who listens re-reads the log or the table. A payload has at most 7,999 bytes,
 * which is PostgreSQL's limit.
 */
export interface Notifications {
  /** How long a node that has many hints waits after one was taken until it sends the next. Milliseconds; 0: not at all. */
  readonly pauseMs: number;
  /**
   * No other node listens, as far as this one knows, so hints of what a new node reads anyway need not be sent. If one listens after
   * all, it is told a gap as soon as it is heard. False where it is not known.
   */
  readonly alone: boolean;
  /**
   * Sends to every node, this one included, outside any transaction. Resolves when the hint was taken, or when it was given up; never
   * rejects. What was given up is made up for by `onGap` on every node as soon as this one can send again.
   */
  publish(channel: string, payload: string): Promise<void>;
  /** Calls the listener for each payload on the channel, in order. Returns the way to stop. */
  subscribe(channel: string, listener: (payload: string) => void): () => void;
  /** Called when hints of this or another node were lost, once they flow again: look once at everything they could have told. */
  onGap(listener: () => void): () => void;
  close(): Promise<void>;
}

/** When nodes and their connections are known to live. Milliseconds. */
export interface Heartbeat {
  /** Between two times that a node tells the others that it is there, over a connection that has to answer. */
  readonly everyMs: number;
  /** One that does not answer within this is broken. */
  readonly deadlineMs: number;
}

export const defaultHeartbeat: Heartbeat = { everyMs: 10_000, deadlineMs: 5_000 };

/** On it a node tells the others that hints it meant to send were lost. */
export const gapChannel = 'concord_gap';

/** Hints that wait for one connection. Beyond them a hint is given up: a connection that stalls must not gather them for ever. */
export const mostWaiting = 1_000;

/** Who listens on this node. A listener that fails is logged and stops nobody else; one that listens anew while it is told is not told twice. */
export class Listeners {
  private readonly channels = new Map<string, Set<(payload: string) => void>>();
  private readonly gaps = new Set<() => void>();

  constructor(private readonly log: Logger) {}

  get heard(): string[] {
    return [...this.channels.keys()];
  }

  /** `first`: nobody listened on the channel before. */
  add(channel: string, listener: (payload: string) => void): { readonly first: boolean; readonly stop: () => void } {
    const known = this.channels.get(channel);
    const listeners = known ?? new Set();
    this.channels.set(channel, listeners.add(listener));
    return { first: known === undefined, stop: () => void listeners.delete(listener) };
  }

  addGap(listener: () => void): () => void {
    this.gaps.add(listener);
    return () => void this.gaps.delete(listener);
  }

  deliver(channel: string, payload: string): void {
    if (channel === gapChannel) this.gap();
    else for (const listener of [...(this.channels.get(channel) ?? [])]) this.call(() => listener(payload));
  }

  gap(): void {
    for (const listener of [...this.gaps]) this.call(listener);
  }

  private call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.log.error({ err: error }, 'A listener to hints failed.');
    }
  }
}
