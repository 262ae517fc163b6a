import { defaultLimits, type Limits, type WorkspaceId } from '@concord/core';
import type { CommitPort, FeedPort, ReadPort } from '@concord/schema';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Rights } from './auth/rights.js';
import { defaultLoadBytes, defaultReachBytes } from './commit/merge-bounds.js';
import { Heads } from './commit/heads.js';
import { createCommit } from './commit/port.js';
import { createFeed, type Feed } from './feed/port.js';
import type { PrismaClient } from './generated/prisma/client.js';
import type { Notifications } from './notify.js';
import { answering } from './postgres/failure.js';
import { createRead } from './read/port.js';
import { defaultReadLimits, ReadShares, type ReadLimits } from './read/shares.js';

export interface EngineOptions {
  /** For reads that are not hot. */
  readonly prisma: PrismaClient;
  /** The feed's own statements; without `commits` and `reads` also those. */
  readonly pool: pg.Pool;
  /** Of which two connections commit. Default: `pool`. */
  readonly commits?: pg.Pool;
  /** What callers read. Default: `pool` and `prisma`. */
  readonly reads?: { readonly pool: pg.Pool; readonly prisma: PrismaClient; readonly limits: ReadLimits };
  readonly log: Logger;
  readonly rights: Rights;
  /** Hints between the nodes of one database. */
  readonly notify: Notifications;
  readonly limits?: Limits;
  readonly now?: () => Date;
  /** A new random id, for patches of callers without clocks. */
  readonly randomId: () => string;
  /** Bytes of document heads and recent changes that are kept in memory. Default: 128 MiB. */
  readonly cacheBytes?: number;
  /** Bytes of recent changes kept for the subscribers of one workspace. Default: 8 MiB. */
  readonly feedRingBytes?: number;
  /** Conditions of all running subscriptions of one principal. Default: 10,000. */
  readonly maxConditions?: number;
  /** Milliseconds between two looks for changes of other nodes whose hint was lost. Default: 2,000. */
  readonly pollMs?: number;
  /** How many changes behind a document's head an edit's base may be (`CLOCK_STALE` beyond). Default: 10,000. */
  readonly reach?: number;
  /** The same in bytes of their patches. Default: 16 MiB. */
  readonly reachBytes?: number;
  /** Bytes of documents and of the logs behind them, as text, that a batch of edits reads before it lets go of what it has read. Default: 16 MiB. */
  readonly loadBytes?: number;
  /** Told of each workspace whose log has grown, with every change: it must cost next to nothing. */
  readonly written?: (workspaceId: WorkspaceId) => void;
  /** Told of each batch of commits. */
  readonly batch?: (edits: number, milliseconds: number) => void;
  /** Told of each reader that was dropped because it read too slowly. */
  readonly dropped?: () => void;
}

/** How things stand, for who watches the server. */
export interface EngineFigures {
  readonly subscribers: number;
  readonly feeds: number;
  /** Changes that the furthest feed was behind the database when it was last looked at. */
  readonly behind: number;
  readonly cachedDocuments: number;
  readonly cachedBytes: number;
}

export interface Engine {
  figures(): EngineFigures;
  readonly commit: CommitPort;
  readonly read: ReadPort;
  readonly feed: FeedPort;
  /** Refuses new pushes, finishes the running ones, ends all streams with SHUTTING_DOWN. Leaves the pool open. */
  close(): Promise<void>;
}

/** Commit, feed and read behind their ports. Everything durable is in the database: engines may come and go, and several may share one. */
export function createEngine(options: EngineOptions): Promise<Engine> {
  const { pool, log, rights, notify } = options;
  const db = answering(pool);
  const reads = options.reads ?? { pool, prisma: options.prisma, limits: defaultReadLimits };
  const shares = new ReadShares(reads.pool, pool, reads.limits, () => performance.now());
  const feed: Feed = createFeed({ db, shares, log, rights, notify, dropped: () => options.dropped?.(), ringBytes: options.feedRingBytes ?? 8 * 1024 * 1024, pollMs: options.pollMs ?? 2000, ...(options.maxConditions === undefined ? {} : { maxConditions: options.maxConditions }) });
  const heads = new Heads(options.cacheBytes ?? 128 * 1024 * 1024);
  const commit = createCommit({
    pool: options.commits ?? pool,
    auditPool: pool,
    log,
    rights,
    limits: options.limits ?? defaultLimits,
    heads,
    batch: options.batch,
    reach: { changes: options.reach ?? 10_000, bytes: options.reachBytes ?? defaultReachBytes },
    loadBytes: options.loadBytes ?? defaultLoadBytes,
    now: options.now ?? (() => new Date()),
    randomId: () => options.randomId(),
    committed: (changes) => {
      for (const { record } of changes) options.written?.(record.workspaceId);
      feed.committed(changes);
    },
    ambiguous: () => feed.lookAround(),
  });
  return Promise.resolve({
    commit,
    read: createRead({ shares, prisma: reads.prisma, rights }),
    feed,
    figures: () => ({ ...feed.figures(), ...heads.figures() }),
    async close() {
      await commit.close();
      await feed.close();
    },
  });
}
