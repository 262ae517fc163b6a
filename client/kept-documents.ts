import { ConcordError, diff, equalValues, toWire, type DocumentId, type JsonValue, type Revision, type WirePatch } from '@concord/core';
import type { DocumentState } from './document-state.js';
import type { Edited, LocalEdits } from './edit.js';
import type { KeptRow } from './store/kept.js';
import type { Store } from './store/store.js';

/** A document that this replica held otherwise than the history that it went over to, and what brings it back. */
export interface KeptDocument extends KeptRow {
  /** What `bringBack` does, on the document as it is here now. MISSING: one `add` of the whole document. Empty: there is nothing to do any more. */
  readonly patch: WirePatch;
}

/** What of a document the history that is taken has. */
export interface ServerState {
  readonly value: JsonValue;
  readonly deleted: boolean;
  readonly revision: Revision;
}

/**
 * While a replica goes over to another history, keeps what it holds and the server does not: it may be the last copy in the world.
 * Whether the server is behind or ahead cannot be told for each document, because revisions of two histories do not compare: what
 * differs is kept.
 */
export class HistoryKeeper {
  constructor(
    private readonly store: Store,
    private readonly timestamp: () => string,
  ) {}

  /** Within a transaction, before the document is written or deleted. Undefined: the server has none. */
  keep(before: DocumentState, server: ServerState | undefined): void {
    // What only this replica knows of is in its outbox; what was deleted here is nothing to bring back.
    if (before.revision === 0 || before.confirmedDeleted) return;
    const confirmed = before.confirmed ?? before.value;
    if (server === undefined) this.add(before, 'MISSING', before.value, null);
    else if (server.deleted) this.add(before, 'DELETED', confirmed, server.revision);
    else if (!equalValues(confirmed, server.value)) this.add(before, 'DIFFERS', confirmed, server.revision);
  }

  /** Within a transaction: the server has no such document. Edits that waited on it are in what was kept, and in quarantine one by one. */
  letGo(state: DocumentState): void {
    const reason = { code: 'OTHER_HISTORY', message: `The history that was taken has no document ${state.id}, which this edit was made on. kept() holds the document with it.` } as const;
    this.store.quarantine.add(state, state.pending.map((edit) => ({ edit, reason })), this.timestamp());
    this.store.delete(state.id);
  }

  private add({ id, collection, title, revision }: DocumentState, reason: KeptRow['reason'], value: JsonValue, serverRevision: Revision | null): void {
    this.store.kept.add({ documentId: id, reason, collection, title, value, revision, serverRevision, keptAt: this.timestamp() });
  }
}

/** The list of what was kept, for the app to decide on. */
export class KeptDocuments {
  constructor(
    private readonly store: Store,
    private readonly edits: LocalEdits,
  ) {}

  list(): readonly KeptDocument[] {
    return this.store.kept.list().map((row) => ({ ...row, patch: this.patchOf(row, this.store.read(row.documentId)) }));
  }

  /** @throws ConcordError INPUT_INVALID (there is none of this id), and what `create`, `restore` and `edit` refuse: then it stays in the list. */
  bringBack(id: number): Edited {
    const row = this.store.kept.get(id);
    if (row === undefined) throw new ConcordError('INPUT_INVALID', `No document was kept under ${id}: kept() lists those that are.`);
    const { documentId, collection, title, value } = row;
    if (this.store.read(documentId)?.deleted === true) this.edits.restore(documentId);
    return this.edits.together(
      () => {
        const now = this.store.read(documentId);
        return now === undefined ? this.edits.create(collection, value, { id: documentId, title }) : this.edits.edit(documentId, this.patchOf(row, now));
      },
      () => void this.store.kept.delete(id),
    );
  }

  drop(id: number): boolean {
    return this.store.transact(() => this.store.kept.delete(id));
  }

  private patchOf({ value }: KeptRow, now: { readonly id: DocumentId; readonly value: JsonValue } | undefined): WirePatch {
    return now === undefined ? [{ op: 'add', path: '', value }] : toWire(diff(now.value, value));
  }
}
