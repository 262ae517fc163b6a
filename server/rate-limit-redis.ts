import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { filledAfter, LocalBuckets, mostKeys, waitFor, type Buckets, type BucketSize } from './rate-limit-buckets.js';
import { isRefusal, reasonOf, type RedisConnections } from './redis.js';

/** Buckets that all nodes of one database share. `name` tells one kind of them from another. */
export interface SharedBuckets {
  of(name: string, size: BucketSize): Buckets;
  close(): void;
}

/** A call waits for Redis at most so long; then every node counts for itself until Redis answers again. */
const deadlineMs = 250;
const lookAgainMs = 500;
/** A lease is what comes into the bucket in this time. */
const leaseMs = 100;

/**
 * Settles one node's account with the bucket of a key, by the clock of Redis.
 * ARGV: tokens a second, most, what the node owes (negative: gives back), the lease it would like, then the calls that wait, by size.
 * Answers the lease granted, what is left (may be negative), and for each waiting call 1 or 0.
 */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local rate, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local saved = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = most
if saved[1] then tokens = tonumber(saved[1]) + math.max(0, now - tonumber(saved[2])) * rate / 1000 end
tokens = math.min(most, math.min(most, tokens) - tonumber(ARGV[3]))
local calls = {}
for i = 5, #ARGV do
  local count = tonumber(ARGV[i])
  calls[i - 4] = tokens >= count and 1 or 0
  if tokens >= count then tokens = tokens - count end
end
local lease = math.max(0, math.min(tonumber(ARGV[4]), math.floor(tokens)))
tokens = tokens - lease
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((most - tokens) / rate * 1000) + 1000)
return {lease, string.format('%.6f', tokens), calls}
`;
const scriptId = createHash('sha1').update(script).digest('hex');

interface Settlement {
  readonly lease: number;
  readonly left: number;
  readonly calls: readonly boolean[];
}

export function openSharedBuckets(options: {
  readonly redis: RedisConnections;
  readonly prefix: string;
  readonly log: Logger;
  /** Milliseconds. */
  readonly monotonicNow: () => number;
}): SharedBuckets {
  const { prefix, log, monotonicNow } = options;
  const { redis } = options;
  const { commands } = redis;
  let away = false;
  /** Redis is there and will not write: nobody else tells the operator of that. */
  let refused = false;
  let closed = false;
  let lookAgain: NodeJS.Timeout | undefined;

  /** @throws when Redis does not answer in time; then it counts as away. */
  async function inTime<Answer>(asked: Promise<Answer>): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
    });
    try {
      return await Promise.race([asked, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async function run(key: string, args: readonly number[]): Promise<unknown> {
    try {
      return await commands.evalsha(scriptId, 1, prefix + key, ...args);
    } catch (error) {
      if (!reasonOf(error).startsWith('NOSCRIPT')) throw error;
      return commands.eval(script, 1, prefix + key, ...args);
    }
  }

  async function settle(key: string, args: readonly number[]): Promise<Settlement> {
    try {
      const [lease, left, calls] = (await inTime(run(key, args))) as [number, string, number[]];
      return { lease, left: Number(left), calls: calls.map((taken) => taken === 1) };
    } catch (error) {
      goAway(error);
      throw error;
    }
  }

  function goAway(error: unknown): void {
    if (away) return;
    away = true;
    refused = isRefusal(error);
    if (refused) log.warn({ reason: reasonOf(error) }, 'Redis refuses to count: rate limits are counted by each node for itself until it does. See to its memory, and to the rights of its user (docs/OPERATIONS.md).');
    else redis.unanswered(error);
    scheduleLook();
  }

  function scheduleLook(): void {
    if (closed) return;
    lookAgain = setTimeout(() => {
      // A Redis that answers may still refuse to write.
      inTime(run('rate-probe', [1, 1, 0, 0])).then(() => {
        away = false;
        if (refused) log.info('Redis counts again: rate limits are shared.');
        else redis.answered();
      }, scheduleLook);
    }, lookAgainMs);
    lookAgain.unref();
  }

  return {
    of(name, size) {
      const shared = new LeasedBuckets(size, (key, args) => settle(`rate:${name}:${key}`, args), monotonicNow);
      const local = new LocalBuckets(size, monotonicNow);
      const orLocally = <Answer>(asked: Promise<Answer>, otherwise: () => Answer): Promise<Answer> => asked.catch(otherwise);
      return {
        take(key, count) {
          if (away) return local.take(key, count);
          const taken = shared.take(key, count);
          return typeof taken === 'number' ? taken : orLocally(taken, () => local.take(key, count));
        },
        look: (key) => (away ? local.look(key) : orLocally(shared.look(key), () => local.look(key))),
        charge(key) {
          // Here too, so that a guesser does not start afresh when Redis goes.
          local.charge(key);
          return away ? undefined : orLocally(shared.charge(key), () => undefined);
        },
      };
    },
    close() {
      closed = true;
      clearTimeout(lookAgain);
    },
  };
}

interface Waiting {
  readonly count: number;
  readonly resolve: (wait: number) => void;
  readonly reject: (error: unknown) => void;
}

/** What one node knows of the bucket of one key. */
interface Account {
  /** Tokens leased and not yet used; negative: used on credit and not yet paid. */
  left: number;
  /** What was used on credit and is on its way to be paid. */
  owed: number;
  /** No more than `filledAfter(balance, now - asOf)` is in the shared bucket: other nodes only take. */
  balance: number;
  asOf: number;
  /** The bucket was found empty: until then nothing is asked for. */
  emptyUntil: number;
  settling: boolean;
  waiting: Waiting[];
}

/**
 * A node leases a tenth of a second's worth of tokens at a time, so that a busy principal costs about ten calls of Redis a second and
 * node, and it lets as many pass on credit while it asks, so that the first call of an idle principal waits for nothing. Every
 * token used is paid, so over any t seconds all nodes together let pass at most
 * `most + perSecond * t + nodes * 2 * floor(perSecond / 10)`. A call that is refused costs no call of Redis while the bucket cannot
 * have filled enough, and of a bucket found empty a node asks again only after a tenth of a second.
 */
class LeasedBuckets {
  private readonly accounts = new LRUCache<string, Account>({ max: mostKeys });
  private readonly lease: number;

  constructor(
    private readonly size: BucketSize,
    private readonly settle: (key: string, args: readonly number[]) => Promise<Settlement>,
    private readonly now: () => number,
  ) {
    this.lease = Math.min(Math.floor((size.perSecond * leaseMs) / 1_000), size.most);
  }

  take(key: string, count: number): number | Promise<number> {
    const account = this.account(key);
    if (account.left >= count) {
      account.left -= count;
      return 0;
    }
    const atMost = account.left + this.balance(account);
    const empty = account.emptyUntil - this.now();
    if (count > atMost) return Math.max(waitFor(count - atMost, this.size), Math.ceil(empty));
    if (empty > 0) return Math.ceil(empty);
    if (account.left - count - account.owed >= -this.lease) {
      account.left -= count;
      if (!account.settling) void this.settleAccount(key, account);
      return 0;
    }
    return new Promise((resolve, reject) => {
      account.waiting.push({ count, resolve, reject });
      if (!account.settling) void this.settleAccount(key, account);
    });
  }

  async look(key: string): Promise<number> {
    const { left } = await this.settle(key, [this.size.perSecond, this.size.most, 0, 0]);
    return left < 1 ? waitFor(1 - left, this.size) : 0;
  }

  async charge(key: string): Promise<void> {
    await this.settle(key, [this.size.perSecond, this.size.most, 1, 0]);
  }

  private account(key: string): Account {
    let account = this.accounts.get(key);
    if (account === undefined) {
      account = { left: 0, owed: 0, balance: this.size.most, asOf: this.now(), emptyUntil: -Infinity, settling: false, waiting: [] };
      this.accounts.set(key, account);
    }
    return account;
  }

  private balance(account: Account): number {
    return filledAfter(account.balance, this.now() - account.asOf, this.size);
  }

  /** Until nothing is owed and nobody waits. One question a key is on its way at a time. Never rejects. */
  private async settleAccount(key: string, account: Account): Promise<void> {
    account.settling = true;
    while (account.left < 0 || account.waiting.length > 0) {
      const asked = this.now();
      const calls = account.waiting.splice(0);
      account.balance = Math.min(this.size.most, this.balance(account) + account.left);
      account.asOf = asked;
      const owed = -account.left;
      account.owed = Math.max(0, owed);
      account.left = 0;
      try {
        const settled = await this.settle(key, [this.size.perSecond, this.size.most, owed, this.lease, ...calls.map(({ count }) => count)]);
        account.owed = 0;
        account.left += settled.lease;
        account.balance = settled.left;
        account.asOf = asked;
        if (settled.lease < this.lease) account.emptyUntil = asked + leaseMs;
        calls.forEach(({ count, resolve }, index) => resolve(settled.calls[index] === true ? 0 : waitFor(count - settled.left - settled.lease, this.size)));
      } catch (error) {
        // Whether it was paid is not known; what is leased and owed is forgotten with the account.
        this.accounts.delete(key);
        for (const { reject } of [...calls, ...account.waiting.splice(0)]) reject(error);
        break;
      }
    }
    account.settling = false;
  }
}
