import type { DocumentId, WorkspaceId } from '@concord/core';
import { LRUCache } from 'lru-cache';
import { stateBytes, trim, type DocumentState } from './document-state.js';

export type DocumentKey = string;

/** No id holds a line break, so two ids make one key. */
export const documentKey = (workspaceId: WorkspaceId, documentId: DocumentId): DocumentKey => `${workspaceId}\n${documentId}`;

/**
 * The documents this process knows, bounded in bytes. What is here may be behind the database, never ahead of it outside a
 * running batch: whoever decides on it must have the unique keys of the log confirm it.
 */
export class Heads {
  private readonly states: LRUCache<DocumentKey, DocumentState>;

  constructor(maxBytes: number) {
    this.states = new LRUCache({ maxSize: maxBytes, maxEntrySize: maxBytes });
  }

  get(key: DocumentKey): DocumentState | undefined {
    return this.states.get(key);
  }

  /** Takes a state in after its batch was committed, and drops of it what only very old bases would need. */
  keep(key: DocumentKey, state: DocumentState): void {
    trim(state);
    this.states.set(key, state, { size: stateBytes(state) });
  }

  figures(): { readonly cachedDocuments: number; readonly cachedBytes: number } {
    return { cachedDocuments: this.states.size, cachedBytes: this.states.calculatedSize };
  }

  forget(key: DocumentKey): void {
    this.states.delete(key);
  }
}
