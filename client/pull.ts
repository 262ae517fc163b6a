import { ConcordError, type DocumentId, type PatchId } from '@concord/core';
import { adopt, type Head } from './adopt.js';
import { advance, type LossesAt } from './advance.js';
import { onlyKeys } from './carried.js';
import type { RemoteBatch, RemoteChange } from './change-row.js';
import type { HistoryKeeper } from './kept-documents.js';
import type { FoundConflict } from './store/conflicts.js';
import type { Store } from './store/store.js';

/** One transaction works for about so long before the event loop gets its turn. */
const sliceMs = 8;

/** What the pull needs of the rest of the replica. */
export interface PullSurroundings {
  readonly now: () => number;
  /** Newest state of documents, with this replica's counter in their logs; the server does not have those left out. */
  heads(ids: readonly DocumentId[]): Promise<readonly Head[]>;
  /** An edit of this replica has come back by the feed. */
  returned(patchId: PatchId): void;
  /** A document with pending edits no longer matches the filter: nothing of it comes back any more. */
  leftWithPending(id: DocumentId): void;
}

/** Takes the feed into the file. With the snapshot it is the only place where confirmed state moves. */
export class Pull {
  constructor(
    private readonly store: Store,
    private readonly surroundings: PullSurroundings,
  ) {}

  /**
   * Applies a batch: all of it, then its cursor. Long batches take several transactions, the last of which has the cursor: if
   * the process dies in between, the batch comes again and what is there already is dropped by its revision.
   */
  async apply(batch: RemoteBatch, losses: LossesAt = new Map()): Promise<void> {
    const groups = [...byDocument(batch.changes)];
    const holes = new Set<DocumentId>();
    let next = 0;
    while (next < groups.length) {
      const first = next;
      this.store.transact(() => {
        const end = performance.now() + sliceMs;
        do {
          const [id, changes] = groups[next++]!;
          if (!this.advanceOne(id, changes, losses)) holes.add(id);
        } while (next < groups.length && performance.now() < end);
        if (next === groups.length && holes.size === 0) this.finish(batch);
      });
      // Not those of documents yet to be fetched: they are still in the outbox, and would be sent again.
      for (const [id, changes] of groups.slice(first, next)) if (!holes.has(id)) this.tellReturned(changes);
      if (next < groups.length) await turn();
    }
    if (holes.size > 0) {
      await this.fetch([...holes]);
      const missed = [...holes].flatMap((id) => (groups.find(([group]) => group === id)?.[1] ?? []).flatMap(({ position }) => losses.get(position) ?? []));
      if (missed.length > 0) this.store.transact(() => this.noteMissed(missed));
      for (const [id, changes] of groups) if (holes.has(id)) this.tellReturned(changes);
    }
    if (holes.size > 0 || groups.length === 0) this.store.transact(() => this.finish(batch));
    for (const id of batch.left) {
      if (this.store.read(id as DocumentId)?.left === true) this.surroundings.leftWithPending(id as DocumentId);
    }
  }

  /** Fetches documents anew and rebases what is pending on them. `keeper`: they are of a history that is being left. */
  async fetch(ids: readonly DocumentId[], round = 0, keeper?: HistoryKeeper): Promise<void> {
    for (let start = 0; start < ids.length; start += 100) {
      const asked = ids.slice(start, start + 100);
      const heads = new Map((await this.surroundings.heads(asked)).map((head) => [head.id, head]));
      this.store.transact(() => {
        for (const id of asked) {
          const head = heads.get(id);
          const before = this.store.read(id);
          if (before !== undefined) keeper?.keep(before, head);
          if (head !== undefined) this.adoptOne(id, head, round);
          else if (before?.pending.length === 0) this.store.delete(id);
          else if (before !== undefined && before.revision > 0) keeper?.letGo(before);
        }
      });
      if (start + 100 < ids.length) await turn();
    }
  }

  /** Within the caller's transaction: what edits made here lost to changes that did not come one by one. None is noted twice. */
  noteMissed(losses: readonly FoundConflict[]): void {
    // Two edits may have met in several conflicts: all of them are looked for before the first is added.
    for (const loss of losses.filter((each) => !this.store.conflicts.has(each))) {
      const restore = loss.restore !== null && onlyKeys(loss.restore) ? loss.restore : null;
      this.store.addConflict({ ...loss, restore }, loss.committedAt ?? this.timestamp());
    }
  }

  private advanceOne(id: DocumentId, changes: readonly RemoteChange[], losses: LossesAt): boolean {
    const before = this.store.read(id);
    const advanced = advance(before, changes, losses);
    if (!advanced.ok) return false;
    if (advanced.value === undefined) return true;
    const { state, conflicts, moves } = advanced.value;
    if (state.left && state.pending.length === 0) this.store.delete(id);
    else if (state !== before) this.store.write(state, 0, moves);
    if (before !== undefined) this.store.carryRestores(before, moves);
    this.note(conflicts);
    for (const { patchId } of changes) this.store.quarantine.delete(patchId as PatchId);
    return true;
  }

  private adoptOne(id: DocumentId, head: Head, round: number): void {
    const before = this.store.read(id);
    // The feed was faster than this answer. In a snapshot the history may have been rewritten, and then the server is right.
    if (round === 0 && before !== undefined && head.revision < before.revision) return;
    const adopted = adopt(before, head);
    if (adopted.ok) {
      this.store.write(adopted.value.state, round);
      if (before !== undefined) this.store.carryRestores(before, adopted.value.moves);
      this.note(adopted.value.conflicts);
      return;
    }
    // The pending edits cannot be placed on the head: they are kept with the reason instead of being dropped.
    const at = this.timestamp();
    if (before !== undefined) this.store.quarantine.add(before, before.pending.map((edit) => ({ edit, reason: adopted.error })), at);
    const clean = adopt(undefined, head);
    if (!clean.ok) throw ConcordError.from(clean.error);
    this.store.write(clean.value.state, round);
  }

  private finish(batch: RemoteBatch): void {
    for (const text of batch.left) {
      const id = text as DocumentId;
      const state = this.store.read(id);
      if (state === undefined) continue;
      if (state.pending.length === 0) this.store.delete(id);
      else this.store.write({ ...state, left: true });
    }
    if (this.store.checkpoint.get().checkpoint !== batch.cursor) this.store.checkpoint.set({ checkpoint: batch.cursor });
  }

  private tellReturned(changes: readonly RemoteChange[]): void {
    for (const { patchId } of changes) this.surroundings.returned(patchId as PatchId);
  }

  private note(conflicts: readonly FoundConflict[]): void {
    if (conflicts.length === 0) return;
    const at = this.timestamp();
    for (const conflict of conflicts) this.store.addConflict(conflict, conflict.committedAt ?? at);
  }

  private timestamp(): string {
    return new Date(this.surroundings.now()).toISOString();
  }
}

/** Lets other work of the event loop run. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function byDocument(changes: readonly RemoteChange[]): Map<DocumentId, RemoteChange[]> {
  const groups = new Map<DocumentId, RemoteChange[]>();
  for (const change of changes) {
    const group = groups.get(change.documentId as DocumentId);
    if (group === undefined) groups.set(change.documentId as DocumentId, [change]);
    else group.push(change);
  }
  return groups;
}
