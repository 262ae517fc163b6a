import type { Database } from 'better-sqlite3';
import { ConcordError, jsonBytes, type DocumentId, type JsonValue, type Revision } from '@concord/core';
import { valueAfter, visiblyDeleted, type DocumentState, type PendingEdit } from '../document-state.js';

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
  shown: number;
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
      INSERT INTO documents (id, collection, title, value, deleted, confirmed, confirmed_deleted, revision, position, counter, left_filter, created_at, updated_at, shown, round)
      VALUES (@id, @collection, @title, @value, @deleted, @confirmed, @confirmedDeleted, @revision, @position, @counter, @left, @createdAt, @updatedAt, @shown, @round)
      ON CONFLICT (id) DO UPDATE SET
        collection = excluded.collection, title = excluded.title, value = excluded.value, deleted = excluded.deleted,
        confirmed = excluded.confirmed, confirmed_deleted = excluded.confirmed_deleted, revision = excluded.revision,
        position = excluded.position, counter = excluded.counter, left_filter = excluded.left_filter,
        created_at = excluded.created_at, updated_at = excluded.updated_at, shown = excluded.shown, round = max(round, excluded.round)`);
    // The first pending edits keep the value they were made on.
    this.updateValue = database.prepare<[string, number, string, number, string]>(
      'UPDATE documents SET confirmed = CASE WHEN shown = 0 THEN value ELSE confirmed END, value = ?, deleted = ?, updated_at = ?, shown = ? WHERE id = ?',
    );
    this.remove = database.prepare<[string]>('DELETE FROM documents WHERE id = ?');
  }

  /** `bytes`: of the value as JSON, at most. */
  read(id: DocumentId, pendingOf: (id: DocumentId) => readonly PendingEdit[]): { readonly state: DocumentState; readonly bytes: number } | undefined {
    const row = this.select.get(id);
    if (row === undefined) return undefined;
    const pending = pendingOf(id);
    const stored = JSON.parse(row.value) as JsonValue;
    const confirmed = pending.length === 0 || row.shown === 0 ? stored : row.confirmed === null ? undefined : (JSON.parse(row.confirmed) as JsonValue);
    const unshown = pending.filter(({ seq }) => seq > row.shown);
    const state: DocumentState = {
      id,
      collection: row.collection,
      title: row.title,
      confirmed,
      confirmedDeleted: row.confirmed_deleted === 1,
      revision: row.revision as Revision,
      position: row.position,
      value: unshown.reduce((value, edit) => made(id, value, edit), stored),
      deleted: visiblyDeleted(row.deleted === 1, unshown),
      pending,
      counter: row.counter,
      left: row.left_filter === 1,
      createdAt: row.created_at,
      updatedAt: unshown.at(-1)?.createdAt ?? row.updated_at,
    };
    return { state, bytes: unshown.reduce((bytes, { patch }) => bytes + jsonBytes(patch), Buffer.byteLength(row.value)) };
  }

  /** The document as the server had it, without pending edits. `lost`: it is not to be read, though the server had it. */
  confirmed(id: DocumentId, counter: number): { readonly state: DocumentState | undefined; readonly lost: boolean } {
    const row = this.select.get(id);
    if (row === undefined) return { state: undefined, lost: false };
    const text = row.shown === 0 ? row.value : row.confirmed;
    let value: JsonValue | undefined;
    try {
      if (text !== null) value = JSON.parse(text) as JsonValue;
    } catch {
      // Lost.
    }
    if (value === undefined) return { state: undefined, lost: row.revision > 0 };
    const deleted = row.confirmed_deleted === 1;
    const state: DocumentState = {
      id,
      collection: row.collection,
      title: row.title,
      confirmed: value,
      confirmedDeleted: deleted,
      revision: row.revision as Revision,
      position: row.position,
      value,
      deleted,
      pending: [],
      counter: Math.max(row.counter, counter),
      left: row.left_filter === 1,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    };
    return { state, lost: false };
  }

  /** Documents whose rows hold no JSON. Reads the whole table. */
  unreadable(): DocumentId[] {
    return this.database
      .prepare<[], { id: string }>('SELECT id FROM documents WHERE NOT json_valid(value)')
      .all()
      .map(({ id }) => id as DocumentId);
  }

  /** Writes everything but the outbox. Returns the bytes of the value as JSON. */
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
      shown: state.pending.at(-1)?.seq ?? 0,
      round,
    });
    return Buffer.byteLength(value);
  }

  /** Writes what the app sees, where only local edits have changed it. */
  show(state: DocumentState): void {
    this.updateValue.run(JSON.stringify(state.value), state.deleted ? 1 : 0, state.updatedAt, state.pending.at(-1)?.seq ?? 0, state.id);
  }

  /** Documents with edits that are not shown yet, the one that was left alone the longest first, with the bytes of the value in the row. */
  unshown(): { readonly id: DocumentId; readonly bytes: number }[] {
    return this.database
      .prepare<[], { id: DocumentId; bytes: number }>(
        // From the outbox, which is small: `shown` lies behind the values, so that a look into all rows would read the whole file.
        `SELECT id, octet_length(value) AS bytes FROM (SELECT document, max(seq) AS newest FROM outbox GROUP BY document)
         CROSS JOIN documents ON id = document WHERE shown < newest ORDER BY newest`,
      )
      .all();
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
}

/** An edit on the value it was made on: that it applies was seen then. */
function made(id: DocumentId, value: JsonValue, edit: PendingEdit): JsonValue {
  const applied = valueAfter(value, [edit]);
  if (applied.ok) return applied.value;
  throw new ConcordError('INTERNAL', `The edit ${edit.patchId} of ${id} in the outbox does not apply to the value in the file: ${applied.error.message}`, { id });
}
