import type { PublishedChange } from '../commit/verdict.js';

/**
 * A batch ends with the change that reaches this size: it is what a reader that takes no more of it holds of the server's memory,
 * times as many as have stopped, each at a place of its own.
 */
export const batchBytes = 128 * 1024;

/** Where the batch ends that begins at index `from`. `more`: changes follow that are not among these. */
export function batchEnd(changes: readonly PublishedChange[], from: number, more: boolean): number {
  let end = from;
  for (let bytes = 0; end < changes.length && bytes < batchBytes; end++) bytes += changes[end]!.bytes;
  if (end === changes.length && !more) return end;
  return from + roundEnd(changes.slice(from, end), ({ record }) => record.position);
}

/**
 * How many of the changes of a batch that was cut short to hand out: up to the one at the roundest position (the most times even), but
 * more than a quarter. Readers that come from different places soon end their batches at the same ones, and share them from there on.
 */
export function roundEnd<Change>(changes: readonly Change[], positionOf: (change: Change) => number): number {
  let end = changes.length;
  let roundest = -1;
  for (let index = changes.length >> 2; index < changes.length; index++) {
    const roundness = timesEven(positionOf(changes[index]!));
    if (roundness < roundest) continue;
    roundest = roundness;
    end = index + 1;
  }
  return end;
}

function timesEven(position: number): number {
  let times = 0;
  for (let rest = position; rest > 0 && rest % 2 === 0; rest /= 2) times += 1;
  return times;
}
