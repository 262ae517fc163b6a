#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "failure.h"
#include "listing.h"

static void free_document(void *item) {
  sync_engine_document *document = item;
  if (document == NULL) return;
  free((char *)document->id);
  free((char *)document->collection);
  free((char *)document->title);
  free((char *)document->value);
  free(document);
}

#define DOCUMENT_COLUMNS                                                                     \
  "SELECT id, collection, title, CASE WHEN base_revision IS NULL THEN confirmed ELSE visible END," \
  " revision, CASE WHEN base_revision IS NULL THEN deleted ELSE visible_deleted END, base_revision IS NOT NULL FROM documents"

static void *read_document(sqlite3_stmt *statement) {
  sync_engine_document *document = calloc(1, sizeof *document);
  if (document == NULL) return NULL;
  document->id = se_column_copy(statement, 0);
  document->collection = se_column_copy(statement, 1);
  document->title = se_column_copy(statement, 2);
  document->value = se_column_copy(statement, 3);
  document->revision = sqlite3_column_int64(statement, 4);
  document->deleted = sqlite3_column_int(statement, 5) != 0;
  document->pending = sqlite3_column_int(statement, 6) != 0;
  if (document->id != NULL && document->collection != NULL && document->title != NULL && document->value != NULL) return document;
  free_document(document);
  return NULL;
}

sync_engine_status sync_engine_document_get(sync_engine_document **out, sync_engine *engine, const char *document_id, sync_engine_error *error) {
  sqlite3_stmt *statement;
  bool row = false;
  se_clear(error);
  if (out != NULL) *out = NULL;
  if (out == NULL || engine == NULL || document_id == NULL) return se_fail(error, SYNC_ENGINE_INPUT_INVALID, "out, engine and document_id must not be NULL");
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_query(&engine->store, &statement, error, DOCUMENT_COLUMNS " WHERE id = ?", "t", document_id);
  if (status == SYNC_ENGINE_OK) {
    status = se_query_step(&engine->store, statement, &row, error);
    bool exists = row && sqlite3_column_type(statement, 3) != SQLITE_NULL;
    if (status == SYNC_ENGINE_OK && !exists) status = se_fail(error, SYNC_ENGINE_DOCUMENT_NOT_FOUND, "There is no document %.130s here", document_id);
    if (status == SYNC_ENGINE_OK && (*out = read_document(statement)) == NULL) status = se_no_memory(error);
    se_query_end(statement);
  }
  pthread_mutex_unlock(&engine->lock);
  return status;
}

sync_engine_status sync_engine_document_list(sync_engine_documents **out, sync_engine *engine, const char *collection, sync_engine_error *error) {
  sqlite3_stmt *statement;
  se_listing *listing = NULL;
  se_clear(error);
  if (out != NULL) *out = NULL;
  if (out == NULL || engine == NULL) return se_fail(error, SYNC_ENGINE_INPUT_INVALID, "out and engine must not be NULL");
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_query(&engine->store, &statement, error,
                                       DOCUMENT_COLUMNS
                                       " WHERE (?1 IS NULL OR collection = ?1) AND CASE WHEN base_revision IS NULL THEN confirmed IS NOT NULL AND deleted = 0"
                                       " ELSE visible IS NOT NULL AND visible_deleted = 0 END ORDER BY id",
                                       "t", collection);
  if (status == SYNC_ENGINE_OK) status = se_listing_read(&listing, &engine->store, statement, read_document, free_document, error);
  pthread_mutex_unlock(&engine->lock);
  *out = (sync_engine_documents *)(void *)listing;
  return status;
}

static void free_quarantined(void *item) {
  sync_engine_quarantined *edit = item;
  if (edit == NULL) return;
  free((char *)edit->document_id);
  free((char *)edit->patch_id);
  free((char *)edit->kind);
  free((char *)edit->payload);
  free((char *)edit->message);
  free(edit);
}

static void *read_quarantined(sqlite3_stmt *statement) {
  sync_engine_quarantined *edit = calloc(1, sizeof *edit);
  if (edit == NULL) return NULL;
  edit->id = sqlite3_column_int64(statement, 0);
  edit->document_id = se_column_copy(statement, 1);
  edit->patch_id = se_column_copy(statement, 2);
  edit->kind = se_column_copy(statement, 3);
  edit->payload = se_column_copy(statement, 4);
  edit->status = (sync_engine_status)sqlite3_column_int(statement, 5);
  edit->message = se_column_copy(statement, 6);
  if (edit->document_id != NULL && edit->patch_id != NULL && edit->kind != NULL && edit->payload != NULL && edit->message != NULL) return edit;
  free_quarantined(edit);
  return NULL;
}

sync_engine_status sync_engine_quarantine_list(sync_engine_quarantine **out, sync_engine *engine, const char *document_id, sync_engine_error *error) {
  sqlite3_stmt *statement;
  se_listing *listing = NULL;
  se_clear(error);
  if (out != NULL) *out = NULL;
  if (out == NULL || engine == NULL) return se_fail(error, SYNC_ENGINE_INPUT_INVALID, "out and engine must not be NULL");
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_query(&engine->store, &statement, error,
                                       "SELECT id, document_id, patch_id, kind, coalesce(payload, 'null'), code, message FROM quarantine"
                                       " WHERE ?1 IS NULL OR document_id = ?1 ORDER BY id",
                                       "t", document_id);
  if (status == SYNC_ENGINE_OK) status = se_listing_read(&listing, &engine->store, statement, read_quarantined, free_quarantined, error);
  pthread_mutex_unlock(&engine->lock);
  *out = (sync_engine_quarantine *)(void *)listing;
  return status;
}

sync_engine_status sync_engine_quarantine_remove(sync_engine *engine, int64_t id, sync_engine_error *error) {
  se_clear(error);
  if (engine == NULL) return se_fail(error, SYNC_ENGINE_INPUT_INVALID, "engine must not be NULL");
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_run(&engine->store, error, "DELETE FROM quarantine WHERE id = ?", "i", id);
  pthread_mutex_unlock(&engine->lock);
  return status;
}

static void free_conflict(void *item) {
  sync_engine_conflict *conflict = item;
  if (conflict == NULL) return;
  free((char *)conflict->document_id);
  free((char *)conflict->rule);
  free((char *)conflict->path);
  free((char *)conflict->lost);
  free((char *)conflict->losing);
  free((char *)conflict->winning);
  free((char *)conflict->explanation);
  free((char *)conflict->restore);
  free(conflict);
}

static void *read_conflict(sqlite3_stmt *statement) {
  sync_engine_conflict *conflict = calloc(1, sizeof *conflict);
  if (conflict == NULL) return NULL;
  const char **texts[] = {&conflict->document_id, &conflict->rule,    &conflict->path,        &conflict->lost,
                          &conflict->losing,      &conflict->winning, &conflict->explanation, &conflict->restore};
  bool complete = true;
  for (int column = 0; column < 8; column++) {
    *texts[column] = se_column_copy(statement, column);
    complete = complete && *texts[column] != NULL;
  }
  conflict->revision = sqlite3_column_int64(statement, 8);
  conflict->position = sqlite3_column_int64(statement, 9);
  conflict->own_lost = sqlite3_column_int(statement, 10) != 0;
  if (complete) return conflict;
  free_conflict(conflict);
  return NULL;
}

sync_engine_status sync_engine_conflict_list(sync_engine_conflicts **out, sync_engine *engine, const char *document_id, sync_engine_error *error) {
  sqlite3_stmt *statement;
  se_listing *listing = NULL;
  se_clear(error);
  if (out != NULL) *out = NULL;
  if (out == NULL || engine == NULL) return se_fail(error, SYNC_ENGINE_INPUT_INVALID, "out and engine must not be NULL");
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_query(&engine->store, &statement, error,
                                       "SELECT document_id, rule, path, lost, losing, winning, explanation, restore, revision, position, own_lost FROM conflicts"
                                       " WHERE ?1 IS NULL OR document_id = ?1 ORDER BY position, ordinal",
                                       "t", document_id);
  if (status == SYNC_ENGINE_OK) status = se_listing_read(&listing, &engine->store, statement, read_conflict, free_conflict, error);
  pthread_mutex_unlock(&engine->lock);
  *out = (sync_engine_conflicts *)(void *)listing;
  return status;
}

/* The lists' public structs have the layout of se_listing. */
_Static_assert(sizeof(se_listing) == sizeof(sync_engine_documents), "layout of sync_engine_documents");
_Static_assert(sizeof(se_listing) == sizeof(sync_engine_quarantine), "layout of sync_engine_quarantine");
_Static_assert(sizeof(se_listing) == sizeof(sync_engine_conflicts), "layout of sync_engine_conflicts");

void sync_engine_document_free(sync_engine_document *document) { free_document(document); }
void sync_engine_documents_free(sync_engine_documents *documents) { se_listing_free((se_listing *)(void *)documents, free_document); }
void sync_engine_quarantine_free(sync_engine_quarantine *quarantine) { se_listing_free((se_listing *)(void *)quarantine, free_quarantined); }
void sync_engine_conflicts_free(sync_engine_conflicts *conflicts) { se_listing_free((se_listing *)(void *)conflicts, free_conflict); }
void sync_engine_string_free(char *text) { free(text); }
