import type { Database } from 'better-sqlite3';
import type { Timers } from '../options.js';

/** Nothing was written for so long. */
const idleMs = 100;
/** Pages of 4 KiB; fewer are not worth a wait for the disk. */
const worthPages = 1000;
/** A commit that finds more than this does the work itself, so that the log stays bounded where there is never an idle moment. */
export const mostPages = 8000;

/**
 * SQLite's write-ahead log is moved into the database from time to time: some 20 ms for a thousand pages, in which the event
 * loop stands still. Left to SQLite that happens in the commit that finds the log full, just while much is going on. Here it
 * is done when nothing is.
 */
export class WriteAheadLog {
  private timer: unknown;
  private quiet = false;

  constructor(
    private readonly database: Database,
    private readonly timers: Timers,
  ) {}

  /** To be called after each commit. */
  written(): void {
    this.quiet = false;
    this.timer ??= this.timers.set(() => this.look(), idleMs);
  }

  close(): void {
    this.timers.clear(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    if (!this.database.open) return;
    if (!this.quiet) {
      this.quiet = true;
      this.timer = this.timers.set(() => this.look(), idleMs);
      return;
    }
    this.timer = undefined;
    try {
      const [found] = this.database.pragma('wal_checkpoint(NOOP)') as { readonly log: number; readonly checkpointed: number }[];
      if (found !== undefined && found.log - found.checkpointed >= worthPages) this.database.pragma('wal_checkpoint(PASSIVE)');
    } catch {
      // A full disk, say: the edits are safe in the log, and the next commit that cannot be written tells its caller.
    }
  }
}
