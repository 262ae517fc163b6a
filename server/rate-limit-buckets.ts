import { LRUCache } from 'lru-cache';

/** A token bucket: it holds at most `most` tokens and gets `perSecond` new ones a second. */
export interface BucketSize {
  readonly perSecond: number;
  readonly most: number;
}

/** Buckets of one size, one for each key. A key that was not seen has a full one. Waiting times are in milliseconds. */
export interface Buckets {
  /** Takes all of `count` or nothing. 0: taken. Otherwise how long until there may be as many. */
  take(key: string, count: number): number | Promise<number>;
  /** Takes nothing. 0: there is a token. Otherwise how long until there may be one. */
  look(key: string): number | Promise<number>;
  /** Takes one in any case: the bucket may end up owing. */
  charge(key: string): void | Promise<void>;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Beyond them the one unused for longest is forgotten, which is nearly always a full one. */
export const mostKeys = 20_000;

/** Buckets in the memory of this node. */
export class LocalBuckets implements Buckets {
  private readonly buckets = new LRUCache<string, Bucket>({ max: mostKeys });

  /** `now`: milliseconds, monotonic. */
  constructor(
    private readonly size: BucketSize,
    private readonly now: () => number,
  ) {}

  take(key: string, count: number): number {
    const bucket = this.filled(key);
    if (bucket.tokens < count) return waitFor(count - bucket.tokens, this.size);
    bucket.tokens -= count;
    return 0;
  }

  look(key: string): number {
    const { tokens } = this.filled(key);
    return tokens < 1 ? waitFor(1 - tokens, this.size) : 0;
  }

  charge(key: string, count = 1): void {
    this.filled(key).tokens -= count;
  }

  private filled(key: string): Bucket {
    const now = this.now();
    let bucket = this.buckets.get(key);
    if (bucket === undefined) {
      bucket = { tokens: this.size.most, at: now };
      this.buckets.set(key, bucket);
    } else {
      bucket.tokens = filledAfter(bucket.tokens, now - bucket.at, this.size);
      bucket.at = now;
    }
    return bucket;
  }
}

export const filledAfter = (tokens: number, ms: number, { perSecond, most }: BucketSize): number => Math.min(most, tokens + (ms * perSecond) / 1000);

/** Until so many tokens have come. More than a bucket holds never come: then until it is full. */
export const waitFor = (missing: number, { perSecond, most }: BucketSize): number => Math.max(1, Math.ceil((Math.min(missing, most) / perSecond) * 1000));
