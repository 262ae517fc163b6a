#include "engine.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "failure.h"
#include "ids.h"
#include "outbox.h"

static sync_engine_status invalid(sync_engine_error *error, const char *message) { return se_fail(error, SYNC_ENGINE_INPUT_INVALID, "%s", message); }

/* The address of the GraphQL endpoint: a URL without a path gets "/graphql". NULL without memory. */
static char *endpoint_url(const char *server_url) {
  const char *host = strstr(server_url, "://") + 3;
  size_t length = strlen(server_url);
  const char *path = strchr(host, '/');
  if (path != NULL && path[1] != '\0') return strdup(server_url);
  if (path != NULL) length--;
  char *url = malloc(length + sizeof "/graphql");
  if (url == NULL) return NULL;
  memcpy(url, server_url, length);
  memcpy(url + length, "/graphql", sizeof "/graphql");
  return url;
}

static bool is_http_url(const char *url) {
  size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;
  return scheme > 0 && url[scheme] != '\0' && url[scheme] != '/' && strpbrk(url, " \r\n\t") == NULL;
}

/* A token goes into a header line: nothing may end that line early. */
static bool is_token(const char *token) {
  for (const char *at = token; *at != '\0'; at++) {
    if (*at <= 0x20 || *at == 0x7F) return false;
  }
  return true;
}

static bool init_locks(sync_engine *engine) {
  pthread_condattr_t monotonic;
  if (pthread_condattr_init(&monotonic) != 0) return false;
#if !defined(__APPLE__)
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
#endif
  bool made = pthread_mutex_init(&engine->control_lock, NULL) == 0 && pthread_mutex_init(&engine->lock, NULL) == 0 &&
              pthread_mutex_init(&engine->pull_lock, NULL) == 0 && pthread_mutex_init(&engine->push_lock, NULL) == 0 &&
              pthread_cond_init(&engine->wake, &monotonic) == 0 && pthread_cond_init(&engine->told, NULL) == 0;
  pthread_condattr_destroy(&monotonic);
  return made;
}

static bool copy_text(char **out, const char *text) {
  *out = text == NULL ? NULL : strdup(text);
  return text == NULL || *out != NULL;
}

/* A file belongs to one workspace for ever: its documents and cursor mean nothing in another. */
static sync_engine_status check_workspace(sync_engine *engine, sync_engine_error *error) {
  char *known = NULL;
  if (engine->workspace_id == NULL) return SYNC_ENGINE_OK;
  sync_engine_status status = se_meta_get(&engine->store, "workspace", &known, error);
  if (status == SYNC_ENGINE_OK && known == NULL) status = se_meta_set(&engine->store, "workspace", engine->workspace_id, error);
  if (status == SYNC_ENGINE_OK && known != NULL && strcmp(known, engine->workspace_id) != 0) {
    status = se_fail(error, SYNC_ENGINE_INPUT_INVALID, "The database file belongs to workspace %s, not %s; use another file", known, engine->workspace_id);
  }
  free(known);
  return status;
}

/* Without an id given now, the one the file was first used with. */
static sync_engine_status recall_workspace(sync_engine *engine, sync_engine_error *error) {
  if (engine->workspace_id != NULL) return SYNC_ENGINE_OK;
  return se_meta_get(&engine->store, "workspace", &engine->workspace_id, error);
}

/* A program built with an older header has fewer members: the rest gets its defaults. One with a newer header may not set more. */
static bool known_options(sync_engine_options *out, const sync_engine_options *given) {
  sync_engine_options known = SYNC_ENGINE_OPTIONS_INIT;
  if (given == NULL || given->size < offsetof(sync_engine_options, durable) || given->size > 4096) return false;
  memcpy(&known, given, given->size < sizeof known ? given->size : sizeof known);
  known.size = sizeof known;
  *out = known;
  return true;
}

static sync_engine_status check_options(const sync_engine_options *options, sync_engine_error *error) {
  if (options->database_path == NULL || options->database_path[0] == '\0') return invalid(error, "database_path is missing");
  if (options->server_url == NULL || !is_http_url(options->server_url)) return invalid(error, "server_url must be an http:// or https:// URL");
  if (options->auth_token != NULL && !is_token(options->auth_token)) return invalid(error, "auth_token holds spaces or control characters");
  if (options->workspace_id != NULL && !se_id_valid(options->workspace_id)) return invalid(error, "workspace_id must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ : -");
  if (options->connect_timeout_ms < 0 || options->request_timeout_ms < 0) return invalid(error, "timeouts must not be negative");
  return SYNC_ENGINE_OK;
}

static void free_engine(sync_engine *engine) {
  se_http_close(&engine->pull_http);
  se_http_close(&engine->push_http);
  se_http_close(&engine->live_http);
  if (engine->store.db != NULL) se_store_close(&engine->store);
  free(engine->url);
  free(engine->token);
  free(engine->workspace_id);
  free(engine->ca_file);
  free(engine);
}

static sync_engine_status open_engine(sync_engine *engine, const sync_engine_options *options, sync_engine_error *error) {
  engine->connect_timeout_ms = options->connect_timeout_ms == 0 ? 10000 : options->connect_timeout_ms;
  engine->request_timeout_ms = options->request_timeout_ms == 0 ? 60000 : options->request_timeout_ms;
  engine->url = endpoint_url(options->server_url);
  const char *token = options->auth_token != NULL && options->auth_token[0] == '\0' ? NULL : options->auth_token;
  bool copied = engine->url != NULL && copy_text(&engine->token, token) && copy_text(&engine->workspace_id, options->workspace_id) &&
                copy_text(&engine->ca_file, options->ca_file);
  if (!copied || !se_http_open(&engine->pull_http) || !se_http_open(&engine->push_http) || !se_http_open(&engine->live_http)) return se_no_memory(error);
  sync_engine_status status = se_store_open(&engine->store, options->database_path, options->durable, error);
  if (status == SYNC_ENGINE_OK) status = check_workspace(engine, error);
  if (status == SYNC_ENGINE_OK) status = recall_workspace(engine, error);
  return status;
}

sync_engine_status sync_engine_create_with(sync_engine **out, const sync_engine_options *options, sync_engine_error *error) {
  se_clear(error);
  if (out == NULL) return invalid(error, "out must not be NULL");
  *out = NULL;
  sync_engine_options known;
  if (!known_options(&known, options)) return invalid(error, "options must be set up with SYNC_ENGINE_OPTIONS_INIT");
  sync_engine_status status = check_options(&known, error);
  if (status != SYNC_ENGINE_OK) return status;
  sync_engine *engine = calloc(1, sizeof *engine);
  if (engine == NULL) return se_no_memory(error);
  if (!init_locks(engine)) {
    free(engine);
    return se_no_memory(error);
  }
  status = open_engine(engine, &known, error);
  if (status == SYNC_ENGINE_OK) *out = engine;
  else free_engine(engine);
  return status;
}

sync_engine *sync_engine_create(const char *database_path, const char *server_url, const char *auth_token) {
  sync_engine *engine;
  sync_engine_options options = SYNC_ENGINE_OPTIONS_INIT;
  options.database_path = database_path;
  options.server_url = server_url;
  options.auth_token = auth_token;
  return sync_engine_create_with(&engine, &options, NULL) == SYNC_ENGINE_OK ? engine : NULL;
}

sync_engine_status sync_engine_start(sync_engine *engine, sync_engine_error *error) {
  sync_engine_status status = SYNC_ENGINE_OK;
  se_clear(error);
  if (engine == NULL) return invalid(error, "engine must not be NULL");
  if (se_in_callback(engine)) return se_fail(error, SYNC_ENGINE_MISUSE, "sync_engine_start() cannot be called within a callback");
  pthread_mutex_lock(&engine->control_lock);
  if (!engine->started) {
    if (pthread_create(&engine->receiver, NULL, se_receiver_main, engine) != 0) {
      status = se_fail(error, SYNC_ENGINE_NO_MEMORY, "The system gave no thread");
    } else if (pthread_create(&engine->pusher, NULL, se_pusher_main, engine) != 0) {
      status = se_fail(error, SYNC_ENGINE_NO_MEMORY, "The system gave no second thread");
      pthread_mutex_lock(&engine->lock);
      engine->stopping = true;
      se_alert(engine);
      pthread_mutex_unlock(&engine->lock);
      se_http_cancel(&engine->live_http);
      se_http_cancel(&engine->pull_http);
      pthread_join(engine->receiver, NULL);
      se_http_resume(&engine->live_http);
      se_http_resume(&engine->pull_http);
      engine->stopping = false;
    } else {
      engine->started = true;
    }
  }
  pthread_mutex_unlock(&engine->control_lock);
  return status;
}

sync_engine_status sync_engine_stop(sync_engine *engine, sync_engine_error *error) {
  se_clear(error);
  if (engine == NULL) return invalid(error, "engine must not be NULL");
  if (se_in_callback(engine)) return se_fail(error, SYNC_ENGINE_MISUSE, "sync_engine_stop() cannot be called within a callback: it waits for it");
  se_http *lines[] = {&engine->pull_http, &engine->push_http, &engine->live_http};
  pthread_mutex_lock(&engine->control_lock);
  if (engine->started) {
    pthread_mutex_lock(&engine->lock);
    engine->stopping = true;
    se_alert(engine);
    pthread_mutex_unlock(&engine->lock);
    for (size_t index = 0; index < 3; index++) se_http_cancel(lines[index]);
    pthread_join(engine->pusher, NULL);
    pthread_join(engine->receiver, NULL);
    for (size_t index = 0; index < 3; index++) se_http_resume(lines[index]);
    pthread_mutex_lock(&engine->lock);
    engine->started = false;
    engine->stopping = false;
    engine->connection = SYNC_ENGINE_STOPPED;
    engine->last_status = SYNC_ENGINE_OK;
    pthread_mutex_unlock(&engine->lock);
  }
  pthread_mutex_unlock(&engine->control_lock);
  return SYNC_ENGINE_OK;
}

void sync_engine_destroy(sync_engine *engine) {
  if (engine == NULL) return;
  sync_engine_stop(engine, NULL);
  while (engine->subscriptions != NULL) {
    sync_engine_subscription *next = engine->subscriptions->next;
    free(engine->subscriptions);
    engine->subscriptions = next;
  }
  pthread_mutex_destroy(&engine->control_lock);
  pthread_mutex_destroy(&engine->lock);
  pthread_mutex_destroy(&engine->pull_lock);
  pthread_mutex_destroy(&engine->push_lock);
  pthread_cond_destroy(&engine->wake);
  pthread_cond_destroy(&engine->told);
  free_engine(engine);
}

sync_engine_status sync_engine_set_token(sync_engine *engine, const char *auth_token, sync_engine_error *error) {
  char *token;
  se_clear(error);
  if (engine == NULL) return invalid(error, "engine must not be NULL");
  if (auth_token != NULL && !is_token(auth_token)) return invalid(error, "auth_token holds spaces or control characters");
  if (!copy_text(&token, auth_token != NULL && auth_token[0] == '\0' ? NULL : auth_token)) return se_no_memory(error);
  pthread_mutex_lock(&engine->lock);
  free(engine->token);
  engine->token = token;
  se_alert(engine);
  pthread_mutex_unlock(&engine->lock);
  return SYNC_ENGINE_OK;
}

sync_engine_status sync_engine_info_get(sync_engine_info *out, sync_engine *engine, sync_engine_error *error) {
  se_clear(error);
  if (engine == NULL || out == NULL || out->size < sizeof *out) return invalid(error, "info must be set up with SYNC_ENGINE_INFO_INIT");
  pthread_mutex_lock(&engine->lock);
  out->connection = engine->connection;
  out->last_status = engine->last_status;
  sync_engine_status status = se_outbox_pending(&engine->store, &out->pending, error);
  if (status == SYNC_ENGINE_OK) status = se_query_number(&engine->store, &out->quarantined, error, "SELECT count(*) FROM quarantine", "");
  pthread_mutex_unlock(&engine->lock);
  return status;
}

sync_engine_status sync_engine_pending_count(int64_t *out, sync_engine *engine, sync_engine_error *error) {
  se_clear(error);
  if (engine == NULL || out == NULL) return invalid(error, "out and engine must not be NULL");
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_outbox_pending(&engine->store, out, error);
  pthread_mutex_unlock(&engine->lock);
  return status;
}

/* Runs a change of the whole file in a transaction, and wakes the background. */
static sync_engine_status rebind(sync_engine *engine, bool stopped_only, sync_engine_status (*step)(sync_engine *, sync_engine_error *), sync_engine_error *error) {
  se_clear(error);
  if (engine == NULL) return invalid(error, "engine must not be NULL");
  if (se_in_callback(engine)) return se_fail(error, SYNC_ENGINE_MISUSE, "This cannot be called within a callback: an exchange is under way");
  pthread_mutex_lock(&engine->control_lock);
  sync_engine_status status = SYNC_ENGINE_OK;
  if (stopped_only && engine->started) {
    status = se_fail(error, SYNC_ENGINE_MISUSE, "The background still runs: call sync_engine_stop() first");
  } else {
    pthread_mutex_lock(&engine->pull_lock);
    pthread_mutex_lock(&engine->push_lock);
    pthread_mutex_lock(&engine->lock);
    status = se_store_begin(&engine->store, error);
    if (status == SYNC_ENGINE_OK) status = se_store_end(&engine->store, step(engine, error), error);
    se_alert(engine);
    pthread_mutex_unlock(&engine->lock);
    pthread_mutex_unlock(&engine->push_lock);
    pthread_mutex_unlock(&engine->pull_lock);
  }
  pthread_mutex_unlock(&engine->control_lock);
  return status;
}

static sync_engine_status take_history(sync_engine *engine, sync_engine_error *error) {
  sync_engine_status status = se_meta_set(&engine->store, "taking", "1", error);
  return status == SYNC_ENGINE_OK ? se_run(&engine->store, error, "DELETE FROM meta WHERE name = 'cursor'", "") : status;
}

sync_engine_status sync_engine_take_history(sync_engine *engine, sync_engine_error *error) { return rebind(engine, false, take_history, error); }

static sync_engine_status hand_over(sync_engine *engine, sync_engine_error *error) {
  return se_run(&engine->store, error, "DELETE FROM meta WHERE name = 'principal'", "");
}

sync_engine_status sync_engine_hand_over(sync_engine *engine, sync_engine_error *error) { return rebind(engine, false, hand_over, error); }

static sync_engine_status clear_file(sync_engine *engine, sync_engine_error *error) {
  char replica[SE_REPLICA_ID_ROOM];
  if (!se_replica_id(replica)) return se_fail(error, SYNC_ENGINE_STORAGE, "The system gave no random bytes");
  sync_engine_status status = se_run(&engine->store, error, "DELETE FROM documents", "");
  if (status == SYNC_ENGINE_OK) status = se_run(&engine->store, error, "DELETE FROM outbox", "");
  if (status == SYNC_ENGINE_OK) status = se_run(&engine->store, error, "DELETE FROM quarantine", "");
  if (status == SYNC_ENGINE_OK) status = se_run(&engine->store, error, "DELETE FROM conflicts", "");
  if (status == SYNC_ENGINE_OK) status = se_run(&engine->store, error, "DELETE FROM meta WHERE name IN ('cursor', 'epoch', 'history', 'principal', 'taking')", "");
  return status == SYNC_ENGINE_OK ? se_meta_set(&engine->store, "replica", replica, error) : status;
}

sync_engine_status sync_engine_clear(sync_engine *engine, sync_engine_error *error) { return rebind(engine, true, clear_file, error); }
