import { ConcordError, canonicalJson, type Cursor, type DocumentId, type Failure, type JsonValue, type ReplicaId, type WorkspaceId } from '@concord/core';
import type { Head } from './adopt.js';
import { changeOf } from './change-row.js';
import { inFilter, wireFilter } from './filter.js';
import { ChangesDocument, HeadsDocument, IdentityDocument, LossesDocument, ProbeDocument, PushDocument, SnapshotDocument, type HeadsQuery } from './generated/graphql.js';
import { Losses, readLosses, type AskLosses } from './losses.js';
import type { DocumentState } from './document-state.js';
import type { Environment } from './options.js';
import { turn, type Pull } from './pull.js';
import type { Push } from './push.js';
import { takeSnapshot } from './snapshot.js';
import type { Store } from './store/store.js';
import type { Socket } from './transport.js';

/** A document whose clock moved while it was read is read again, at most so often. */
const mostHeadReads = 5;
/** Documents in one transaction of a purge, after which the event loop gets its turn. */
const purgedAtOnce = 250;

export interface SessionEvents {
  /** Everything committed before is here; edits flow. */
  live(): void;
  /** A batch of the feed is in the file. */
  pulled(upToDate: boolean): void;
  /** Something is wrong that does not end the session. */
  failed(error: ConcordError): void;
}

/**
 * What a replica does with one connection, in this order: learns its workspace, takes a snapshot if it must, follows the
 * feed from its checkpoint until nothing newer is known, and only then pushes. So an edit whose acknowledgement was lost
 * comes back before it could be sent again, and is rebased before it is sent.
 */
export class Session {
  private wanted: 'resync' | 'new-replica-id' | undefined;
  private endStream: (() => void) | undefined;
  /** What a push was refused with that ends the connection. */
  private ended: ConcordError | undefined;

  constructor(
    private readonly environment: Environment,
    private readonly store: Store,
    private readonly pull: Pull,
    private readonly push: Push,
    private readonly events: SessionEvents,
  ) {}

  /** The file has lost a document: all is taken from the server anew, at once or at the next connection, also of another process. */
  resync(): void {
    this.store.transact(() => this.leaveFeed());
    this.wanted = 'resync';
    this.endStream?.();
  }

  /** Runs until the connection ends. @throws ConcordError always. */
  async run(socket: Socket): Promise<never> {
    this.ended = undefined;
    await this.identify(socket);
    for (;;) {
      if (this.wanted === 'resync') {
        this.store.transact(() => this.leaveFeed());
        this.wanted = undefined;
      }
      try {
        if (this.store.checkpoint.get().checkpoint === null) await this.snapshot(socket);
        if (this.store.checkpoint.get().lossesSince !== null) await this.hearMissed(socket);
        await this.follow(socket);
      } catch (error) {
        if (!(error instanceof ConcordError)) throw error;
        if (error.code === 'FORBIDDEN' || error.code === 'WORKSPACE_NOT_FOUND') await this.purge(error);
        throw error;
      }
    }
  }

  /**
   * Newest states with clocks. The server reads a document and then its clock, so a change may come in between: the clock is
   * believed when its counters add up to the revision, or when the document had not moved at the next reading.
   */
  async heads(socket: Socket, ids: readonly DocumentId[]): Promise<readonly Head[]> {
    const { replicaId } = this.store.checkpoint.get();
    const heads: Head[] = [];
    let moving = new Map<string, Head>();
    let asked: readonly string[] = ids;
    for (let attempt = 0; asked.length > 0; attempt++) {
      if (attempt === mostHeadReads) throw new ConcordError('UNAVAILABLE', `The documents ${asked.join(', ')} changed each time they were read.`);
      const again = new Map<string, Head>();
      for (const node of await this.headNodes(socket, asked)) {
        const own = node.clock.find((entry) => entry.replicaId === replicaId);
        const head: Head = { ...node, counter: own?.counter ?? 0, patchId: own?.patchId ?? null };
        const before = moving.get(node.id);
        if (node.clock.reduce((sum, { counter }) => sum + counter, 0) === node.revision) heads.push(head);
        else if (before?.revision === node.revision) heads.push(before);
        else again.set(node.id, head);
      }
      moving = again;
      asked = [...again.keys()];
    }
    return heads;
  }

  /** Whether the server has nothing, at this moment, that is not here, and nothing waits here to be sent. */
  async nothingNewer(socket: Socket): Promise<boolean> {
    const { checkpoint } = this.store.checkpoint.get();
    const { filter } = this.environment;
    // A reader whose filter looks at values is behind the log by what does not concern it; that is asked for in few pages.
    const first = filter.where === undefined ? 1 : 1000;
    for (let after = checkpoint; ; ) {
      const { changes: event } = await socket.execute(ProbeDocument, { after, first, ...wireFilter(filter), workspaceId: this.workspaceId() });
      if (event.__typename !== 'ChangeBatch' || event.changes.length > 0) return false;
      if (event.left.some((id) => this.store.read(id as DocumentId) !== undefined)) return false;
      if (event.upToDate) return this.store.pendingCount === 0;
      after = event.cursor;
    }
  }

  /** Large documents end a page early. */
  private async headNodes(socket: Socket, ids: readonly string[]): Promise<HeadsQuery['documents']['nodes']> {
    const nodes: HeadsQuery['documents']['nodes'][number][] = [];
    for (let after: string | null = null; ; ) {
      const { documents }: HeadsQuery = await socket.execute(HeadsDocument, { ids: [...ids], first: ids.length, after, workspaceId: this.workspaceId() });
      nodes.push(...documents.nodes);
      after = documents.pageInfo.endCursor ?? null;
      if (!documents.pageInfo.hasNextPage || after === null) return nodes;
    }
  }

  private async identify(socket: Socket): Promise<void> {
    const { checkpoint } = this.store;
    const filter = canonicalJson(wireFilter(this.environment.filter) as JsonValue);
    if (checkpoint.get().filter !== filter) {
      this.store.transact(() => {
        this.leaveFeed();
        checkpoint.set({ filter });
      });
    }
    const { viewer, workspaces } = await socket.execute(IdentityDocument, {});
    const meta = checkpoint.get();
    if (meta.principalId !== null && meta.principalId !== viewer.id) throw otherPrincipal(meta.principalId, viewer.id);
    const found = meta.workspaceId === null ? workspaces.find(({ isDefault }) => isDefault) : workspaces.find(({ id }) => id === meta.workspaceId);
    if (found !== undefined && meta.historyId !== null && found.history !== meta.historyId && found.history !== meta.taking) throw otherHistory(found.history);
    if (meta.principalId === null) this.store.transact(() => checkpoint.set({ principalId: viewer.id }));
    // Whoever is no member any more is told so by the feed.
    if (found !== undefined && meta.historyId !== found.history) this.store.transact(() => checkpoint.set({ historyId: found.history }));
    if (meta.workspaceId !== null) return;
    if (found === undefined) {
      throw new ConcordError('WORKSPACE_NOT_FOUND', 'The principal of this token has no workspace that an app means without naming one. Open the replica with workspaceId, or choose one with setDefaultWorkspace, then connect again.');
    }
    this.store.transact(() => checkpoint.set({ workspaceId: found.id as WorkspaceId }));
  }

  private async snapshot(socket: Socket): Promise<void> {
    const variables = { first: 1000, ...wireFilter(this.environment.filter), workspaceId: this.workspaceId() };
    const { taking, historyId } = this.store.checkpoint.get();
    await takeSnapshot(this.store, this.pull, {
      readPage: async (after) => {
        const { snapshot } = await socket.execute(SnapshotDocument, { ...variables, after });
        if (historyId !== null && snapshot.history !== historyId) throw otherHistory(snapshot.history);
        return snapshot;
      },
      inFilter: (state) => inFilter(this.environment.filter, state),
      timestamp: () => this.timestamp(),
    });
    // What the log of the history that was left knows of this replica says nothing here.
    if (taking !== null) this.wanted = 'new-replica-id';
  }

  /** Within the caller's transaction: the feed cannot be continued. What was lost to changes after this cursor is asked for later. */
  private leaveFeed(): void {
    const { checkpoint, lossesSince } = this.store.checkpoint.get();
    this.store.checkpoint.set({ checkpoint: null, lossesSince: lossesSince ?? checkpoint });
  }

  /** After a resync: what edits made here lost to changes that did not come by the feed. */
  private async hearMissed(socket: Socket): Promise<void> {
    const losses = await readLosses(this.asking(socket, this.store.checkpoint.get().lossesSince));
    this.store.transact(() => {
      this.pull.noteMissed(losses);
      this.store.checkpoint.set({ lossesSince: null });
    });
  }

  private asking(socket: Socket, since: Cursor | null): AskLosses {
    const { replicaId, workspaceId } = this.store.checkpoint.get();
    return async (after) => (await socket.execute(LossesDocument, { replicaId, since, after, workspaceId })).losses;
  }

  /** Returns when the feed must begin anew: told so by the server, or by `restart`. */
  private async follow(socket: Socket): Promise<void> {
    const stream = socket.follow(ChangesDocument, {
      after: this.store.checkpoint.get().checkpoint,
      ...wireFilter(this.environment.filter),
      workspaceId: this.workspaceId(),
    });
    const losses = new Losses();
    const { timers, answerTimeoutMs } = this.environment;
    const late = timers.set(() => void stream.return?.(), answerTimeoutMs);
    let events = 0;
    let live = false;
    try {
      for await (const { changes: event } of stream) {
        events++;
        timers.clear(late);
        if (event.__typename === 'Resync') {
          if (event.reason === 'OTHER_HISTORY') throw otherHistory(this.store.checkpoint.get().historyId ?? '');
          this.wanted = 'resync';
          return;
        }
        const changes = event.rows.map(changeOf);
        const { replicaId, checkpoint } = this.store.checkpoint.get();
        await this.pull.apply({ ...event, changes }, await losses.of(changes, replicaId, this.asking(socket, checkpoint)));
        this.events.pulled(event.upToDate);
        if (this.wanted === 'resync') return;
        if (!event.upToDate || live) continue;
        live = true;
        if (this.wanted === 'new-replica-id') this.takeNewId();
        this.endStream = () => void stream.return?.();
        this.startPush(socket, this.endStream);
        this.events.live();
      }
    } catch (error) {
      // A role may only have been lowered: the next subscription tells whether anything is left to read.
      const again = error instanceof ConcordError && (error.code === 'LAGGED' || error.code === 'FORBIDDEN');
      if (!again || events === 0) throw error;
    } finally {
      this.endStream = undefined;
      timers.clear(late);
      this.push.stop();
      await stream.return?.();
      // What is on its way under the old id or epoch must be decided before either changes.
      await this.push.drained();
    }
    if (this.ended !== undefined) throw this.ended;
    if (events === 0 && this.wanted === undefined) throw new ConcordError('UNAVAILABLE', `The feed ended before its first event, or did not begin within ${answerTimeoutMs} ms.`);
  }

  private startPush(socket: Socket, endStream: () => void): void {
    this.push.start({
      send: async (edits) => {
        const { replicaId, checkpoint: after, principalId } = this.store.checkpoint.get();
        return (await socket.execute(PushDocument, { replicaId, edits, workspaceId: this.workspaceId(), after, principalId })).push.verdicts;
      },
      fetch: (id) => this.pull.fetch([id]),
      restart: (why) => {
        this.wanted = why;
        endStream();
      },
      failed: (error) => {
        this.events.failed(error);
        if (error.code === 'UNAUTHENTICATED') socket.close();
        if (error.code !== 'OTHER_HISTORY' && error.code !== 'OTHER_PRINCIPAL') return;
        this.ended = error;
        endStream();
      },
    });
  }

  /**
   * The server knows this replica id from somewhere else, or no longer. All that was committed under it has come back by now
   * (a new subscription was read to its end), so what is still pending never was: it begins to count anew.
   */
  private takeNewId(): void {
    this.wanted = undefined;
    this.store.transact(() => {
      this.store.checkpoint.set({ replicaId: this.environment.newReplicaId() satisfies ReplicaId });
      this.store.outbox.forgetCounters();
      this.store.documents.forgetCounters();
    });
    this.store.dropCache();
  }

  /** The right to read is gone: so is the cache. What was typed here and not yet sent is kept in quarantine. */
  private async purge(error: ConcordError): Promise<void> {
    const reason: Failure = { code: error.code, message: error.message };
    const at = this.timestamp();
    // First of all: if the process dies before the last document is gone, the next connection goes on with the purge.
    this.store.transact(() => {
      this.store.checkpoint.set({ checkpoint: null });
      this.store.conflicts.clear();
    });
    await this.drop((state) => this.store.quarantine.add(state, state.pending.map((edit) => ({ edit, reason })), at));
  }

  /** Empties the file, the outbox included, and forgets whose it was. Not while there is a connection. */
  clear(workspaceId: WorkspaceId | null): void {
    // All at once: whoever opens the file after a death in between must not find edits of another, and send them as their own (I12).
    this.store.transact(() => {
      this.store.checkpoint.clear(this.environment.newReplicaId(), workspaceId);
      this.store.conflicts.clear();
      this.store.quarantine.clear();
      this.store.kept.clear();
      for (const id of this.store.documents.all()) this.store.delete(id);
    });
    this.store.compactFile();
  }

  private async drop(before: (state: DocumentState) => void): Promise<void> {
    for (let ids = this.store.documents.all(); ids.length > 0; ids = this.store.documents.all()) {
      for (let start = 0; start < ids.length; start += purgedAtOnce) {
        this.store.transact(() => {
          for (const id of ids.slice(start, start + purgedAtOnce)) {
            const state = this.store.read(id);
            if (state !== undefined) before(state);
            this.store.delete(id);
          }
        });
        await turn();
      }
    }
  }

  private timestamp(): string {
    return new Date(this.environment.now()).toISOString();
  }

  private workspaceId(): WorkspaceId | null {
    return this.store.checkpoint.get().workspaceId;
  }
}

const otherPrincipal = (own: string, met: string): ConcordError =>
  new ConcordError('OTHER_PRINCIPAL', `The file is of the principal ${own}, and the token is of ${met}: nothing was sent. Set a token of ${own} (setToken), give the file and its pending edits to ${met} (handOver), or empty it (clear).`, { id: met });

const otherHistory = (met: string): ConcordError =>
  new ConcordError(
    'OTHER_HISTORY',
    'The server holds another history than this file: it is another server or database, or was restored from an older backup. Everything is kept here and nothing is sent. Connect to the right server, or take its history (takeHistory): what it lacks is then kept in a list.',
    { id: met },
  );
