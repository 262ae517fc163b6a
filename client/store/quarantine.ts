import type { Database } from 'better-sqlite3';
import type { DocumentId, ErrorCode, Failure, NormalPatch, PatchId } from '@concord/core';
import type { EditKind, PendingEdit } from '../document-state.js';

/** An edit the server refused for good, kept with its reason so that nothing typed is lost. */
export interface QuarantinedEdit {
  readonly patchId: PatchId;
  readonly documentId: DocumentId;
  readonly kind: EditKind;
  /** As it stood when it was refused. CREATE: one `replace` of the whole document. */
  readonly patch: NormalPatch;
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
}

/** The table `quarantine`. */
export class Quarantine {
  private readonly insert;
  private readonly remove;
  private size: number;

  constructor(private readonly database: Database) {
    this.insert = database.prepare(
      `INSERT OR REPLACE INTO quarantine (document, patch_id, kind, patch, collection, title, code, message, path, operation, created_at, refused_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.remove = database.prepare<[string]>('DELETE FROM quarantine WHERE patch_id = ?');
    this.size = this.read();
  }

  add(document: DocumentId, edit: PendingEdit, reason: Failure, refusedAt: string): void {
    this.insert.run(
      document,
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
    );
    this.size++;
  }

  /** Oldest first. */
  list(): QuarantinedEdit[] {
    return this.database
      .prepare<[], Row>('SELECT * FROM quarantine ORDER BY id')
      .all()
      .map((row) => ({
        patchId: row.patch_id as PatchId,
        documentId: row.document as DocumentId,
        kind: row.kind,
        patch: JSON.parse(row.patch) as NormalPatch,
        collection: row.collection,
        title: row.title,
        code: row.code,
        message: row.message,
        ...(row.path === null ? {} : { path: row.path }),
        ...(row.operation === null ? {} : { operation: row.operation }),
        createdAt: row.created_at,
        refusedAt: row.refused_at,
      }));
  }

  /** False: there was no such edit. */
  delete(patchId: PatchId): boolean {
    if (this.size === 0) return false;
    const removed = this.remove.run(patchId).changes > 0;
    if (removed) this.size--;
    return removed;
  }

  /** How many there are. May be too high after a failed transaction until the file is opened again. */
  count(): number {
    return this.size;
  }

  private read(): number {
    return this.database.prepare<[], { n: number }>('SELECT count(*) AS n FROM quarantine').get()!.n;
  }
}
