import { ConcordError, type DocumentId, type WirePatch } from '@concord/core';
import { checkListener, idOf } from './arguments.js';
import { conditionsOf, pointerOf, shown, type Where } from './condition.js';
import type { DeepReadonly, DocumentView } from './document-view.js';
import type { DraftFunction, Edited, LocalEdits } from './edit.js';
import { callOfApp, LiveSelection, type Live, type Unsubscribe } from './live.js';
import type { Queries, Selection } from './query.js';
import type { Store } from './store/store.js';
import { deleteText, increment, insertText } from './text.js';

export interface Query {
  /** All must hold. */
  readonly where?: readonly Where[];
  /** A JSON pointer into the value, or `id`, `title`, `createdAt`, `updatedAt`. Default: `id`. */
  readonly orderBy?: string;
  readonly descending?: boolean;
  readonly limit?: number;
  /** Deleted documents too. Default: false. */
  readonly includeDeleted?: boolean;
}

/** The documents that match, now; `subscribe` tells them again after each change. The same result is the same array. */
export interface LiveQuery<T> {
  all(): readonly DocumentView<T>[];
  /** Calls the listener at once and after each change of the result; changes of one turn of the event loop are told together. */
  subscribe(listener: (documents: readonly DocumentView<T>[]) => void): Unsubscribe;
}

/**
 * The documents of one collection. Everything here works without a connection: reads come from SQLite, edits are in the file
 * when the call returns and are sent when there is a connection.
 */
export class Collection<T = unknown> {
  constructor(
    readonly name: string,
    private readonly store: Store,
    private readonly edits: LocalEdits,
    private readonly live: Live,
    private readonly queries: Queries,
  ) {}

  /**
   * Creates a document of a copy of the value, without members that are undefined. Without an id it gets a random one.
   * @throws ConcordError DOCUMENT_EXISTS, VALUE_INVALID, LIMIT_EXCEEDED, INPUT_INVALID.
   */
  create(value: T | DeepReadonly<T>, names: { readonly id?: string; readonly title?: string } = {}): Edited {
    return this.edits.create(this.name, value, names);
  }

  /** The document as it is now; undefined when it is not here, is deleted, or belongs to another collection. */
  get(id: string): DocumentView<T> | undefined {
    const state = this.store.forCaller().read(idOf(id));
    return state === undefined || state.deleted || state.collection !== this.name ? undefined : this.store.views.of<T>(state);
  }

  /**
   * Edits a document by RFC 6902 operations (with `inc`, `str_ins`, `str_del`), or by a function that alters a copy of the
   * value, whose difference is then the patch. All of it or nothing.
   * @throws ConcordError DOCUMENT_NOT_FOUND (or in another collection), DOCUMENT_DELETED, INPUT_INVALID (the function is async, or edits this document itself), and
   * what core's `apply` refuses, with `details.path` and `.operation`.
   */
  edit(id: string, change: WirePatch | DraftFunction<T>): Edited {
    return this.edits.edit(this.own(id), change as WirePatch | DraftFunction<never>);
  }

  /** Inserts into the text at `path` before the UTF-16 offset `pos`. */
  insertText(id: string, path: string, pos: number, text: string): Edited {
    return this.edits.edit(this.own(id), [insertText(path, pos, text)]);
  }

  /** Deletes `length` UTF-16 code units from the text at `path`. */
  deleteText(id: string, path: string, pos: number, length: number): Edited {
    return this.edits.edit(this.own(id), [deleteText(path, pos, length)]);
  }

  /** Adds to the whole number at `path`; concurrent increments add up. */
  increment(id: string, path: string, by = 1): Edited {
    return this.edits.edit(this.own(id), [increment(path, by)]);
  }

  /** Deletes a document; its last value is kept and can be restored. */
  delete(id: string): Edited {
    return this.edits.delete(this.own(id));
  }

  /** Brings a deleted document back. */
  restore(id: string): Edited {
    return this.edits.restore(this.own(id));
  }

  /** Calls the listener with the document now and after each change; undefined while it is not here or deleted. */
  watch(id: string, listener: (document: DocumentView<T> | undefined) => void): Unsubscribe {
    checkListener(listener);
    const tell = (): void => listener(this.get(id));
    const now = this.get(id);
    const stop = this.live.document(idOf(id), tell);
    callOfApp(() => listener(now));
    return stop;
  }

  query(query: Query = {}): LiveQuery<T> {
    this.store.forCaller();
    const selection = selectionOf(this.name, query);
    let last: readonly DocumentView<T>[] | undefined;
    const read = (rows: readonly { readonly id: DocumentId }[]): readonly DocumentView<T>[] => {
      const documents = rows.flatMap(({ id }) => {
        const state = this.store.read(id);
        return state === undefined ? [] : [this.store.views.of<T>(state)];
      });
      if (last?.length !== documents.length || documents.some((document, index) => document !== last?.[index])) last = Object.freeze(documents);
      return last;
    };
    return {
      all: () => {
        this.store.forCaller();
        return read(this.queries.select(selection));
      },
      subscribe: (listener) => {
        checkListener(listener);
        this.store.forCaller();
        let told: readonly DocumentView<T>[] | undefined;
        return new LiveSelection(this.live, this.queries, selection).subscribe((rows) => {
          const documents = read(rows);
          if (documents === told) return;
          told = documents;
          listener(documents);
        });
      },
    };
  }

  /** @throws ConcordError DOCUMENT_NOT_FOUND for a document of another collection: as `get` does not give it, it cannot be edited here. */
  private own(id: string): DocumentId {
    const state = this.store.forCaller().read(idOf(id));
    if (state === undefined || state.collection === this.name) return id as DocumentId;
    throw new ConcordError('DOCUMENT_NOT_FOUND', `There is no document ${id} in the collection ${this.name}; it is in ${state.collection}. Edit it through collection(${JSON.stringify(state.collection)}).`, { id });
  }
}

const orderFields = { id: 'ID', title: 'TITLE', createdAt: 'CREATED_AT', updatedAt: 'UPDATED_AT' } as const;

/** @throws ConcordError INPUT_INVALID, POINTER_INVALID, VALUE_INVALID with the place in the query. */
function selectionOf(collection: string, query: Query): Selection {
  const { where, orderBy = 'id', descending = false, limit, includeDeleted = false } = query;
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw new ConcordError('INPUT_INVALID', `limit must be a whole number from 0; got ${shown(limit)}. Leave it out for all documents.`, { path: '/limit' });
  }
  for (const [name, value] of [['descending', descending], ['includeDeleted', includeDeleted]] as const) {
    if (typeof value !== 'boolean') throw new ConcordError('INPUT_INVALID', `${name} must be true or false; got ${shown(value)}.`, { path: `/${name}` });
  }
  const field = Object.hasOwn(orderFields, orderBy) ? orderFields[orderBy as keyof typeof orderFields] : undefined;
  return {
    collection,
    ...(where === undefined ? {} : { where: conditionsOf(where, '/where') }),
    order: field === undefined ? { field: 'VALUE', path: pointerOf(orderBy, '/orderBy'), descending } : { field, descending },
    ...(limit === undefined ? {} : { limit }),
    includeDeleted,
  };
}
