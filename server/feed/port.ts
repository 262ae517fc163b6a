import { ConcordError, type Cursor, type DocumentId, type Position, type PrincipalId, type WorkspaceId } from '@concord/core';
import type { ChangeBatch, DocumentFilter, FeedEvent, FeedPort, SnapshotPage, Viewer } from '@concord/schema';
import type { Logger } from 'pino';
import type { Rights } from '../auth/rights.js';
import type { PublishedChange } from '../commit/verdict.js';
import type { Notifications } from '../notify.js';
import type { Queryable } from '../postgres/queryable.js';
import { callOf, countBytes } from '../read/call.js';
import { readDocument } from '../read/documents.js';
import { requireRole } from '../read/require-role.js';
import type { Reads } from '../read/shares.js';
import { ConflictStream, readConflictsBetween, type ConflictPage } from './conflict-stream.js';
import { formatCursor, mismatch, otherHistory, parseCursor } from './cursor.js';
import { ConditionBudget } from './condition-budget.js';
import { documentsOf, FeedFilter } from './filter.js';
import { Follower } from './follower.js';
import { Hints } from './hints.js';
import { readHeadAnd, readLog, readPlaces } from './log.js';
import { readSnapshot } from './snapshot.js';
import { Watch } from './watch.js';
import { WorkspaceFeed } from './workspace-feed.js';

export interface FeedOptions {
  /** For what the feed itself looks at. */
  readonly db: Queryable;
  /** For what its readers read. */
  readonly shares: Reads;
  readonly log: Logger;
  readonly rights: Rights;
  readonly notify: Notifications;
  /** Bytes of recent changes kept in memory for each workspace with followers: what a live reader may be behind. */
  readonly ringBytes: number;
  /** How often the workspaces with followers are looked at for changes whose hint was lost. */
  readonly pollMs: number;
  /** Conditions of all running subscriptions of one principal. Default: 10,000. */
  readonly maxConditions?: number;
  /** Told of each reader that is dropped because it read too slowly. */
  readonly dropped?: () => void;
}

/** Each is looked at for each change of its workspace, which takes a tenth of a microsecond. */
const defaultMaxConditions = 10_000;

export interface Feed extends FeedPort {
  /** Takes in what this process has committed, in order of position. */
  committed(changes: readonly PublishedChange[]): void;
  /** Something may have been committed without this process knowing. */
  lookAround(): void;
  figures(): { readonly subscribers: number; readonly feeds: number; readonly behind: number };
  close(): Promise<void>;
}

/** A feed without followers is kept so long, so that a reconnecting reader finds the ring. */
const idleMs = 30_000;
/** Every so many polls the rights of every follower are asked for again, in case a revocation was not heard of. */
const rightsEveryPolls = 8;

export function createFeed({ db, shares, log, rights, notify, ringBytes, pollMs, dropped = () => undefined, maxConditions = defaultMaxConditions }: FeedOptions): Feed {
  const feeds = new Map<WorkspaceId, WorkspaceFeed>();
  const followers = new Map<Follower, WorkspaceId>();
  /** After a gap rights are told of for every principal: a look at all followers for each would stop the process. */
  const followersOf = new Map<PrincipalId, Set<Follower>>();
  const budget = new ConditionBudget(maxConditions);
  let polls = 0;
  let behind = 0;
  let polling = false;
  /** Asked for while one was under way, which may have read before what it was asked for. */
  let pollAgain = false;
  let closed = false;

  const hints = new Hints(
    notify,
    (workspaceId, position) => {
      const feed = feeds.get(workspaceId);
      if (feed !== undefined && position > feed.head) feed.catchUpSoon();
    },
    lookAround,
  );
  const timer = setInterval(() => void poll(), pollMs);
  timer.unref();
  const stopRights = rights.onRevoked(({ principalId, workspaceId }) => {
    for (const follower of followersOf.get(principalId) ?? []) if (followers.get(follower) === workspaceId) void checkRight(follower, workspaceId);
  });

  async function open(workspaceId: WorkspaceId, follower: Follower): Promise<WorkspaceFeed> {
    let feed = feeds.get(workspaceId);
    if (feed === undefined) {
      feed = new WorkspaceFeed(workspaceId, db, ringBytes, (error) => log.warn({ err: error, workspaceId }, 'The feed could not be read; the poll tries again.'));
      feeds.set(workspaceId, feed);
    }
    feed.followers.add(follower);
    if (follower.looksAtValues) feed.judged.join();
    feed.idleSince = null;
    await feed.open();
    return feed;
  }

  function leave(follower: Follower): void {
    const workspaceId = followers.get(follower);
    followers.delete(follower);
    const own = followersOf.get(follower.principalId);
    if (own?.delete(follower) === true && own.size === 0) followersOf.delete(follower.principalId);
    const feed = workspaceId === undefined ? undefined : feeds.get(workspaceId);
    if (feed?.followers.delete(follower) === true && follower.looksAtValues) feed.judged.leave();
    budget.giveBack(follower);
    if (feed !== undefined && feed.followers.size === 0) feed.idleSince = Date.now();
  }

  function startFollower(viewer: Viewer, workspaceId: WorkspaceId, after: Cursor | null, filter: DocumentFilter): Follower {
    if (closed) throw shuttingDown();
    const conditions = filter.where?.length ?? 0;
    budget.check(viewer.principalId, conditions);
    const follower: Follower = new Follower(
      viewer.principalId,
      new FeedFilter(shares.following(viewer.principalId), workspaceId, filter),
      after,
      async (self) => {
        followers.set(self, workspaceId);
        followersOf.set(self.principalId, (followersOf.get(self.principalId) ?? new Set()).add(self));
        await requireRole(rights, viewer, workspaceId, 'VIEWER');
        // It has left meanwhile; once in the feed, nobody would take it out again.
        if (!followers.has(self)) throw new Error('The reader has left');
        return open(workspaceId, self);
      },
      leave,
      dropped,
    );
    budget.take(follower, conditions);
    return follower;
  }

  async function checkRight(follower: Follower, workspaceId: WorkspaceId): Promise<void> {
    const role = await rights.role(follower.principalId, workspaceId).catch(() => undefined);
    if (role === null) follower.fail(new ConcordError('FORBIDDEN', `Your role in workspace ${workspaceId} was taken away; drop what you hold of it`, { id: workspaceId }));
  }

  async function poll(): Promise<void> {
    if (polling || closed) return;
    polling = true;
    try {
      for (const [workspaceId, feed] of feeds) {
        if (feed.followers.size === 0 && feed.idleSince !== null && Date.now() - feed.idleSince > idleMs) feeds.delete(workspaceId);
      }
      let furthest = 0;
      if (feeds.size > 0) {
        // As they were before the question: what this process commits meanwhile may not be in the answer.
        const heads = new Map([...feeds].map(([workspaceId, { head }]) => [workspaceId, head]));
        for (const [workspaceId, place] of await readPlaces(db, [...feeds.keys()])) {
          const feed = feeds.get(workspaceId);
          if (feed === undefined) continue;
          furthest = Math.max(furthest, place.position - feed.head);
          // The database was replaced, or set back, under this process.
          if (place.position < (heads.get(workspaceId) ?? 0) && feed.history !== '') feed.moveTo(place);
          else if (place.position > feed.head || place.epoch !== feed.epoch || place.history !== feed.history) feed.catchUpSoon();
        }
      }
      behind = furthest;
      if (++polls % rightsEveryPolls === 0) {
        // Copied: those who come while it waits would make it longer without end.
        for (const [follower, workspaceId] of [...followers]) await checkRight(follower, workspaceId);
      }
    } catch (error) {
      log.warn({ err: error }, 'The feeds could not be looked at; the next poll tries again.');
    } finally {
      polling = false;
      if (pollAgain) lookAround();
    }
  }

  function lookAround(): void {
    pollAgain = polling;
    void poll();
  }

  /** Readers who are handed the same batch, which happens in one turn, share what is being read for it. */
  const conflictPages = new WeakMap<ChangeBatch, Map<Position, Promise<ConflictPage>>>();
  async function conflictsOf(changes: ChangeBatch, from: Position, read: () => Promise<ConflictPage>): Promise<ConflictPage> {
    const pages = conflictPages.get(changes) ?? new Map<Position, Promise<ConflictPage>>();
    conflictPages.set(changes, pages);
    const reading = pages.get(from);
    if (reading !== undefined) return reading;
    const page = read();
    pages.set(from, page);
    try {
      return await page;
    } finally {
      pages.delete(from);
    }
  }

  return {
    async pull(viewer, workspaceId, { after, first, filter }): Promise<FeedEvent> {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      const place = after === null ? null : parseCursor(after);
      const [page, { changes, left }] = await shares.run(viewer.principalId, callOf(viewer)?.left, async (reading) => {
        const split = new FeedFilter(reading, workspaceId, filter);
        const read = await readLog(reading, workspaceId, place?.position ?? 0, first, split.logFilter);
        const here = split.pass(read.changes.map(({ record }) => record));
        return [read, split.conditions === null ? { changes: here, left: [] } : split.split(here, await split.ask([...documentsOf(here)]))] as const;
      });
      countBytes(viewer, page.changes.reduce((sum, { bytes }) => sum + bytes, 0));
      const reason = place === null ? null : mismatch(place, page, page.afterPatchId);
      if (reason !== null) return { type: 'Resync', reason };
      // Without a cursor too: who reads from the start is owed all of it.
      if (page.expired) return { type: 'Resync', reason: 'CURSOR_EXPIRED' };
      return { type: 'ChangeBatch', changes, left, cursor: formatCursor({ epoch: page.epoch, position: page.to, history: page.history, patchId: page.toPatchId }), upToDate: page.to >= page.head };
    },
    follow: (viewer, workspaceId, { after, filter }) => startFollower(viewer, workspaceId, after, filter),
    watch: (viewer, workspaceId, id: DocumentId) =>
      new Watch(startFollower(viewer, workspaceId, null, { ids: [id] }), async () => {
        const document = await readDocument(shares.following(viewer.principalId), workspaceId, id);
        // The right may have gone while it was read: then it is not shown (I8).
        await requireRole(rights, viewer, workspaceId, 'VIEWER');
        return document;
      }),
    conflicts(viewer, workspaceId, { documentId, after }) {
      const follower = startFollower(viewer, workspaceId, null, documentId === null ? {} : { ids: [documentId] });
      const read = async (changes: ChangeBatch, from: Position, to: Position): Promise<ConflictPage> => {
        const page = await conflictsOf(changes, from, () => readConflictsBetween(shares.following(viewer.principalId), workspaceId, documentId, from, to));
        // As above (I8).
        await requireRole(rights, viewer, workspaceId, 'VIEWER');
        return page;
      };
      return new ConflictStream(follower, after, read, (position) => readHeadAnd(db, workspaceId, position));
    },
    async assertHistory(viewer, workspaceId, after) {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      const place = parseCursor(after);
      const feed = feeds.get(workspaceId);
      const known = feed === undefined || place.epoch !== feed.epoch ? undefined : feed.knownPatchIdAt(place.position);
      const reason = known !== undefined && feed !== undefined ? mismatch(place, feed, known) : await readHeadAnd(db, workspaceId, place.position).then(({ head, patchId }) => mismatch(place, head, patchId));
      if (reason === 'OTHER_HISTORY') throw otherHistory();
    },
    async snapshot(viewer, workspaceId, request): Promise<SnapshotPage> {
      await requireRole(rights, viewer, workspaceId, 'VIEWER');
      const { bytes, ...page } = await shares.run(viewer.principalId, callOf(viewer)?.left, (reading) => readSnapshot(reading, workspaceId, request));
      countBytes(viewer, bytes);
      return page;
    },
    committed(changes) {
      let from = 0;
      while (from < changes.length) {
        const { workspaceId } = changes[from]!.record;
        let to = from + 1;
        while (to < changes.length && changes[to]!.record.workspaceId === workspaceId) to += 1;
        const run = changes.slice(from, to);
        feeds.get(workspaceId)?.publish(run);
        hints.tell(workspaceId, run.at(-1)!.record.position);
        from = to;
      }
    },
    lookAround,
    figures: () => ({ subscribers: followers.size, feeds: feeds.size, behind }),
    async close() {
      closed = true;
      clearInterval(timer);
      stopRights();
      for (const follower of [...followers.keys()]) follower.fail(shuttingDown());
      await hints.close();
    },
  };
}

const shuttingDown = () => new ConcordError('SHUTTING_DOWN', 'The server is stopping; subscribe again from the last cursor');
