import type { VectorClock } from './clock.js';
import type { ErrorCode } from './errors.js';
import type { Counter, PatchId, ReplicaId, Revision } from './ids.js';

/** What the author of an edit had seen: the revision it was made on, or the full vector with the edit itself included. */
export type EditContext =
  | { readonly epoch: number; readonly base: Revision }
  | { readonly epoch: number; readonly vector: VectorClock };

/** Identity and context of an edit, as sent. */
export interface ClockedEdit {
  readonly patchId: PatchId;
  readonly replicaId: ReplicaId;
  readonly counter: Counter;
  readonly clock: EditContext;
}

/** One change in the log of a document, as far as clocks care. */
export interface LogDot {
  readonly replicaId: ReplicaId;
  readonly counter: Counter;
  readonly revision: Revision;
}

/** What the server knows of a document, read in one transaction. */
export interface DocumentHistory {
  readonly epoch: number;
  /** Revision of the newest change; 0 for a document that does not exist yet. */
  readonly head: Revision;
  /** Newest counter in the log of every replica that is not retired: the vector at the head. */
  readonly counters: VectorClock;
  /** Newest counter of replicas that were quiet for longer than the retention. They may be answered, not continued. */
  readonly retired?: VectorClock;
  /** The newest changes, oldest first, without holes, the last one at `head`. What is older can no longer be transformed past. */
  readonly tail: readonly LogDot[];
  /** The patch in the log under the edit's replica and counter; undefined if there is none (any more). */
  readonly logged: PatchId | undefined;
  /** Whether the lease of the edit's replica has run out. */
  readonly leaseExpired?: boolean;
}

/**
 * What is to be done with an edit. `base` is the newest revision whose state is the author's context without the author's own
 * changes counted, so (base, head] begins with a change of somebody else, or is empty.
 */
export type ClockVerdict =
  | { readonly kind: 'resync'; readonly epoch: number }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'cloned' }
  | { readonly kind: 'retired' }
  | { readonly kind: 'future' }
  | { readonly kind: 'gap'; readonly expected: Counter }
  | { readonly kind: 'not-a-prefix' }
  | { readonly kind: 'stale'; readonly oldest: Revision }
  | { readonly kind: 'fast-forward'; readonly base: Revision }
  | { readonly kind: 'concurrent'; readonly base: Revision };

/**
 * The server's decision of docs/SEMANTICS.md, clocks and verdicts, in its order: duplicates are recognised before gaps and staleness, so that a lost
 * acknowledgement can always be answered. Pure; an edit's compact clock and its vector get the same verdict as long as the
 * base is retained.
 *
 * A duplicate whose log entry is no longer retained is `stale`: the author then drops what its counter says was accepted.
 * Cost: the retained changes since the base.
 */
export function decideClock(edit: ClockedEdit, history: DocumentHistory): ClockVerdict {
  const { replicaId, counter, clock } = edit;
  const oldest = (history.head - history.tail.length) as Revision;
  if (clock.epoch !== history.epoch) return { kind: 'resync', epoch: history.epoch };

  const live = history.counters.get(replicaId);
  const newest = live ?? history.retired?.get(replicaId) ?? 0;
  if (counter <= newest) {
    if (history.logged === undefined) return { kind: 'stale', oldest };
    return history.logged === edit.patchId ? { kind: 'duplicate' } : { kind: 'cloned' };
  }
  const forgotten = live === undefined && (counter > 1 || newest > 0);
  if (forgotten || history.leaseExpired === true) return { kind: 'retired' };
  if (isFromFuture(edit, history)) return { kind: 'future' };
  if (counter > newest + 1) return { kind: 'gap', expected: (newest + 1) as Counter };

  const base = 'base' in clock ? clock.base : baseOf(clock.vector, edit, history);
  if (base === undefined) return { kind: 'not-a-prefix' };
  if (base < oldest) return { kind: 'stale', oldest };
  let first = base - oldest;
  while (first < history.tail.length && history.tail[first]!.replicaId === replicaId) first += 1;
  const settled = (oldest + first) as Revision;
  return settled === history.head ? { kind: 'fast-forward', base: settled } : { kind: 'concurrent', base: settled };
}

function isFromFuture({ replicaId, clock }: ClockedEdit, history: DocumentHistory): boolean {
  if ('base' in clock) return clock.base > history.head;
  for (const [replica, seen] of clock.vector) {
    if (replica === replicaId) continue;
    if (seen > (history.counters.get(replica) ?? history.retired?.get(replica) ?? 0)) return true;
  }
  return false;
}

/**
 * The newest revision whose vector is the author's, off the author: found by walking the chain of vectors down from the
 * head. A revision below the retained ones (told as -1) if the walk ends first, undefined if no revision ever had this vector.
 */
function baseOf(vector: VectorClock, { replicaId, counter }: ClockedEdit, history: DocumentHistory): Revision | undefined {
  const own = vector.get(replicaId);
  if (own !== undefined && own !== counter) return undefined;
  // Replicas of which the walk is still above what the author had seen. None is below: the vector is not from the future.
  let above = 0;
  for (const [replica, newest] of history.counters) {
    if (replica !== replicaId && newest > (vector.get(replica) ?? 0)) above += 1;
  }
  let revision = history.head as number;
  for (let index = history.tail.length - 1; above > 0; index--) {
    if (index < 0) return -1 as Revision;
    const entry = history.tail[index]!;
    if (entry.replicaId !== replicaId) {
      const seen = vector.get(entry.replicaId) ?? 0;
      // The author had seen this change, but not one that stands before it in the log: no prefix looks like that.
      if (entry.counter <= seen) return undefined;
      if (entry.counter === seen + 1) above -= 1;
    }
    revision -= 1;
  }
  return revision as Revision;
}

/** The code that a verdict is refused with; null for the three that are answered with success. */
export const clockErrorCodes = {
  resync: 'EPOCH_CHANGED',
  duplicate: null,
  cloned: 'REPLICA_CLONED',
  retired: 'REPLICA_RETIRED',
  future: 'CLOCK_FUTURE',
  gap: 'CLOCK_GAP',
  'not-a-prefix': 'CLOCK_NOT_A_PREFIX',
  stale: 'CLOCK_STALE',
  'fast-forward': null,
  concurrent: null,
} as const satisfies Record<ClockVerdict['kind'], ErrorCode | null>;
