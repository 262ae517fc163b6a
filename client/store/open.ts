import Database from 'better-sqlite3';
import { ConcordError } from '@concord/core';
import { migrations } from './schema.js';
import { mostPages } from './write-ahead-log.js';

/** "CNRD": tells a replica's file from any other SQLite database. */
const applicationId = 0x434e5244;
/** A replica that is just closing gets this long to let go of the file. */
const lockWaitMs = 250;

/**
 * Opens or makes a replica's file and locks it for as long as it is open: a second replica on the same file, in this process
 * or another, is refused with `UNAVAILABLE`. The lock is the operating system's and ends with the process.
 *
 * `durability` 'normal': an edit survives the death of the process, but a power loss may take the last moments; 'full': it
 * survives that too, at about a fifth of the rate.
 */
export function openDatabase(path: string, durability: 'normal' | 'full'): Database.Database {
  const database = new Database(path, { timeout: lockWaitMs });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma('journal_mode = WAL');
    database.pragma(`synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`);
    database.pragma('temp_store = MEMORY');
    database.pragma(`wal_autocheckpoint = ${mostPages}`);
    migrate(database, path);
    return database;
  } catch (error) {
    database.close();
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new ConcordError('UNAVAILABLE', `The file ${path} is open in another replica. Close that one, or give this one a file of its own.`, {}, { cause: error });
    }
    if (error instanceof Database.SqliteError && error.code === 'SQLITE_NOTADB') {
      throw new ConcordError('INPUT_INVALID', `${path} is not an SQLite database. Name a file that does not exist yet, or a replica's.`, {}, { cause: error });
    }
    throw error;
  }
}

function migrate(database: Database.Database, path: string): void {
  const version = database.pragma('user_version', { simple: true }) as number;
  const owner = database.pragma('application_id', { simple: true }) as number;
  const tables = database.prepare<[], { n: number }>('SELECT count(*) AS n FROM sqlite_schema').get()!.n;
  if (owner !== applicationId && tables > 0) {
    throw new ConcordError('INPUT_INVALID', `${path} is an SQLite database of something else. Name a file that does not exist yet, or a replica's.`);
  }
  if (version > migrations.length) {
    throw new ConcordError('INPUT_INVALID', `${path} was written by a newer version of Concord (format ${version}; this one knows ${migrations.length}). Update this program.`, {
      limit: migrations.length,
      actual: version,
    });
  }
  // Writes even when there is nothing to do: only a write takes the lock on the file.
  database.transaction(() => {
    for (const script of migrations.slice(version)) database.exec(script);
    database.pragma(`application_id = ${applicationId}`);
    database.pragma(`user_version = ${migrations.length}`);
  }).immediate();
}
