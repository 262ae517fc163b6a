import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { defaultHeartbeat, gapChannel, Listeners, mostWaiting, type Heartbeat, type Notifications } from './notify.js';

const firstRetryMs = 100;
const longestRetryMs = 5_000;

/** On it nodes tell each other that they are there: `here <node>`, or `hello <node>`, which asks the others for a `here`. */
const nodesChannel = 'concord_nodes';
/** A node that was not heard for so many beats is gone. */
const beatsOfSilence = 3;

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
  /** A hint was given up, or may have been missed, since the others were last told to look. */
  let owing = false;
  const self = randomUUID();
  /** From then on this node is the only one, unless another is heard before. A time of `performance.now()`. */
  let aloneFrom = Infinity;

  async function ask(target: pg.Client, query: string | pg.QueryConfig): Promise<void> {
    waiting += 1;
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
    next.on('notification', ({ channel, payload }) => (channel === nodesChannel ? hear(payload ?? '') : listeners.deliver(channel, payload ?? '')));
    try {
      await next.connect();
      for (const channel of [gapChannel, nodesChannel, ...listeners.heard]) await listen(next, channel);
    } catch (error) {
      end(next);
      throw error;
    }
    if (closed) return end(next);
    client = next;
    retryMs = firstRetryMs;
    aloneFrom = performance.now() + heartbeat.deadlineMs;
    // Also an answer to who said hello meanwhile.
    tellNodes('hello');
    // Channels of which somebody began to listen while the others were asked for.
    for (const channel of listeners.heard) await listen(next, channel).catch(() => undefined);
  }

  /** Waits for nothing: of a connection that stalls nothing comes. A query without an answer makes the driver cut it. */
  function end(broken: pg.Client): void {
    broken.end().catch(() => undefined);
  }

  /**
   * A node that believed to be alone has sent no hints: the one that it hears now is told to look. It may have been deaf for a while
   * instead of new, therefore this does not depend on a `hello`.
   */
  function hear(payload: string): void {
    const [said, node] = payload.split(' ');
    if (node === self) return;
    const wasAlone = isAlone();
    aloneFrom = performance.now() + beatsOfSilence * heartbeat.everyMs;
    if (wasAlone) tellGap();
    if (said === 'hello') tellNodes('here');
  }

  const isAlone = (): boolean => client !== null && performance.now() >= aloneFrom;

  function lost(broken: pg.Client, error?: unknown): void {
    if (client !== broken) return;
    // It may have been deaf to a node that came.
    if (isAlone()) owing = true;
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

  /** Also finds out whether the connection still answers. */
  function tellNodes(what: 'hello' | 'here'): void {
    const target = client;
    if (target !== null) notify(target, nodesChannel, `${what} ${self}`).catch((error: unknown) => lost(target, error));
  }

  const beat = setInterval(() => {
    if (owing) tellGap();
    tellNodes('here');
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
    get alone() {
      return isAlone();
    },
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
