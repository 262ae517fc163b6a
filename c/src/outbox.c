#include "outbox.h"

#include <stdlib.h>
#include <string.h>

#include "failure.h"

/* Below the server's 4 MiB, with room for what is around the payloads. */
enum { BATCH_BYTES = 3 * 1024 * 1024 };

sync_engine_status se_outbox_pending(se_store *store, int64_t *out, sync_engine_error *error) {
  return se_query_number(store, out, error, "SELECT count(*) FROM outbox WHERE state < 2", "");
}

static sync_engine_status copy_edit(se_edit *edit, sqlite3_stmt *statement, sync_engine_error *error) {
  edit->document_id = se_column_copy(statement, 0);
  edit->patch_id = se_column_copy(statement, 1);
  edit->kind = se_column_copy(statement, 2);
  edit->payload = se_column_copy(statement, 3);
  edit->counter = sqlite3_column_int64(statement, 4);
  edit->epoch = sqlite3_column_int64(statement, 5);
  edit->base = sqlite3_column_int64(statement, 6);
  bool complete = edit->document_id != NULL && edit->patch_id != NULL && edit->kind != NULL &&
                  (edit->payload != NULL || sqlite3_column_type(statement, 3) == SQLITE_NULL);
  return complete ? SYNC_ENGINE_OK : se_no_memory(error);
}

static sync_engine_status take_rows(se_store *store, se_batch *batch, size_t limit, sync_engine_error *error) {
  sqlite3_stmt *statement;
  bool row;
  size_t bytes = 0;
  sync_engine_status status = se_query(store, &statement, error,
                                       "SELECT document_id, patch_id, kind, payload, counter, epoch, base FROM outbox"
                                       " WHERE state < 2 AND replica = ? ORDER BY seq",
                                       "t", batch->replica);
  if (status != SYNC_ENGINE_OK) return status;
  while (batch->count < limit && bytes < BATCH_BYTES) {
    status = se_query_step(store, statement, &row, error);
    if (status != SYNC_ENGINE_OK || !row) break;
    bytes += (size_t)sqlite3_column_bytes(statement, 3) + 512;
    if (batch->count > 0 && bytes > BATCH_BYTES) break;
    status = copy_edit(&batch->edits[batch->count++], statement, error);
    if (status != SYNC_ENGINE_OK) break;
  }
  se_query_end(statement);
  return status;
}

sync_engine_status se_outbox_take(se_store *store, se_batch *out, size_t limit, sync_engine_error *error) {
  *out = (se_batch){NULL, 0, NULL};
  sync_engine_status status = se_query_text(store, &out->replica, error, "SELECT replica FROM outbox WHERE state < 2 ORDER BY seq LIMIT 1", "");
  if (status != SYNC_ENGINE_OK || out->replica == NULL) return status;
  out->edits = calloc(limit, sizeof *out->edits);
  status = out->edits == NULL ? se_no_memory(error) : take_rows(store, out, limit, error);
  for (size_t index = 0; status == SYNC_ENGINE_OK && index < out->count; index++) {
    status = se_run(store, error, "UPDATE outbox SET state = 1 WHERE patch_id = ? AND state = 0", "t", out->edits[index].patch_id);
  }
  if (status != SYNC_ENGINE_OK) se_batch_free(out);
  return status;
}

void se_batch_free(se_batch *batch) {
  for (size_t index = 0; index < batch->count; index++) {
    free(batch->edits[index].document_id);
    free(batch->edits[index].patch_id);
    free(batch->edits[index].kind);
    free(batch->edits[index].payload);
  }
  free(batch->edits);
  free(batch->replica);
  *batch = (se_batch){NULL, 0, NULL};
}

static sync_engine_status keep_conflict(se_store *store, const cJSON *conflict, const char *document_id, sync_engine_error *error) {
  int64_t position;
  int64_t ordinal;
  int64_t revision = 0;
  const char *rule = se_json_string(conflict, "rule");
  const char *explanation = se_json_string(conflict, "explanation");
  const char *loser = se_json_string(conflict, "loser");
  const char *path = se_json_string(conflict, "path");
  char *texts[4] = {NULL, NULL, NULL, NULL};
  static const char *const names[4] = {"lost", "losing", "winning", "restore"};
  if (rule == NULL || loser == NULL || path == NULL || !se_json_count(conflict, "position", &position) || !se_json_count(conflict, "ordinal", &ordinal)) {
    return SYNC_ENGINE_OK; /* a form of a newer server: the merge itself is not touched by it */
  }
  se_json_count(conflict, "revision", &revision);
  bool complete = true;
  for (size_t index = 0; index < 4; index++) {
    const cJSON *member = se_json_member(conflict, names[index]);
    texts[index] = member == NULL ? strdup("null") : se_json_text(member);
    complete = complete && texts[index] != NULL;
  }
  sync_engine_status status = complete ? SYNC_ENGINE_OK : se_no_memory(error);
  /* An edit of this replica is always the later one of the pair: it was committed now. */
  if (complete) {
    status = se_run(store, error,
                    "INSERT OR IGNORE INTO conflicts (position, ordinal, document_id, revision, rule, explanation, own_lost, path, lost, losing, winning, restore)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    "iititt" "bttttt", position, ordinal, document_id, revision, rule, explanation == NULL ? "" : explanation,
                    (int)(strcmp(loser, "LATER") == 0), path, texts[0], texts[1], texts[2], texts[3]);
  }
  for (size_t index = 0; index < 4; index++) free(texts[index]);
  return status;
}

/* Loads the row, lets `change` alter it, saves it. */
typedef sync_engine_status (*row_change)(se_store *, se_row *, const se_edit *, sync_engine_status, const char *, se_events *, sync_engine_error *);

static sync_engine_status with_row(se_store *store, const se_edit *edit, row_change change, sync_engine_status reason, const char *message, se_events *events,
                                   sync_engine_error *error) {
  se_row row;
  bool found;
  sync_engine_status status = se_row_load(store, edit->document_id, &row, &found, error);
  if (status != SYNC_ENGINE_OK || !found) return status;
  status = change(store, &row, edit, reason, message, events, error);
  if (status == SYNC_ENGINE_OK) status = se_row_save(store, &row, error);
  se_row_free(&row);
  return status;
}

static sync_engine_status cut_row(se_store *store, se_row *row, const se_edit *edit, sync_engine_status reason, const char *message, se_events *events,
                                  sync_engine_error *error) {
  return se_chain_cut(store, row, edit->counter, reason, message, events, error);
}

static sync_engine_status reidentify_row(se_store *store, se_row *row, const se_edit *edit, sync_engine_status reason, const char *message, se_events *events,
                                         sync_engine_error *error) {
  (void)edit;
  return se_chain_reidentify(store, row, reason, message, events, error);
}

sync_engine_status se_outbox_refuse(se_store *store, const se_batch *batch, size_t index, sync_engine_status reason, const char *message, se_events *events,
                                    sync_engine_error *error) {
  return with_row(store, &batch->edits[index], cut_row, reason, message, events, error);
}

/* Most often the feed has not brought the own change back yet; asking first spares reading the document for each edit. */
static sync_engine_status settle_if_done(se_store *store, const se_edit *edit, se_events *events, sync_engine_error *error) {
  se_row row;
  bool found;
  int64_t unsettled = 0;
  sync_engine_status status = se_query_number(store, &unsettled, error,
                                              "SELECT count(*) FROM outbox JOIN documents ON documents.id = outbox.document_id"
                                              " WHERE document_id = ? AND (state < 2 OR outbox.revision > documents.revision)",
                                              "t", edit->document_id);
  if (status != SYNC_ENGINE_OK || unsettled > 0) return status;
  status = se_row_load(store, edit->document_id, &row, &found, error);
  if (status != SYNC_ENGINE_OK || !found) return status;
  status = se_chain_settle(store, &row, events, error);
  if (status == SYNC_ENGINE_OK) status = se_row_save(store, &row, error);
  se_row_free(&row);
  return status;
}

static sync_engine_status book_committed(se_store *store, const se_batch *batch, const se_edit *edit, const cJSON *verdict, se_events *events,
                                         sync_engine_error *error) {
  int64_t revision;
  if (!se_json_count(verdict, "revision", &revision)) return se_fail(error, SYNC_ENGINE_PROTOCOL, "The server sent a verdict without a revision");
  sync_engine_status status = se_chain_acknowledge(store, edit->document_id, batch->replica, edit->counter, edit->patch_id, revision, error);
  const cJSON *conflicts = se_json_member(verdict, "conflicts");
  for (const cJSON *conflict = conflicts == NULL ? NULL : conflicts->child; status == SYNC_ENGINE_OK && conflict != NULL; conflict = conflict->next) {
    status = keep_conflict(store, conflict, edit->document_id, error);
  }
  return status == SYNC_ENGINE_OK ? settle_if_done(store, edit, events, error) : status;
}

/* The server lacks edits from `expected` on: those are sent again if they are still here. */
static sync_engine_status book_gap(se_store *store, const se_batch *batch, const se_edit *edit, const cJSON *verdict, const char *message, se_events *events,
                                   sync_engine_error *error) {
  int64_t expected = 0;
  int64_t here = 0;
  se_json_count(verdict, "expected", &expected);
  sync_engine_status status = se_query_number(store, &here, error, "SELECT count(*) FROM outbox WHERE document_id = ? AND replica = ? AND counter = ?", "tti",
                                              edit->document_id, batch->replica, expected);
  if (status != SYNC_ENGINE_OK) return status;
  if (here == 0 || expected >= edit->counter) return with_row(store, edit, reidentify_row, SYNC_ENGINE_CLOCK_GAP, message, events, error);
  return se_run(store, error, "UPDATE outbox SET state = 1, revision = 0 WHERE document_id = ? AND replica = ? AND counter >= ?", "tti", edit->document_id,
                batch->replica, expected);
}

/* The newest revision of a later edit of the same document that the server has committed; 0: none in this batch. */
static int64_t committed_later(const se_batch *batch, size_t index, const cJSON *verdict) {
  int64_t revision = 0;
  for (size_t later = index + 1; (verdict = verdict->next) != NULL; later++) {
    const char *type = se_json_string(verdict, "__typename");
    bool same = later < batch->count && strcmp(batch->edits[later].document_id, batch->edits[index].document_id) == 0;
    if (same && type != NULL && strcmp(type, "Committed") == 0) se_json_count(verdict, "revision", &revision);
  }
  return revision;
}

/*
 * The counter was taken by a change that the server no longer keeps, so it cannot tell whether it was this edit. If a later one of
 * the chain is in, so is this one: a chain is committed in order. Otherwise it is set aside, and the next goes on from `expected`.
 */
static sync_engine_status book_compacted(se_store *store, const se_batch *batch, size_t index, const cJSON *verdict, int64_t expected, const char *message,
                                         bool *refused, se_events *events, sync_engine_error *error) {
  const se_edit *edit = &batch->edits[index];
  int64_t revision = committed_later(batch, index, verdict);
  *refused = revision == 0;
  if (!*refused) return se_chain_acknowledge(store, edit->document_id, batch->replica, edit->counter, edit->patch_id, revision, error);
  sync_engine_status status = with_row(store, edit, cut_row, SYNC_ENGINE_CLOCK_STALE, message, events, error);
  if (status != SYNC_ENGINE_OK) return status;
  return se_run(store, error, "UPDATE documents SET counter = ? WHERE id = ? AND replica = ?", "itt", expected - 1, edit->document_id, batch->replica);
}

static void remember_wait(se_push_outcome *outcome, sync_engine_status code, const char *message, const cJSON *verdict) {
  int64_t retry_after = 0;
  if (outcome->wait == SYNC_ENGINE_OK) {
    outcome->wait = code;
    se_copy_text(outcome->message, sizeof outcome->message, message);
  }
  if (se_json_count(verdict, "retryAfter", &retry_after) && retry_after > outcome->retry_after_ms) outcome->retry_after_ms = retry_after;
}

/* Whether an earlier edit of the same document was refused in this batch: the later one shares its fate. */
static bool follows_refused(const se_batch *batch, const bool *refused, size_t index) {
  for (size_t earlier = 0; earlier < index; earlier++) {
    if (refused[earlier] && strcmp(batch->edits[earlier].document_id, batch->edits[index].document_id) == 0) return true;
  }
  return false;
}

static sync_engine_status book_refused(se_store *store, const se_batch *batch, size_t index, const cJSON *verdict, bool *refused, se_push_outcome *outcome,
                                       se_events *events, sync_engine_error *error) {
  int64_t expected = 0;
  const se_edit *edit = &batch->edits[index];
  sync_engine_status code = se_status_from_name(se_json_string(verdict, "code"));
  const char *message = se_json_string(verdict, "message");
  if (message == NULL) message = sync_engine_status_string(code);
  if (code >= SYNC_ENGINE_RATE_LIMITED) {
    remember_wait(outcome, code, message, verdict);
    return SYNC_ENGINE_OK;
  }
  outcome->progress = true;
  switch (code) {
    case SYNC_ENGINE_EPOCH_CHANGED:
      outcome->resync = true;
      return SYNC_ENGINE_OK;
    case SYNC_ENGINE_CLOCK_STALE:
      if (!se_json_count(verdict, "expected", &expected)) return with_row(store, edit, cut_row, code, message, events, error);
      return book_compacted(store, batch, index, verdict, expected, message, refused, events, error);
    case SYNC_ENGINE_CLOCK_GAP:
      return book_gap(store, batch, edit, verdict, message, events, error);
    case SYNC_ENGINE_REPLICA_CLONED:
    case SYNC_ENGINE_REPLICA_RETIRED:
      return with_row(store, edit, reidentify_row, code, message, events, error);
    default:
      return with_row(store, edit, cut_row, code, message, events, error);
  }
}

sync_engine_status se_outbox_book(se_store *store, const se_batch *batch, const cJSON *verdicts, se_push_outcome *outcome, se_events *events,
                                  sync_engine_error *error) {
  sync_engine_status status = SYNC_ENGINE_OK;
  size_t index = 0;
  *outcome = (se_push_outcome){false, false, SYNC_ENGINE_OK, 0, ""};
  if (!cJSON_IsArray(verdicts) || (size_t)cJSON_GetArraySize(verdicts) != batch->count) {
    return se_fail(error, SYNC_ENGINE_PROTOCOL, "The server did not send one verdict for each edit; use versions that fit together");
  }
  bool *refused = calloc(batch->count, sizeof *refused);
  if (refused == NULL) return se_no_memory(error);
  for (const cJSON *verdict = verdicts->child; status == SYNC_ENGINE_OK && verdict != NULL; verdict = verdict->next, index++) {
    const char *type = se_json_string(verdict, "__typename");
    if (type != NULL && strcmp(type, "Committed") == 0) {
      outcome->progress = true;
      status = book_committed(store, batch, &batch->edits[index], verdict, events, error);
    } else {
      refused[index] = true;
      if (!follows_refused(batch, refused, index)) status = book_refused(store, batch, index, verdict, &refused[index], outcome, events, error);
    }
  }
  free(refused);
  return status;
}
