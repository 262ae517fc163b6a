#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "failure.h"
#include "graphql.h"
#include "outbox.h"

static const char push_mutation[] =
    "mutation Push($replicaId: ID!, $edits: [EditInput!]!, $workspaceId: ID, $after: Cursor, $principalId: ID) {"
    " push(replicaId: $replicaId, edits: $edits, workspaceId: $workspaceId, after: $after, principalId: $principalId) { verdicts { __typename"
    " ... on Committed { revision conflicts { revision position ordinal rule explanation loser path lost losing winning restore } }"
    " ... on Refused { code message expected retryAfter } } } }";

static void write_number(se_buffer *buffer, const char *name, int64_t value) {
  char text[64];
  snprintf(text, sizeof text, "\"%s\":%lld", name, (long long)value);
  se_buffer_text(buffer, text);
}

static void write_edit(se_buffer *buffer, const se_edit *edit) {
  se_buffer_text(buffer, "{\"documentId\":");
  se_json_write_string(buffer, edit->document_id);
  se_buffer_text(buffer, ",\"patchId\":");
  se_json_write_string(buffer, edit->patch_id);
  se_buffer_char(buffer, ',');
  write_number(buffer, "counter", edit->counter);
  se_buffer_text(buffer, ",\"clock\":{");
  write_number(buffer, "epoch", edit->epoch);
  se_buffer_char(buffer, ',');
  write_number(buffer, "base", edit->base);
  se_buffer_text(buffer, "},\"action\":{\"");
  if (strcmp(edit->kind, "CREATE") == 0) {
    se_buffer_text(buffer, "create\":");
    se_buffer_text(buffer, edit->payload);
  } else if (strcmp(edit->kind, "PATCH") == 0) {
    se_buffer_text(buffer, "patch\":");
    se_buffer_text(buffer, edit->payload);
  } else {
    se_buffer_text(buffer, strcmp(edit->kind, "DELETE") == 0 ? "delete\":true" : "restore\":true");
  }
  se_buffer_text(buffer, "}}");
}

/* ,"<name>":"<fact>" if the file knows that fact of itself. */
static void write_fact(sync_engine *engine, se_buffer *buffer, const char *name, const char *fact) {
  char *text = NULL;
  pthread_mutex_lock(&engine->lock);
  se_meta_get(&engine->store, fact, &text, NULL);
  pthread_mutex_unlock(&engine->lock);
  if (text == NULL) return;
  se_buffer_text(buffer, ",\"");
  se_buffer_text(buffer, name);
  se_buffer_text(buffer, "\":");
  se_json_write_string(buffer, text);
  free(text);
}

static char *push_variables(sync_engine *engine, const se_batch *batch) {
  se_buffer variables = SE_BUFFER_INIT;
  se_buffer_text(&variables, "{\"replicaId\":");
  se_json_write_string(&variables, batch->replica);
  se_write_workspace(engine, &variables);
  /* An edit made on another history, or by somebody else, is refused before it is looked at. */
  write_fact(engine, &variables, "after", "cursor");
  write_fact(engine, &variables, "principalId", "principal");
  se_buffer_text(&variables, ",\"edits\":[");
  for (size_t index = 0; index < batch->count; index++) {
    if (index > 0) se_buffer_char(&variables, ',');
    write_edit(&variables, &batch->edits[index]);
  }
  se_buffer_text(&variables, "]}");
  return se_buffer_take(&variables);
}

/* Runs one step on the store in a transaction, with the lock, and tells what came of it. */
typedef struct booking {
  const se_batch *batch;
  const cJSON *verdicts;       /* NULL: refuse the first edit for `reason` */
  se_push_outcome *outcome;
  sync_engine_status reason;
  const char *message;
} booking;

static sync_engine_status book(sync_engine *engine, const booking *booking, sync_engine_error *error) {
  se_events events = {NULL, 0, 0};
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_store_begin(&engine->store, error);
  if (status == SYNC_ENGINE_OK) {
    status = booking->verdicts != NULL ? se_outbox_book(&engine->store, booking->batch, booking->verdicts, booking->outcome, &events, error)
                                       : se_outbox_refuse(&engine->store, booking->batch, 0, booking->reason, booking->message, &events, error);
    status = se_store_end(&engine->store, status, error);
  }
  pthread_mutex_unlock(&engine->lock);
  if (status == SYNC_ENGINE_OK) se_tell(engine, &events);
  se_events_clear(&events);
  return status;
}

/* Refusals of a whole push that are about what is in it, so that a smaller one, and at last a single edit, shows which. */
static bool about_content(sync_engine_status status) {
  return status == SYNC_ENGINE_LIMIT_EXCEEDED || status == SYNC_ENGINE_INPUT_INVALID || (status >= SYNC_ENGINE_PATCH_MALFORMED && status < SYNC_ENGINE_LIMIT_EXCEEDED) ||
         status == SYNC_ENGINE_CLOCK_MALFORMED;
}

static sync_engine_status take(sync_engine *engine, se_batch *batch, size_t limit, sync_engine_error *error) {
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_store_begin(&engine->store, error);
  if (status == SYNC_ENGINE_OK) status = se_store_end(&engine->store, se_outbox_take(&engine->store, batch, limit, error), error);
  pthread_mutex_unlock(&engine->lock);
  return status;
}

static sync_engine_status send_batch(sync_engine *engine, const se_batch *batch, int64_t deadline_ms, se_push_outcome *outcome, sync_engine_error *error) {
  cJSON *data = NULL;
  sync_engine_error refusal = SYNC_ENGINE_ERROR_INIT;
  char *variables = push_variables(engine, batch);
  if (variables == NULL) return se_no_memory(error);
  sync_engine_status status = se_graphql(engine, &engine->push_http, push_mutation, variables, deadline_ms, &data, &refusal);
  free(variables);
  if (status == SYNC_ENGINE_OK) {
    static const cJSON nothing;
    const cJSON *verdicts = se_json_member(se_json_member(data, "push"), "verdicts");
    booking booking = {batch, verdicts == NULL ? &nothing : verdicts, outcome, SYNC_ENGINE_OK, NULL};
    status = book(engine, &booking, error);
    cJSON_Delete(data);
    return status;
  }
  if (about_content(status) && batch->count == 1) {
    booking booking = {batch, NULL, outcome, status, refusal.message};
    outcome->progress = true;
    return book(engine, &booking, error);
  }
  if (error != NULL) *error = refusal;
  return status;
}

sync_engine_status se_push(sync_engine *engine, int64_t deadline_ms, bool *resync, sync_engine_error *error) {
  size_t limit = SE_BATCH_LIMIT;
  sync_engine_status status = SYNC_ENGINE_OK;
  *resync = false;
  pthread_mutex_lock(&engine->push_lock);
  while (status == SYNC_ENGINE_OK) {
    se_batch batch;
    se_push_outcome outcome = {false, false, SYNC_ENGINE_OK, 0, ""};
    status = take(engine, &batch, limit, error);
    if (status != SYNC_ENGINE_OK || batch.count == 0) {
      if (status == SYNC_ENGINE_OK) se_batch_free(&batch);
      break;
    }
    status = send_batch(engine, &batch, deadline_ms, &outcome, error);
    if (about_content(status) && batch.count > 1) {
      limit = (batch.count + 1) / 2;
      status = SYNC_ENGINE_OK;
    }
    se_batch_free(&batch);
    *resync = outcome.resync;
    if (status == SYNC_ENGINE_OK && outcome.wait != SYNC_ENGINE_OK) {
      status = se_fail(error, outcome.wait, "%s", outcome.message);
      if (error != NULL) error->retry_after_ms = outcome.retry_after_ms;
    }
    if (*resync) break;
  }
  pthread_mutex_unlock(&engine->push_lock);
  return status;
}
