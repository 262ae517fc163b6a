#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "failure.h"
#include "graphql.h"
#include "outbox.h"
#include "sse.h"

/*
 * The background.
 *
 *              pull done, stream open         up-to-date mark
 *   CONNECTING ----------------> CATCHING_UP ----------------> LIVE
 *       ^  \____________ failure ______|________________________|
 *       |                   v
 *       +---- pause ---- OFFLINE
 *
 * The receiver walks these states. The pusher sends whenever there is something to send, and waits out its own failures.
 */

/* A server sends a comment about every 12 s; after this long without any, the connection is dead. */
enum { SILENT_MS = 45000, REFUSED_PAUSE_MS = 60000 };

static const char changes_subscription[] =
    "subscription Live($after: Cursor, $workspaceId: ID) { changes(after: $after, workspaceId: $workspaceId) { " SE_FEED_SELECTION " } }";

/* The caller has to change something first: trying again soon would only be noise. */
static bool refused(sync_engine_status status) {
  return status == SYNC_ENGINE_UNAUTHENTICATED || status == SYNC_ENGINE_FORBIDDEN || status == SYNC_ENGINE_WORKSPACE_NOT_FOUND ||
         status == SYNC_ENGINE_INPUT_INVALID || status == SYNC_ENGINE_PERSISTED_QUERY_ONLY || status == SYNC_ENGINE_OTHER_HISTORY ||
         status == SYNC_ENGINE_OTHER_PRINCIPAL;
}

static void enter(sync_engine *engine, sync_engine_connection connection, sync_engine_status reason) {
  se_events events = {NULL, 0, 0};
  pthread_mutex_lock(&engine->lock);
  bool changed = engine->connection != connection;
  engine->connection = connection;
  if (connection == SYNC_ENGINE_OFFLINE || connection == SYNC_ENGINE_LIVE) engine->last_status = reason;
  if (changed && connection >= SYNC_ENGINE_CATCHING_UP) {
    engine->connections++;
    pthread_cond_broadcast(&engine->wake);
  }
  pthread_mutex_unlock(&engine->lock);
  if (changed) se_events_add(&events, SYNC_ENGINE_EVENT_CONNECTION, NULL, reason, NULL);
  se_tell(engine, &events);
}

/* ---- Pushing ---- */

static bool can_push(sync_engine *engine) {
  int64_t pending = 0;
  int64_t cursors = 0;
  se_outbox_pending(&engine->store, &pending, NULL);
  se_query_number(&engine->store, &cursors, NULL, "SELECT count(*) FROM meta WHERE name = 'cursor'", "");
  return pending > 0 && cursors > 0; /* before the first snapshot the epoch is unknown */
}

void *se_pusher_main(void *argument) {
  sync_engine *engine = argument;
  int failures = 0;
  pthread_mutex_lock(&engine->lock);
  while (!engine->stopping) {
    se_watch watch = se_watch_now(engine);
    if (!can_push(engine)) {
      se_pause(engine, watch, -1);
      continue;
    }
    bool resync = false;
    sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
    pthread_mutex_unlock(&engine->lock);
    sync_engine_status status = se_push(engine, 0, &resync, &error);
    pthread_mutex_lock(&engine->lock);
    watch.edits = SE_UNWATCHED; /* a new edit is no reason to call on a server that just refused */
    if (status == SYNC_ENGINE_OK && resync) {
      engine->resync = true;
      se_http_cancel(&engine->live_http);
      se_pause(engine, watch, se_backoff_ms(3, 0));
    } else if (status == SYNC_ENGINE_OK) {
      failures = 0;
    } else if (!engine->stopping) {
      engine->last_status = status;
      failures++;
      se_pause(engine, watch, refused(status) ? REFUSED_PAUSE_MS : se_backoff_ms(failures, error.retry_after_ms));
    }
  }
  pthread_mutex_unlock(&engine->lock);
  return NULL;
}

/* ---- Receiving ---- */

typedef struct stream {
  sync_engine *engine;
  se_sse sse;
  se_buffer plain;          /* an answer that is no event stream: an execution result with errors */
  bool listening;           /* an event of the feed has come */
  bool resync;
  sync_engine_status status;
  sync_engine_error error;
} stream;

static bool take_result(stream *stream, const char *text, size_t length) {
  bool up_to_date = false;
  cJSON *data = NULL;
  cJSON *result = se_json_read(text, length, SE_ANSWER_DEPTH_LIMIT, &stream->error);
  stream->status = result == NULL ? SYNC_ENGINE_PROTOCOL : se_graphql_result(result, &data, &stream->error);
  if (stream->status == SYNC_ENGINE_OK) {
    stream->listening = true;
    stream->status = se_pull_event(stream->engine, se_json_member(data, "changes"), &up_to_date, &stream->resync, &stream->error);
  }
  if (stream->status == SYNC_ENGINE_OK) stream->status = se_pull_stale(stream->engine, 0, &stream->error);
  cJSON_Delete(data);
  cJSON_Delete(result);
  if (stream->status == SYNC_ENGINE_OK && up_to_date) enter(stream->engine, SYNC_ENGINE_LIVE, SYNC_ENGINE_OK);
  return stream->status == SYNC_ENGINE_OK && !stream->resync;
}

static bool on_event(void *context, const char *name, const char *data, size_t length) {
  if (strcmp(name, "next") == 0) return take_result(context, data, length);
  return strcmp(name, "complete") != 0;
}

static bool receive(void *data, const char *bytes, size_t count) {
  stream *stream = data;
  if (!stream->listening && stream->plain.length + count <= 65536) se_buffer_add(&stream->plain, bytes, count);
  return se_sse_feed(&stream->sse, bytes, count);
}

static char *subscription_body(sync_engine *engine) {
  char *cursor = NULL;
  se_buffer variables = SE_BUFFER_INIT;
  pthread_mutex_lock(&engine->lock);
  se_meta_get(&engine->store, "cursor", &cursor, NULL);
  pthread_mutex_unlock(&engine->lock);
  if (cursor == NULL) return NULL;
  se_buffer_text(&variables, "{\"after\":");
  se_json_write_string(&variables, cursor);
  se_write_workspace(engine, &variables);
  se_buffer_char(&variables, '}');
  free(cursor);
  char *text = se_buffer_take(&variables);
  char *body = text == NULL ? NULL : se_graphql_body(changes_subscription, text);
  free(text);
  return body;
}

/* What an answer without any event of the feed meant. */
static sync_engine_status read_plain(stream *stream, long http_status) {
  cJSON *data = NULL;
  cJSON *result = stream->plain.length == 0 ? NULL : se_json_read(stream->plain.data, stream->plain.length, SE_ANSWER_DEPTH_LIMIT, NULL);
  sync_engine_status status = SYNC_ENGINE_UNAVAILABLE;
  if (cJSON_IsObject(result)) status = se_graphql_result(result, &data, &stream->error);
  else if (http_status != 200) status = se_graphql_no_result(http_status, &stream->error);
  cJSON_Delete(data);
  cJSON_Delete(result);
  return status == SYNC_ENGINE_OK ? SYNC_ENGINE_PROTOCOL : status;
}

/* Follows the feed until the stream ends. *heard: it worked for a while, so failures are counted anew. */
static sync_engine_status follow(sync_engine *engine, bool *heard, bool *resync, sync_engine_error *error) {
  stream stream = {engine, {SE_BUFFER_INIT, SE_BUFFER_INIT, SE_BUFFER_INIT, false, false, on_event, NULL}, SE_BUFFER_INIT, false, false, SYNC_ENGINE_OK,
                   SYNC_ENGINE_ERROR_INIT};
  se_endpoint endpoint;
  char *token = NULL;
  long http_status = 0;
  stream.sse.context = &stream;
  sync_engine_status status = se_endpoint_copy(engine, &endpoint, &token, error);
  char *body = subscription_body(engine);
  if (status == SYNC_ENGINE_OK && body == NULL) status = se_no_memory(error);
  if (status == SYNC_ENGINE_OK) {
    se_request request = {body, "text/event-stream", 0, SILENT_MS, receive, &stream};
    status = se_http_post(&engine->live_http, &endpoint, &request, &http_status, error);
  }
  if (status == SYNC_ENGINE_OK) {
    if (stream.status == SYNC_ENGINE_OK && !stream.listening) stream.status = read_plain(&stream, http_status);
    status = stream.status;
    if (status != SYNC_ENGINE_OK) *error = stream.error;
  }
  *heard = stream.listening;
  *resync = stream.resync;
  free(body);
  free(token);
  se_sse_free(&stream.sse);
  se_buffer_free(&stream.plain);
  return status;
}

/* One connection, from pulling to the end of the stream. */
static sync_engine_status connect_once(sync_engine *engine, bool *resync, bool *heard, sync_engine_error *error) {
  bool again = *resync;
  *heard = false;
  *resync = false;
  enter(engine, SYNC_ENGINE_CONNECTING, SYNC_ENGINE_OK);
  sync_engine_status status = se_pull(engine, 0, again, error);
  if (status != SYNC_ENGINE_OK) return status;
  enter(engine, SYNC_ENGINE_CATCHING_UP, SYNC_ENGINE_OK);
  return follow(engine, heard, resync, error);
}

void *se_receiver_main(void *argument) {
  sync_engine *engine = argument;
  int failures = 0;
  bool resync = false;
  pthread_mutex_lock(&engine->lock);
  while (!engine->stopping) {
    bool heard;
    sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
    se_watch watch = se_watch_now(engine);
    watch.edits = SE_UNWATCHED;
    watch.connections = SE_UNWATCHED; /* its own */
    resync = resync || engine->resync;
    engine->resync = false;
    se_http_resume(&engine->live_http);
    pthread_mutex_unlock(&engine->lock);
    sync_engine_status status = connect_once(engine, &resync, &heard, &error);
    if (heard) failures = 0;
    if (!resync) enter(engine, SYNC_ENGINE_OFFLINE, status);
    pthread_mutex_lock(&engine->lock);
    if (engine->stopping || resync || engine->resync) continue;
    failures++;
    se_pause(engine, watch, refused(status) ? REFUSED_PAUSE_MS : se_backoff_ms(failures, error.retry_after_ms));
  }
  pthread_mutex_unlock(&engine->lock);
  return NULL;
}
