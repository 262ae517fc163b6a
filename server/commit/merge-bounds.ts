import type { NormalPatch, Operation, ReplicaId, Revision } from '@concord/core';
import type { FoundConflict } from './decide.js';
import { tailStart, type DocumentState } from './document-state.js';
import { refuse, type RefusedDecision } from './refuse.js';

// What one edit may cost to merge (I9). Beyond it the author pulls and rebases, and pays for it in its own process.

/** Bytes of the log, as sent and as committed, that are held to merge past. */
export const defaultReachBytes = 16 * 1024 * 1024;
/** Bytes that the documents of one batch, and their logs, may take together while they are merged; a single one may take more. */
export const defaultLoadBytes = 16 * 1024 * 1024;
/** Pairs of operations that one transform may meet: about a second and a half where every pair touches. */
const mostPairs = 10_000_000;
/** Each conflict is stored and sent with both of its operations. */
const mostConflictBytes = 16 * 1024 * 1024;

/** A refusal when the edit meets too many operations of others. `base` must lie in the tail. */
export function tooManyPairs(state: DocumentState, author: ReplicaId, base: Revision, patch: readonly unknown[]): RefusedDecision | undefined {
  const chained = state.lanes.get(author)?.base === base;
  let own = patch.length;
  let others = 0;
  for (let index = base - tailStart(state); index < state.tail.length; index++) {
    const change = state.tail[index]!;
    if (change.replicaId !== author) others += change.patch.length;
    else if (!chained) own += change.patch.length;
  }
  if (own * others <= mostPairs) return undefined;
  return refuse('CLOCK_STALE', `${own} operations meet ${others} of others since revision ${base}, more than are merged at once; pull, rebase and push again`, {
    limit: mostPairs,
    actual: own * others,
  });
}

/** A refusal when what the merge found to report is too large to store. */
export function tooManyConflicts(conflicts: readonly FoundConflict[]): RefusedDecision | undefined {
  const sizes = new Map<Operation, number>();
  const sizeOf = (operation: Operation): number => {
    let size = sizes.get(operation);
    if (size === undefined) sizes.set(operation, (size = textLength(operation)));
    return size;
  };
  let bytes = 0;
  for (const { conflict } of conflicts) {
    bytes += 200 + sizeOf(conflict.losing.op) + sizeOf(conflict.winning.op) + (conflict.lost === undefined ? 0 : textLength(conflict.lost));
    if (bytes > mostConflictBytes) {
      return refuse('CLOCK_STALE', `The edit is in conflict with too many changes for all of it to be recorded (${conflicts.length} conflicts); pull, rebase and push again`, {
        limit: mostConflictBytes,
        actual: bytes,
      });
    }
  }
  return undefined;
}

const textLength = (value: unknown): number => JSON.stringify(value).length;

/** What a change weighs against the reach. */
export const patchesBytes = (patch: NormalPatch, sent: NormalPatch | null): number => textLength(patch) + (sent === null ? 0 : textLength(sent));
