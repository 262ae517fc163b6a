import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { defaultHeartbeat, gapChannel, Listeners, mostWaiting, type Heartbeat, type Notifications } from './notify.js';

const firstRetryMs = 100;
const longestRetryMs = 5_000;

/**
 * Hints over one dedicated PostgreSQL connection with LISTEN. Connects before it returns.
 * @throws the driver's error when the first connection fails.
 */
export async function openPostgresNotifications(options: {
  readonly connectionString: string;
  readonly log: Logger;
  readonly heartbeat?: Heartbeat;
}): Promise<Notifications> {
  const { log, connectionString, heartbeat = defaultHeartbeat } = options;
  const listeners = new Listeners(log);
  let client: pg.Client | null = null;
  let closed = false;
  let retryMs = firstRetryMs;
  let retry: NodeJS.Timeout | null = null;
  /** One query at a time: the driver gives up queueing them. */
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  /** A hint was given up since the others were last told to look. */
  let owing = false;
  /** Nothing was asked of the connection since the last beat. */
  let quiet = true;

  async function ask(target: pg.Client, query: string | pg.QueryConfig): Promise<void> {
    waiting += 1;
    quiet = false;
    const asked = last.then(() => target.query(query));
    last = asked.catch(() => undefined);
    try {
      await asked;
    } finally {
      waiting -= 1;
    }
  }

  const listen = (target: pg.Client, channel: string) => ask(target, `LISTEN ${target.escapeIdentifier(channel)}`);
  const notify = (target: pg.Client, channel: string, payload: string) => ask(target, { name: 'concord-notify', text: 'SELECT pg_notify($1, $2)', values: [channel, payload] });

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString, application_name: 'concord-notify', keepAlive: true, connectionTimeoutMillis: heartbeat.deadlineMs, query_timeout: heartbeat.deadlineMs });
    next.on('error', (error) => lost(next, error));
    next.on('end', () => lost(next));
    next.on('notification', ({ channel, payload }) => listeners.deliver(channel, payload ?? ''));
    try {
      await next.connect();
      for (const channel of [gapChannel, ...listeners.heard]) await listen(next, channel);
    } catch (error) {
      end(next);
      throw error;
    }
    if (closed) return end(next);
    client = next;
    retryMs = firstRetryMs;
    // Channels of which somebody began to listen while the others were asked for.
    for (const channel of listeners.heard) await listen(next, channel).catch(() => undefined);
  }

  /** Waits for nothing: of a connection that stalls nothing comes. A query without an answer makes the driver cut it. */
  function end(broken: pg.Client): void {
    broken.end().catch(() => undefined);
  }

  function lost(broken: pg.Client, error?: unknown): void {
    if (client !== broken) return;
    client = null;
    end(broken);
    reconnectLater(error);
  }

  function reconnectLater(error: unknown): void {
    if (closed) return;
    log.warn({ err: error, retryMs }, 'The notification connection broke; hints are late until it is back.');
    retry = setTimeout(() => {
      connect().then(() => {
        // Tells this node too. Without an answer the connection is broken again, and that is told after the next one.
        listeners.gap();
        if (owing) tellGap();
      }, reconnectLater);
    }, retryMs);
    retry.unref();
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  }

  function tellGap(): void {
    const target = client;
    if (target === null) return;
    owing = false;
    notify(target, gapChannel, '').catch((error: unknown) => {
      owing = true;
      lost(target, error);
    });
  }

  const beat = setInterval(() => {
    const target = client;
    if (target === null) return;
    if (owing) tellGap();
    else if (quiet) ask(target, 'SELECT 1').catch((error: unknown) => lost(target, error));
    quiet = true;
  }, heartbeat.everyMs);
  beat.unref();

  try {
    await connect();
  } catch (error) {
    clearInterval(beat);
    throw error;
  }

  return {
    // A NOTIFY is a transaction of its own.
    pauseMs: 5,
    async publish(channel, payload) {
      const target = client;
      if (target === null || waiting >= mostWaiting) {
        owing = true;
        return;
      }
      try {
        await notify(target, channel, payload);
      } catch (error) {
        owing = true;
        if (closed) return;
        log.warn({ err: error, channel }, 'A hint was not sent.');
        if (!(error instanceof pg.DatabaseError)) lost(target, error);
      }
    },
    subscribe(channel, listener) {
      const { first, stop } = listeners.add(channel, listener);
      const target = client;
      if (first && target !== null) {
        listen(target, channel).catch((error: unknown) => {
          if (closed) return;
          log.warn({ err: error, channel }, 'LISTEN failed; it is repeated with the next connection.');
          lost(target, error);
        });
      }
      return stop;
    },
    onGap: (listener) => listeners.addGap(listener),
    async close() {
      closed = true;
      clearInterval(beat);
      if (retry !== null) clearTimeout(retry);
      const open = client;
      client = null;
      // A connection that has fallen silent would not say that it ended.
      if (open !== null) await Promise.race([open.end().catch(() => undefined), delay(heartbeat.deadlineMs, undefined, { ref: false })]);
    },
  };
}
