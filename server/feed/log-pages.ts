import type { DocumentId, Position, WorkspaceId } from '@concord/core';
import type { ChangeBatch } from '@concord/schema';
import { batchBytes, batchEnd } from './batch-end.js';
import { formatCursor } from './cursor.js';
import type { FeedFilter } from './filter.js';
import type { Conditions } from './judged.js';
import { readLog, type LogPage } from './log.js';

/** Rows of a page; after one that its bytes have ended, some more than it had: PostgreSQL sizes every row that is asked for. */
const mostRows = 256;
const leastRows = 8;
/** Pages in the middle of the log are kept for those who come the same way a moment later, as all do who were told LAGGED together. */
const keptPages = 32;
const keptMs = 1000;

/** A page of the log for one reader, or for several with the same filter. */
export interface FollowedPage {
  readonly page: LogPage;
  /** Null: what is told depends on the reader, or on where the feed is by now. Otherwise the same for all. */
  readonly batch: ChangeBatch | null;
  /** How many rows to ask for next. */
  readonly rows: number;
}

/** The log of one workspace as its followers read it, who are not at the head yet. */
export class LogPages {
  private readonly pages = new Map<string, Promise<FollowedPage>>();
  private readonly asked = new WeakMap<LogPage, Map<string, Promise<ReadonlySet<DocumentId>>>>();
  private clearing: NodeJS.Timeout | undefined;

  constructor(private readonly workspaceId: WorkspaceId) {}

  /** Readers at the same place with the same filter share one reading, and one batch. */
  after(epoch: number, position: Position, filter: FeedFilter, rows: number | null): Promise<FollowedPage> {
    const key = `${epoch} ${position} ${filter.sharedKey === null ? 'where ' : ''}${filter.logKey}`;
    const known = this.pages.get(key);
    if (known !== undefined) return known;
    const reading = this.read(position, filter, rows);
    this.pages.set(key, reading);
    if (this.clearing === undefined) this.clearing = setTimeout(() => this.clear(), keptMs).unref();
    else this.clearing.refresh();
    const forget = () => {
      if (this.pages.get(key) === reading) this.pages.delete(key);
    };
    reading.then(({ page, batch }) => {
      // What follows the end of the log may be there a moment later; what lies before it stays as it is.
      if (batch === null || page.epoch !== epoch) return forget();
      for (const oldest of this.pages.keys()) {
        if (this.pages.size <= keptPages) break;
        this.pages.delete(oldest);
      }
    }, forget);
    return reading;
  }

  /** Which of the documents of a page match now: asked once for all readers of that page with the same conditions. */
  matching(page: LogPage, documents: ReadonlySet<DocumentId>, conditions: Conditions): Promise<ReadonlySet<DocumentId>> {
    const asked = this.asked.get(page) ?? new Map<string, Promise<ReadonlySet<DocumentId>>>();
    this.asked.set(page, asked);
    let asking = asked.get(conditions.key);
    if (asking === undefined) asked.set(conditions.key, (asking = documents.size === 0 ? Promise.resolve(new Set()) : conditions.ask([...documents])));
    return asking;
  }

  /** Nothing that was read holds any more. */
  clear(): void {
    clearTimeout(this.clearing);
    this.clearing = undefined;
    this.pages.clear();
  }

  private async read(position: Position, filter: FeedFilter, rows: number | null): Promise<FollowedPage> {
    const asked = rows ?? mostRows;
    const read = await readLog(filter.db, this.workspaceId, position, asked, filter.logFilter, batchBytes);
    const page = upToBatchEnd(read);
    const records = page.changes.map(({ record }) => record);
    const endedByBytes = page.changes.length < asked && page.to === page.changes.at(-1)?.record.position;
    const inside = filter.sharedKey !== null && !page.expired && page.to < page.head;
    return {
      page,
      batch: inside ? { type: 'ChangeBatch', changes: filter.pass(records), left: [], cursor: formatCursor({ epoch: page.epoch, position: page.to, history: page.history, patchId: page.toPatchId }), upToDate: false } : null,
      rows: endedByBytes ? Math.max(leastRows, Math.min(mostRows, 2 * page.changes.length)) : mostRows,
    };
  }
}

function upToBatchEnd(page: LogPage): LogPage {
  const end = batchEnd(page.changes, 0, page.to < page.head);
  if (end === page.changes.length) return page;
  const changes = page.changes.slice(0, end);
  const { position, patchId } = changes.at(-1)!.record;
  return { ...page, changes, to: position, toPatchId: patchId };
}
