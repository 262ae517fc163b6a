import { ConcordError, type Revision } from '@concord/core';
import type { DocumentRecord, FeedEvent } from '@concord/schema';

/**
 * One document now, then again after its changes. Follows the document's changes before it first reads the document, so none
 * falls in between; changes that come faster than they are read are seen as one.
 */
export class Watch implements AsyncIterableIterator<DocumentRecord | null> {
  private started = false;
  private seen = -1 as Revision;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly changes: AsyncIterator<FeedEvent>,
    private readonly read: () => Promise<DocumentRecord | null>,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<DocumentRecord | null>> {
    const result = this.turn.then(() => this.produce());
    this.turn = result.catch(() => undefined);
    return result;
  }

  async return(): Promise<IteratorResult<DocumentRecord | null>> {
    await this.changes.return?.();
    return { done: true, value: undefined };
  }

  private async produce(): Promise<IteratorResult<DocumentRecord | null>> {
    try {
      return await this.follow();
    } catch (error) {
      // Nobody returns a stream that has thrown.
      await this.changes.return?.();
      throw error;
    }
  }

  private async follow(): Promise<IteratorResult<DocumentRecord | null>> {
    for (;;) {
      const result = await this.changes.next();
      if (result.done === true) return { done: true, value: undefined };
      const event = result.value;
      if (event.type === 'Resync') {
        throw event.reason === 'EPOCH_CHANGED'
          ? new ConcordError('EPOCH_CHANGED', 'The history was rewritten; read the document again')
          : new ConcordError('LAGGED', 'The feed has moved on further than is kept; read the document again');
      }
      if (this.started && event.changes.length === 0) continue;
      const document = await this.read();
      // A change that the document already held when it was last read.
      if (this.started && (document?.revision ?? 0) <= this.seen) continue;
      this.started = true;
      this.seen = (document?.revision ?? 0) as Revision;
      return { done: false, value: document };
    }
  }
}
