import type { Database } from 'better-sqlite3';
import type { Conflict, DocumentId, NormalPatch, PatchId, Revision } from '@concord/core';
import { carried } from '../carried.js';
import type { DocumentState } from '../document-state.js';
import { explain } from '../explain.js';

/**
 * An edit made here and an edit of another replica met, and one of the two lost something; or a later edit made here lost something
 * because a refused one was taken back. Found when the edit made here was rebased, or told by the server.
 */
export interface LocalConflict {
  readonly id: number;
  readonly documentId: DocumentId;
  /** Revision of the other's change; null when it was found in a resync, where changes come as one difference, or with a refused edit. */
  readonly revision: Revision | null;
  /** The edit made here. */
  readonly patchId: PatchId;
  /** Which side of the conflict the edit made here is. */
  readonly side: 'earlier' | 'later';
  /** True: the edit made here lost; false: what it lost belongs to the other, whose replica is told as well. */
  readonly lostHere: boolean;
  /** The other edit, and who made it; null where that is not known here. */
  readonly otherPatchId: PatchId | null;
  readonly author: string | null;
  readonly conflict: Conflict;
  /** One sentence for a person: what was lost, whose, to whom and why. */
  readonly explanation: string;
  /** Whether `restoreConflict` has something to bring back, as far as is known now. */
  readonly restorable: boolean;
  /** ISO 8601. Of a conflict that the server told: when it was committed. */
  readonly foundAt: string;
}

export interface FoundConflict {
  readonly documentId: DocumentId;
  readonly revision: Revision | null;
  readonly patchId: PatchId;
  readonly side: 'earlier' | 'later';
  readonly otherPatchId: PatchId | null;
  readonly author: string | null;
  readonly conflict: Conflict;
  /** Brings back what was lost, on what the app sees after the step that found it; null: there is nothing. */
  readonly restore: NormalPatch | null;
  /** ISO 8601, where the server told it. */
  readonly committedAt?: string;
}

/** A patch kept until somebody wants back what was lost. */
export interface KeptRestore {
  readonly id: number;
  readonly patch: NormalPatch;
  /** It is for what the app sees with the edits of the outbox up to here. */
  readonly seenSeq: number;
}

interface Row {
  readonly id: number;
  readonly document: string;
  readonly revision: number | null;
  readonly patch_id: string;
  readonly detail: string;
  readonly found_at: string;
  readonly side: 'earlier' | 'later';
  readonly other_patch: string | null;
  readonly author: string | null;
  readonly restore: string | null;
  readonly seen_seq: number;
}

/** The table `conflicts`. */
export class Conflicts {
  private readonly insert;
  private readonly selectAny;
  private readonly selectOfEdit;
  private readonly updateEdit;
  private readonly updateRestore;
  /** Documents that may have patches to be kept; so others cost nothing. May hold too many until the file is opened again. */
  private readonly restorable: Set<string>;

  constructor(private readonly database: Database) {
    this.insert = database.prepare(
      'INSERT INTO conflicts (document, revision, patch_id, detail, found_at, side, other_patch, author, restore, seen_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.updateRestore = database.prepare<[string | null, number, number]>('UPDATE conflicts SET restore = ?, seen_seq = ? WHERE id = ?');
    this.restorable = new Set(
      database
        .prepare<[], { document: string }>('SELECT DISTINCT document FROM conflicts WHERE restore IS NOT NULL')
        .all()
        .map(({ document }) => document),
    );
    this.selectAny = database.prepare<[string], { n: number }>('SELECT 1 AS n FROM conflicts WHERE document = ? LIMIT 1');
    this.selectOfEdit = database.prepare<[string, string, number], { revision: number; detail: string }>(
      'SELECT revision, detail FROM conflicts WHERE document = ? AND patch_id = ? AND revision IS NOT NULL ORDER BY id LIMIT ?',
    );
    this.updateEdit = database.prepare<[string, string, string]>('UPDATE conflicts SET patch_id = ? WHERE document = ? AND patch_id = ?');
  }

  /** `seenSeq`: the newest edit of the outbox of the document, 0: none. */
  add(found: FoundConflict, foundAt: string, seenSeq: number): LocalConflict {
    const { documentId, revision, patchId, side, otherPatchId, author, conflict, restore } = found;
    const row = [documentId, revision, patchId, JSON.stringify(conflict), foundAt, side, otherPatchId, author, restore === null ? null : JSON.stringify(restore), seenSeq];
    const { lastInsertRowid } = this.insert.run(...row);
    if (restore !== null) this.restorable.add(documentId);
    return told({ documentId, revision, patchId, side, otherPatchId, author, conflict, restorable: restore !== null || isDeletion(conflict) }, Number(lastInsertRowid), foundAt);
  }

  /** Oldest first; of one document, or of all. */
  list(document?: DocumentId): LocalConflict[] {
    return this.database
      .prepare<[string | null, string | null], Row>('SELECT * FROM conflicts WHERE ? IS NULL OR document = ? ORDER BY id')
      .all(document ?? null, document ?? null)
      .map(conflictOf);
  }

  /** With the patch that brings back what was lost, where there is one. Undefined: there is no such conflict. */
  get(id: number): { readonly conflict: LocalConflict; readonly restore: KeptRestore | undefined } | undefined {
    const row = this.database.prepare<[number], Row>('SELECT * FROM conflicts WHERE id = ?').get(id);
    return row === undefined ? undefined : { conflict: conflictOf(row), restore: keptOf(row) };
  }

  /** Whether the server has told this one before, or the merge here has found it. */
  has({ documentId, patchId, otherPatchId, revision, side }: FoundConflict): boolean {
    const row = this.database
      .prepare<[string, string, string, string | null, number | null], { n: number }>(
        'SELECT 1 AS n FROM conflicts WHERE document = ? AND patch_id = ? AND side = ? AND (other_patch = ? OR revision = ?) LIMIT 1',
      )
      .get(documentId, patchId, side, otherPatchId, revision);
    return row !== undefined;
  }

  /** Within the caller's transaction: there is nothing (more) to bring back. */
  forgetRestore(id: number): void {
    this.updateRestore.run(null, 0, id);
  }

  /**
   * Within the caller's transaction: takes the patches of a document along, where what the app sees is moved by `moves`. `undefined`: by
   * nobody knows what; then only those stay whose places cannot have shifted. `before`: the document before that.
   */
  carry(before: DocumentState, moves: readonly NormalPatch[] | undefined, seenSeq: number): void {
    if (!this.restorable.has(before.id) || moves?.length === 0) return;
    const rows = this.database.prepare<[string], Row>('SELECT * FROM conflicts WHERE document = ? AND restore IS NOT NULL').all(before.id);
    for (const kept of rows.map(keptOf)) {
      if (kept === undefined) continue;
      const patch = carried(kept, before.pending, moves);
      if (patch !== kept.patch) this.updateRestore.run(patch === undefined ? null : JSON.stringify(patch), seenSeq, kept.id);
    }
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
    this.restorable.clear();
  }

  delete(id: number): boolean {
    return this.database.prepare<[number]>('DELETE FROM conflicts WHERE id = ?').run(id).changes > 0;
  }
}

const isDeletion = ({ rule }: Conflict): boolean => rule === 'editDeleted';

const keptOf = ({ id, restore, seen_seq: seenSeq }: Row): KeptRestore | undefined => (restore === null ? undefined : { id, patch: JSON.parse(restore) as NormalPatch, seenSeq });

function conflictOf(row: Row): LocalConflict {
  const conflict = JSON.parse(row.detail) as Conflict;
  return told(
    {
      documentId: row.document as DocumentId,
      revision: row.revision as Revision | null,
      patchId: row.patch_id as PatchId,
      side: row.side,
      otherPatchId: row.other_patch as PatchId | null,
      author: row.author,
      conflict,
      restorable: row.restore !== null || isDeletion(conflict),
    },
    row.id,
    row.found_at,
  );
}

function told(found: Omit<LocalConflict, 'id' | 'foundAt' | 'lostHere' | 'explanation'>, id: number, foundAt: string): LocalConflict {
  const lostHere = found.conflict.loser === found.side;
  return { id, ...found, lostHere, explanation: explain({ ...found, lostHere, foundAt }), foundAt };
}
