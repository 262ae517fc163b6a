import type { Database } from 'better-sqlite3';
import type { DocumentId, NormalPatch, PatchId } from '@concord/core';
import type { EditKind } from '../document-state.js';

export type UndoSide = 'undo' | 'redo';

/** What takes one edit back. */
export interface UndoStep {
  /** Order of making, over all documents and both sides. */
  readonly id: number;
  readonly group: number;
  /** The edit, under which the outbox, the log or the quarantine knows it. */
  readonly patchId: PatchId;
  /** What the edit was; a CREATE is undone by a deletion, and so on. */
  readonly kind: EditKind;
  /** With PATCH: undoes it, on the value that the newer steps of the document leave. Else empty. */
  readonly patch: NormalPatch;
}

/** Groups kept on each side. The oldest go first, many at a time. */
export const keptGroups = 100;
const trimFrom = 128;
/** Steps kept on each side, and their size as JSON: a few large groups must not fill the file. */
const maxSteps = 10_000;
const maxBytes = 32 * 1024 * 1024;

interface Group {
  /** The steps of each document, by id. */
  readonly documents: Map<DocumentId, Set<number>>;
  /** Of all that were added, also those that have gone since. */
  bytes: number;
}

interface Row {
  document: string;
  id: number;
  side: number;
  grp: number;
  patch_id: string;
  kind: EditKind;
  patch: string;
}

const sideNumber = { undo: 0, redo: 1 } as const;

/**
 * The table `undo`, and which groups it has. Rows are written within the caller's transaction; what is in memory follows when
 * that is done, and is read again where it was rolled back (`reload`). Nothing here looks at more rows than those of one document.
 */
export class UndoRows {
  /** By side and number of the group, the one that was added to last at the end. */
  private groups = { undo: new Map<number, Group>(), redo: new Map<number, Group>() };
  /** How many steps each document has, on both sides. */
  private readonly documents = new Map<DocumentId, number>();
  private sums = { undo: { steps: 0, bytes: 0 }, redo: { steps: 0, bytes: 0 } };
  private readonly insertRow;
  private readonly ofDocument;
  private readonly updateRow;
  private readonly deleteRow;
  private nextId = 1;
  private nextGroup = 1;

  constructor(private readonly database: Database) {
    this.insertRow = database.prepare('INSERT INTO undo (document, id, side, grp, patch_id, kind, patch) VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.ofDocument = database.prepare<[string, number], Row>('SELECT * FROM undo WHERE document = ? AND side = ? ORDER BY id DESC');
    this.updateRow = database.prepare<[string, string, number]>('UPDATE undo SET patch = ? WHERE document = ? AND id = ?');
    this.deleteRow = database.prepare<[string, number]>('DELETE FROM undo WHERE document = ? AND id = ?');
    this.reload();
  }

  /** The file is the truth. The table is bounded, so that this is a moment. */
  reload(): void {
    this.groups = { undo: new Map(), redo: new Map() };
    this.documents.clear();
    this.sums = { undo: { steps: 0, bytes: 0 }, redo: { steps: 0, bytes: 0 } };
    const rows = this.database.prepare<[], { document: DocumentId; id: number; side: number; grp: number; bytes: number }>(
      'SELECT document, id, side, grp, length(patch) AS bytes FROM undo ORDER BY id',
    );
    for (const { document, id, side, grp, bytes } of rows.all()) {
      this.count(side === 0 ? 'undo' : 'redo', grp, document, id, bytes);
      this.nextId = Math.max(this.nextId, id + 1);
      this.nextGroup = Math.max(this.nextGroup, grp + 1);
    }
  }

  /** A number for a new group. */
  takeGroup(): number {
    return this.nextGroup++;
  }

  /** Groups that have steps, the newest first. */
  newest(side: UndoSide): { readonly group: number; readonly documents: readonly DocumentId[] }[] {
    return [...this.groups[side]].reverse().map(([group, { documents }]) => ({ group, documents: [...documents.keys()] }));
  }

  isEmpty(side: UndoSide): boolean {
    return this.groups[side].size === 0;
  }

  concern(document: DocumentId): boolean {
    return this.documents.has(document);
  }

  /** The steps of a document, newest first. */
  of(document: DocumentId, side: UndoSide): UndoStep[] {
    return this.ofDocument.all(document, sideNumber[side]).map((row) => ({
      id: row.id,
      group: row.grp,
      patchId: row.patch_id as PatchId,
      kind: row.kind,
      patch: JSON.parse(row.patch) as NormalPatch,
    }));
  }

  /** Writes a step now; the returned function, for after the commit, makes it known here. */
  add(document: DocumentId, side: UndoSide, step: Omit<UndoStep, 'id'>): () => void {
    const text = JSON.stringify(step.patch);
    const id = this.nextId++;
    this.insertRow.run(document, id, sideNumber[side], step.group, step.patchId, step.kind, text);
    return () => this.count(side, step.group, document, id, text.length);
  }

  /** Makes the rows of a document on one side say what `after` says; steps that are not in it go. */
  replace(document: DocumentId, side: UndoSide, before: readonly UndoStep[], after: readonly UndoStep[]): void {
    const kept = new Map(after.map((step) => [step.id, step]));
    for (const step of before) {
      const now = kept.get(step.id);
      if (now === undefined) {
        this.delete(side, step.group, document, step.id);
      } else if (now.patch !== step.patch) this.updateRow.run(JSON.stringify(now.patch), document, step.id);
    }
  }

  /** The document is no longer here. */
  forget(document: DocumentId): void {
    for (const side of ['undo', 'redo'] as const) {
      for (const { group, documents } of this.newest(side)) if (documents.includes(document)) this.drop(side, group, document);
    }
  }

  /** What was undone and not redone is given up. */
  forgetRedo(): void {
    for (const { group, documents } of this.newest('redo')) for (const document of documents) this.drop('redo', group, document);
  }

  /** Drops the oldest groups, where there are too many or they are too large. */
  trim(): void {
    const groups = this.groups.undo;
    const sum = this.sums.undo;
    if (groups.size <= trimFrom && sum.steps <= maxSteps && sum.bytes <= maxBytes) return;
    for (const [number, { documents }] of [...groups]) {
      if (groups.size <= keptGroups && sum.steps <= maxSteps && sum.bytes <= maxBytes) return;
      for (const document of [...documents.keys()]) this.drop('undo', number, document);
    }
  }

  /** An edit was folded into another one, under whose id it is known from now on. */
  reassign(document: DocumentId, from: PatchId, into: PatchId): void {
    this.database.prepare<[string, string, string]>('UPDATE undo SET patch_id = ? WHERE document = ? AND patch_id = ?').run(into, document, from);
  }

  private drop(side: UndoSide, group: number, document: DocumentId): void {
    for (const id of [...(this.groups[side].get(group)?.documents.get(document) ?? [])]) this.delete(side, group, document, id);
  }

  private delete(side: UndoSide, number: number, document: DocumentId, id: number): void {
    this.deleteRow.run(document, id);
    const group = this.groups[side].get(number);
    const steps = group?.documents.get(document);
    if (group === undefined || steps === undefined || !steps.delete(id)) return;
    this.sums[side].steps--;
    const left = (this.documents.get(document) ?? 0) - 1;
    if (left > 0) this.documents.set(document, left);
    else this.documents.delete(document);
    if (steps.size === 0) group.documents.delete(document);
    if (group.documents.size > 0) return;
    this.groups[side].delete(number);
    this.sums[side].bytes -= group.bytes;
  }

  private count(side: UndoSide, number: number, document: DocumentId, id: number, bytes: number): void {
    const groups = this.groups[side];
    const group = groups.get(number) ?? { documents: new Map<DocumentId, Set<number>>(), bytes: 0 };
    const steps = group.documents.get(document) ?? new Set();
    group.documents.set(document, steps.add(id));
    group.bytes += bytes;
    this.documents.set(document, (this.documents.get(document) ?? 0) + 1);
    this.sums[side].steps++;
    this.sums[side].bytes += bytes;
    // The one that was added to last is the newest.
    groups.delete(number);
    groups.set(number, group);
  }
}
