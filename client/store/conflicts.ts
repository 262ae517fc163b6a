import type { Database } from 'better-sqlite3';
import type { Conflict, DocumentId, PatchId, Revision } from '@concord/core';

/** A conflict between an edit made here and a change of another replica, or the taking back of a refused edit, found when the edit was rebased. */
export interface LocalConflict {
  readonly id: number;
  readonly documentId: DocumentId;
  /** Revision of the other's change; null when it was found in a resync, where changes come as one difference, or with a refused edit. */
  readonly revision: Revision | null;
  /** The edit made here. It is the `later` side of the conflict. */
  readonly patchId: PatchId;
  readonly conflict: Conflict;
  /** ISO 8601. */
  readonly foundAt: string;
}

export type FoundConflict = Omit<LocalConflict, 'id' | 'foundAt'>;

/** The table `conflicts`. */
export class Conflicts {
  private readonly insert;
  private readonly selectAny;
  private readonly selectOfEdit;
  private readonly updateEdit;

  constructor(private readonly database: Database) {
    this.insert = database.prepare('INSERT INTO conflicts (document, revision, patch_id, detail, found_at) VALUES (?, ?, ?, ?, ?)');
    this.selectAny = database.prepare<[string], { n: number }>('SELECT 1 AS n FROM conflicts WHERE document = ? LIMIT 1');
    this.selectOfEdit = database.prepare<[string, string, number], { revision: number; detail: string }>(
      'SELECT revision, detail FROM conflicts WHERE document = ? AND patch_id = ? AND revision IS NOT NULL ORDER BY id LIMIT ?',
    );
    this.updateEdit = database.prepare<[string, string, string]>('UPDATE conflicts SET patch_id = ? WHERE document = ? AND patch_id = ?');
  }

  add(found: FoundConflict, foundAt: string): LocalConflict {
    const { lastInsertRowid } = this.insert.run(found.documentId, found.revision, found.patchId, JSON.stringify(found.conflict), foundAt);
    return { ...found, id: Number(lastInsertRowid), foundAt };
  }

  /** Oldest first; of one document, or of all. */
  list(document?: DocumentId): LocalConflict[] {
    const rows = this.database
      .prepare<[string | null, string | null], { id: number; document: string; revision: number | null; patch_id: string; detail: string; found_at: string }>(
        'SELECT * FROM conflicts WHERE ? IS NULL OR document = ? ORDER BY id',
      )
      .all(document ?? null, document ?? null);
    return rows.map((row) => ({
      id: row.id,
      documentId: row.document as DocumentId,
      revision: row.revision as Revision | null,
      patchId: row.patch_id as PatchId,
      conflict: JSON.parse(row.detail) as Conflict,
      foundAt: row.found_at,
    }));
  }

  /** Whether there are any of this document. */
  concern(document: DocumentId): boolean {
    return this.selectAny.get(document) !== undefined;
  }

  /** Those of one edit against changes that have a revision, at most so many. */
  ofEdit(document: DocumentId, patchId: PatchId, most: number): { readonly revision: Revision; readonly conflict: Conflict }[] {
    return this.selectOfEdit.all(document, patchId, most).map(({ revision, detail }) => ({ revision: revision as Revision, conflict: JSON.parse(detail) as Conflict }));
  }

  /** An edit was folded into another one, under whose id the log will know it. */
  reassign(document: DocumentId, from: PatchId, into: PatchId): void {
    this.updateEdit.run(into, document, from);
  }

  /** They hold values of others: they go with the right to read these. */
  clear(): void {
    this.database.prepare('DELETE FROM conflicts').run();
  }

  delete(id: number): boolean {
    return this.database.prepare<[number]>('DELETE FROM conflicts WHERE id = ?').run(id).changes > 0;
  }
}
