import Sqlite, { type Database } from 'better-sqlite3';
import { ConcordError, jsonBytes, type DocumentId, type Failure, type NormalPatch, type ReplicaId } from '@concord/core';
import type { DocumentState, PendingEdit } from '../document-state.js';
import { keepUndo } from '../undo-steps.js';
import { Views } from '../document-view.js';
import { Checkpoint } from './checkpoint.js';
import { Conflicts, type FoundConflict, type LocalConflict } from './conflicts.js';
import { Documents } from './documents.js';
import { Kept } from './kept.js';
import { Outbox } from './outbox.js';
import { Quarantine } from './quarantine.js';
import { UndoRows } from './undo.js';
import { Unshown } from './unshown.js';

/** What one transaction did to a document. */
export interface DocumentChange {
  readonly before: DocumentState | undefined;
  readonly after: DocumentState | undefined;
}

/** What a transaction changed, once it is in the file. */
export interface Commit {
  readonly documents: ReadonlyMap<DocumentId, DocumentChange>;
  /** Found in it, oldest first. */
  readonly conflicts: readonly LocalConflict[];
}

/** Pending edits of a document were found unusable and set aside. */
export interface Damage {
  readonly id: DocumentId;
  /** Edits that are in quarantine now. */
  readonly edits: number;
  /** True: the document itself could not be read either, and is gone from the file until it is taken from the server again. */
  readonly lost: boolean;
  readonly message: string;
}

export interface StoreSurroundings {
  timestamp(): string;
  /** Called in the middle of a reading: must not read or throw. */
  damaged(damage: Damage): void;
}

interface StagedDocument extends DocumentChange {
  readonly bytes: number;
  /** Whether the row in `documents` has all edits of the outbox now; undefined: as before. */
  readonly shown: boolean | undefined;
}

interface Cached {
  readonly state: DocumentState;
  /** Of the value as JSON, at most. */
  readonly bytes: number;
}

/** What the transaction that runs has done so far. */
interface Staged extends Commit {
  readonly documents: Map<DocumentId, StagedDocument>;
  readonly conflicts: LocalConflict[];
}

/** Size of the documents kept parsed in memory, as JSON. */
const cacheBytes = 64 * 1024 * 1024;

/**
 * The replica's file. All state that matters is in SQLite; parsed documents are kept in a bounded cache, which is right
 * because the file is locked: nobody else writes it.
 *
 * Documents are read anywhere and written only inside `transact`, which is all or nothing for the file and for the cache.
 */
export class Store {
  readonly documents: Documents;
  readonly outbox: Outbox;
  readonly conflicts: Conflicts;
  readonly quarantine: Quarantine;
  readonly undo: UndoRows;
  readonly kept: Kept;
  readonly checkpoint: Checkpoint;
  /** What is handed out of documents. */
  readonly views = new Views();
  private readonly cache = new Map<DocumentId, Cached>();
  private cachedBytes = 0;
  private ended = false;
  private staged: Staged | undefined;
  private pendingEdits: number;
  /** Documents with pending edits, about in the order in which they began to wait. */
  readonly waiting: Set<DocumentId>;
  private readonly unshown = new Unshown();
  private readonly begin;
  private readonly commit;
  private readonly rollback;

  constructor(
    readonly database: Database,
    newReplicaId: () => ReplicaId,
    /** Called after each transaction that changed documents or found conflicts. Must not throw. */
    private readonly onCommit: (commit: Commit) => void,
    private readonly surroundings: StoreSurroundings,
  ) {
    this.documents = new Documents(database);
    this.outbox = new Outbox(database);
    this.conflicts = new Conflicts(database);
    this.quarantine = new Quarantine(database);
    this.undo = new UndoRows(database);
    this.kept = new Kept(database);
    this.checkpoint = new Checkpoint(database, newReplicaId);
    this.pendingEdits = this.outbox.count();
    this.waiting = new Set(this.outbox.documents());
    for (const { id, bytes } of this.documents.unshown()) this.unshown.add(id, bytes);
    this.begin = database.prepare('BEGIN');
    this.commit = database.prepare('COMMIT');
    this.rollback = database.prepare('ROLLBACK');
  }

  /** How many edits wait in the outbox. */
  get pendingCount(): number {
    return this.pendingEdits;
  }

  /** From now on callers are refused; what runs may still end its work in the file. */
  endForCallers(): void {
    this.ended = true;
  }

  /** The store, for a call of the app. @throws ConcordError UNAVAILABLE when the replica is closed or being closed. */
  forCaller(): this {
    if (this.ended) throw closedError();
    return this;
  }

  /** @throws ConcordError UNAVAILABLE when the replica is closed. */
  read(id: DocumentId): DocumentState | undefined {
    this.assertOpen();
    const staged = this.staged?.documents.get(id);
    if (staged !== undefined) return staged.after;
    const cached = this.cache.get(id);
    if (cached !== undefined) {
      this.cache.delete(id);
      this.cache.set(id, cached);
      return cached.state;
    }
    let row: ReturnType<Documents['read']>;
    try {
      row = this.documents.read(id, this.outbox.pendingOf);
    } catch (error) {
      return this.setAside(id, error);
    }
    if (row === undefined) return undefined;
    // Not while a transaction runs: what it reads may be rolled back.
    if (this.staged === undefined) this.remember(id, row.state, row.bytes);
    return row.state;
  }

  /**
   * Runs `work` in one transaction. Throws what `work` throws, having changed nothing; UNAVAILABLE when the file cannot be
   * written (full disk, say) or the replica is closed. Not reentrant.
   */
  transact<T>(work: () => T): T {
    this.assertOpen();
    if (this.staged !== undefined) throw new Error('A transaction of the replica was begun inside another one.');
    const meta = this.checkpoint.get();
    const pendingBefore = this.pendingEdits;
    const staged: Staged = { documents: new Map(), conflicts: [] };
    this.begin.run();
    this.staged = staged;
    let result: T;
    try {
      result = work();
      this.commit.run();
    } catch (error) {
      if (this.database.inTransaction) this.rollback.run();
      this.checkpoint.restore(meta);
      this.undo.reload();
      this.pendingEdits = pendingBefore;
      this.outbox.reload();
      throw notWritten(error);
    } finally {
      this.staged = undefined;
    }
    this.committed(staged);
    return result;
  }

  /**
   * A local edit on a document that is here, in a transaction of its own: one row of the outbox, whatever the size of the
   * document. `bytes`: of `after.value` as JSON, at most. Where edits of many documents have not been shown, it shows those of
   * the documents that were left alone the longest. `also` writes something else in the same transaction. Throws as `transact` does.
   */
  commitEdit(before: DocumentState, after: DocumentState, edit: PendingEdit, bytes: number, also?: () => void): void {
    this.assertOpen();
    if (this.staged !== undefined) throw new Error('An edit was made inside a transaction of the replica.');
    this.showThese(this.unshown.tooMany(after.id));
    try {
      if (also === undefined) this.outbox.insert(after.id, edit);
      else this.insertWith(after.id, edit, also);
    } catch (error) {
      this.undo.reload();
      throw notWritten(error);
    }
    this.pendingEdits++;
    this.committed({ documents: new Map([[after.id, { before, after, bytes, shown: false }]]), conflicts: [] });
  }

  /** Writes what the app sees where edits have left that for later: to be called before SQL reads `documents`. Throws as `transact` does. */
  show(): void {
    this.showThese(this.unshown.all());
  }

  /** Bytes of the value of a document as JSON, at most; undefined when it was not read lately. */
  bytesAtMost(id: DocumentId): number | undefined {
    return this.cache.get(id)?.bytes;
  }

  /**
   * Within a transaction: the document with its outbox rows. `changes`: what altered the visible value, where that is known
   * operation by operation, for what undoes edits of it.
   */
  write(after: DocumentState, round = 0, changes?: readonly NormalPatch[]): void {
    const before = this.read(after.id);
    if (before !== undefined && this.undo.concern(after.id)) keepUndo(this.undo, before, after, changes);
    const bytes = this.documents.write(after, round);
    this.outbox.replace(after.id, before?.pending ?? [], after.pending);
    this.stage(after.id, before, after, bytes, true);
  }

  /** Within a transaction: only stamps of outbox rows have changed, not what they do. */
  writeStamps(after: DocumentState): void {
    const before = this.read(after.id);
    this.outbox.replace(after.id, before?.pending ?? [], after.pending);
    this.stage(after.id, before, after, this.bytesAtMost(after.id) ?? jsonBytes(after.value), undefined);
  }

  /** Within a transaction: the document and its outbox rows are gone. */
  delete(id: DocumentId): void {
    const before = this.read(id);
    if (before === undefined) return;
    if (this.undo.concern(id)) this.undo.forget(id);
    this.documents.delete(id);
    this.outbox.replace(id, before.pending, []);
    this.stage(id, before, undefined, 0, true);
  }

  /**
   * Within a transaction, after the document was written: keeps a conflict that was found; `foundAt` is ISO 8601. Who listens to commits
   * is told.
   */
  addConflict(found: FoundConflict, foundAt: string): void {
    const seenSeq = this.read(found.documentId)?.pending.at(-1)?.seq ?? 0;
    this.transaction().conflicts.push(this.conflicts.add(found, foundAt, seenSeq));
  }

  /** Within a transaction, after the document was written: patches that bring lost values back are taken along. See `Conflicts.carry`. */
  carryRestores(before: DocumentState, moves: readonly NormalPatch[] | undefined): void {
    this.conflicts.carry(before, moves, this.read(before.id)?.pending.at(-1)?.seq ?? 0);
  }

  /**
   * The pending edits of a document cannot be read, applied or sent: they go to the quarantine as they stand in the file, so that they
   * stop nothing else, and the document is as the server had it; where that cannot be read either, it is gone. What is left is returned.
   * @throws ConcordError UNAVAILABLE where it is not the document's fault: the file cannot be read or written.
   */
  setAside(id: DocumentId, cause: unknown): DocumentState | undefined {
    if (cause instanceof Sqlite.SqliteError) throw notRead(cause);
    if (cause instanceof ConcordError && cause.code === 'UNAVAILABLE') throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    const work = (): DocumentState | undefined => {
      const reason: Failure = {
        code: 'INTERNAL',
        message: `The edits of ${id} that waited in the file cannot be used (${message.replace(/\.$/, '')}). They are kept here as they stand in it: make them again.`,
      };
      const counter = this.outbox.highestCounter(id);
      const edits = this.quarantine.takeOver(id, reason, this.surroundings.timestamp());
      this.outbox.deleteAll(id);
      this.pendingEdits -= edits;
      const found = this.documents.confirmed(id, counter);
      const before = this.staged?.documents.get(id)?.after;
      if (found.state === undefined) this.documents.delete(id);
      this.transaction().documents.set(id, {
        before,
        after: found.state,
        bytes: found.state === undefined ? 0 : this.documents.write(found.state, 0),
        shown: true,
      });
      this.surroundings.damaged({ id, edits, lost: found.lost, message: reason.message });
      return found.state;
    };
    return this.staged === undefined ? this.transact(work) : work();
  }

  /** Looks for what cannot be read in the outbox, so that it is told at the opening, and not when it is met. */
  setAsideUnreadable(): void {
    for (const id of this.outbox.unreadable()) this.read(id);
  }

  /** Documents whose rows hold no JSON. Reads the whole table: for when SQL has met one. */
  readUnreadable(): void {
    for (const id of this.documents.unreadable()) {
      this.forget(id);
      this.read(id);
    }
  }

  /** Forgets parsed documents, after rows were changed by set-based statements. */
  dropCache(): void {
    this.cache.clear();
    this.cachedBytes = 0;
  }

  /** Writes the file anew without what was deleted from it. */
  compactFile(): void {
    this.database.exec('VACUUM');
    this.database.pragma('wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.dropCache();
    this.database.close();
  }

  private assertOpen(): void {
    if (!this.database.open) throw closedError();
  }

  private showThese(ids: readonly DocumentId[]): void {
    if (ids.length === 0) return;
    this.transact(() => {
      for (const id of ids) {
        const state = this.read(id);
        if (state !== undefined) this.documents.show(state);
      }
    });
    for (const id of ids) this.unshown.delete(id);
  }

  private insertWith(id: DocumentId, edit: PendingEdit, also: () => void): void {
    this.begin.run();
    try {
      this.outbox.insert(id, edit);
      also();
      this.commit.run();
    } catch (error) {
      if (this.database.inTransaction) this.rollback.run();
      this.outbox.reload();
      throw error;
    }
  }

  private transaction(): Staged {
    if (this.staged === undefined) throw new Error('The replica was written outside of a transaction.');
    return this.staged;
  }

  private stage(id: DocumentId, before: DocumentState | undefined, after: DocumentState | undefined, bytes: number, shown: boolean | undefined): void {
    const { documents } = this.transaction();
    this.pendingEdits += (after?.pending.length ?? 0) - (before?.pending.length ?? 0);
    const earlier = documents.get(id);
    documents.set(id, { before: earlier === undefined ? before : earlier.before, after, bytes, shown: shown ?? earlier?.shown });
  }

  private committed(staged: Staged): void {
    for (const [id, { after, bytes, shown }] of staged.documents) {
      if (after === undefined) this.forget(id);
      else this.remember(id, after, bytes);
      if (after === undefined || after.pending.length === 0) this.waiting.delete(id);
      else this.waiting.add(id);
      if (shown === true) this.unshown.delete(id);
      else if (shown === false) this.unshown.add(id, bytes);
    }
    if (staged.documents.size > 0 || staged.conflicts.length > 0) this.onCommit(staged);
  }

  private remember(id: DocumentId, state: DocumentState, bytes: number): void {
    this.forget(id);
    const cached = { state, bytes };
    this.cache.set(id, cached);
    this.cachedBytes += weight(cached);
    for (const [oldest, freed] of this.cache) {
      if (this.cachedBytes <= cacheBytes || oldest === id) break;
      this.cache.delete(oldest);
      this.cachedBytes -= weight(freed);
    }
  }

  private forget(id: DocumentId): void {
    const cached = this.cache.get(id);
    if (cached === undefined) return;
    this.cache.delete(id);
    this.cachedBytes -= weight(cached);
  }
}

const closedError = () => new ConcordError('UNAVAILABLE', 'The replica is closed. Open it again.');

/** With edits pending, the confirmed value is held too. */
const weight = ({ state, bytes }: Cached): number => (state.pending.length === 0 ? bytes : 2 * bytes);

/** Told of reading; a file that is found damaged while it is open. */
export const notRead = (error: Error & { readonly code: string }): ConcordError =>
  new ConcordError('UNAVAILABLE', `The replica's file could not be read: ${error.message} (${error.code}). Close the replica; where its file is damaged, rescueOutbox reads the edits that wait in it.`, {}, { cause: error });

function notWritten(error: unknown): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error;
  return new ConcordError('UNAVAILABLE', `The replica's file could not be written: ${error.message} (${error.code}). Nothing was changed.`, {}, { cause: error });
}
