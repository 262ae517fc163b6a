import { ConcordError, type Revision } from '@concord/core';
import type { DocumentRecord, FeedEvent } from '@concord/schema';
import { Derived } from './derived.js';

/**
 * One document now, then again after its changes. Follows the document's changes before it first reads the document, so none
 * falls in between; changes that come faster than they are read are seen as one.
 */
export class Watch extends Derived<DocumentRecord | null> {
  private started = false;
  private seen = -1 as Revision;

  constructor(
    changes: AsyncIterator<FeedEvent>,
    private readonly read: () => Promise<DocumentRecord | null>,
  ) {
    super(changes);
  }

  protected async follow(): Promise<IteratorResult<DocumentRecord | null>> {
    for (;;) {
      const event = await this.event();
      if (event === null) return { done: true, value: undefined };
      if (event.type === 'Resync') {
        if (event.reason === 'OTHER_HISTORY') throw new ConcordError('OTHER_HISTORY', 'The database holds another history than before; read the document again, and keep what you hold of it');
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
