import type { Database } from 'better-sqlite3';
import { toWire, type DocumentId, type ErrorCode, type Failure, type NormalPatch, type PatchId, type Revision, type WirePatch } from '@concord/core';
import type { DocumentState, EditKind, PendingEdit } from '../document-state.js';
import { replacedByEach, type Replaced } from '../replaced.js';

/** An edit the server refused for good, kept with its reason so that nothing typed is lost. */
export interface QuarantinedEdit {
  readonly patchId: PatchId;
  readonly documentId: DocumentId;
  readonly kind: EditKind;
  /** As it stood when it was refused, in the form that `edit` takes. CREATE: one `add` of the whole document; DELETE and RESTORE: empty. */
  readonly patch: WirePatch;
  /** What was at the places of the patch before it: to be shown beside what is there now. Empty where that is not known. */
  readonly replaced: readonly Replaced[];
  /** The newest revision of the server that the edit was made on; 0: the server did not have the document; null: not known. */
  readonly revision: Revision | null;
  /** The patch as it stands in the file, where it was found damaged and cannot be read; `patch` is then empty. */
  readonly unreadable?: string;
  /** With CREATE only, else null. */
  readonly collection: string | null;
  readonly title: string | null;
  readonly code: ErrorCode;
  readonly message: string;
  readonly path?: string;
  readonly operation?: number;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly refusedAt: string;
}

interface Row {
  document: string;
  patch_id: string;
  kind: EditKind;
  patch: string;
  collection: string | null;
  title: string | null;
  code: ErrorCode;
  message: string;
  path: string | null;
  operation: number | null;
  created_at: string;
  refused_at: string;
  revision: number | null;
  replaced: string;
}

/** An edit that is set aside, and why. */
export interface Refusal {
  readonly edit: PendingEdit;
  readonly reason: Failure;
}

/** How the patch of an edit is told to the app. */
export const wirePatchOf = ({ kind, patch }: { readonly kind: EditKind; readonly patch: NormalPatch }): WirePatch =>
  kind === 'CREATE' ? patch.map((operation) => ({ op: 'add', path: '', value: operation.op === 'replace' ? operation.value : null })) : toWire(patch);

/** The table `quarantine`. */
export class Quarantine {
  private readonly insert;
  private readonly remove;
  private size: number;

  constructor(private readonly database: Database) {
    this.insert = database.prepare(
      `INSERT OR REPLACE INTO quarantine (document, patch_id, kind, patch, collection, title, code, message, path, operation, created_at, refused_at, revision, replaced)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.remove = database.prepare<[string]>('DELETE FROM quarantine WHERE patch_id = ?');
    this.size = this.read();
  }

  /** Within the caller's transaction. `state`: the document while the edits were pending. */
  add(state: DocumentState, refusals: readonly Refusal[], refusedAt: string): void {
    const replaced = replacedByEach(state, new Set(refusals.map(({ edit }) => edit.patchId)));
    for (const { edit, reason } of refusals) {
      this.insert.run(
        state.id,
        edit.patchId,
        edit.kind,
        JSON.stringify(edit.patch),
        edit.collection,
        edit.title,
        reason.code,
        reason.message,
        reason.path ?? null,
        reason.operation ?? null,
        edit.createdAt,
        refusedAt,
        state.revision,
        JSON.stringify(replaced.get(edit.patchId) ?? []),
      );
    }
    this.size += refusals.length;
  }

  /** Within the caller's transaction: all edits of a document, as they stand in the outbox, which is the caller's to empty. Returns how many. */
  takeOver(document: DocumentId, reason: Failure, refusedAt: string): number {
    const { changes } = this.database
      .prepare<[string, string, string, string]>(
        `INSERT OR REPLACE INTO quarantine (document, patch_id, kind, patch, collection, title, code, message, created_at, refused_at)
         SELECT document, patch_id, kind, patch, collection, title, ?, ?, created_at, ? FROM outbox WHERE document = ? ORDER BY seq`,
      )
      .run(reason.code, reason.message, refusedAt, document);
    this.size += changes;
    return changes;
  }

  /** Oldest first. */
  list(): QuarantinedEdit[] {
    return this.database
      .prepare<[], Row>('SELECT * FROM quarantine ORDER BY id')
      .all()
      .map(editOf);
  }

  /** Undefined: there is no such edit. */
  get(patchId: PatchId): QuarantinedEdit | undefined {
    const row = this.database.prepare<[string], Row>('SELECT * FROM quarantine WHERE patch_id = ?').get(patchId);
    return row === undefined ? undefined : editOf(row);
  }

  /** False: there was no such edit. */
  delete(patchId: PatchId): boolean {
    if (this.size === 0) return false;
    const removed = this.remove.run(patchId).changes > 0;
    if (removed) this.size--;
    return removed;
  }

  clear(): void {
    this.database.prepare('DELETE FROM quarantine').run();
    this.size = 0;
  }

  /** How many there are. May be too high after a failed transaction until the file is opened again. */
  count(): number {
    return this.size;
  }

  private read(): number {
    return this.database.prepare<[], { n: number }>('SELECT count(*) AS n FROM quarantine').get()!.n;
  }
}

function readPatch({ kind, patch }: Row): Pick<QuarantinedEdit, 'patch' | 'unreadable'> {
  try {
    return { patch: wirePatchOf({ kind, patch: JSON.parse(patch) as NormalPatch }) };
  } catch {
    return { patch: [], unreadable: patch };
  }
}

const editOf = (row: Row): QuarantinedEdit => ({
  patchId: row.patch_id as PatchId,
  documentId: row.document as DocumentId,
  kind: row.kind,
  ...readPatch(row),
  replaced: JSON.parse(row.replaced) as readonly Replaced[],
  revision: row.revision as Revision | null,
  collection: row.collection,
  title: row.title,
  code: row.code,
  message: row.message,
  ...(row.path === null ? {} : { path: row.path }),
  ...(row.operation === null ? {} : { operation: row.operation }),
  createdAt: row.created_at,
  refusedAt: row.refused_at,
});
