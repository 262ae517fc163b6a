import { ConcordError, type Cursor, type DocumentId, type Position, type PrincipalId } from '@concord/core';
import type { ChangeBatch, ChangeRecord, FeedEvent, Resync } from '@concord/schema';
import { formatCursor, mismatch, parseCursor } from './cursor.js';
import { documentsOf, type FeedFilter } from './filter.js';
import type { Conditions } from './judged.js';
import type { LogPage } from './log.js';
import type { Pushing } from './pushing.js';
import type { Follows, WorkspaceFeed } from './workspace-feed.js';

/** A filtered reader to whom nothing matches is given a newer cursor after so many positions. */
const silentPositions = 1000;

/**
 * One reader of a feed: scan, then live. It holds no changes of its own, only where it stands; it reads from the ring, or,
 * while it catches up, from the log. So a reader that stalls costs nothing, and one that was live and finds that the ring
 * has moved past it is told `LAGGED`. A live reader with a `take` is handed what comes in the call that brings it to the
 * feed, without a promise in between.
 *
 *     opening ── scanning ──(at the head)── live ──(ring moved past it)── LAGGED
 */
export class Follower implements AsyncIterableIterator<FeedEvent>, Follows, Pushing<FeedEvent> {
  private position = 0 as Position;
  private epoch = 0;
  /** Of the feed, when this reader began. */
  private replaced = 0;
  /** Why the cursor that was given cannot be continued. */
  private mismatch: Resync['reason'] | null = null;
  private live = false;
  /** Whether the reader knows that it is at the head. */
  private announced = false;
  private lastTold = 0 as Position;
  private ended = false;
  private failure: Error | undefined;
  /** Ends the waiting of a `next` at the head. */
  private ring: (() => void) | undefined;
  private take: ((event: FeedEvent) => boolean) | undefined;
  /** See `Pushing`. */
  private room: (() => Promise<void> | undefined) | undefined;
  /** Rows of the next page of the log; null: as many as may be. */
  private rows: number | null = null;
  /** How many `next` have no answer yet. */
  private asked = 0;
  private turn: Promise<IteratorResult<FeedEvent>> | undefined;
  private feed: WorkspaceFeed | undefined;
  private readonly started: Promise<WorkspaceFeed>;
  private readonly pass = (changes: readonly ChangeRecord[]): readonly ChangeRecord[] => this.filter.pass(changes);

  constructor(
    readonly principalId: PrincipalId,
    private readonly filter: FeedFilter,
    private readonly after: Cursor | null,
    open: (follower: Follower) => Promise<WorkspaceFeed>,
    private readonly onEnd: (follower: Follower) => void,
    private readonly onLagged: () => void,
  ) {
    this.started = open(this).then((feed) => this.start(feed));
    // The reader hears of it with its first `next`.
    this.started.catch(() => undefined);
  }

  get looksAtValues(): boolean {
    return this.filter.looksAtValues;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<FeedEvent>> {
    const produce = () => this.produce();
    // Usually nobody asks before the last answer is there.
    this.turn = this.asked++ > 0 && this.turn !== undefined ? this.turn.then(produce, produce) : this.produce();
    return this.turn;
  }

  pushTo(take: (event: FeedEvent) => boolean, room?: () => Promise<void> | undefined): void {
    this.take = take;
    this.room = room;
  }

  return(): Promise<IteratorResult<FeedEvent>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  wake(): void {
    const waiting = this.ring;
    if (waiting === undefined || this.handedOver()) return;
    this.ring = undefined;
    waiting();
  }

  /** Gives what is due to `take`. False: the waiting `next` has to see to it. */
  private handedOver(): boolean {
    const { take, feed } = this;
    const { sharedKey: key, conditions } = this.filter;
    if (take === undefined || feed === undefined || this.isOver() || this.resyncOf(feed) !== null) return false;
    try {
      if (key === null) return conditions !== null && this.handedOverWith(conditions, feed, take);
      while (this.position < feed.head) {
        const shared = feed.batchSince(this.position, key, this.pass);
        if (shared === null) return false;
        if (this.concerns(shared.batch, shared.to)) {
          if (!take(shared.batch)) return false;
          this.tell(shared.batch, shared.to);
        }
        this.position = shared.to;
      }
      return true;
    } catch {
      // `next` meets the same failure and has somebody to tell it to.
      return false;
    }
  }

  /** The same for a reader with conditions, as long as all it depends on is in memory. */
  private handedOverWith(conditions: Conditions, feed: WorkspaceFeed, take: (event: FeedEvent) => boolean): boolean {
    while (this.position < feed.head) {
      const changes = feed.since(this.position);
      if (changes === null) return false;
      const { position: to, patchId } = changes.at(-1)!.record;
      const here = this.filter.pass(changes.map(({ record }) => record));
      const matching = feed.judged.matchingNow(documentsOf(here), conditions);
      if (matching === null) return false;
      const split = this.filter.split(here, matching);
      const batch: ChangeBatch = { type: 'ChangeBatch', ...split, cursor: formatCursor({ epoch: this.epoch, position: to, history: feed.history, patchId }), upToDate: to >= feed.head };
      if (this.concerns(batch, to)) {
        if (!take(batch)) return false;
        this.tell(batch, to);
      }
      this.filter.remember(split);
      this.position = to;
    }
    return true;
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
      const there = place.position <= feed.head ? await feed.patchIdAt(place.position) : null;
      this.mismatch = mismatch(place, feed, there);
    }
    this.replaced = feed.replaced;
    this.lastTold = this.position;
    this.feed = feed;
    return feed;
  }

  private async produce(): Promise<IteratorResult<FeedEvent>> {
    try {
      const feed = this.feed ?? (await this.started);
      for (;;) {
        if (this.ended) return { done: true, value: undefined };
        if (this.failure !== undefined) throw this.failure;
        const reason = this.resyncOf(feed);
        if (reason !== null) {
          this.end();
          return { done: false, value: { type: 'Resync', reason } };
        }
        const room = this.position < feed.head ? this.room?.() : undefined;
        if (room !== undefined) {
          // Only its place is held of it meanwhile: by then it is given what is there then, or is told that it is too late.
          await room;
          continue;
        }
        const event = this.position < feed.head ? await this.read(feed) : this.upToDate(feed);
        if (event !== null && !this.isOver()) {
          if (event.type === 'Resync') this.end();
          return { done: false, value: event };
        }
        if (event === null && this.mayWait(feed)) await new Promise<void>((resolve) => (this.ring = resolve));
      }
    } catch (error) {
      if (this.ended) return { done: true, value: undefined };
      this.end();
      throw error;
    } finally {
      this.asked -= 1;
    }
  }

  private resyncOf(feed: WorkspaceFeed): Resync['reason'] | null {
    if (this.mismatch !== null) return this.mismatch;
    if (feed.replaced !== this.replaced) return 'OTHER_HISTORY';
    return feed.epoch === this.epoch ? null : 'EPOCH_CHANGED';
  }

  private mayWait(feed: WorkspaceFeed): boolean {
    return this.announced && !this.isOver() && this.position >= feed.head && this.resyncOf(feed) === null;
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
    return { type: 'ChangeBatch', changes: [], left: [], cursor: feed.cursor, upToDate: true };
  }

  private async read(feed: WorkspaceFeed): Promise<FeedEvent | null> {
    const { sharedKey: key, conditions } = this.filter;
    if (key !== null) {
      const shared = feed.batchSince(this.position, key, this.pass);
      if (shared !== null) return this.told(shared.batch, shared.to) ? shared.batch : null;
    }
    let changes = feed.since(this.position)?.map(({ record }) => record) ?? null;
    let to = changes?.at(-1)?.position;
    let logged: LogPage | undefined;
    let patchId = changes?.at(-1)?.patchId ?? null;
    if (changes === null || to === undefined) {
      if (this.live) {
        this.onLagged();
        throw new ConcordError('LAGGED', 'The feed has moved on further than is kept in memory for slow readers; subscribe again from the last cursor');
      }
      const { page, batch, rows } = await feed.pages.after(this.epoch, this.position, this.filter, this.rows);
      if (page.epoch !== this.epoch) {
        await feed.catchUp();
        return null;
      }
      if (page.expired) return { type: 'Resync', reason: 'CURSOR_EXPIRED' };
      this.rows = rows;
      logged = page;
      changes = page.changes.map(({ record }) => record);
      to = page.to;
      patchId = page.toPatchId;
      // The log may be ahead of what this node has heard of.
      if (to > feed.head) await feed.catchUp();
      if (batch !== null && to < feed.head) return this.told(batch, to) ? batch : null;
    }
    const here = this.filter.pass(changes);
    const split = conditions === null ? { changes: here, left: [] } : this.filter.split(here, await this.matching(feed, documentsOf(here), conditions, logged));
    this.filter.remember(split);
    const batch: ChangeBatch = { type: 'ChangeBatch', ...split, cursor: formatCursor({ epoch: this.epoch, position: to, history: feed.history, patchId }), upToDate: to >= feed.head };
    return this.told(batch, to) ? batch : null;
  }

  /** What was read from the log is old, mostly: its documents are not read into memory for that. */
  private matching(feed: WorkspaceFeed, documents: ReadonlySet<DocumentId>, conditions: Conditions, logged: LogPage | undefined): Promise<ReadonlySet<DocumentId>> {
    return logged === undefined ? feed.judged.matching(documents, conditions) : feed.pages.matching(logged, documents, conditions);
  }

  /** Moves on to `to`. False: the reader need not hear of it. */
  private told(batch: ChangeBatch, to: Position): boolean {
    this.position = to;
    this.live ||= batch.upToDate;
    if (!this.concerns(batch, to)) return false;
    this.tell(batch, to);
    return true;
  }

  private concerns({ changes, left, upToDate }: ChangeBatch, to: Position): boolean {
    return changes.length > 0 || left.length > 0 || (upToDate && !this.announced) || to - this.lastTold >= silentPositions;
  }

  private tell({ upToDate }: ChangeBatch, to: Position): void {
    this.announced = upToDate;
    this.lastTold = to;
  }
}
