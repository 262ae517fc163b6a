import pg from 'pg';
import type { Logger } from 'pino';

/**
 * Hints between the nodes of one database, over one dedicated PostgreSQL connection with LISTEN. A hint may be lost (a broken
 * connection) and never carries truth: who listens re-reads the log or the table. PostgreSQL limits a payload to 7,999 bytes.
 */
export interface Notifications {
  /** Sends to every node, this one included, outside any transaction. Resolves when PostgreSQL took it; never rejects. */
  publish(channel: string, payload: string): Promise<void>;
  /** Calls the listener for each payload on the channel, in order. Returns the way to stop. */
  subscribe(channel: string, listener: (payload: string) => void): () => void;
  /** Called when the connection is back after a break: hints in between are lost, so look once at everything they could have told. */
  onGap(listener: () => void): () => void;
  close(): Promise<void>;
}

const firstRetryMs = 100;
const longestRetryMs = 5_000;

/** Connects before it returns. @throws the driver's error when the first connection fails. */
export async function openNotifications(options: {
  readonly connectionString: string;
  readonly log: Logger;
}): Promise<Notifications> {
  const channels = new Map<string, Set<(payload: string) => void>>();
  const gapListeners = new Set<() => void>();
  let client: pg.Client | null = null;
  let closed = false;
  let retryMs = firstRetryMs;
  let retry: NodeJS.Timeout | null = null;
  /** One query at a time: the driver gives up queueing them. */
  let last: Promise<unknown> = Promise.resolve();
  const ask = (target: pg.Client, query: string | pg.QueryConfig): Promise<unknown> => {
    const asked = last.then(() => target.query(query));
    last = asked.catch(() => undefined);
    return asked;
  };

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: options.connectionString, application_name: 'concord-notify', keepAlive: true });
    const lost = (error?: Error) => {
      if (client === next || client === null) reconnect(next, error);
    };
    next.on('error', lost);
    next.on('end', () => lost());
    next.on('notification', ({ channel, payload }) => {
      for (const listener of channels.get(channel) ?? []) call(() => listener(payload ?? ''));
    });
    await next.connect();
    for (const channel of channels.keys()) await ask(next, `LISTEN ${next.escapeIdentifier(channel)}`);
    if (closed) return void (await next.end());
    client = next;
    retryMs = firstRetryMs;
  }

  function reconnect(broken: pg.Client, error?: Error): void {
    client = null;
    broken.removeAllListeners('end');
    if (closed || retry !== null) return;
    options.log.warn({ err: error, retryMs }, 'The notification connection broke; hints are late until it is back.');
    retry = setTimeout(() => {
      retry = null;
      connect().then(
        () => gapListeners.forEach((listener) => call(listener)),
        (failure: unknown) => reconnect(broken, failure instanceof Error ? failure : new Error(String(failure))),
      );
    }, retryMs);
    retry.unref();
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  }

  function call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      options.log.error({ err: error }, 'A notification listener failed.');
    }
  }

  await connect();

  return {
    async publish(channel, payload) {
      try {
        if (client !== null) await ask(client, { name: 'concord-notify', text: 'SELECT pg_notify($1, $2)', values: [channel, payload] });
      } catch (error) {
        options.log.warn({ err: error, channel }, 'A hint was not sent.');
      }
    },
    subscribe(channel, listener) {
      let listeners = channels.get(channel);
      if (listeners === undefined) {
        listeners = new Set();
        channels.set(channel, listeners);
        const listening = client;
        if (listening !== null) {
          ask(listening, `LISTEN ${listening.escapeIdentifier(channel)}`).catch((error: unknown) => {
            if (!closed) options.log.warn({ err: error, channel }, 'LISTEN failed; it is repeated with the next connection.');
          });
        }
      }
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onGap(listener) {
      gapListeners.add(listener);
      return () => void gapListeners.delete(listener);
    },
    async close() {
      closed = true;
      if (retry !== null) clearTimeout(retry);
      const open = client;
      client = null;
      open?.removeAllListeners('end');
      await open?.end().catch(() => undefined);
    },
  };
}
