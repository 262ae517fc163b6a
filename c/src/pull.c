#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "confirm.h"
#include "exchange.h"
#include "failure.h"
#include "graphql.h"
#include "ids.h"

static const char changes_query[] =
    "query Pull($after: Cursor, $first: Int, $workspaceId: ID) {"
    " viewer { id } changes(after: $after, first: $first, workspaceId: $workspaceId) { " SE_FEED_SELECTION " } }";

static const char snapshot_query[] =
    "query Snapshot($after: String, $first: Int, $workspaceId: ID) {"
    " viewer { id } snapshot(after: $after, first: $first, workspaceId: $workspaceId) { cursor epoch history next documents { id collection title value revision deleted } } }";

static const char document_query[] =
    "query Document($id: ID!, $workspaceId: ID) { document(id: $id, workspaceId: $workspaceId) { id collection title value revision deleted } }";

/* {"<name>":"<text>" ["first":n] [,"workspaceId":..]}: the variables of the queries here. */
static char *variables_of(const sync_engine *engine, const char *name, const char *text, int first) {
  char number[32];
  se_buffer variables = SE_BUFFER_INIT;
  se_buffer_text(&variables, "{\"");
  se_buffer_text(&variables, name);
  se_buffer_text(&variables, "\":");
  if (text == NULL) se_buffer_text(&variables, "null");
  else se_json_write_string(&variables, text);
  if (first > 0) {
    snprintf(number, sizeof number, ",\"first\":%d", first);
    se_buffer_text(&variables, number);
  }
  se_write_workspace(engine, &variables);
  se_buffer_char(&variables, '}');
  return se_buffer_take(&variables);
}

static sync_engine_status ask(sync_engine *engine, const char *query, const char *name, const char *text, int first, int64_t deadline_ms, cJSON **data,
                              sync_engine_error *error) {
  char *variables = variables_of(engine, name, text, first);
  if (variables == NULL) return se_no_memory(error);
  sync_engine_status status = se_graphql(engine, &engine->pull_http, query, variables, deadline_ms, data, error);
  free(variables);
  return status;
}

static sync_engine_status other_history(sync_engine_error *error) {
  return se_fail(error, SYNC_ENGINE_OTHER_HISTORY,
                 "The server holds another history than this file: another server or database, or an older backup. Everything is kept and nothing is sent."
                 " Use the right server, or call sync_engine_take_history()");
}

/* What a transaction of this file does with an answer. */
typedef sync_engine_status (*store_step)(se_store *store, const cJSON *answer, const void *context, se_events *events, sync_engine_error *error);

static sync_engine_status in_transaction(sync_engine *engine, store_step step, const cJSON *answer, const void *context, sync_engine_error *error) {
  se_events events = {NULL, 0, 0};
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_store_begin(&engine->store, error);
  if (status == SYNC_ENGINE_OK) status = se_store_end(&engine->store, step(&engine->store, answer, context, &events, error), error);
  pthread_mutex_unlock(&engine->lock);
  if (status == SYNC_ENGINE_OK) se_tell(engine, &events);
  se_events_clear(&events);
  return status;
}

static sync_engine_status apply_batch(se_store *store, const cJSON *batch, const void *context, se_events *events, sync_engine_error *error) {
  (void)context;
  sync_engine_status status = SYNC_ENGINE_OK;
  const char *cursor = se_json_string(batch, "cursor");
  const cJSON *changes = se_json_member(batch, "changes");
  const cJSON *left = se_json_member(batch, "left");
  if (cursor == NULL || !cJSON_IsArray(changes)) return se_fail(error, SYNC_ENGINE_PROTOCOL, "The server sent a batch without cursor or changes");
  for (const cJSON *change = changes->child; status == SYNC_ENGINE_OK && change != NULL; change = change->next) {
    status = se_confirm_change(store, change, events, error);
  }
  for (const cJSON *id = left == NULL ? NULL : left->child; status == SYNC_ENGINE_OK && id != NULL; id = id->next) {
    if (cJSON_IsString(id)) status = se_confirm_absent(store, id->valuestring, events, error);
  }
  /* Another stream may be further: then this cursor is older, and what is read twice after a restart is known by its revision. */
  return status == SYNC_ENGINE_OK ? se_meta_set(store, "cursor", cursor, error) : status;
}

sync_engine_status se_pull_event(sync_engine *engine, const cJSON *event, bool *up_to_date, bool *resync, sync_engine_error *error) {
  const char *type = se_json_string(event, "__typename");
  *up_to_date = false;
  *resync = false;
  if (type != NULL && strcmp(type, "Resync") == 0) {
    const char *reason = se_json_string(event, "reason");
    if (reason != NULL && strcmp(reason, "OTHER_HISTORY") == 0) return other_history(error);
    *resync = true;
    return SYNC_ENGINE_OK;
  }
  if (type == NULL || strcmp(type, "ChangeBatch") != 0) return se_fail(error, SYNC_ENGINE_PROTOCOL, "The server sent an event this library does not know");
  *up_to_date = cJSON_IsTrue(se_json_member(event, "upToDate"));
  return in_transaction(engine, apply_batch, event, NULL, error);
}

/* ---- Documents read as a whole ---- */

static sync_engine_status apply_document(se_store *store, const cJSON *document, const void *id, se_events *events, sync_engine_error *error) {
  return cJSON_IsObject(document) ? se_confirm_document(store, document, false, events, error) : se_confirm_absent(store, id, events, error);
}

static sync_engine_status next_stale(sync_engine *engine, char **id, sync_engine_error *error) {
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_query_text(&engine->store, id, error, "SELECT id FROM documents WHERE stale <> 0 LIMIT 1", "");
  pthread_mutex_unlock(&engine->lock);
  return status;
}

static sync_engine_status read_stale(sync_engine *engine, int64_t deadline_ms, sync_engine_error *error) {
  char *id = NULL;
  sync_engine_status status = next_stale(engine, &id, error);
  while (status == SYNC_ENGINE_OK && id != NULL) {
    cJSON *data = NULL;
    status = ask(engine, document_query, "id", id, 0, deadline_ms, &data, error);
    if (status == SYNC_ENGINE_OK) status = in_transaction(engine, apply_document, se_json_member(data, "document"), id, error);
    cJSON_Delete(data);
    free(id);
    id = NULL;
    if (status == SYNC_ENGINE_OK) status = next_stale(engine, &id, error);
  }
  free(id);
  return status;
}

sync_engine_status se_pull_stale(sync_engine *engine, int64_t deadline_ms, sync_engine_error *error) {
  pthread_mutex_lock(&engine->pull_lock);
  sync_engine_status status = read_stale(engine, deadline_ms, error);
  pthread_mutex_unlock(&engine->pull_lock);
  return status;
}

/* ---- Snapshot ---- */

static sync_engine_status forget_seen(se_store *store, const cJSON *answer, const void *context, se_events *events, sync_engine_error *error) {
  (void)answer, (void)context, (void)events;
  return se_run(store, error, "UPDATE documents SET seen = 0 WHERE seen <> 0", "");
}

#define KEPT_MESSAGE "'The history that was taken does not have the document as it was here; make this edit again to bring it back'"

/* True while the file goes over to another history: the app took it, or the operator raised the epoch. */
static sync_engine_status leaves_history(se_store *store, const cJSON *page, bool *out, sync_engine_error *error) {
  int64_t epoch = 0;
  int64_t before = 0;
  int64_t taking = 0;
  sync_engine_status status = se_query_number(store, &before, error, "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'epoch'", "");
  if (status == SYNC_ENGINE_OK) status = se_query_number(store, &taking, error, "SELECT count(*) FROM meta WHERE name = 'taking'", "");
  *out = taking > 0 || (before != 0 && se_json_count(page, "epoch", &epoch) && epoch != before);
  return status;
}

/* What the file holds otherwise than the server may be the last copy: it goes to the quarantine, as an edit that brings it back. */
static sync_engine_status keep_other_value(se_store *store, const cJSON *document, sync_engine_error *error) {
  char *value = cJSON_PrintUnformatted(se_json_member(document, "value"));
  if (value == NULL) return se_no_memory(error);
  sync_engine_status status =
      se_run(store, error,
             "INSERT INTO quarantine (document_id, patch_id, kind, payload, base, code, message)"
             " SELECT id, lower(hex(randomblob(16))), 'PATCH', json_array(json_object('op', 'replace', 'path', '', 'value', json(confirmed))), revision, ?3, " KEPT_MESSAGE
             " FROM documents WHERE id = ?1 AND confirmed IS NOT NULL AND deleted = 0 AND json(confirmed) <> json(?2)",
             "tti", se_json_string(document, "id"), value, (int64_t)SYNC_ENGINE_OTHER_HISTORY);
  cJSON_free(value);
  return status;
}

static sync_engine_status keep_unseen(se_store *store, sync_engine_error *error) {
  return se_run(store, error,
                "INSERT INTO quarantine (document_id, patch_id, kind, payload, base, code, message)"
                " SELECT id, lower(hex(randomblob(16))), 'CREATE', json_object('collection', collection, 'title', title, 'value', json(confirmed)), revision, ?1, " KEPT_MESSAGE
                " FROM documents WHERE seen = 0 AND confirmed IS NOT NULL AND deleted = 0",
                "i", (int64_t)SYNC_ENGINE_OTHER_HISTORY);
}

static sync_engine_status apply_page(se_store *store, const cJSON *page, const void *context, se_events *events, sync_engine_error *error) {
  (void)context;
  const cJSON *documents = se_json_member(page, "documents");
  bool leaves = false;
  sync_engine_status status = leaves_history(store, page, &leaves, error);
  if (!cJSON_IsArray(documents)) return se_fail(error, SYNC_ENGINE_PROTOCOL, "The server sent a page without documents");
  for (const cJSON *document = documents->child; status == SYNC_ENGINE_OK && document != NULL; document = document->next) {
    if (leaves) status = keep_other_value(store, document, error);
    if (status == SYNC_ENGINE_OK) status = se_confirm_document(store, document, true, events, error);
    if (status == SYNC_ENGINE_OK) status = se_run(store, error, "UPDATE documents SET seen = 1 WHERE id = ?", "t", se_json_string(document, "id"));
  }
  return status;
}

/* Every chain was made in another epoch. */
static sync_engine_status change_epoch(se_store *store, se_events *events, sync_engine_error *error) {
  char replica[SE_REPLICA_ID_ROOM];
  char *id = NULL;
  /* What the rewritten history knows of this replica's counters cannot be known: a new id starts clean. */
  if (!se_replica_id(replica)) return se_fail(error, SYNC_ENGINE_STORAGE, "The system gave no random bytes");
  sync_engine_status status = se_meta_set(store, "replica", replica, error);
  while (status == SYNC_ENGINE_OK) {
    se_row row;
    bool found = false;
    free(id);
    status = se_query_text(store, &id, error, "SELECT document_id FROM outbox WHERE replica <> ? LIMIT 1", "t", replica);
    if (status != SYNC_ENGINE_OK || id == NULL) break;
    status = se_row_load(store, id, &row, &found, error);
    if (status != SYNC_ENGINE_OK || !found) break;
    status = se_chain_change_epoch(store, &row, events, error);
    if (status == SYNC_ENGINE_OK) status = se_row_save(store, &row, error);
    se_row_free(&row);
  }
  free(id);
  return status;
}

/* The last page is stored: what it did not show is gone or a tombstone, and the cursor counts from now on. */
static sync_engine_status finish_snapshot(se_store *store, const cJSON *page, const void *context, se_events *events, sync_engine_error *error) {
  (void)context;
  int64_t epoch;
  int64_t before = 0;
  char text[32];
  const char *cursor = se_json_string(page, "cursor");
  if (cursor == NULL || !se_json_count(page, "epoch", &epoch)) return se_fail(error, SYNC_ENGINE_PROTOCOL, "The server sent a snapshot without cursor or epoch");
  snprintf(text, sizeof text, "%lld", (long long)epoch);
  const char *history = se_json_string(page, "history");
  bool leaves = false;
  sync_engine_status status = leaves_history(store, page, &leaves, error);
  if (status == SYNC_ENGINE_OK) status = se_query_number(store, &before, error, "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'epoch'", "");
  if (status == SYNC_ENGINE_OK && leaves) status = keep_unseen(store, error);
  if (status == SYNC_ENGINE_OK && history != NULL) status = se_meta_set(store, "history", history, error);
  if (status == SYNC_ENGINE_OK) status = se_run(store, error, "DELETE FROM meta WHERE name = 'taking'", "");
  if (status == SYNC_ENGINE_OK) status = se_run(store, error, "UPDATE documents SET stale = 1 WHERE seen = 0 AND confirmed IS NOT NULL", "");
  if (status == SYNC_ENGINE_OK) status = se_meta_set(store, "epoch", text, error);
  if (status == SYNC_ENGINE_OK) status = se_meta_set(store, "cursor", cursor, error);
  if (status == SYNC_ENGINE_OK && before != 0 && leaves) status = change_epoch(store, events, error);
  if (status == SYNC_ENGINE_OK) status = se_run(store, error, "UPDATE outbox SET epoch = ? WHERE epoch = 0", "i", epoch);
  return status;
}

/* The answer is of the file's principal and, where it tells, of its history; the first one binds the file. */
static sync_engine_status check_owner(se_store *store, const cJSON *data, const void *context, se_events *events, sync_engine_error *error) {
  (void)context, (void)events;
  char *principal = NULL;
  char *history = NULL;
  int64_t taking = 0;
  const char *met = se_json_string(se_json_member(data, "viewer"), "id");
  const char *told = se_json_string(se_json_member(data, "snapshot"), "history");
  sync_engine_status status = se_meta_get(store, "principal", &principal, error);
  if (status == SYNC_ENGINE_OK) status = se_meta_get(store, "history", &history, error);
  if (status == SYNC_ENGINE_OK) status = se_query_number(store, &taking, error, "SELECT count(*) FROM meta WHERE name = 'taking'", "");
  if (status == SYNC_ENGINE_OK && met != NULL && principal != NULL && strcmp(met, principal) != 0) {
    status = se_fail(error, SYNC_ENGINE_OTHER_PRINCIPAL,
                     "The file is of principal %s, the token of %s: nothing was sent. Set another token, or call sync_engine_hand_over() or sync_engine_clear()", principal, met);
  } else if (status == SYNC_ENGINE_OK && told != NULL && history != NULL && taking == 0 && strcmp(told, history) != 0) {
    status = other_history(error);
  } else if (status == SYNC_ENGINE_OK && met != NULL && principal == NULL) {
    status = se_meta_set(store, "principal", met, error);
  }
  free(principal);
  free(history);
  return status;
}

static sync_engine_status read_snapshot(sync_engine *engine, int64_t deadline_ms, sync_engine_error *error) {
  char *after = NULL;
  bool last = false;
  sync_engine_status status = in_transaction(engine, forget_seen, NULL, NULL, error);
  while (status == SYNC_ENGINE_OK && !last) {
    cJSON *data = NULL;
    status = ask(engine, snapshot_query, "after", after, 1000, deadline_ms, &data, error);
    const cJSON *page = se_json_member(data, "snapshot");
    const char *next = se_json_string(page, "next");
    if (status == SYNC_ENGINE_OK) status = in_transaction(engine, check_owner, data, NULL, error);
    if (status == SYNC_ENGINE_OK) status = in_transaction(engine, apply_page, page, NULL, error);
    last = next == NULL;
    if (status == SYNC_ENGINE_OK && last) status = in_transaction(engine, finish_snapshot, page, NULL, error);
    free(after);
    after = next == NULL ? NULL : strdup(next);
    if (status == SYNC_ENGINE_OK && !last && after == NULL) status = se_no_memory(error);
    cJSON_Delete(data);
  }
  free(after);
  return status;
}

/* A resync may renumber pending edits, so no push may be under way. */
static sync_engine_status take_snapshot(sync_engine *engine, int64_t deadline_ms, sync_engine_error *error) {
  pthread_mutex_lock(&engine->push_lock);
  sync_engine_status status = read_snapshot(engine, deadline_ms, error);
  pthread_mutex_unlock(&engine->push_lock);
  return status;
}

static sync_engine_status read_cursor(sync_engine *engine, char **cursor, sync_engine_error *error) {
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_meta_get(&engine->store, "cursor", cursor, error);
  pthread_mutex_unlock(&engine->lock);
  return status;
}

static sync_engine_status pull_page(sync_engine *engine, int64_t deadline_ms, bool *up_to_date, bool *resync, sync_engine_error *error) {
  char *cursor = NULL;
  cJSON *data = NULL;
  *up_to_date = false;
  sync_engine_status status = read_cursor(engine, &cursor, error);
  if (status == SYNC_ENGINE_OK && cursor == NULL) {
    *resync = true;
    return SYNC_ENGINE_OK;
  }
  if (status == SYNC_ENGINE_OK) status = ask(engine, changes_query, "after", cursor, 500, deadline_ms, &data, error);
  if (status == SYNC_ENGINE_OK) status = in_transaction(engine, check_owner, data, NULL, error);
  if (status == SYNC_ENGINE_OK) status = se_pull_event(engine, se_json_member(data, "changes"), up_to_date, resync, error);
  cJSON_Delete(data);
  free(cursor);
  return status;
}

sync_engine_status se_pull(sync_engine *engine, int64_t deadline_ms, bool resync, sync_engine_error *error) {
  bool up_to_date = false;
  sync_engine_status status = SYNC_ENGINE_OK;
  pthread_mutex_lock(&engine->pull_lock);
  while (status == SYNC_ENGINE_OK && !up_to_date) {
    if (resync) status = take_snapshot(engine, deadline_ms, error);
    resync = false;
    if (status == SYNC_ENGINE_OK) status = pull_page(engine, deadline_ms, &up_to_date, &resync, error);
    if (status == SYNC_ENGINE_OK) status = read_stale(engine, deadline_ms, error);
  }
  pthread_mutex_unlock(&engine->pull_lock);
  return status;
}
