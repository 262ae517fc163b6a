import type { Bridge, Counter, DocumentId, JsonValue, NormalPatch, PatchId, Position, ReplicaId, Revision, WorkspaceId } from '@concord/core';
import type { ChangeRecord } from '@concord/schema';

/** What a verdict tells of a change. */
export interface ToldChange {
  readonly patchId: PatchId;
  readonly revision: Revision;
  /** 0 until the statement that logs it has come back. */
  position: Position;
  /** Normal form as committed. */
  readonly patch: NormalPatch;
  /** Normal form as sent; null where it was committed as sent, or where neither is kept any more. */
  readonly sent: NormalPatch | null;
}

/** One change of a document's log, as the decisions on later edits need it. Usable as `LogDot` of the clock verdict. */
export interface LoggedChange extends ToldChange {
  readonly kind: ChangeRecord['kind'];
  readonly replicaId: ReplicaId;
  readonly counter: Counter;
  /** Revision the patch was made on. */
  readonly base: Revision;
  /** Serialised size of `patch`, for the bounds of the cache. */
  readonly bytes: number;
  /** The value after this change, kept for the newest few: an edit on that base needs no rebuild. */
  after: JsonValue | undefined;
}

/** The log had a change there, and it was compacted away. What became of the replica's newest such edit is remembered; of older ones null. */
export interface CompactedChange {
  readonly compacted: ToldChange | null;
}

/**
 * Where an author who sends chained patches on an old base stands: other people's changes told in the author's context, and
 * the document as the author sees it. Kept so that the next patch of the chain goes on from here instead of walking the log
 * again (docs/SEMANTICS.md, clocks).
 */
export interface Lane {
  readonly base: Revision;
  /** Revision up to which the log is in the bridge. */
  readonly upTo: Revision;
  readonly bridge: Bridge;
  readonly context: JsonValue;
}

/**
 * What this process knows of a document. It is ahead of the database while a batch is being decided and forgotten when the
 * batch fails; another node's commit makes it stale, which the unique keys of the log find out. So what is committed from it
 * is right by construction, and what is refused from it is refused only after it was loaded anew.
 */
export interface DocumentState {
  readonly workspaceId: WorkspaceId;
  readonly documentId: DocumentId;
  readonly epoch: number;
  /** The batch that loaded it or brought it up to date: within that batch it is known to be current. */
  loadedBy: number;
  /** Position of the workspace up to which it is known to be current. What is after it must be in the log for the keys to find. */
  knownAt: Position;
  /** Null: there is no such document. */
  facts: { readonly collection: string; readonly title: string; readonly createdAt: Date } | null;
  value: JsonValue;
  /** Serialised bytes of the value or somewhat more, never less: an exact count is made only near the limit. */
  valueBytes: number;
  revision: Revision;
  deleted: boolean;
  /** The newest changes without a hole, the last at `revision`. May be empty. */
  tail: LoggedChange[];
  /** Newest counters of the replicas asked for so far; of all replicas when `allCounters`. */
  readonly counters: Map<ReplicaId, Counter>;
  /** Replicas that were asked for and have no change in the log. */
  readonly strangers: Set<ReplicaId>;
  allCounters: boolean;
  /** The log before the tail is too large to be merged past: the tail is not made longer. */
  tailEnds: boolean;
  /** Changes that were looked up because a patch came again after the tail had passed. */
  readonly looked: Map<string, LoggedChange | CompactedChange>;
  /** Values at old bases that were rebuilt. */
  readonly rebuilt: Map<Revision, JsonValue>;
  readonly lanes: Map<ReplicaId, Lane>;
  /** Bytes of the patches that this process has logged since it last kept a snapshot. */
  sinceSnapshot: number;
  /** What `tail` weighs, as far as it was counted. */
  tailWeight: TailWeight;
}

/** A tail grows at its end or is another array: only what is new is counted. */
interface TailWeight {
  readonly tail: readonly LoggedChange[];
  readonly counted: number;
  readonly bytes: number;
}

export const notWeighed: TailWeight = { tail: [], counted: 0, bytes: 0 };

/** Something a decision cannot be made without; the batch loads it and asks again. */
export type Need =
  /** The state was loaded by an earlier batch and leads to a refusal: look whether another node has moved the document. */
  | { readonly kind: 'fresh' }
  | { readonly kind: 'counter'; readonly replicaId: ReplicaId }
  | { readonly kind: 'counters' }
  | { readonly kind: 'logged'; readonly replicaId: ReplicaId; readonly counter: Counter }
  /** The changes after `from`, exclusive. */
  | { readonly kind: 'tail'; readonly from: Revision }
  | { readonly kind: 'value'; readonly at: Revision };

export const tailStart = (state: DocumentState): number => state.revision - state.tail.length;

export const dotKey = (replicaId: ReplicaId, counter: Counter): string => `${replicaId}/${counter}`;

/** The value at a revision, if it is still held. */
export function valueAt(state: DocumentState, revision: number): JsonValue | undefined {
  if (revision === state.revision) return state.value;
  return state.tail[revision - tailStart(state) - 1]?.after ?? state.rebuilt.get(revision as Revision);
}

/** The change a replica made under a counter, if it is held. */
export function loggedUnder(state: DocumentState, replicaId: ReplicaId, counter: Counter): LoggedChange | CompactedChange | undefined {
  for (let index = state.tail.length - 1; index >= 0; index--) {
    const change = state.tail[index]!;
    if (change.replicaId === replicaId && change.counter === counter) return change;
  }
  return state.looked.get(dotKey(replicaId, counter));
}

const keptTail = 256;
const keptValues = 64;
const keptValueBytes = 2 * 1024 * 1024;
const keptLanes = 32;
const keptCounters = 4096;

/**
 * Drops what only very old bases would need. Values share most of their parts; each is counted in full up to 64 KiB, so the
 * bound holds for documents that are one large array as well.
 */
export function trim(state: DocumentState): void {
  if (state.tail.length > keptTail) {
    state.tail = state.tail.slice(-keptTail / 2);
    state.tailEnds = false;
  }
  const values = mostValues(state);
  // One change passes the mark at a time, unless a batch brought many: walk down until an emptied one is met.
  for (let index = state.tail.length - values - 1; index >= 0; index--) {
    const change = state.tail[index]!;
    if (change.after === undefined) break;
    change.after = undefined;
  }
  state.looked.clear();
  state.rebuilt.clear();
  if (state.strangers.size > keptCounters) state.strangers.clear();
  if (state.lanes.size > keptLanes) state.lanes.clear();
}

/** For how many of the newest changes the value after them is kept. */
const mostValues = ({ valueBytes }: DocumentState): number => Math.min(keptValues, Math.max(4, Math.floor(keptValueBytes / Math.min(valueBytes + 1, 65_536))));

/** What the state weighs in memory after it was trimmed, roughly: parsed JSON takes about three times its text. */
export function stateBytes(state: DocumentState): number {
  const copied = Math.min(state.valueBytes, 65_536);
  let bytes = 512 + 3 * state.valueBytes + 64 * (state.counters.size + state.strangers.size) + weighTail(state) + copied * Math.min(state.tail.length, mostValues(state));
  for (const lane of state.lanes.values()) bytes += 256 + copied + 128 * lane.bridge.others.length;
  return bytes;
}

function weighTail(state: DocumentState): number {
  const { tail, tailWeight } = state;
  let { counted, bytes } = tailWeight.tail === tail ? tailWeight : notWeighed;
  for (; counted < tail.length; counted++) {
    const change = tail[counted]!;
    bytes += 256 + 3 * change.bytes * (change.sent === null ? 1 : 2);
  }
  state.tailWeight = { tail, counted, bytes };
  return bytes;
}
