import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { gapChannel, Listeners, mostWaiting, type Notifications } from './notify.js';
import type { Queryable } from './postgres/queryable.js';
import { isRefusal, reasonOf, type RedisConnections } from './redis.js';

/**
 * What every key and channel of this database begins with, so that two Concords may share one Redis. Made of PostgreSQL's own
 * identifier of its cluster and the name of the database.
 */
export async function redisPrefix(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ place: string }>({ text: `SELECT system_identifier || '/' || current_database() AS place FROM pg_control_system()` });
  return `concord:${createHash('sha256').update(rows[0]?.place ?? '').digest('hex').slice(0, 16)}:`;
}

/**
 * Hints over Redis pub/sub. Listens before it returns, unless the connection has broken. A break heals by itself. Leaves the connections
 * open at its close.
 * @throws Error that says what to do when Redis does not let its user listen.
 */
export async function openRedisNotifications(options: { readonly redis: RedisConnections; readonly prefix: string; readonly log: Logger }): Promise<Notifications> {
  const { commands, subscriber } = options.redis;
  const { prefix, log } = options;
  const listeners = new Listeners(log);
  let closed = false;
  let waiting = 0;
  /** A hint was given up since the others were last told to look. */
  let owing = false;
  /** What this node began to listen to before it publishes, it hears: publishing waits for it. */
  let subscribed: Promise<unknown> = Promise.resolve();

  const onMessage = (channel: string, payload: string) => {
    if (channel.startsWith(prefix)) listeners.deliver(channel.slice(prefix.length), payload);
  };
  const onSubscriberReady = () => void listenToAll().catch(notListening);
  const onCommandsReady = () => {
    if (owing) tellGap();
  };
  subscriber.on('message', onMessage);
  subscriber.on('ready', onSubscriberReady);
  commands.on('ready', onCommandsReady);

  function listen(channels: readonly string[]): Promise<unknown> {
    const asked = subscriber.subscribe(...channels.map((channel) => prefix + channel));
    subscribed = Promise.allSettled([subscribed, asked]);
    return asked;
  }

  async function listenToAll(): Promise<void> {
    await listen([gapChannel, ...listeners.heard]);
    listeners.gap();
  }

  /** A connection that has broken is told of by redis.ts, and this is tried again with the next one. */
  function notListening(error: unknown): void {
    if (!closed && isRefusal(error)) log.warn({ reason: reasonOf(error) }, 'Redis does not let this node listen: changes of other nodes come up to FEED_POLL_MS late. See that its user has the rights that docs/OPERATIONS.md lists.');
  }

  function tellGap(): void {
    owing = false;
    commands.publish(prefix + gapChannel, '').catch(() => {
      owing = true;
    });
  }

  await listenToAll().catch((error: unknown) => {
    if (isRefusal(error)) {
      throw new Error(`the Redis of REDIS_URL does not let its user listen to the channel ${prefix}${gapChannel} (${reasonOf(error)}). Give it the rights that docs/OPERATIONS.md lists under "With Redis".`);
    }
    // It has broken, and is `ready` again later.
    notListening(error);
  });

  return {
    // What comes while one hint is on its way is gathered in the next, which is pause enough.
    pauseMs: 0,
    alone: false,
    async publish(channel, payload) {
      if (closed) return;
      if (commands.status !== 'ready' || waiting >= mostWaiting) {
        owing = true;
        return;
      }
      waiting += 1;
      try {
        await subscribed;
        await commands.publish(prefix + channel, payload);
        if (owing) tellGap();
      } catch (error) {
        owing = true;
        if (isRefusal(error)) log.warn({ reason: reasonOf(error), channel }, 'A hint was not sent, because Redis refuses it: other nodes look by themselves within FEED_POLL_MS.');
      } finally {
        waiting -= 1;
      }
    },
    subscribe(channel, listener) {
      const { first, stop } = listeners.add(channel, listener);
      if (first && subscriber.status === 'ready') {
        listen([channel]).catch(notListening);
      }
      return stop;
    },
    onGap: (listener) => listeners.addGap(listener),
    close() {
      closed = true;
      subscriber.off('message', onMessage);
      subscriber.off('ready', onSubscriberReady);
      commands.off('ready', onCommandsReady);
      return Promise.resolve();
    },
  };
}
