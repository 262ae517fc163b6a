import Database from 'better-sqlite3';
import { ConcordError } from '@concord/core';
import { migrations } from './schema.js';
import { mostPages } from './write-ahead-log.js';

/** "CNRD": tells a replica's file from any other SQLite database. */
const applicationId = 0x434e5244;
/** A replica that is just closing gets this long to let go of the file. */
const lockWaitMs = 250;
/** Small, and what is in them is nowhere else: they are read whole at the opening. A damaged document is found when it is read, and taken from the server again. */
const checkedTables = ['meta', 'outbox', 'quarantine'];

/**
 * Opens or makes a replica's file and locks it for as long as it is open: a second replica on the same file, in this process
 * or another, is refused with `UNAVAILABLE`. The lock is the operating system's and ends with the process.
 *
 * `durability` 'normal': an edit survives the death of the process, but a power loss may take the last moments; 'full': it
 * survives that too, at about a fifth of the rate.
 *
 * A file that is damaged is refused: where its tables are not those of a replica, or the pages of those that hold edits are broken.
 * @throws ConcordError
 */
export function openDatabase(path: string, durability: 'normal' | 'full'): Database.Database {
  return translated(path, () => {
    const database = new Database(path, { timeout: lockWaitMs });
    try {
      database.pragma('locking_mode = EXCLUSIVE');
      database.pragma('journal_mode = WAL');
      database.pragma(`synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`);
      database.pragma('temp_store = MEMORY');
      database.pragma(`wal_autocheckpoint = ${mostPages}`);
      if (migrate(database, path)) checkFile(database, path);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** True: the file is not new. */
function migrate(database: Database.Database, path: string): boolean {
  const version = database.pragma('user_version', { simple: true }) as number;
  const owner = database.pragma('application_id', { simple: true }) as number;
  const tables = database.prepare<[], { n: number }>('SELECT count(*) AS n FROM sqlite_schema').get()!.n;
  if (owner !== applicationId && tables > 0) throw invalid(`${path} is an SQLite database of something else. Name a file that does not exist yet, or a replica's.`);
  if (version > migrations.length) {
    throw new ConcordError('INPUT_INVALID', `${path} was written by a newer version of Concord (format ${version}; this one knows ${migrations.length}). Update this program.`, {
      path: '/database',
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
  return tables > 0;
}

function checkFile(database: Database.Database, path: string): void {
  const there = columnsOf(database);
  const missing = expectedColumns().filter((column) => !there.includes(column));
  if (missing.length > 0) throw damaged(path, `${missing.join(', ')} is missing`);
  for (const table of checkedTables) {
    const found = database.pragma(`quick_check('${table}')`) as readonly { readonly quick_check: string }[];
    if (found[0]?.quick_check !== 'ok') throw damaged(path, `${table}: ${found[0]?.quick_check ?? 'nothing can be read'}`);
  }
}

/** Each as `table.column`. */
const columnsOf = (database: Database.Database): readonly string[] =>
  database
    .prepare<[], { name: string }>(
      "SELECT tables.name || '.' || columns.name AS name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'",
    )
    .all()
    .map(({ name }) => name);

let expected: readonly string[] | undefined;
function expectedColumns(): readonly string[] {
  if (expected !== undefined) return expected;
  const fresh = new Database(':memory:');
  for (const script of migrations) fresh.exec(script);
  expected = columnsOf(fresh);
  fresh.close();
  return expected;
}

const invalid = (message: string, cause?: unknown): ConcordError => new ConcordError('INPUT_INVALID', message, { path: '/database' }, { cause });

const damaged = (path: string, what: string, cause?: unknown): ConcordError =>
  invalid(`${path} is damaged (${what}). rescueOutbox(${JSON.stringify(path)}) reads the edits that wait in it; then give the replica a new file, and make again what the server does not have.`, cause);

/** Runs what works on a replica's file, with the errors of SQLite told as what they mean for who named the file. @throws ConcordError */
export function translated<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof TypeError && error.message.includes('directory does not exist')) throw invalid(`The folder of ${path} does not exist. Make it first, or name another file.`, error);
    if (!(error instanceof Database.SqliteError)) throw error;
    const [, kind] = error.code.split('_');
    switch (kind) {
      case 'BUSY':
      case 'LOCKED':
        throw new ConcordError('UNAVAILABLE', `The file ${path} is open in another replica. Close that one, or give this one a file of its own.`, {}, { cause: error });
      case 'NOTADB':
        throw invalid(`${path} is not an SQLite database. Name a file that does not exist yet, or a replica's.`, error);
      case 'CANTOPEN':
      case 'READONLY':
      case 'PERM':
      case 'AUTH':
        throw invalid(`${path} cannot be opened for writing (${error.message}). Name a file, not a folder, where this program may write.`, error);
      case 'FULL':
      case 'IOERR':
      case 'NOMEM':
        throw new ConcordError('UNAVAILABLE', `${path} cannot be opened now: ${error.message} (${error.code}). See to the disk, then open it again.`, {}, { cause: error });
      default:
        throw damaged(path, error.message, error);
    }
  }
}
