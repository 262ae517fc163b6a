import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ConcordError, type DocumentId, type NormalPatch, type PatchId, type WirePatch } from '@concord/core';
import type { EditKind } from '../document-state.js';
import { wirePatchOf } from './quarantine.js';

/** An edit that was found in a file. */
export interface RescuedEdit {
  readonly documentId: DocumentId;
  readonly patchId: PatchId;
  readonly kind: EditKind;
  /** In the form that `edit` takes. CREATE: one `add` of the whole document; DELETE and RESTORE: empty. */
  readonly patch: WirePatch;
  /** With CREATE only, else null. */
  readonly collection: string | null;
  readonly title: string | null;
  /** True: it may have reached the server. */
  readonly sent: boolean;
  /** True: it had been set aside. */
  readonly quarantined: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
}

export interface Rescued {
  /** Oldest first. */
  readonly edits: readonly RescuedEdit[];
  /** What could not be read, as far as it is known: a row with its text, or a part of the file. */
  readonly unreadable: readonly { readonly documentId: string | null; readonly patchId: string | null; readonly text: string | null; readonly message: string }[];
}

interface Row {
  readonly document: string;
  readonly patch_id: string;
  readonly kind: EditKind;
  readonly patch: string;
  readonly collection: string | null;
  readonly title: string | null;
  readonly created_at: string;
  readonly seq?: number;
  readonly state?: number;
}

/**
 * Reads what can be read of the edits that wait in a replica's file, and of those in its quarantine, from a file that cannot be opened
 * any more because it is damaged. It works on a copy and leaves the file as it is; the replica must be closed. Make a replica on a new
 * file, wait until it is settled, and make the edits again that the server does not have (see `sent`).
 * @throws ConcordError INPUT_INVALID where there is no such file, or nothing of it is an SQLite database.
 */
export async function rescueOutbox(database: string): Promise<Rescued> {
  await Promise.resolve();
  if (typeof database !== 'string' || !existsSync(database)) {
    throw new ConcordError('INPUT_INVALID', `There is no file ${String(database)}. Name the file of a replica.`, { path: '/database' });
  }
  const folder = mkdtempSync(join(tmpdir(), 'concord-rescue-'));
  try {
    const copy = join(folder, 'copy.db');
    copyFileSync(database, copy);
    // What was written last may only be here.
    if (existsSync(`${database}-wal`)) copyFileSync(`${database}-wal`, `${copy}-wal`);
    return read(copy, database);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(copy: string, named: string): Rescued {
  const edits: (RescuedEdit & { readonly order: number })[] = [];
  const unreadable: Rescued['unreadable'][number][] = [];
  const file = new Database(copy);
  try {
    file.pragma('locking_mode = EXCLUSIVE');
    for (const [table, order] of [['outbox', 'document, seq'], ['quarantine', 'id']] as const) {
      const { rows, failure } = readable(file, table, order);
      if (failure !== undefined) unreadable.push({ documentId: null, patchId: null, text: null, message: `A part of the table ${table} cannot be read: ${failure}` });
      for (const row of rows) {
        const patch = parsed(row);
        if (patch === undefined) unreadable.push({ documentId: row.document, patchId: row.patch_id, text: row.patch, message: 'The patch in this row is not JSON.' });
        else edits.push({ ...editOf(row, patch, table === 'quarantine'), order: row.seq ?? 0 });
      }
    }
  } catch (error) {
    throw new ConcordError('INPUT_INVALID', `Nothing can be read of ${named}: ${String(error)}. Take it from a backup.`, { path: '/database' }, { cause: error });
  } finally {
    file.close();
  }
  edits.sort((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.order - b.order));
  return { edits: edits.map(({ order: _, ...edit }) => edit), unreadable };
}

/** The rows before a damaged page, and from the other end those behind it. */
function readable(file: Database.Database, table: string, order: string): { readonly rows: readonly Row[]; readonly failure: string | undefined } {
  const rows = new Map<string, Row>();
  let failure: string | undefined;
  for (const direction of ['ASC', 'DESC']) {
    const orderBy = order.split(', ').map((column) => `${column} ${direction}`).join(', ');
    try {
      for (const row of file.prepare<[], Row>(`SELECT * FROM ${table} ORDER BY ${orderBy}`).iterate()) rows.set(row.patch_id, row);
      if (direction === 'ASC') break;
    } catch (error) {
      if (!(error instanceof Database.SqliteError) || error.code === 'SQLITE_NOTADB') throw error;
      failure = error.message;
    }
  }
  return { rows: [...rows.values()], failure };
}

function parsed({ kind, patch }: Row): WirePatch | undefined {
  try {
    return wirePatchOf({ kind, patch: JSON.parse(patch) as NormalPatch });
  } catch {
    return undefined;
  }
}

const editOf = (row: Row, patch: WirePatch, quarantined: boolean): RescuedEdit => ({
  documentId: row.document as DocumentId,
  patchId: row.patch_id as PatchId,
  kind: row.kind,
  patch,
  collection: row.collection,
  title: row.title,
  sent: row.state === 1,
  quarantined,
  createdAt: row.created_at,
});
