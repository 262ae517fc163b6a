import { deepFreeze, equalValues, type DocumentId, type JsonValue, type Revision } from '@concord/core';
import type { DocumentState } from './document-state.js';

/** What a collection holds, as it is handed out: nothing of it may be altered, at any depth. */
export type DeepReadonly<T> = T extends Scalar
  ? T
  : T extends Tuple
    ? { readonly [Index in keyof T]: DeepReadonly<T[Index]> }
    : T extends readonly (infer Item)[]
      ? readonly DeepReadonly<Item>[]
      : T extends object
        ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
        : T;
type Tuple = readonly [] | readonly [unknown, ...unknown[]];
type Scalar = string | number | bigint | boolean | symbol | null | undefined;

/**
 * A document as the app sees it: with all local edits, also those not yet sent. It is frozen all through; after an edit there is a
 * new one, which shares with it what has not changed. As long as nothing of it changes, every reading gives the same object.
 */
export interface DocumentView<T = unknown> {
  readonly id: DocumentId;
  readonly collection: string;
  readonly title: string;
  readonly value: DeepReadonly<T>;
  /** Of the newest change from the server; 0 while it does not have the document. */
  readonly revision: Revision;
  readonly deleted: boolean;
  /** Edits made here that have not come back from the server. */
  readonly pendingEdits: number;
  /** ISO 8601; for people. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/**
 * Makes what the app sees of documents, and gives the same object again until something of it changes. An app may hold a view for
 * longer than the store holds the document in memory, so views are found by id as well, as long as somebody holds them.
 */
export class Views {
  private readonly ofState = new WeakMap<DocumentState, DocumentView>();
  private readonly held = new Map<DocumentId, WeakRef<DocumentView>>();
  private readonly dropped = new FinalizationRegistry<DocumentId>((id) => {
    if (this.held.get(id)?.deref() === undefined) this.held.delete(id);
  });

  of<T>(state: DocumentState): DocumentView<T> {
    // The app says what its collections hold; nothing here can check it.
    return this.find(state) as DocumentView<T>;
  }

  private find(state: DocumentState): DocumentView {
    const known = this.ofState.get(state);
    if (known !== undefined) return known;
    const earlier = this.held.get(state.id)?.deref();
    if (earlier !== undefined && shows(earlier, state)) {
      this.ofState.set(state, earlier);
      return earlier;
    }
    const view: DocumentView = Object.freeze({
      id: state.id,
      collection: state.collection,
      title: state.title,
      value: deepFreeze(state.value),
      revision: state.revision,
      deleted: state.deleted,
      pendingEdits: state.pending.length,
      createdAt: state.createdAt,
      updatedAt: state.updatedAt,
    });
    this.ofState.set(state, view);
    this.held.set(state.id, new WeakRef(view));
    this.dropped.register(view, state.id);
    return view;
  }
}

const shows = (view: DocumentView, state: DocumentState): boolean =>
  view.revision === state.revision &&
  view.pendingEdits === state.pending.length &&
  view.deleted === state.deleted &&
  view.title === state.title &&
  view.collection === state.collection &&
  view.updatedAt === state.updatedAt &&
  view.createdAt === state.createdAt &&
  equalValues(view.value as JsonValue, state.value);
