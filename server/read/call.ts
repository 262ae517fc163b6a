import { ConcordError } from '@concord/core';
import type { Viewer } from '@concord/schema';

/** What one operation of a caller has read. */
export interface Call {
  /** Aborted when the caller has left: nobody waits for the answer any more. */
  readonly left: AbortSignal | undefined;
  bytes: number;
}

/** A page may have 4 MiB; what all pages of an operation have in memory at once is bounded by twice as much. */
const maxBytes = 4 * 1024 * 1024;

/** A viewer is made for each operation, and handed from one to the other with it. */
const calls = new WeakMap<Viewer, Call>();

export function openCall(viewer: Viewer, left: AbortSignal | undefined): void {
  calls.set(viewer, { left, bytes: 0 });
}

export const callOf = (viewer: Viewer): Call | undefined => calls.get(viewer);

/** Counts a page. @throws ConcordError QUERY_TOO_COMPLEX when the operation has had enough before. */
export function countBytes(viewer: Viewer, bytes: number): void {
  const call = calls.get(viewer);
  if (call === undefined) return;
  if (call.bytes > maxBytes) {
    throw new ConcordError('QUERY_TOO_COMPLEX', `One operation may read about ${maxBytes} bytes; what it asked for before this has ${call.bytes}. Ask in several operations.`, { limit: maxBytes, actual: call.bytes });
  }
  call.bytes += bytes;
}
