import type { FeedEvent } from '@concord/schema';

/** What a follower of the feed tells, seen as something else: one value at a time, in order, and it ends with the feed. */
export abstract class Derived<Value> implements AsyncIterableIterator<Value> {
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly source: AsyncIterator<FeedEvent>) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Value>> {
    const result = this.turn.then(() => this.produce());
    this.turn = result.catch(() => undefined);
    return result;
  }

  async return(): Promise<IteratorResult<Value>> {
    await this.source.return?.();
    return { done: true, value: undefined };
  }

  /** The next value, from as many events as it takes. */
  protected abstract follow(): Promise<IteratorResult<Value>>;

  /** The next event; null: the feed has ended. */
  protected async event(): Promise<FeedEvent | null> {
    const result = await this.source.next();
    return result.done === true ? null : result.value;
  }

  private async produce(): Promise<IteratorResult<Value>> {
    try {
      return await this.follow();
    } catch (error) {
      // Nobody returns a stream that has thrown.
      await this.source.return?.();
      throw error;
    }
  }
}
