#include "store.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "ids.h"

enum { SCHEMA_VERSION = 1 };

/*
 * documents.confirmed is what the server has acknowledged, at `revision`; it is null for a document the server does not know.
 * While edits are pending, base/base_revision/base_deleted hold the state they were made on (frozen: sent edits name it) and
 * visible/visible_deleted that state with them applied; base_revision is null when none is pending, and then the confirmed
 * state is the visible one. `counter` is the number of the newest edit made here under `replica`; rows are kept for its sake
 * even when the document is gone, because a counter must never be used twice. `stale`: the confirmed state missed
 * changes, up to this revision, and is to be read again.
 * outbox.state: 0 never sent, 1 sent, 2 acknowledged at `revision` (kept until its document has no pending edit left).
 */
static const char schema[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE documents (id TEXT PRIMARY KEY, collection TEXT NOT NULL, title TEXT NOT NULL,"
    " confirmed TEXT, revision INTEGER NOT NULL DEFAULT 0, deleted INTEGER NOT NULL DEFAULT 0,"
    " base TEXT, base_revision INTEGER, base_deleted INTEGER NOT NULL DEFAULT 0,"
    " visible TEXT, visible_deleted INTEGER NOT NULL DEFAULT 0,"
    " replica TEXT NOT NULL DEFAULT '', counter INTEGER NOT NULL DEFAULT 0,"
    " stale INTEGER NOT NULL DEFAULT 0, seen INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "CREATE INDEX documents_by_collection ON documents (collection, id);"
    "CREATE INDEX documents_stale ON documents (id) WHERE stale <> 0;"
    "CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, document_id TEXT NOT NULL, replica TEXT NOT NULL,"
    " counter INTEGER NOT NULL, patch_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, payload TEXT, epoch INTEGER NOT NULL,"
    " base INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX outbox_by_document ON outbox (document_id, replica, counter);"
    "CREATE INDEX outbox_pending ON outbox (seq) WHERE state < 2;"
    "CREATE TABLE quarantine (id INTEGER PRIMARY KEY AUTOINCREMENT, document_id TEXT NOT NULL, patch_id TEXT NOT NULL,"
    " kind TEXT NOT NULL, payload TEXT, base INTEGER NOT NULL, code INTEGER NOT NULL, message TEXT NOT NULL);"
    "CREATE TABLE conflicts (position INTEGER NOT NULL, ordinal INTEGER NOT NULL, document_id TEXT NOT NULL,"
    " revision INTEGER NOT NULL, rule TEXT NOT NULL, explanation TEXT NOT NULL, own_lost INTEGER NOT NULL, path TEXT NOT NULL,"
    " lost TEXT NOT NULL, losing TEXT NOT NULL, winning TEXT NOT NULL, restore TEXT NOT NULL, PRIMARY KEY (position, ordinal));";

static sync_engine_status failed(se_store *store, sync_engine_error *error) {
  int code = sqlite3_extended_errcode(store->db);
  sync_engine_status status = SYNC_ENGINE_STORAGE;
  const char *cure = "check the folder, its rights and the free space";
  if ((code & 0xFF) == SQLITE_NOMEM) return se_no_memory(error);
  if ((code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED) {
    status = SYNC_ENGINE_DATABASE_IN_USE;
    cure = "another engine or program has it open; close that first";
  } else if ((code & 0xFF) == SQLITE_NOTADB || (code & 0xFF) == SQLITE_CORRUPT) {
    cure = "the file is not a database of this library, or is damaged";
  }
  se_fail(error, status, "The database file failed: %s; %s", sqlite3_errmsg(store->db), cure);
  if (error != NULL) {
    error->domain = SYNC_ENGINE_DOMAIN_SQLITE;
    error->code = code;
  }
  return status;
}

static sync_engine_status execute(se_store *store, const char *sql, sync_engine_error *error) {
  return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? SYNC_ENGINE_OK : failed(store, error);
}

static sync_engine_status make_schema(se_store *store, sync_engine_error *error) {
  int64_t version = 0;
  char replica[SE_REPLICA_ID_ROOM];
  sync_engine_status status = se_query_number(store, &version, error, "PRAGMA user_version", "");
  if (status != SYNC_ENGINE_OK || version == SCHEMA_VERSION) return status;
  if (version != 0) {
    return se_fail(error, SYNC_ENGINE_STORAGE, "The database file has format %lld, this library reads %d; use a newer library", (long long)version,
                   SCHEMA_VERSION);
  }
  status = execute(store, schema, error);
  if (status == SYNC_ENGINE_OK && !se_replica_id(replica)) status = se_fail(error, SYNC_ENGINE_STORAGE, "The system gave no random bytes");
  if (status == SYNC_ENGINE_OK) status = se_meta_set(store, "replica", replica, error);
  if (status == SYNC_ENGINE_OK) status = execute(store, "PRAGMA user_version = 1", error);
  return status;
}

sync_engine_status se_store_open(se_store *store, const char *path, bool durable, sync_engine_error *error) {
  memset(store, 0, sizeof *store);
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK) {
    sync_engine_status status = store->db == NULL ? se_no_memory(error) : failed(store, error);
    se_store_close(store);
    return status;
  }
  /* Exclusive locking is taken with the first write and kept: it is what makes two engines on one file impossible. */
  sync_engine_status status = execute(store, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;", error);
  if (status == SYNC_ENGINE_OK) status = execute(store, durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", error);
  if (status == SYNC_ENGINE_OK) status = se_store_begin(store, error);
  if (status == SYNC_ENGINE_OK) status = se_store_end(store, make_schema(store, error), error);
  if (status != SYNC_ENGINE_OK) se_store_close(store);
  return status;
}

void se_store_close(se_store *store) {
  for (size_t index = 0; index < store->prepared_count; index++) sqlite3_finalize(store->prepared[index].statement);
  sqlite3_close(store->db);
  memset(store, 0, sizeof *store);
}

sync_engine_status se_store_begin(se_store *store, sync_engine_error *error) { return se_run(store, error, "BEGIN IMMEDIATE", ""); }

sync_engine_status se_store_commit(se_store *store, sync_engine_error *error) { return se_run(store, error, "COMMIT", ""); }

void se_store_rollback(se_store *store) {
  if (sqlite3_get_autocommit(store->db) == 0) se_run(store, NULL, "ROLLBACK", "");
}

sync_engine_status se_store_end(se_store *store, sync_engine_status status, sync_engine_error *error) {
  if (status == SYNC_ENGINE_OK) status = se_store_commit(store, error);
  if (status != SYNC_ENGINE_OK) se_store_rollback(store);
  return status;
}

static sync_engine_status prepare(se_store *store, sqlite3_stmt **out, const char *sql, sync_engine_error *error) {
  for (size_t index = 0; index < store->prepared_count; index++) {
    if (store->prepared[index].sql == sql) {
      *out = store->prepared[index].statement;
      return SYNC_ENGINE_OK;
    }
  }
  if (store->prepared_count == SE_STATEMENT_ROOM) return se_fail(error, SYNC_ENGINE_STORAGE, "More statements than SE_STATEMENT_ROOM");
  if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK) return failed(store, error);
  store->prepared[store->prepared_count].sql = sql;
  store->prepared[store->prepared_count++].statement = *out;
  return SYNC_ENGINE_OK;
}

static sync_engine_status bind_all(se_store *store, sqlite3_stmt *statement, const char *format, va_list values, sync_engine_error *error) {
  int result = SQLITE_OK;
  for (int index = 1; format[index - 1] != '\0' && result == SQLITE_OK; index++) {
    switch (format[index - 1]) {
      case 't': {
        const char *text = va_arg(values, const char *);
        result = text == NULL ? sqlite3_bind_null(statement, index) : sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
        break;
      }
      case 'i':
        result = sqlite3_bind_int64(statement, index, va_arg(values, int64_t));
        break;
      default:
        result = sqlite3_bind_int(statement, index, va_arg(values, int) != 0);
    }
  }
  return result == SQLITE_OK ? SYNC_ENGINE_OK : failed(store, error);
}

static sync_engine_status query(se_store *store, sqlite3_stmt **out, sync_engine_error *error, const char *sql, const char *format, va_list values) {
  sync_engine_status status = prepare(store, out, sql, error);
  if (status != SYNC_ENGINE_OK) return status;
  status = bind_all(store, *out, format, values, error);
  if (status != SYNC_ENGINE_OK) se_query_end(*out);
  return status;
}

sync_engine_status se_query(se_store *store, sqlite3_stmt **out, sync_engine_error *error, const char *sql, const char *format, ...) {
  va_list values;
  va_start(values, format);
  sync_engine_status status = query(store, out, error, sql, format, values);
  va_end(values);
  return status;
}

sync_engine_status se_query_step(se_store *store, sqlite3_stmt *statement, bool *row, sync_engine_error *error) {
  int result = sqlite3_step(statement);
  *row = result == SQLITE_ROW;
  return result == SQLITE_ROW || result == SQLITE_DONE ? SYNC_ENGINE_OK : failed(store, error);
}

void se_query_end(sqlite3_stmt *statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
}

sync_engine_status se_run(se_store *store, sync_engine_error *error, const char *sql, const char *format, ...) {
  sqlite3_stmt *statement;
  bool row = true;
  va_list values;
  va_start(values, format);
  sync_engine_status status = query(store, &statement, error, sql, format, values);
  va_end(values);
  if (status != SYNC_ENGINE_OK) return status;
  while (status == SYNC_ENGINE_OK && row) status = se_query_step(store, statement, &row, error);
  se_query_end(statement);
  return status;
}

sync_engine_status se_query_number(se_store *store, int64_t *out, sync_engine_error *error, const char *sql, const char *format, ...) {
  sqlite3_stmt *statement;
  bool row = false;
  va_list values;
  *out = 0;
  va_start(values, format);
  sync_engine_status status = query(store, &statement, error, sql, format, values);
  va_end(values);
  if (status != SYNC_ENGINE_OK) return status;
  status = se_query_step(store, statement, &row, error);
  if (row) *out = sqlite3_column_int64(statement, 0);
  se_query_end(statement);
  return status;
}

sync_engine_status se_query_text(se_store *store, char **out, sync_engine_error *error, const char *sql, const char *format, ...) {
  sqlite3_stmt *statement;
  bool row = false;
  va_list values;
  *out = NULL;
  va_start(values, format);
  sync_engine_status status = query(store, &statement, error, sql, format, values);
  va_end(values);
  if (status != SYNC_ENGINE_OK) return status;
  status = se_query_step(store, statement, &row, error);
  if (row && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
    *out = se_column_copy(statement, 0);
    if (*out == NULL) status = se_no_memory(error);
  }
  se_query_end(statement);
  return status;
}

char *se_column_copy(sqlite3_stmt *statement, int column) {
  const char *text = (const char *)sqlite3_column_text(statement, column);
  if (text == NULL) return NULL;
  size_t length = (size_t)sqlite3_column_bytes(statement, column);
  char *copy = malloc(length + 1);
  if (copy != NULL) memcpy(copy, text, length + 1);
  return copy;
}

sync_engine_status se_meta_get(se_store *store, const char *name, char **out, sync_engine_error *error) {
  return se_query_text(store, out, error, "SELECT value FROM meta WHERE name = ?", "t", name);
}

sync_engine_status se_meta_set(se_store *store, const char *name, const char *value, sync_engine_error *error) {
  return se_run(store, error, "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", "tt", name, value);
}
