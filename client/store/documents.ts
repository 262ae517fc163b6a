import type { Database } from 'better-sqlite3';
import type { DocumentId, JsonValue, Revision } from '@concord/core';
import type { DocumentState, PendingEdit } from '../document-state.js';

/** A row of `documents`. */
interface Row {
  id: string;
  collection: string;
  title: string;
  value: string;
  deleted: number;
  confirmed: string | null;
  confirmed_deleted: number;
  revision: number;
  position: number;
  counter: number;
  left_filter: number;
  created_at: string;
  updated_at: string;
}

/** The table `documents`. Every write is within the caller's transaction. */
export class Documents {
  private readonly select;
  private readonly upsert;
  private readonly updateValue;
  private readonly remove;

  constructor(private readonly database: Database) {
    this.select = database.prepare<[string], Row>('SELECT * FROM documents WHERE id = ?');
    this.upsert = database.prepare(`
      INSERT INTO documents (id, collection, title, value, deleted, confirmed, confirmed_deleted, revision, position, counter, left_filter, created_at, updated_at, round)
      VALUES (@id, @collection, @title, @value, @deleted, @confirmed, @confirmedDeleted, @revision, @position, @counter, @left, @createdAt, @updatedAt, @round)
      ON CONFLICT (id) DO UPDATE SET
        collection = excluded.collection, title = excluded.title, value = excluded.value, deleted = excluded.deleted,
        confirmed = excluded.confirmed, confirmed_deleted = excluded.confirmed_deleted, revision = excluded.revision,
        position = excluded.position, counter = excluded.counter, left_filter = excluded.left_filter,
        created_at = excluded.created_at, updated_at = excluded.updated_at, round = max(round, excluded.round)`);
    // The first pending edit keeps the value it was made on.
    this.updateValue = database.prepare<[number, string, number, string, string]>(
      'UPDATE documents SET confirmed = CASE WHEN ? THEN value ELSE confirmed END, value = ?, deleted = ?, updated_at = ? WHERE id = ?',
    );
    this.remove = database.prepare<[string]>('DELETE FROM documents WHERE id = ?');
  }

  read(id: DocumentId, pendingOf: (id: DocumentId) => readonly PendingEdit[]): { readonly state: DocumentState; readonly bytes: number } | undefined {
    const row = this.select.get(id);
    if (row === undefined) return undefined;
    const pending = pendingOf(id);
    const value = JSON.parse(row.value) as JsonValue;
    const confirmed = pending.length === 0 ? value : row.confirmed === null ? undefined : (JSON.parse(row.confirmed) as JsonValue);
    const state: DocumentState = {
      id,
      collection: row.collection,
      title: row.title,
      confirmed,
      confirmedDeleted: row.confirmed_deleted === 1,
      revision: row.revision as Revision,
      position: row.position,
      value,
      deleted: row.deleted === 1,
      pending,
      counter: row.counter,
      left: row.left_filter === 1,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    };
    return { state, bytes: row.value.length + (row.confirmed?.length ?? 0) };
  }

  /** Writes everything but the outbox. Returns the size of the texts, for the cache. */
  write(state: DocumentState, round: number): number {
    const value = JSON.stringify(state.value);
    const confirmed = state.pending.length === 0 || state.confirmed === undefined ? null : JSON.stringify(state.confirmed);
    this.upsert.run({
      id: state.id,
      collection: state.collection,
      title: state.title,
      value,
      deleted: state.deleted ? 1 : 0,
      confirmed,
      confirmedDeleted: state.confirmedDeleted ? 1 : 0,
      revision: state.revision,
      position: state.position,
      counter: state.counter,
      left: state.left ? 1 : 0,
      createdAt: state.createdAt,
      updatedAt: state.updatedAt,
      round,
    });
    return value.length + (confirmed?.length ?? 0);
  }

  /** The short way of a local edit: only what the app sees has changed. `text` is the value as JSON. */
  writeValue(state: DocumentState, text: string, firstPending: boolean): void {
    this.updateValue.run(firstPending ? 1 : 0, text, state.deleted ? 1 : 0, state.updatedAt, state.id);
  }

  delete(id: DocumentId): void {
    this.remove.run(id);
  }

  /** Documents that the snapshot of `round` did not have. */
  untouchedSince(round: number): DocumentId[] {
    return this.database
      .prepare<[number], { id: string }>('SELECT id FROM documents WHERE round < ? AND revision > 0')
      .all(round)
      .map(({ id }) => id as DocumentId);
  }

  all(): DocumentId[] {
    return this.database
      .prepare<[], { id: string }>('SELECT id FROM documents')
      .all()
      .map(({ id }) => id as DocumentId);
  }

  /** The replica has a new id: none of its edits is in any log. */
  forgetCounters(): void {
    this.database.prepare('UPDATE documents SET counter = 0').run();
  }

  count(): number {
    return this.database.prepare<[], { n: number }>('SELECT count(*) AS n FROM documents WHERE deleted = 0').get()!.n;
  }
}
