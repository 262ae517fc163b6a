/* The SQLite file of a replica. Every function expects the caller to hold the engine's lock. */
#ifndef SE_STORE_H
#define SE_STORE_H

#include <sqlite3.h>

#include "sync_engine.h"

enum { SE_STATEMENT_ROOM = 64 };

typedef struct se_store {
  sqlite3 *db;
  struct {
    const char *sql; /* a literal: compared by address */
    sqlite3_stmt *statement;
  } prepared[SE_STATEMENT_ROOM];
  size_t prepared_count;
} se_store;

/* Opens or makes the file, alone: another engine on it gives DATABASE_IN_USE. */
sync_engine_status se_store_open(se_store *store, const char *path, bool durable, sync_engine_error *error);
void se_store_close(se_store *store);

sync_engine_status se_store_begin(se_store *store, sync_engine_error *error);
sync_engine_status se_store_commit(se_store *store, sync_engine_error *error);
void se_store_rollback(se_store *store);
/* Commits if status is OK, else rolls back; returns what became of it. */
sync_engine_status se_store_end(se_store *store, sync_engine_status status, sync_engine_error *error);

/*
 * Prepares (once per literal) and binds. format has a letter a parameter: t text or NULL, i int64_t, b int as boolean.
 * Text must stay valid until the statement is reset. Reset with se_query_end.
 */
sync_engine_status se_query(se_store *store, sqlite3_stmt **out, sync_engine_error *error, const char *sql, const char *format, ...);
/* SYNC_ENGINE_OK with *row true or false (no more rows). */
sync_engine_status se_query_step(se_store *store, sqlite3_stmt *statement, bool *row, sync_engine_error *error);
void se_query_end(sqlite3_stmt *statement);
/* Runs a statement without rows. */
sync_engine_status se_run(se_store *store, sync_engine_error *error, const char *sql, const char *format, ...);
/* A single number; 0 if there is no row. */
sync_engine_status se_query_number(se_store *store, int64_t *out, sync_engine_error *error, const char *sql, const char *format, ...);
/* A single text to be freed with free(); NULL if there is no row or it is null. */
sync_engine_status se_query_text(se_store *store, char **out, sync_engine_error *error, const char *sql, const char *format, ...);
/* A column as a copy to be freed with free(); NULL for a null, and without memory. */
char *se_column_copy(sqlite3_stmt *statement, int column);

/* Named facts about the replica: "replica", "cursor", "epoch", "workspace". */
sync_engine_status se_meta_get(se_store *store, const char *name, char **out, sync_engine_error *error);
sync_engine_status se_meta_set(se_store *store, const char *name, const char *value, sync_engine_error *error);

#endif
