import type { ExecutionResult } from 'graphql';
import type { ConcordError } from '@concord/core';
import type { Mask } from './mask.js';

/**
 * A subscription as a caller without a socket sees it: an error in the stream becomes a last result with `errors`, and so does
 * the end of the caller's rights. The source is told to stop as soon as the reader leaves.
 */
export function guardStream(
  source: AsyncIterable<ExecutionResult>,
  mask: Mask,
  onEnded: (listener: (reason: ConcordError) => void) => () => void,
): AsyncIterableIterator<ExecutionResult> {
  const iterator = source[Symbol.asyncIterator]();
  let finished = false;
  let ended: ConcordError | undefined;
  // A promise of the end that each `next` raced with would remember all of them for as long as the stream lives.
  let interrupt: (reason: ConcordError) => void = () => undefined;
  const stopWatching = onEnded((reason) => {
    ended = reason;
    interrupt(reason);
  });

  function nextOrEnd(): Promise<IteratorResult<ExecutionResult>> {
    return new Promise((resolve, reject) => {
      interrupt = reject;
      if (ended !== undefined) reject(ended);
      else iterator.next().then(resolve, reject);
    });
  }

  function finish(): void {
    finished = true;
    stopWatching();
    // Not awaited: a source may answer only after the value it waits for.
    iterator.return?.().catch(() => undefined);
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (finished) return { done: true, value: undefined };
      try {
        const next = await nextOrEnd();
        if (next.done !== true) return { done: false, value: maskResult(next.value, mask) };
        finish();
        return { done: true, value: undefined };
      } catch (error) {
        finish();
        return { done: false, value: { errors: [mask(error)] } };
      }
    },
    return() {
      if (!finished) finish();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}

/** The same result, when there is nothing to hide. */
export function maskResult(result: ExecutionResult, mask: Mask): ExecutionResult {
  return result.errors === undefined ? result : { ...result, errors: result.errors.map(mask) };
}
