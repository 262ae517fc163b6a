import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { defaultHeartbeat, type Heartbeat } from './notify.js';

/** The Redis of REDIS_URL. What is asked while it is away or stalls fails, at the latest after the heartbeat's deadline. */
export interface RedisConnections {
  /** For everything but listening; also the way to know whether Redis is there: `status` is `ready`. */
  readonly commands: Redis;
  /** Only listens. */
  readonly subscriber: Redis;
  /** Redis has left a question without an answer: it counts as away, and the operator is told so, until `answered`. */
  unanswered(error: unknown): void;
  answered(): void;
  close(): void;
}

const longestRetryMs = 2_000;

/** For the operator, who may know of Redis only that it is there. */
const away = `Redis is away; it is tried again every ${longestRetryMs / 1_000} seconds. Nothing is lost and everything is served, but until it is back changes that other nodes commit come up to FEED_POLL_MS late, a token that is revoked on one node may be used on another for up to a minute, and each node counts rate limits for itself. See that the Redis of REDIS_URL runs and can be reached; no server needs a restart.`;
const back = 'Redis is back: hints between nodes and shared rate limits go over it again.';

/** Somebody is there who did not understand, or did not want to: with the wrong scheme it looks so. */
const noConversation = /^(ETIMEDOUT|ECONNRESET|EPIPE|EPROTO|ERR_SSL_.*)$/;

/**
 * Connects before it returns; from then on breaks heal by themselves.
 * @throws Error that says what to do when Redis cannot be reached or refuses the password. The URL is not in it.
 */
export async function openRedis(options: { readonly url: string; readonly log: Logger; readonly heartbeat?: Heartbeat }): Promise<RedisConnections> {
  const { url, log, heartbeat = defaultHeartbeat } = options;
  const { host } = new URL(url);
  const opened: Redis[] = [];
  let closed = false;
  /** What does not work now. Said when the first comes and when the last is gone, not for each: they break together. */
  const missing = new Set<string>();

  function miss(what: string, reason: string): void {
    if (closed || missing.has(what)) return;
    if (missing.size === 0) log.warn({ reason, host }, away);
    missing.add(what);
  }
  function regain(what: string): void {
    if (missing.delete(what) && missing.size === 0) log.info({ host }, back);
  }

  async function open(name: string): Promise<Redis> {
    let connected = false;
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
    let cause: unknown;
    redis.on('error', (error) => (cause = error));
    redis.on('close', () => {
      if (connected) miss(name, inWords(cause));
    });
    redis.on('ready', () => {
      cause = undefined;
      regain(name);
    });
    opened.push(redis);
    await connect(redis, url);
    connected = true;
    return redis;
  }

  const disconnect = () => {
    closed = true;
    for (const redis of opened) redis.disconnect();
  };
  let commands: Redis;
  let subscriber: Redis;
  try {
    commands = await open('concord');
    subscriber = await open('concord-listen');
  } catch (error) {
    disconnect();
    throw error;
  }

  const beat = setInterval(() => {
    // Without an answer the socket is cut, and `close` tells it.
    for (const redis of [commands, subscriber]) if (redis.status === 'ready') redis.ping().catch(() => undefined);
  }, heartbeat.everyMs);
  beat.unref();

  return {
    commands,
    subscriber,
    unanswered: (error) => miss('answers', inWords(error)),
    answered: () => regain('answers'),
    close() {
      clearInterval(beat);
      disconnect();
    },
  };
}

/** For the log. Not the error itself: the driver hangs the command on it, which may be the one with the password. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why a connection is gone, without the words of the driver. */
function inWords(error: unknown): string {
  const [, ms] = /(?:no answer within|any in) (\d+) ?ms/.exec(reasonOf(error)) ?? [];
  if (ms !== undefined) return `no answer within ${ms} ms`;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
  return `the connection was closed${code}`;
}

/** Redis has answered, and refused; without an answer the connection is gone. */
export const isRefusal = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError';

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
  if (failure !== null) throw new Error(explain(failure, new URL(url)));
}

function explain(failure: unknown, { host, protocol }: URL): string {
  const reason = reasonOf(failure);
  if (/^(WRONGPASS|NOAUTH|ERR invalid password|ERR AUTH)/.test(reason)) return 'the Redis of REDIS_URL refuses the user or the password in it. Correct them.';
  if (reason.includes('DB index')) return 'the Redis of REDIS_URL has no database of the number at its end. Correct it.';
  const code = failure instanceof Error && 'code' in failure && typeof failure.code === 'string' ? failure.code : reason;
  if (/CERT|VERIFY|ISSUER/.test(code)) {
    return `the certificate of the Redis of REDIS_URL at ${host} is not accepted (${code}: ${reason}). Give it one that is valid for that name; a private authority is made known with NODE_EXTRA_CA_CERTS.`;
  }
  const scheme = protocol === 'rediss:' ? 'If it does not speak TLS, write redis:// instead of rediss://. ' : 'If it speaks TLS, write rediss:// instead of redis://. ';
  return `the Redis of REDIS_URL cannot be reached at ${host} (${code}). ${noConversation.test(code) ? scheme : ''}Start it, correct the address, or leave REDIS_URL out: one node needs no Redis, and several can do with PostgreSQL alone.`;
}
