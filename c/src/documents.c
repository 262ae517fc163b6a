#include "documents.h"

#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "patch.h"

sync_engine_status se_row_set(char **member, const char *text, sync_engine_error *error) {
  char *copy = NULL;
  if (text != NULL) {
    copy = strdup(text);
    if (copy == NULL) return se_no_memory(error);
  }
  free(*member);
  *member = copy;
  return SYNC_ENGINE_OK;
}

static sync_engine_status copy_column(char **member, sqlite3_stmt *statement, int column, sync_engine_error *error) {
  if (sqlite3_column_type(statement, column) == SQLITE_NULL) return SYNC_ENGINE_OK;
  *member = se_column_copy(statement, column);
  return *member == NULL ? se_no_memory(error) : SYNC_ENGINE_OK;
}

static sync_engine_status copy_row(se_row *row, sqlite3_stmt *statement, sync_engine_error *error) {
  char **texts[] = {&row->id, &row->collection, &row->title, &row->confirmed, &row->base, &row->visible, &row->replica};
  for (int column = 0; column < 7; column++) {
    sync_engine_status status = copy_column(texts[column], statement, column, error);
    if (status != SYNC_ENGINE_OK) return status;
  }
  row->revision = sqlite3_column_int64(statement, 7);
  row->deleted = sqlite3_column_int(statement, 8) != 0;
  row->chained = sqlite3_column_type(statement, 9) != SQLITE_NULL;
  row->base_revision = sqlite3_column_int64(statement, 9);
  row->base_deleted = sqlite3_column_int(statement, 10) != 0;
  row->visible_deleted = sqlite3_column_int(statement, 11) != 0;
  row->counter = sqlite3_column_int64(statement, 12);
  row->stale = sqlite3_column_int64(statement, 13);
  return SYNC_ENGINE_OK;
}

sync_engine_status se_row_load(se_store *store, const char *id, se_row *out, bool *found, sync_engine_error *error) {
  sqlite3_stmt *statement;
  memset(out, 0, sizeof *out);
  *found = false;
  sync_engine_status status = se_query(store, &statement, error,
                                       "SELECT id, collection, title, confirmed, base, visible, replica, revision, deleted, base_revision,"
                                       " base_deleted, visible_deleted, counter, stale FROM documents WHERE id = ?",
                                       "t", id);
  if (status != SYNC_ENGINE_OK) return status;
  status = se_query_step(store, statement, found, error);
  if (status == SYNC_ENGINE_OK && *found) status = copy_row(out, statement, error);
  se_query_end(statement);
  if (status != SYNC_ENGINE_OK) se_row_free(out);
  return status;
}

sync_engine_status se_row_new(se_row *out, const char *id, const char *collection, const char *title, sync_engine_error *error) {
  memset(out, 0, sizeof *out);
  sync_engine_status status = se_row_set(&out->id, id, error);
  if (status == SYNC_ENGINE_OK) status = se_row_set(&out->collection, collection, error);
  if (status == SYNC_ENGINE_OK) status = se_row_set(&out->title, title, error);
  if (status == SYNC_ENGINE_OK) status = se_row_set(&out->replica, "", error);
  if (status != SYNC_ENGINE_OK) se_row_free(out);
  return status;
}

sync_engine_status se_row_save(se_store *store, const se_row *row, sync_engine_error *error) {
  sync_engine_status status = se_run(
      store, error,
      "INSERT INTO documents (id, collection, title, confirmed, revision, deleted, base, base_revision, base_deleted, visible, visible_deleted,"
      " replica, counter, stale) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, CASE WHEN ?8 < 0 THEN NULL ELSE ?8 END, ?9, ?10, ?11, ?12, ?13, ?14)"
      " ON CONFLICT (id) DO UPDATE SET collection = excluded.collection, title = excluded.title, confirmed = excluded.confirmed,"
      " revision = excluded.revision, deleted = excluded.deleted, base = excluded.base, base_revision = excluded.base_revision,"
      " base_deleted = excluded.base_deleted, visible = excluded.visible, visible_deleted = excluded.visible_deleted,"
      " replica = excluded.replica, counter = excluded.counter, stale = excluded.stale",
      "ttttibtibtbtii", row->id, row->collection, row->title, row->confirmed, row->revision, (int)row->deleted, row->chained ? row->base : NULL,
      row->chained ? row->base_revision : (int64_t)-1, (int)row->base_deleted, row->chained ? row->visible : NULL, (int)row->visible_deleted,
      row->replica, row->counter, row->stale);
  return status;
}

void se_row_free(se_row *row) {
  free(row->id);
  free(row->collection);
  free(row->title);
  free(row->confirmed);
  free(row->base);
  free(row->visible);
  free(row->replica);
  memset(row, 0, sizeof *row);
}

const char *se_row_visible(const se_row *row) { return row->chained ? row->visible : row->confirmed; }

bool se_row_visible_deleted(const se_row *row) { return row->chained ? row->visible_deleted : row->deleted; }

sync_engine_status se_state_read(se_state *out, const char *value, bool deleted, sync_engine_error *error) {
  *out = (se_state){NULL, deleted};
  if (value == NULL) return SYNC_ENGINE_OK;
  out->value = se_json_read(value, strlen(value), SE_ANSWER_DEPTH_LIMIT, error);
  if (out->value != NULL) return SYNC_ENGINE_OK;
  return se_fail(error, SYNC_ENGINE_STORAGE, "The database file holds a value that is not JSON; it was altered from outside");
}

void se_state_free(se_state *state) {
  cJSON_Delete(state->value);
  state->value = NULL;
}

static sync_engine_status create(se_state *state, const char *payload, sync_engine_error *error) {
  cJSON *json = se_json_read(payload, strlen(payload), SE_ANSWER_DEPTH_LIMIT, error);
  if (json == NULL) return SYNC_ENGINE_STORAGE;
  cJSON_Delete(state->value);
  state->value = cJSON_DetachItemFromObjectCaseSensitive(json, "value");
  state->deleted = false;
  cJSON_Delete(json);
  return state->value == NULL ? SYNC_ENGINE_STORAGE : SYNC_ENGINE_OK;
}

static sync_engine_status patch(se_state *state, const char *payload, sync_engine_error *error) {
  se_patch operations;
  cJSON *json = se_json_read(payload, strlen(payload), SE_ANSWER_DEPTH_LIMIT, error);
  if (json == NULL) return SYNC_ENGINE_STORAGE;
  sync_engine_status status = se_patch_read(&operations, json, (size_t)-1, error);
  if (status == SYNC_ENGINE_OK) {
    status = se_patch_apply(&state->value, &operations, error);
    se_patch_free(&operations);
  }
  cJSON_Delete(json);
  return status;
}

sync_engine_status se_state_apply(se_state *state, const char *document_id, const char *kind, const char *payload, sync_engine_error *error) {
  if (strcmp(kind, "CREATE") == 0) return create(state, payload, error);
  if (state->value == NULL) return se_fail(error, SYNC_ENGINE_DOCUMENT_NOT_FOUND, "There is no document %s here", document_id);
  if (strcmp(kind, "DELETE") == 0) {
    state->deleted = true;
  } else if (strcmp(kind, "RESTORE") == 0) {
    state->deleted = false;
  } else if (state->deleted) {
    return se_fail(error, SYNC_ENGINE_DOCUMENT_DELETED, "The document %s is deleted; restore it first", document_id);
  } else {
    return patch(state, payload, error);
  }
  return SYNC_ENGINE_OK;
}
