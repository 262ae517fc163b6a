import type { Client } from '@urql/core';
import type { Database } from 'better-sqlite3';
import { ConcordError, deepFreeze, type CollectionDefinition, type DocumentId, type PatchId, type ReplicaId, type WirePatch, type WorkspaceId } from '@concord/core';
import { checkCollectionName, checkListener, idOf } from './arguments.js';
import { checkOptions, checkToken } from './check-options.js';
import { Collection } from './collection.js';
import { Connection, type ConnectionState } from './connection.js';
import { Definitions } from './definitions.js';
import type { DocumentView } from './document-view.js';
import { LocalEdits, type Edited } from './edit.js';
import { shown } from './condition.js';
import { inFilter } from './filter.js';
import { KeptDocuments, type KeptDocument } from './kept-documents.js';
import { callOfApp, Live, type Unsubscribe } from './live.js';
import { environmentOf, type Environment, type ReplicaOptions } from './options.js';
import { Pull } from './pull.js';
import { Push } from './push.js';
import { Queries } from './query.js';
import { restoreConflict, type Restoration } from './restoration.js';
import { Session } from './session.js';
import { SetAside, type PendingChange, type Withdrawal } from './set-aside.js';
import { Settling } from './settling.js';
import { WatchedStatus, type ReplicaStatus } from './status.js';
import type { LocalConflict } from './store/conflicts.js';
import { openDatabase, translated } from './store/open.js';
import type { QuarantinedEdit } from './store/quarantine.js';
import { Store, type Commit, type Damage } from './store/store.js';
import { WriteAheadLog } from './store/write-ahead-log.js';
import { Subscriptions } from './subscriptions.js';
import { UndoStack, type UndoScope, type Undone } from './undo-stack.js';
import { urqlClient } from './urql.js';

/**
 * Opens a replica on an SQLite file, made where there is none, and begins to connect. It resolves at once, connected or not:
 * what the file holds can be read and edited right away.
 * @throws ConcordError UNAVAILABLE (the file is open in another replica), INPUT_INVALID (not a replica's file, or of another workspace).
 */
export function openReplica(options: ReplicaOptions): Promise<Replica> {
  return Promise.resolve().then(() => new Replica(options));
}

/**
 * One local copy of a workspace (or of a part of it) that works offline. Edits are in the file when the call returns; they
 * are sent, in order and exactly once, whenever there is a connection; changes of others arrive by subscription and are
 * merged with what is pending.
 */
export class Replica {
  private readonly environment: Environment;
  private readonly store: Store;
  private readonly writeAheadLog: WriteAheadLog;
  private readonly live = new Live();
  private readonly queries: Queries;
  private readonly definitions = new Definitions();
  private readonly edits: LocalEdits;
  private readonly undoStack: UndoStack;
  private readonly setAside: SetAside;
  private readonly keptDocuments: KeptDocuments;
  private readonly workspaceId: string | undefined;
  private readonly pull: Pull;
  private readonly push: Push;
  private readonly session: Session;
  private readonly connection: Connection;
  private readonly subscriptions: Subscriptions;
  private readonly conflictListeners = new Set<(conflict: LocalConflict) => void>();
  private readonly watchedStatus: WatchedStatus;
  private readonly settling: Settling;
  private token: ReplicaOptions['token'];
  private closed = false;
  private closing: Promise<void> | undefined;
  private urql: Client | undefined;

  /** @internal Use `openReplica`. */
  constructor(options: ReplicaOptions) {
    checkOptions(options);
    this.token = options.token;
    const environment = environmentOf({ ...options, token: () => (typeof this.token === 'function' ? this.token() : this.token) });
    this.environment = environment;
    this.settling = new Settling(environment, {
      isClosed: () => this.closed,
      mayBeSettled: () => this.store.pendingCount === 0 && this.connection.state === 'live',
      refusal: () => this.connection.refusal ?? (this.store.pendingCount > 0 ? this.push.refusal : undefined),
      nothingNewer: () => this.session.nothingNewer(this.connection.socket()),
      describe: () => {
        const { connection, pending, lastError } = this.watchedStatus.now();
        return `${connection}, ${pending} edits pending${lastError === null ? '' : `, last error: ${lastError.message.replace(/\.$/, '')}`}`;
      },
    });
    const database = openDatabase(options.database, options.durability ?? 'normal');
    this.writeAheadLog = new WriteAheadLog(database, environment.timers);
    this.store = this.openStore(database, options.database);
    try {
      const { workspaceId } = options;
      this.workspaceId = workspaceId;
      if (workspaceId !== undefined) this.store.transact(() => this.store.checkpoint.bindWorkspace(workspaceId));
    } catch (error) {
      this.store.close();
      throw error;
    }
    this.queries = new Queries(this.store);
    this.push = new Push(this.store, environment, (state) => inFilter(environment.filter, state));
    this.edits = new LocalEdits(this.store, environment, () => this.push.wake(), this.definitions);
    this.undoStack = new UndoStack(this.store, this.edits);
    this.edits.recorder = this.undoStack.record;
    this.setAside = new SetAside(this.store, this.edits, () => this.timestamp());
    this.keptDocuments = new KeptDocuments(this.store, this.edits);
    this.pull = new Pull(this.store, {
      now: environment.now,
      heads: (ids) => this.session.heads(this.connection.socket(), ids),
      returned: (patchId) => this.push.returned(patchId),
      leftWithPending: (id) => this.push.dropIfAcknowledged(id),
    });
    this.session = new Session(environment, this.store, this.pull, this.push, {
      live: () => {
        this.watchedStatus.live();
        this.connection.live();
      },
      pulled: (upToDate) => {
        this.watchedStatus.pulled(upToDate);
        this.progressed();
      },
      failed: (error) => this.failed(error),
    });
    this.connection = new Connection(
      environment,
      (socket) => this.session.run(socket),
      (state, error) => {
        this.subscribeOn(state);
        if (error === undefined) this.progressed();
        else this.failed(error);
      },
    );
    this.watchedStatus = new WatchedStatus(this.store, this.connection, environment);
    this.subscriptions = new Subscriptions(environment, {
      cursor: (workspaceId) => {
        const { checkpoint, workspaceId: own } = this.store.checkpoint.get();
        return workspaceId == null || workspaceId === own ? checkpoint : null;
      },
      refusal: () => this.connection.refusal,
    });
    this.store.setAsideUnreadable();
    if (options.online !== false) this.connection.start();
  }

  /** Identity of this copy in the clocks; changes when the file turns out to be a copy of another one's. */
  get replicaId(): ReplicaId {
    return this.store.checkpoint.get().replicaId;
  }

  /**
   * The documents of one collection; T is what the app keeps in it. A definition says which of its places hold texts that merge and
   * counters that add up; it is declared once for a name, at whichever call, and holds for all drafts from then on.
   * @throws ConcordError INPUT_INVALID for a definition that is none, or another than was declared before.
   */
  collection<T = unknown>(name: string, definition?: CollectionDefinition): Collection<T> {
    this.assertOpen();
    checkCollectionName(name);
    if (definition !== undefined) this.definitions.declare(name, definition);
    return new Collection<T>(name, this.store, this.edits, this.live, this.queries);
  }

  /** A document of any collection; undefined when it is not here. A deleted one is returned with `deleted: true`. */
  get<T = unknown>(id: string): DocumentView<T> | undefined {
    const state = this.store.forCaller().read(idOf(id));
    return state === undefined ? undefined : this.store.views.of<T>(state);
  }

  /** Calls the listener with a document of any collection now and after each change. */
  watch<T = unknown>(id: string, listener: (document: DocumentView<T> | undefined) => void): Unsubscribe {
    this.assertOpen();
    checkListener(listener);
    const tell = (): void => listener(this.get<T>(id));
    const now = this.get<T>(id);
    const stop = this.live.document(idOf(id), tell);
    callOfApp(() => listener(now));
    return stop;
  }

  get status(): ReplicaStatus {
    return this.watchedStatus.current;
  }

  /** Calls the listener with the status now and after each change. */
  onStatus(listener: (status: ReplicaStatus) => void): Unsubscribe {
    this.assertOpen();
    checkListener(listener);
    return this.watchedStatus.subscribe(listener);
  }

  /**
   * Takes back the newest edit made here, or the newest group of edits: of all documents, of one, or of one collection. What others have
   * set since stands; what is left of the edit is undone, by edits that go through the outbox as all do. Null: there is nothing
   * (left) to undo. The newest 100 groups are kept, restarts included.
   */
  undo(scope: UndoScope = {}): Undone | null {
    this.assertOpen();
    return this.undoStack.take('undo', scope);
  }

  /** Does again what was undone last. A new edit ends what could be redone. */
  redo(scope: UndoScope = {}): Undone | null {
    this.assertOpen();
    return this.undoStack.take('redo', scope);
  }

  canUndo(scope: UndoScope = {}): boolean {
    this.assertOpen();
    return this.undoStack.can('undo', scope);
  }

  canRedo(scope: UndoScope = {}): boolean {
    this.assertOpen();
    return this.undoStack.can('redo', scope);
  }

  /** All edits that `work` makes are undone together. Groups of one name in a row are one group: typing, say, until the app changes the name. */
  group<T>(work: () => T, name?: string): T {
    this.assertOpen();
    return this.undoStack.group(work, name);
  }

  /** Edits made here that have not come back from the server, oldest first. */
  pending(): readonly PendingChange[] {
    this.assertOpen();
    return deepFreeze(this.setAside.pending());
  }

  /**
   * Takes back an edit that was never sent; later edits of the document stay, and what they lose by it is in `conflicts()`. Refused, as a
   * value, where the server may have it already or later edits cannot be without it.
   */
  withdraw(patchId: string): Withdrawal {
    this.assertOpen();
    return this.setAside.withdraw(patchId as PatchId);
  }

  /** Where an edit made here met an edit of another replica and one of the two lost something, whichever was first; oldest first. */
  conflicts(documentId?: string): readonly LocalConflict[] {
    this.assertOpen();
    return deepFreeze(this.store.conflicts.list(documentId as DocumentId | undefined));
  }

  /** Calls the listener with each conflict that is found from now on, once it is in the file. */
  onConflict(listener: (conflict: LocalConflict) => void): Unsubscribe {
    this.assertOpen();
    checkListener(listener);
    this.conflictListeners.add(listener);
    return () => this.conflictListeners.delete(listener);
  }

  /**
   * Makes an edit that brings back what a conflict lost, at its place as it is now; whose loss it was makes no difference. Refused, as a
   * value with the reason, where there is nothing to bring back.
   */
  restoreConflict(id: number): Restoration {
    this.assertOpen();
    return restoreConflict(this.store, this.edits, id);
  }

  /** Forgets a conflict. False: there was none with this id. */
  dismissConflict(id: number): boolean {
    this.assertOpen();
    return this.store.transact(() => this.store.conflicts.delete(id));
  }

  /** Edits the server refused for good, with the reason; oldest first. See `retryQuarantined`, `discardQuarantined`. */
  quarantined(): readonly QuarantinedEdit[] {
    this.assertOpen();
    return deepFreeze(this.setAside.quarantined());
  }

  /**
   * Makes a refused edit again, as it is or with another patch, as a new edit with a new id; it then is no longer in quarantine. A
   * creation whose id is taken can be made under another `id`; its patch is one `add` of the whole document.
   * @throws ConcordError INPUT_INVALID (nothing in quarantine has this id) and what `edit`, `create`, `delete` and `restore` refuse; the edit then stays in quarantine.
   */
  retryQuarantined(patchId: string, changed?: WirePatch, names: { readonly id?: string } = {}): Edited {
    this.assertOpen();
    const edited = this.setAside.retry(patchId as PatchId, changed, names);
    this.progressed();
    return edited;
  }

  /** Forgets a refused edit: what it held is then gone. False: there was none with this id. */
  discardQuarantined(patchId: string): boolean {
    this.assertOpen();
    const discarded = this.setAside.discard(patchId as PatchId);
    this.progressed();
    return discarded;
  }

  /**
   * Documents that this replica held otherwise than the history that it went over to, after `takeHistory` or a restore that the operator
   * has announced; oldest first. They may be the last copies. Nothing of them is sent unless `bringBack` is called.
   */
  kept(): readonly KeptDocument[] {
    this.assertOpen();
    return deepFreeze(this.keptDocuments.list());
  }

  /**
   * Makes a kept document again as it was here: created, restored, or edited by what differs. It then is no longer in the list.
   * @throws ConcordError INPUT_INVALID (nothing is kept under this id) and what `create`, `restore` and `edit` refuse; it then stays in the list.
   */
  bringBack(id: number): Edited {
    this.assertOpen();
    const edited = this.keptDocuments.bringBack(id);
    this.progressed();
    return edited;
  }

  /** Forgets a kept document: what it held is then gone. False: there was none with this id. */
  dropKept(id: number): boolean {
    this.assertOpen();
    const dropped = this.keptDocuments.drop(id);
    this.progressed();
    return dropped;
  }

  /**
   * Goes over to the history of the server after the replica has stopped with OTHER_HISTORY. What the file holds otherwise is in `kept()`
   * afterwards; pending edits are rebased, and those on documents that are not there are in quarantine.
   * @throws ConcordError INPUT_INVALID when it has not stopped so.
   */
  takeHistory(): void {
    this.assertOpen();
    const taking = this.watchedStatus.stoppedAt('OTHER_HISTORY');
    this.store.transact(() => this.store.checkpoint.set({ taking, checkpoint: null, lossesSince: null }));
    this.connectAgain();
  }

  /**
   * Gives the file with its pending edits to the principal of the token, after the replica has stopped with OTHER_PRINCIPAL.
   * @throws ConcordError INPUT_INVALID when it has not stopped so.
   */
  handOver(): void {
    this.assertOpen();
    const principalId = this.watchedStatus.stoppedAt('OTHER_PRINCIPAL');
    this.store.transact(() => this.store.checkpoint.set({ principalId }));
    this.connectAgain();
  }

  /**
   * Empties the file, as for a log-out: documents, pending and refused edits, conflicts and what was kept are gone, sent or not, and the
   * file is nobody's. The replica is offline afterwards: `setToken`, then `goOnline`.
   */
  async clear(): Promise<void> {
    this.assertOpen();
    await this.connection.stop();
    this.session.clear((this.workspaceId ?? null) as WorkspaceId | null);
    this.watchedStatus.decided();
    this.progressed();
  }

  /**
   * Resolves when every edit made here has come back from the server and nothing newer was to be had at a moment after this
   * call; waits for a connection if there is none. Refused edits (see `quarantined`) count as done.
   * @throws ConcordError UNAVAILABLE when the replica is closed, or after `timeoutMs` (default: waits for ever); at once what the
   * server refuses the connection or the edits with, where waiting does not help: UNAUTHENTICATED (see `setToken`), FORBIDDEN
   * (a VIEWER has edited, say), OTHER_HISTORY and OTHER_PRINCIPAL (see `status.stopped`), WORKSPACE_NOT_FOUND, INPUT_INVALID (the filter, say), PERSISTED_QUERY_ONLY.
   */
  settled({ timeoutMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (timeoutMs === undefined || timeoutMs >= 0) return this.settling.settled(timeoutMs);
    return Promise.reject(new ConcordError('INPUT_INVALID', `timeoutMs must be a number of milliseconds from 0; got ${shown(timeoutMs)}.`, { path: '/timeoutMs' }));
  }

  /** Connects, at once even if it was waiting to try again, and stays connected. */
  goOnline(): void {
    this.assertOpen();
    this.connection.start();
  }

  /** Disconnects. Resolves when nothing of the connection runs any more. */
  async goOffline(): Promise<void> {
    await this.connection.stop();
  }

  /** Uses another token from the next connection on, and makes that one at once if the server refused the last one, or edits that came with it. */
  setToken(token: ReplicaOptions['token']): void {
    this.assertOpen();
    checkToken(token);
    this.token = token;
    if (this.push.refusal === undefined || !this.connection.wanted) return this.connection.tokenChanged();
    // Now, so that who waits from now on does not meet the refusal.
    this.push.stop();
    void this.connection.stop();
    this.connection.start();
  }

  /**
   * The urql client. Queries for `document` and `documents` are answered from SQLite, offline too, and again after each change
   * while they are subscribed to; everything else goes to the server. Edits by mutation go to the server as well: edit
   * through `collection` to work offline.
   */
  get client(): Client {
    this.urql ??= urqlClient({
      url: this.environment.url,
      token: () => this.environment.token(),
      store: this.store,
      queries: this.queries,
      live: this.live,
      assertOpen: () => this.assertOpen(),
      subscriptions: this.subscriptions,
      answerTimeoutMs: this.environment.answerTimeoutMs,
    });
    return this.urql;
  }

  /** Bytes through the socket so far, as they travelled. */
  bytes(): { readonly sent: number; readonly received: number } {
    return this.connection.bytes();
  }

  /**
   * Disconnects and closes the file. Nothing is lost: the outbox is sent when the file is opened again. From this call on every other
   * one is refused with UNAVAILABLE, and no listener is called any more but those of the status, until the file is closed; `status`,
   * `replicaId`, `bytes`, `goOffline` and `close` itself go on to work. May be called again: both resolve when the file is closed.
   */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    this.closed = true;
    this.store.endForCallers();
    this.live.end();
    this.conflictListeners.clear();
    this.progressed();
    await this.connection.stop();
    this.subscriptions.close();
    this.writeAheadLog.close();
    this.store.close();
    this.watchedStatus.end();
  }

  private openStore(database: Database, path: string): Store {
    const committed = (commit: Commit): void => {
      this.writeAheadLog.written();
      this.live.committed(commit);
      this.conflicted(commit.conflicts);
      this.progressed();
    };
    try {
      return translated(path, () => new Store(database, this.environment.newReplicaId, committed, { timestamp: () => this.timestamp(), damaged: (damage) => this.damaged(damage) }));
    } catch (error) {
      database.close();
      throw error;
    }
  }

  private timestamp(): string {
    return new Date(this.environment.now()).toISOString();
  }

  private connectAgain(): void {
    this.watchedStatus.decided();
    this.progressed();
    if (!this.connection.wanted) return;
    void this.connection.stop();
    this.connection.start();
  }

  private conflicted(conflicts: readonly LocalConflict[]): void {
    if (conflicts.length === 0 || this.conflictListeners.size === 0) return;
    // Not in the middle of a batch: a listener may edit.
    queueMicrotask(() => {
      // Copied: a listener may stop and listen anew, which would put it behind the others again and again.
      const listeners = [...this.conflictListeners];
      for (const conflict of deepFreeze(conflicts)) for (const listener of listeners) if (this.conflictListeners.has(listener)) callOfApp(() => listener(conflict));
    });
  }

  /** In the middle of a reading, hence later. */
  private damaged({ id, message, lost }: Damage): void {
    queueMicrotask(() => {
      if (this.closed) return;
      this.failed(new ConcordError('INTERNAL', message, { id }));
      if (lost) this.session.resync();
    });
  }

  private subscribeOn(state: ConnectionState): void {
    const { refusal } = this.connection;
    if (state === 'catching-up') this.subscriptions.connected(this.connection.socket());
    else if (state !== 'live') this.subscriptions.disconnected();
    if (refusal !== undefined) this.subscriptions.refused(refusal);
  }

  private failed(error: ConcordError): void {
    this.watchedStatus.failed(error);
    this.progressed();
  }

  private progressed(): void {
    this.settling.progressed();
    this.watchedStatus.progressed();
  }

  private assertOpen(): void {
    if (this.closed) throw new ConcordError('UNAVAILABLE', 'The replica is closed. Open it again.');
  }
}
