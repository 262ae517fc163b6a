import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { defaultHeartbeat, type Heartbeat } from './notify.js';

/** The Redis of REDIS_URL. What is asked while it is away or stalls fails, at the latest after the heartbeat's deadline. */
export interface RedisConnections {
  /** For everything but listening; also the way to know whether Redis is there: `status` is `ready`. */
  readonly commands: Redis;
  /** Only listens. */
  readonly subscriber: Redis;
  close(): void;
}

const longestRetryMs = 2_000;

/**
 * Connects before it returns; breaks after that heal by themselves.
 * @throws Error that says what to do when Redis cannot be reached or refuses the password. The URL is not in it.
 */
export async function openRedis(options: { readonly url: string; readonly log: Logger; readonly heartbeat?: Heartbeat }): Promise<RedisConnections> {
  const { url, log, heartbeat = defaultHeartbeat } = options;
  let connected = false;

  function open(name: string): Redis {
    const redis = new Redis(url, {
      lazyConnect: true,
      connectionName: name,
      connectTimeout: heartbeat.deadlineMs,
      // From a question until the first byte of an answer: a connection without one is cut, and its questions fail.
      socketTimeout: heartbeat.deadlineMs,
      retryStrategy: (attempt) => (connected ? Math.min(50 * 2 ** attempt, longestRetryMs) : null),
      // Nothing is kept for later: a hint that is late is none, and a limit is then counted by this node.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
    });
    let away = false;
    let reason: string | undefined;
    redis.on('error', (error) => (reason = reasonOf(error)));
    redis.on('close', () => {
      if (away || !connected) return;
      away = true;
      log.warn({ reason, connection: name }, 'The connection to Redis broke; it is tried again until it is back.');
    });
    redis.on('ready', () => {
      reason = undefined;
      if (away) log.info({ connection: name }, 'Redis is back.');
      away = false;
    });
    return redis;
  }

  const commands = open('concord');
  const subscriber = open('concord-listen');
  try {
    for (const redis of [commands, subscriber]) await connect(redis, url);
  } catch (error) {
    commands.disconnect();
    subscriber.disconnect();
    throw error;
  }
  connected = true;

  const beat = setInterval(() => {
    // Without an answer the socket is cut, and `close` tells it.
    for (const redis of [commands, subscriber]) if (redis.status === 'ready') redis.ping().catch(() => undefined);
  }, heartbeat.everyMs);
  beat.unref();

  return {
    commands,
    subscriber,
    close() {
      connected = false;
      clearInterval(beat);
      commands.disconnect();
      subscriber.disconnect();
    },
  };
}

/** For the log. Not the error itself: the driver hangs the command on it, which may be the one with the password. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function connect(redis: Redis, url: string): Promise<void> {
  let first: unknown;
  const remember = (error: unknown) => (first ??= error);
  redis.on('error', remember);
  // The driver goes on in database 0 when there is none of that number.
  const failure = await redis.connect().then(() => redis.select(Number(new URL(url).pathname.slice(1)))).then(
    () => null,
    (error: unknown) => first ?? error,
  );
  redis.off('error', remember);
  if (failure !== null) throw new Error(explain(failure, new URL(url).host));
}

function explain(failure: unknown, host: string): string {
  const reason = reasonOf(failure);
  if (/^(WRONGPASS|NOAUTH|ERR invalid password|ERR AUTH)/.test(reason)) return 'the Redis of REDIS_URL refuses the user or the password in it. Correct them.';
  if (reason.includes('DB index')) return 'the Redis of REDIS_URL has no database of the number at its end. Correct it.';
  const code = failure instanceof Error && 'code' in failure && typeof failure.code === 'string' ? failure.code : reason;
  return `the Redis of REDIS_URL cannot be reached at ${host} (${code}). Start it, correct the address, or leave REDIS_URL out: one node needs no Redis, and several can do with PostgreSQL alone.`;
}
