#include <stdlib.h>
#include <string.h>

#include "chain.h"
#include "engine.h"
#include "failure.h"
#include "ids.h"
#include "patch.h"
#include "text.h"

/* An edit on its way into the store: what it is, and the payload as it will be sent. */
typedef struct new_edit {
  const char *document_id;
  const char *kind;
  char *payload;           /* NULL with DELETE and RESTORE */
  const char *collection;  /* with CREATE */
  const char *title;
} new_edit;

static sync_engine_status check_id(const char *id, sync_engine_error *error) {
  if (id != NULL && se_document_id_valid(id)) return SYNC_ENGINE_OK;
  return se_fail(error, SYNC_ENGINE_INPUT_INVALID, "A document id is 1 to 256 bytes of UTF-8, without control characters and without white space at either end");
}

static sync_engine_status check_name(const char *what, const char *text, size_t least, sync_engine_error *error) {
  size_t length = strlen(text);
  if (!se_text_valid(text, length)) return se_fail(error, SYNC_ENGINE_VALUE_INVALID, "The %s is not well-formed UTF-8", what);
  size_t units = se_text_units(text, length);
  if (units >= least && units <= 256) return SYNC_ENGINE_OK;
  return se_fail(error, SYNC_ENGINE_INPUT_INVALID, "The %s must be %zu to 256 characters long, got %zu", what, least, units);
}

static sync_engine_status check_size(const char *text, sync_engine_error *error) {
  size_t length = strlen(text);
  if (length <= SE_DOCUMENT_LIMIT) return SYNC_ENGINE_OK;
  return se_fail(error, SYNC_ENGINE_LIMIT_EXCEEDED, "The document would have %zu bytes, %d are allowed (documentBytes); split it over several documents", length, SE_DOCUMENT_LIMIT);
}

/* Gives the row the visible state with the edit applied. */
static sync_engine_status apply(se_row *row, const new_edit *edit, sync_engine_error *error) {
  se_state state;
  char *text = NULL;
  sync_engine_status status = se_state_read(&state, se_row_visible(row), se_row_visible_deleted(row), error);
  if (status == SYNC_ENGINE_OK) status = se_state_apply(&state, edit->document_id, edit->kind, edit->payload, error);
  if (status == SYNC_ENGINE_OK) {
    text = se_json_text(state.value);
    status = text == NULL ? se_no_memory(error) : check_size(text, error);
  }
  if (status == SYNC_ENGINE_OK) {
    free(row->visible);
    row->visible = text;
    row->visible_deleted = state.deleted;
    text = NULL;
  }
  free(text);
  se_state_free(&state);
  return status;
}

static sync_engine_status load(se_store *store, const new_edit *edit, se_row *row, sync_engine_error *error) {
  bool found;
  bool create = strcmp(edit->kind, "CREATE") == 0;
  sync_engine_status status = se_row_load(store, edit->document_id, row, &found, error);
  if (status != SYNC_ENGINE_OK) return status;
  bool exists = found && se_row_visible(row) != NULL;
  if (create && exists) {
    return se_fail(error, SYNC_ENGINE_DOCUMENT_EXISTS, "The document %s exists%s", edit->document_id,
                   se_row_visible_deleted(row) ? " and is deleted; restore it" : "; choose another id");
  }
  if (!create && !exists) return se_fail(error, SYNC_ENGINE_DOCUMENT_NOT_FOUND, "There is no document %s here", edit->document_id);
  if (create && !found) return se_row_new(row, edit->document_id, edit->collection, edit->title, error);
  if (create) status = se_row_set(&row->collection, edit->collection, error);
  if (create && status == SYNC_ENGINE_OK) status = se_row_set(&row->title, edit->title, error);
  return status;
}

static bool changes_nothing(const se_row *row, const new_edit *edit) {
  if (strcmp(edit->kind, "DELETE") == 0) return se_row_visible_deleted(row);
  return strcmp(edit->kind, "RESTORE") == 0 && !se_row_visible_deleted(row);
}

/* Visible value and queued edit change together or not at all. */
static sync_engine_status store_edit(se_store *store, const new_edit *edit, sync_engine_error *error) {
  se_row row;
  memset(&row, 0, sizeof row);
  sync_engine_status status = load(store, edit, &row, error);
  if (status == SYNC_ENGINE_OK && !changes_nothing(&row, edit)) {
    status = apply(&row, edit, error);
    if (status == SYNC_ENGINE_OK) status = se_chain_begin(store, &row, error);
    if (status == SYNC_ENGINE_OK) status = se_chain_append(store, &row, edit->kind, edit->payload, error);
    if (status == SYNC_ENGINE_OK) status = se_row_save(store, &row, error);
  }
  se_row_free(&row);
  return status;
}

static sync_engine_status make_edit(sync_engine *engine, const new_edit *edit, sync_engine_error *error) {
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_store_begin(&engine->store, error);
  if (status == SYNC_ENGINE_OK) status = se_store_end(&engine->store, store_edit(&engine->store, edit, error), error);
  if (status == SYNC_ENGINE_OK) {
    engine->edits++;
    pthread_cond_broadcast(&engine->wake);
  }
  pthread_mutex_unlock(&engine->lock);
  return status;
}

/* {"collection","title","value"} with the value in canonical form. */
static sync_engine_status create_payload(char **out, const char *collection, const char *title, const char *value_json, sync_engine_error *error) {
  se_buffer payload = SE_BUFFER_INIT;
  cJSON *value = se_json_read(value_json, strlen(value_json), SE_DEPTH_LIMIT, error);
  if (value == NULL) return error->status;
  se_buffer_text(&payload, "{\"collection\":");
  se_json_write_string(&payload, collection);
  se_buffer_text(&payload, ",\"title\":");
  se_json_write_string(&payload, title);
  se_buffer_text(&payload, ",\"value\":");
  se_json_write(&payload, value);
  se_buffer_char(&payload, '}');
  cJSON_Delete(value);
  *out = se_buffer_take(&payload);
  return *out == NULL ? se_no_memory(error) : SYNC_ENGINE_OK;
}

sync_engine_status sync_engine_document_create(char **id_out, sync_engine *engine, const char *document_id, const char *collection, const char *title,
                                               const char *value_json, sync_engine_error *error) {
  char random_id[SE_UUID_ROOM];
  char *id_copy = NULL;
  sync_engine_error details = SYNC_ENGINE_ERROR_INIT;
  if (error == NULL || error->size < sizeof *error) error = &details; /* the status of a refused value is read from it */
  se_clear(error);
  if (id_out != NULL) *id_out = NULL;
  if (engine == NULL) return se_fail(error, SYNC_ENGINE_INPUT_INVALID, "engine must not be NULL");
  if (document_id == NULL && !se_uuid(random_id)) return se_fail(error, SYNC_ENGINE_STORAGE, "The system gave no random bytes");
  new_edit edit = {document_id == NULL ? random_id : document_id, "CREATE", NULL, collection == NULL ? "default" : collection, title == NULL ? "" : title};
  sync_engine_status status = check_id(edit.document_id, error);
  if (status == SYNC_ENGINE_OK) status = check_name("collection", edit.collection, 1, error);
  if (status == SYNC_ENGINE_OK) status = check_name("title", edit.title, 0, error);
  if (status == SYNC_ENGINE_OK) status = create_payload(&edit.payload, edit.collection, edit.title, value_json == NULL ? "{}" : value_json, error);
  if (status == SYNC_ENGINE_OK && id_out != NULL && (id_copy = strdup(edit.document_id)) == NULL) status = se_no_memory(error);
  if (status == SYNC_ENGINE_OK) status = make_edit(engine, &edit, error);
  free(edit.payload);
  if (status == SYNC_ENGINE_OK && id_out != NULL) *id_out = id_copy;
  else free(id_copy);
  return status;
}

/* The patch in canonical form, if it is one. */
static sync_engine_status patch_payload(char **out, const char *patch_json, sync_engine_error *error) {
  se_patch patch;
  cJSON *json = se_json_read(patch_json, strlen(patch_json), SE_DEPTH_LIMIT + 2, error);
  if (json == NULL) {
    if (error->status == SYNC_ENGINE_INPUT_INVALID) error->status = SYNC_ENGINE_PATCH_MALFORMED;
    return error->status;
  }
  sync_engine_status status = se_patch_read(&patch, json, SE_OPERATION_LIMIT, error);
  if (status == SYNC_ENGINE_OK) {
    se_patch_free(&patch);
    *out = se_json_text(json);
    if (*out == NULL) status = se_no_memory(error);
  }
  if (status == SYNC_ENGINE_OK && strlen(*out) > SE_PATCH_LIMIT) {
    status = se_fail(error, SYNC_ENGINE_LIMIT_EXCEEDED, "The patch has %zu bytes, %d are allowed (patchBytes); split it", strlen(*out), SE_PATCH_LIMIT);
  }
  cJSON_Delete(json);
  return status;
}

sync_engine_status sync_engine_document_patch(sync_engine *engine, const char *document_id, const char *patch_json, sync_engine_error *error) {
  sync_engine_error details = SYNC_ENGINE_ERROR_INIT;
  if (error == NULL || error->size < sizeof *error) error = &details;
  se_clear(error);
  if (engine == NULL || patch_json == NULL) return se_fail(error, SYNC_ENGINE_INPUT_INVALID, "engine and patch_json must not be NULL");
  new_edit edit = {document_id, "PATCH", NULL, NULL, NULL};
  sync_engine_status status = check_id(document_id, error);
  if (status == SYNC_ENGINE_OK) status = patch_payload(&edit.payload, patch_json, error);
  if (status == SYNC_ENGINE_OK) status = make_edit(engine, &edit, error);
  free(edit.payload);
  return status;
}

static sync_engine_status edit_without_payload(sync_engine *engine, const char *document_id, const char *kind, sync_engine_error *error) {
  new_edit edit = {document_id, kind, NULL, NULL, NULL};
  se_clear(error);
  if (engine == NULL) return se_fail(error, SYNC_ENGINE_INPUT_INVALID, "engine must not be NULL");
  sync_engine_status status = check_id(document_id, error);
  return status == SYNC_ENGINE_OK ? make_edit(engine, &edit, error) : status;
}

sync_engine_status sync_engine_document_delete(sync_engine *engine, const char *document_id, sync_engine_error *error) {
  return edit_without_payload(engine, document_id, "DELETE", error);
}

sync_engine_status sync_engine_document_restore(sync_engine *engine, const char *document_id, sync_engine_error *error) {
  return edit_without_payload(engine, document_id, "RESTORE", error);
}
