#include "confirm.h"

#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "patch.h"

static sync_engine_status not_understood(sync_engine_error *error, const char *what) {
  return se_fail(error, SYNC_ENGINE_PROTOCOL, "The server sent %s that this library does not understand; use versions that fit together", what);
}

/* Loads the row of a document, or makes an empty one. */
static sync_engine_status load_or_new(se_store *store, se_row *row, const char *id, const char *collection, const char *title, sync_engine_error *error) {
  bool found;
  sync_engine_status status = se_row_load(store, id, row, &found, error);
  if (status != SYNC_ENGINE_OK || found) return status;
  return se_row_new(row, id, collection, title == NULL ? "" : title, error);
}

/* After the confirmed state has moved: the chain may end; without one, the user sees something new. */
static sync_engine_status moved(se_store *store, se_row *row, se_events *events, sync_engine_error *error) {
  sync_engine_status status;
  if (row->chained) {
    status = se_chain_settle(store, row, events, error);
  } else {
    status = se_events_add(events, SYNC_ENGINE_EVENT_DOCUMENT, row->id, SYNC_ENGINE_OK, error);
  }
  return status == SYNC_ENGINE_OK ? se_row_save(store, row, error) : status;
}

static sync_engine_status apply_patch(se_row *row, const cJSON *json, sync_engine_error *error) {
  se_patch patch;
  se_state state;
  sync_engine_status status = se_state_read(&state, row->confirmed, false, error);
  if (status != SYNC_ENGINE_OK) return status;
  if (state.value == NULL) state.value = cJSON_CreateNull();
  status = state.value == NULL ? se_no_memory(error) : se_patch_read(&patch, json, (size_t)-1, error);
  if (status == SYNC_ENGINE_OK) {
    status = se_patch_apply(&state.value, &patch, error);
    se_patch_free(&patch);
  }
  if (status == SYNC_ENGINE_OK) {
    free(row->confirmed);
    row->confirmed = se_json_text(state.value);
    if (row->confirmed == NULL) status = se_no_memory(error);
  }
  se_state_free(&state);
  return status;
}

/* Brings the confirmed state of the row to the change. *fits false: it does not follow on what is here. */
static sync_engine_status advance(se_row *row, const cJSON *change, const char *kind, int64_t revision, bool *fits, sync_engine_error *error) {
  sync_engine_status status = SYNC_ENGINE_OK;
  bool create = strcmp(kind, "CREATE") == 0;
  *fits = revision == row->revision + 1 && (create || row->confirmed != NULL);
  if (!*fits) return SYNC_ENGINE_OK;
  if (create || strcmp(kind, "PATCH") == 0) {
    status = apply_patch(row, se_json_member(change, "patch"), error);
    /* A committed patch that does not apply is a bug somewhere; reading the document anew heals this replica. */
    *fits = status == SYNC_ENGINE_OK;
    if (status != SYNC_ENGINE_NO_MEMORY && status != SYNC_ENGINE_STORAGE) status = SYNC_ENGINE_OK;
  }
  if (strcmp(kind, "DELETE") == 0) row->deleted = true;
  if (create || strcmp(kind, "RESTORE") == 0) row->deleted = false;
  if (*fits) row->revision = revision;
  return status;
}

sync_engine_status se_confirm_change(se_store *store, const cJSON *change, se_events *events, sync_engine_error *error) {
  se_row row;
  bool fits = false;
  int64_t revision;
  int64_t counter;
  const char *id = se_json_string(change, "documentId");
  const char *kind = se_json_string(change, "kind");
  const char *collection = se_json_string(change, "collection");
  const char *replica = se_json_string(change, "replicaId");
  const char *patch_id = se_json_string(change, "patchId");
  if (id == NULL || kind == NULL || collection == NULL || replica == NULL || patch_id == NULL || !se_json_count(change, "revision", &revision) ||
      !se_json_count(change, "counter", &counter)) {
    return not_understood(error, "a change");
  }
  sync_engine_status status = se_chain_acknowledge(store, id, replica, counter, patch_id, revision, error);
  if (status == SYNC_ENGINE_OK) status = load_or_new(store, &row, id, collection, se_json_string(change, "title"), error);
  if (status != SYNC_ENGINE_OK) return status;
  if (revision > row.revision) {
    status = advance(&row, change, kind, revision, &fits, error);
    if (!fits && revision > row.stale) row.stale = revision;
    if (fits && strcmp(kind, "CREATE") == 0) {
      /* A document made here under the same id, refused or about to be, gives way to the server's names. */
      if (status == SYNC_ENGINE_OK) status = se_row_set(&row.collection, collection, error);
      if (status == SYNC_ENGINE_OK && se_json_string(change, "title") != NULL) status = se_row_set(&row.title, se_json_string(change, "title"), error);
    }
    if (status == SYNC_ENGINE_OK) status = moved(store, &row, events, error);
  } else {
    /* Seen before, from a snapshot or another stream. The acknowledgement may still be what the chain waited for. */
    status = se_chain_settle(store, &row, events, error);
    if (status == SYNC_ENGINE_OK) status = se_row_save(store, &row, error);
  }
  se_row_free(&row);
  return status;
}

sync_engine_status se_confirm_document(se_store *store, const cJSON *document, bool force, se_events *events, sync_engine_error *error) {
  se_row row;
  int64_t revision;
  const char *id = se_json_string(document, "id");
  const char *collection = se_json_string(document, "collection");
  const char *title = se_json_string(document, "title");
  const cJSON *value = se_json_member(document, "value");
  bool deleted = cJSON_IsTrue(se_json_member(document, "deleted"));
  if (id == NULL || collection == NULL || title == NULL || value == NULL || !se_json_count(document, "revision", &revision)) {
    return not_understood(error, "a document");
  }
  sync_engine_status status = load_or_new(store, &row, id, collection, title, error);
  if (status != SYNC_ENGINE_OK) return status;
  bool news = revision > row.revision || (force && (revision != row.revision || deleted != row.deleted || row.confirmed == NULL));
  if (news || row.stale || force) {
    /*
     * A change may have come while this state was on its way: then it is read once more, as long as that brings something
     * new (a server restored from a backup may have lost the change).
     */
    if (revision < row.revision && row.stale < row.revision) row.stale = row.revision;
    bool behind = !force && row.stale > revision && revision != row.revision;
    if (!behind) row.stale = 0;
    free(row.confirmed);
    row.confirmed = se_json_text(value);
    row.revision = revision;
    row.deleted = deleted;
    status = row.confirmed == NULL ? se_no_memory(error) : se_row_set(&row.collection, collection, error);
    if (status == SYNC_ENGINE_OK) status = se_row_set(&row.title, title, error);
    if (status == SYNC_ENGINE_OK) status = news || row.chained ? moved(store, &row, events, error) : se_row_save(store, &row, error);
  }
  se_row_free(&row);
  return status;
}

sync_engine_status se_confirm_absent(se_store *store, const char *document_id, se_events *events, sync_engine_error *error) {
  se_row row;
  bool found;
  sync_engine_status status = se_row_load(store, document_id, &row, &found, error);
  if (status != SYNC_ENGINE_OK || !found) return status;
  free(row.confirmed);
  row.confirmed = NULL;
  row.revision = 0;
  row.deleted = false;
  row.stale = 0;
  status = moved(store, &row, events, error);
  se_row_free(&row);
  return status;
}
