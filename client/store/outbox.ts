import type { Database } from 'better-sqlite3';
import type { Counter, DocumentId, NormalPatch, PatchId } from '@concord/core';
import type { EditKind, PendingEdit } from '../document-state.js';

interface Row {
  seq: number;
  document: string;
  patch_id: string;
  kind: EditKind;
  patch: string;
  collection: string | null;
  title: string | null;
  state: number;
  counter: number | null;
  created_at: string;
}

/** The table `outbox`: edits in the order of making. Every write is within the caller's transaction. */
export class Outbox {
  private readonly ofDocument;
  private readonly insertRow;
  private readonly updateRow;
  private readonly updateStamp;
  private readonly deleteRow;
  private readonly deleteOldest;
  private nextSeq: number;
  /** When the edits that wait were made, by `seq`: the first one is the oldest. */
  private readonly madeAt = new Map<number, string>();

  constructor(private readonly database: Database) {
    this.ofDocument = database.prepare<[string], Row>('SELECT * FROM outbox WHERE document = ? ORDER BY seq');
    this.insertRow = database.prepare(
      'INSERT INTO outbox (seq, document, patch_id, kind, patch, collection, title, state, counter, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.updateRow = database.prepare<[string, number, number | null, string, number]>(
      'UPDATE outbox SET patch = ?, state = ?, counter = ? WHERE document = ? AND seq = ?',
    );
    this.updateStamp = database.prepare<[number, number | null, string, number]>('UPDATE outbox SET state = ?, counter = ? WHERE document = ? AND seq = ?');
    this.deleteRow = database.prepare<[string, number]>('DELETE FROM outbox WHERE document = ? AND seq = ?');
    this.deleteOldest = database.prepare<[string, number]>('DELETE FROM outbox WHERE document = ? AND seq <= ?');
    this.reload();
    this.nextSeq = 1 + (database.prepare<[], { top: number | null }>('SELECT max(seq) AS top FROM outbox').get()!.top ?? 0);
  }

  /** When the oldest edit that waits was made, ISO 8601. */
  oldest(): string | undefined {
    return this.madeAt.values().next().value;
  }

  /** After a transaction that was rolled back: what is remembered of the rows is read from them. */
  reload(): void {
    this.madeAt.clear();
    const rows = this.database.prepare<[], { seq: number; created_at: string }>('SELECT seq, created_at FROM outbox ORDER BY seq').all();
    for (const { seq, created_at: createdAt } of rows) this.madeAt.set(seq, createdAt);
  }

  /** A place behind all others. Unused ones leave harmless holes. */
  takeSeq(): number {
    return this.nextSeq++;
  }

  pendingOf = (document: DocumentId): readonly PendingEdit[] =>
    this.ofDocument.all(document).map((row) => ({
      seq: row.seq,
      patchId: row.patch_id as PatchId,
      kind: row.kind,
      patch: JSON.parse(row.patch) as NormalPatch,
      collection: row.collection,
      title: row.title,
      sent: row.state === 1,
      counter: row.counter as Counter | null,
      createdAt: row.created_at,
    }));

  insert(document: DocumentId, edit: PendingEdit): void {
    this.insertRow.run(
      edit.seq,
      document,
      edit.patchId,
      edit.kind,
      JSON.stringify(edit.patch),
      edit.collection,
      edit.title,
      edit.sent ? 1 : 0,
      edit.counter,
      edit.createdAt,
    );
    this.madeAt.set(edit.seq, edit.createdAt);
  }

  /** Makes the rows of a document say what `after` says; `before` is what they say now. Rows keep their order. */
  replace(document: DocumentId, before: readonly PendingEdit[], after: readonly PendingEdit[]): void {
    if (before === after) return;
    const gone = before.length - after.length;
    if (gone > 0 && after.every((edit, index) => edit === before[gone + index])) {
      // The usual way out: the oldest have come back, and the others are as they were.
      this.deleteOldest.run(document, before[gone - 1]!.seq);
      for (const { seq } of before.slice(0, gone)) this.madeAt.delete(seq);
      return;
    }
    const old = new Map(before.map((edit) => [edit.seq, edit]));
    for (const edit of after) {
      const was = old.get(edit.seq);
      old.delete(edit.seq);
      if (was === undefined) this.insert(document, edit);
      else if (was.patch !== edit.patch) this.updateRow.run(JSON.stringify(edit.patch), edit.sent ? 1 : 0, edit.counter, document, edit.seq);
      else if (was.sent !== edit.sent || was.counter !== edit.counter) this.updateStamp.run(edit.sent ? 1 : 0, edit.counter, document, edit.seq);
    }
    for (const seq of old.keys()) {
      this.deleteRow.run(document, seq);
      this.madeAt.delete(seq);
    }
  }

  /** Of the edits of a document that have one; 0: none. */
  highestCounter(document: DocumentId): number {
    return this.database.prepare<[string], { top: number | null }>('SELECT max(counter) AS top FROM outbox WHERE document = ?').get(document)!.top ?? 0;
  }

  /** Documents with edits whose patch is not JSON. */
  unreadable(): DocumentId[] {
    return this.database
      .prepare<[], { document: string }>('SELECT DISTINCT document FROM outbox WHERE NOT json_valid(patch)')
      .all()
      .map(({ document }) => document as DocumentId);
  }

  deleteAll(document: DocumentId): void {
    this.database.prepare<[string]>('DELETE FROM outbox WHERE document = ?').run(document);
    this.reload();
  }

  /** The replica has a new id: nothing was ever sent under it. */
  forgetCounters(): void {
    this.database.prepare('UPDATE outbox SET counter = NULL').run();
  }

  /** The document that an edit is of; undefined: it does not wait here. Looks at all rows: for a call of the app, not for the way of an edit. */
  documentOf(patchId: PatchId): DocumentId | undefined {
    return this.database.prepare<[string], { document: DocumentId }>('SELECT document FROM outbox WHERE patch_id = ?').get(patchId)?.document;
  }

  count(): number {
    return this.database.prepare<[], { n: number }>('SELECT count(*) AS n FROM outbox').get()!.n;
  }

  /** Documents with edits, the one that has waited longest first. */
  documents(): DocumentId[] {
    return this.database
      .prepare<[], { document: string }>('SELECT document FROM outbox GROUP BY document ORDER BY min(seq)')
      .all()
      .map(({ document }) => document as DocumentId);
  }
}
