import { ConcordError, type Cursor, type Position, type PrincipalId } from '@concord/core';
import type { ChangeBatch, ChangeRecord, FeedEvent } from '@concord/schema';
import type { Queryable } from '../postgres/queryable.js';
import { cursorAhead, formatCursor, parseCursor } from './cursor.js';
import type { FeedFilter } from './filter.js';
import { readLog } from './log.js';
import type { Follows, WorkspaceFeed } from './workspace-feed.js';

/** A filtered reader to whom nothing matches is given a newer cursor after so many positions. */
const silentPositions = 1000;
const pageChanges = 1000;

/**
 * One reader of a feed: scan, then live. It holds no changes of its own, only where it stands; it reads from the ring, or,
 * while it catches up, from the log. So a reader that stalls costs nothing, and one that was live and finds that the ring
 * has moved past it is told `LAGGED`.
 *
 *     opening ── scanning ──(at the head)── live ──(ring moved past it)── LAGGED
 */
export class Follower implements AsyncIterableIterator<FeedEvent>, Follows {
  private position = 0 as Position;
  private epoch = 0;
  private live = false;
  /** Whether the reader knows that it is at the head. */
  private announced = false;
  private lastTold = 0 as Position;
  private ended = false;
  private failure: Error | undefined;
  private ring: (() => void) | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private readonly started: Promise<WorkspaceFeed>;
  private readonly pass = (changes: readonly ChangeRecord[]): readonly ChangeRecord[] => this.filter.pass(changes);

  constructor(
    readonly principalId: PrincipalId,
    private readonly db: Queryable,
    private readonly filter: FeedFilter,
    private readonly after: Cursor | null,
    open: (follower: Follower) => Promise<WorkspaceFeed>,
    private readonly onEnd: (follower: Follower) => void,
  ) {
    this.started = open(this).then((feed) => this.start(feed));
    // The reader hears of it with its first `next`.
    this.started.catch(() => undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<FeedEvent>> {
    const result = this.turn.then(() => this.produce());
    this.turn = result.catch(() => undefined);
    return result;
  }

  return(): Promise<IteratorResult<FeedEvent>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  wake(): void {
    const waiting = this.ring;
    this.ring = undefined;
    waiting?.();
  }

  /** Ends the stream: the next or waiting `next` rejects with it. */
  fail(error: Error): void {
    if (this.ended || this.failure !== undefined) return;
    this.failure = error;
    this.wake();
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.wake();
    this.onEnd(this);
  }

  private async start(feed: WorkspaceFeed): Promise<WorkspaceFeed> {
    this.epoch = feed.epoch;
    this.position = feed.head;
    if (this.after !== null) {
      const place = parseCursor(this.after);
      if (place.epoch !== feed.epoch || place.position > feed.head) await feed.catchUp();
      this.epoch = place.epoch;
      this.position = place.position;
      if (place.epoch > feed.epoch || (place.epoch === feed.epoch && place.position > feed.head)) throw cursorAhead(this.after);
    }
    this.lastTold = this.position;
    return feed;
  }

  private async produce(): Promise<IteratorResult<FeedEvent>> {
    try {
      const feed = await this.started;
      for (;;) {
        if (this.ended) return { done: true, value: undefined };
        if (this.failure !== undefined) throw this.failure;
        if (feed.epoch !== this.epoch) {
          this.end();
          return { done: false, value: { type: 'Resync', reason: 'EPOCH_CHANGED' } };
        }
        const event = this.position < feed.head ? await this.read(feed) : this.upToDate(feed);
        if (event !== null && !this.isOver()) {
          if (event.type === 'Resync') this.end();
          return { done: false, value: event };
        }
        if (event === null && this.position >= feed.head && this.announced) await this.woken(feed);
      }
    } catch (error) {
      if (this.ended) return { done: true, value: undefined };
      this.end();
      throw error;
    }
  }

  /** Rights may have gone while a batch was being read: then it is not handed out (I8). */
  private isOver(): boolean {
    return this.ended || this.failure !== undefined;
  }

  private upToDate(feed: WorkspaceFeed): FeedEvent | null {
    this.live = true;
    if (this.announced) return null;
    this.announced = true;
    this.lastTold = this.position;
    return { type: 'ChangeBatch', changes: [], left: [], cursor: formatCursor({ epoch: this.epoch, position: feed.head }), upToDate: true };
  }

  private async read(feed: WorkspaceFeed): Promise<FeedEvent | null> {
    const { key } = this.filter;
    if (key !== null) {
      const shared = feed.batchSince(this.position, key, this.pass);
      if (shared !== null) return this.told(shared.batch, shared.to) ? shared.batch : null;
    }
    let changes = feed.since(this.position);
    let to = changes?.at(-1)?.position;
    if (changes === null || to === undefined) {
      if (this.live) {
        throw new ConcordError('LAGGED', 'The feed has moved on further than is kept in memory for slow readers; subscribe again from the last cursor');
      }
      const page = await readLog(this.db, feed.workspaceId, this.position, pageChanges, this.filter.logFilter);
      if (page.epoch !== this.epoch) {
        await feed.catchUp();
        return null;
      }
      if (page.expired) return { type: 'Resync', reason: 'CURSOR_EXPIRED' };
      changes = page.changes.map(({ record }) => record);
      to = page.to;
      // The log may be ahead of what this node has heard of.
      if (to > feed.head) await feed.catchUp();
    }
    const split = await this.filter.split(changes);
    const batch: ChangeBatch = { type: 'ChangeBatch', ...split, cursor: formatCursor({ epoch: this.epoch, position: to }), upToDate: to >= feed.head };
    return this.told(batch, to) ? batch : null;
  }

  /** Moves on to `to`. False: the reader need not hear of it. */
  private told({ changes, left, upToDate }: ChangeBatch, to: Position): boolean {
    this.position = to;
    this.live ||= upToDate;
    const silent = changes.length === 0 && left.length === 0;
    if (silent && !(upToDate && !this.announced) && to - this.lastTold < silentPositions) return false;
    this.announced = upToDate;
    this.lastTold = to;
    return true;
  }

  private async woken(feed: WorkspaceFeed): Promise<void> {
    if (this.isOver() || this.position < feed.head || this.epoch !== feed.epoch) return;
    await new Promise<void>((resolve) => {
      this.ring = resolve;
    });
  }
}
