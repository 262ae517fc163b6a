import type { Cursor, PatchId, Position, WorkspaceId } from '@concord/core';
import type { ChangeBatch, ChangeRecord } from '@concord/schema';
import type { PublishedChange } from '../commit/verdict.js';
import type { Queryable } from '../postgres/queryable.js';
import { batchBytes, batchEnd } from './batch-end.js';
import { formatCursor, type Place } from './cursor.js';
import { Judged } from './judged.js';
import { readHeadAnd, readLog, readPlaces } from './log.js';
import { LogPages } from './log-pages.js';

/** What a workspace's feed tells its followers. */
export interface Follows {
  /** Something changed: the head, the epoch. Looks for itself. */
  wake(): void;
}

/** Everything after a position up to `to`, as far as the filter lets it through. */
export interface SharedBatch {
  readonly to: Position;
  readonly batch: ChangeBatch;
  /** Of the changes that were looked at for it. */
  readonly bytes: number;
}

const pageChanges = 1000;
/** Batches of so many bytes are kept until the next change: small ones for many filters, or large ones for those who are behind. */
const keptBytes = 16 * batchBytes;
/** Followers that are handed something in one turn of the event loop: some 2 ms, after which others have theirs. */
const wokenAtOnce = 256;

/**
 * The newest changes of one workspace, in memory once for all its followers on this node. Positions in the ring have no hole
 * and end at `head`. What was committed here is put in directly; what others committed is read from the log when a hint
 * or the poll says so. Both ways overlap and race; the position decides, so a change gets in once and in order (I4).
 */
export class WorkspaceFeed {
  readonly followers = new Set<Follows>();
  /** For followers with conditions. */
  readonly judged: Judged;
  /** For followers that the ring does not reach back to. */
  readonly pages: LogPages;
  epoch = 0;
  head = 0 as Position;
  /** Of the change at the head; null: there is none, or it was compacted away. */
  private headPatchId: PatchId | null = null;
  /** Id of the history. */
  history = '';
  /** How often the database was found to hold another history than the one followed so far. */
  replaced = 0;
  /** When it lost its last follower; it is kept a while for those who come back. */
  idleSince: number | null = null;
  private ring: PublishedChange[] = [];
  private ringBytes = 0;
  private opened = false;
  private reading: Promise<void> | undefined;
  private readAgain = false;
  /** Those who are still to be woken for the newest changes. */
  private round: Iterator<Follows> | undefined;
  /** How many those are: who joins during a round is at the head already, and would make it longer without end. */
  private roundLeft = 0;
  private anotherRound = false;
  /** By position and key of the filter; all of them were made at this head. */
  private readonly shared = new Map<string, SharedBatch>();
  private sharedBytes = 0;

  constructor(
    readonly workspaceId: WorkspaceId,
    private readonly db: Queryable,
    private readonly maxBytes: number,
    private readonly failed: (error: unknown) => void,
  ) {
    this.pages = new LogPages(workspaceId);
    this.judged = new Judged(db, workspaceId);
  }

  /**
   * Finds the head. It is asked for after the feed has been made known to the publisher: what is committed meanwhile is either
   * under the head that is read, or asks to read again.
   * @throws when the workspace cannot be read.
   */
  async open(): Promise<void> {
    if (this.opened) return;
    const place = await this.newest();
    if (!this.opened) {
      this.opened = true;
      this.stand(place);
    }
    if (this.readAgain) await this.catchUp();
  }

  /** Takes in what this process has committed. */
  publish(changes: readonly PublishedChange[]): void {
    if (!this.opened) {
      this.readAgain = true;
      return;
    }
    const first = changes[0]!.record.position;
    // A hole: another node has committed in between, or an answer was lost. The log has it all.
    if (first > this.head + 1) this.catchUpSoon();
    else this.take(changes);
  }

  /** Reads the log up to its end. Callers share one reading; who calls during it is served by another after it. */
  catchUp(): Promise<void> {
    this.readAgain = true;
    return (this.reading ??= this.readOn());
  }

  /** `catchUp` for those who do not wait for it. If it fails, the next hint or poll tries again. */
  catchUpSoon(): void {
    if (!this.opened) this.readAgain = true;
    else this.catchUp().catch(this.failed);
  }

  private async readOn(): Promise<void> {
    try {
      while (this.readAgain) {
        this.readAgain = false;
        for (;;) {
          const page = await readLog(this.db, this.workspaceId, this.head, pageChanges);
          // Rewritten, or compacted further than this node had read: followers find out where they stand.
          if (page.epoch !== this.epoch || page.expired || page.history !== this.history) {
            this.moveTo(await this.newest());
            break;
          }
          this.take(page.changes);
          if (page.to >= page.head) break;
        }
      }
    } finally {
      // Together with the last look at `readAgain`: who asks a moment later begins a reading of its own.
      this.reading = undefined;
    }
  }

  /** The history was rewritten or has a hole here: nothing in memory holds any more. */
  moveTo(place: Place): void {
    if (place.history !== this.history || (place.epoch === this.epoch && place.position < this.head) || place.epoch < this.epoch) this.replaced += 1;
    this.stand(place);
    this.ring = [];
    this.ringBytes = 0;
    this.pages.clear();
    this.judged.clear();
    this.wakeAll();
  }

  private take(changes: readonly PublishedChange[]): void {
    let moved = false;
    for (const change of changes) {
      if (change.record.position !== this.head + 1) continue;
      this.head = change.record.position;
      this.headPatchId = change.record.patchId;
      moved = true;
      if (this.followers.size === 0) continue;
      this.judged.took(change);
      // Without the value, which the ring would keep alive.
      this.ring.push(change.after === undefined ? change : { record: change.record, bytes: change.bytes });
      this.ringBytes += change.bytes;
    }
    if (!moved) return;
    if (this.followers.size === 0) {
      this.ring = [];
      this.ringBytes = 0;
    } else if (this.ringBytes > this.maxBytes) {
      // Down to three quarters at once, so that the array is not moved for every change.
      let dropped = 0;
      while (dropped < this.ring.length - 1 && this.ringBytes > this.maxBytes * 0.75) this.ringBytes -= this.ring[dropped++]!.bytes;
      this.ring = this.ring.slice(dropped);
    }
    this.wakeAll();
  }

  /** One round at a time: when commits come faster than a round goes, a follower is handed several of them at once. */
  private wakeAll(): void {
    this.shared.clear();
    this.sharedBytes = 0;
    if (this.round !== undefined) {
      this.anotherRound = true;
      return;
    }
    this.startRound();
    this.wakeSome();
  }

  private startRound(): void {
    this.round = this.followers.values();
    this.roundLeft = this.followers.size;
  }

  private wakeSome(): void {
    for (let woken = 0; woken < wokenAtOnce; woken++) {
      const next = this.roundLeft > 0 ? this.round?.next() : undefined;
      this.roundLeft -= 1;
      if (next === undefined || next.done === true) {
        this.round = undefined;
        if (!this.anotherRound) return;
        this.anotherRound = false;
        this.startRound();
        break;
      }
      next.value.wake();
    }
    setImmediate(() => this.wakeSome());
  }

  /** The changes after a position, at most a batch of them; null when the ring begins later. */
  since(position: Position): readonly PublishedChange[] | null {
    const from = position - (this.head - this.ring.length);
    return from < 0 ? null : this.ring.slice(from, batchEnd(this.ring, from, false));
  }

  /** `since` through a filter that has a key: the same object for all followers with that key at the same position. */
  batchSince(position: Position, key: string, pass: (changes: readonly ChangeRecord[]) => readonly ChangeRecord[]): SharedBatch | null {
    const place = `${position} ${key}`;
    const known = this.shared.get(place);
    if (known !== undefined) return known;
    const changes = this.since(position);
    if (changes === null) return null;
    const to = changes.at(-1)?.record.position ?? position;
    const records = pass(changes.map(({ record }) => record));
    const batch: ChangeBatch = { type: 'ChangeBatch', changes: records, left: [], cursor: this.cursorAt(to, changes.at(-1)?.record.patchId ?? this.headPatchId), upToDate: to === this.head };
    const made: SharedBatch = { to, batch, bytes: changes.reduce((sum, change) => sum + change.bytes, 0) };
    this.shared.set(place, made);
    this.sharedBytes += made.bytes;
    for (const [oldest, { bytes }] of this.shared) {
      if (this.sharedBytes <= keptBytes) break;
      this.shared.delete(oldest);
      this.sharedBytes -= bytes;
    }
    return made;
  }

  /** Of the head. */
  get cursor(): Cursor {
    return this.cursorAt(this.head, this.headPatchId);
  }

  /** The patch id of the change at a position; null: it is not kept any more, or there never was one. */
  async patchIdAt(position: Position): Promise<PatchId | null> {
    const known = this.knownPatchIdAt(position);
    return known === undefined ? (await readHeadAnd(this.db, this.workspaceId, position)).patchId : known;
  }

  /** `patchIdAt`, from memory; undefined: it is not there. */
  knownPatchIdAt(position: Position): PatchId | null | undefined {
    if (!this.opened) return undefined;
    if (position === this.head) return this.headPatchId;
    return this.ring[position - (this.head - this.ring.length) - 1]?.record.patchId;
  }

  private stand({ epoch, position, history, patchId }: Place): void {
    this.epoch = epoch;
    this.head = position;
    this.history = history;
    this.headPatchId = patchId;
  }

  private async newest(): Promise<Place> {
    const place = (await readPlaces(this.db, [this.workspaceId])).get(this.workspaceId);
    if (place === undefined) throw new Error(`Workspace ${this.workspaceId} is gone`);
    return place;
  }

  private cursorAt(position: Position, patchId: PatchId | null): Cursor {
    return formatCursor({ epoch: this.epoch, position, history: this.history, patchId });
  }
}
