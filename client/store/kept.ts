import type { Database } from 'better-sqlite3';
import type { DocumentId, JsonValue, Revision } from '@concord/core';

/** How a document that was kept stands to the history that was taken: the server has none of this id, or a deleted one, or another value. */
export type KeptReason = 'MISSING' | 'DELETED' | 'DIFFERS';

/** A document as this replica held it when it went over to another history of the server. */
export interface KeptRow {
  readonly id: number;
  readonly documentId: DocumentId;
  readonly reason: KeptReason;
  readonly collection: string;
  readonly title: string;
  readonly value: JsonValue;
  /** Of the document here, in the history that was left. */
  readonly revision: Revision;
  /** Of the document in the history that was taken; null: there is none. Lower than `revision`: the server has lost changes of it. */
  readonly serverRevision: Revision | null;
  /** ISO 8601. */
  readonly keptAt: string;
}

interface Row {
  id: number;
  document: string;
  reason: KeptReason;
  collection: string;
  title: string;
  value: string;
  revision: number;
  server_revision: number | null;
  kept_at: string;
}

/** The table `kept`. */
export class Kept {
  private readonly insert;
  private size: number;

  constructor(private readonly database: Database) {
    this.insert = database.prepare('INSERT INTO kept (document, reason, collection, title, value, revision, server_revision, kept_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    this.size = database.prepare<[], { n: number }>('SELECT count(*) AS n FROM kept').get()!.n;
  }

  /** Within the caller's transaction. */
  add(row: Omit<KeptRow, 'id'>): void {
    this.insert.run(row.documentId, row.reason, row.collection, row.title, JSON.stringify(row.value), row.revision, row.serverRevision, row.keptAt);
    this.size++;
  }

  /** Oldest first. */
  list(): KeptRow[] {
    return this.database.prepare<[], Row>('SELECT * FROM kept ORDER BY id').all().map(rowOf);
  }

  get(id: number): KeptRow | undefined {
    const row = this.database.prepare<[number], Row>('SELECT * FROM kept WHERE id = ?').get(id);
    return row === undefined ? undefined : rowOf(row);
  }

  /** False: there was none with this id. */
  delete(id: number): boolean {
    const removed = this.database.prepare<[number]>('DELETE FROM kept WHERE id = ?').run(id).changes > 0;
    if (removed) this.size--;
    return removed;
  }

  clear(): void {
    this.database.prepare('DELETE FROM kept').run();
    this.size = 0;
  }

  /** How many there are. May be too high after a failed transaction until the file is opened again. */
  count(): number {
    return this.size;
  }
}

const rowOf = (row: Row): KeptRow => ({
  id: row.id,
  documentId: row.document as DocumentId,
  reason: row.reason,
  collection: row.collection,
  title: row.title,
  value: JSON.parse(row.value) as JsonValue,
  revision: row.revision as Revision,
  serverRevision: row.server_revision as Revision | null,
  keptAt: row.kept_at,
});
