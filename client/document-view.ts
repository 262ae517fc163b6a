import type { DocumentId, Revision } from '@concord/core';
import type { DocumentState } from './document-state.js';

/**
 * A document as the app sees it: with all local edits, also those not yet sent. It never changes; after an edit there is a
 * new one. `value` shares its parts with other views: do not alter it, edit the document.
 */
export interface DocumentView<T = unknown> {
  readonly id: DocumentId;
  readonly collection: string;
  readonly title: string;
  readonly value: T;
  /** Of the newest change from the server; 0 while it does not have the document. */
  readonly revision: Revision;
  readonly deleted: boolean;
  /** Edits made here that have not come back from the server. */
  readonly pendingEdits: number;
  /** ISO 8601; for people. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export const viewOf = <T>(state: DocumentState): DocumentView<T> => ({
  id: state.id,
  collection: state.collection,
  title: state.title,
  // The app says what its collections hold; nothing here can check it.
  value: state.value as unknown as T,
  revision: state.revision,
  deleted: state.deleted,
  pendingEdits: state.pending.length,
  createdAt: state.createdAt,
  updatedAt: state.updatedAt,
});
