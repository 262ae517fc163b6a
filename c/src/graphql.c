#include "graphql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "failure.h"

/* More than any answer of a server that keeps its own limits; a broken one must not fill the memory. */
enum { ANSWER_LIMIT = 256 * 1024 * 1024 };

char *se_graphql_body(const char *query, const char *variables) {
  se_buffer body = SE_BUFFER_INIT;
  se_buffer_text(&body, "{\"query\":");
  se_json_write_string(&body, query);
  se_buffer_text(&body, ",\"variables\":");
  se_buffer_text(&body, variables);
  se_buffer_char(&body, '}');
  return se_buffer_take(&body);
}

static sync_engine_status graphql_error(const cJSON *first, sync_engine_error *error) {
  int64_t retry_after = 0;
  const cJSON *extensions = se_json_member(first, "extensions");
  const char *code = se_json_string(extensions, "code");
  const char *message = se_json_string(first, "message");
  const char *path = se_json_string(extensions, "path");
  sync_engine_status status = se_status_from_name(code);
  if (message == NULL) message = "no message";
  se_fail_at(error, status, path == NULL ? "" : path, "The server refused: %s%s%s", message, status == SYNC_ENGINE_PROTOCOL && code != NULL ? "; code " : "",
             status == SYNC_ENGINE_PROTOCOL && code != NULL ? code : "");
  if (error != NULL && se_json_count(extensions, "retryAfter", &retry_after)) error->retry_after_ms = retry_after;
  return status;
}

sync_engine_status se_graphql_result(cJSON *result, cJSON **data, sync_engine_error *error) {
  *data = NULL;
  const cJSON *errors = se_json_member(result, "errors");
  if (cJSON_IsArray(errors) && errors->child != NULL) return graphql_error(errors->child, error);
  *data = cJSON_DetachItemFromObjectCaseSensitive(result, "data");
  if (cJSON_IsObject(*data)) return SYNC_ENGINE_OK;
  cJSON_Delete(*data);
  *data = NULL;
  return se_fail(error, SYNC_ENGINE_PROTOCOL, "The answer is not a GraphQL result; check that the URL is that of a Concord server");
}

sync_engine_status se_graphql_no_result(long http_status, sync_engine_error *error) {
  sync_engine_status status = SYNC_ENGINE_PROTOCOL;
  if (http_status == 401) status = SYNC_ENGINE_UNAUTHENTICATED;
  if (http_status == 403) status = SYNC_ENGINE_FORBIDDEN;
  if (http_status == 429) status = SYNC_ENGINE_RATE_LIMITED;
  if (http_status == 413) status = SYNC_ENGINE_LIMIT_EXCEEDED;
  if (http_status >= 500) status = SYNC_ENGINE_UNAVAILABLE;
  se_fail(error, status, "The server answered with HTTP status %ld and no GraphQL result; check that the URL is that of a Concord server", http_status);
  if (error != NULL) {
    error->domain = SYNC_ENGINE_DOMAIN_HTTP;
    error->code = (int32_t)http_status;
  }
  return status;
}

sync_engine_status se_endpoint_copy(sync_engine *engine, se_endpoint *out, char **token, sync_engine_error *error) {
  pthread_mutex_lock(&engine->lock);
  *token = engine->token == NULL ? NULL : strdup(engine->token);
  bool complete = engine->token == NULL || *token != NULL;
  pthread_mutex_unlock(&engine->lock);
  *out = (se_endpoint){engine->url, *token, engine->ca_file, engine->connect_timeout_ms};
  return complete ? SYNC_ENGINE_OK : se_no_memory(error);
}

void se_write_workspace(const sync_engine *engine, se_buffer *variables) {
  if (engine->workspace_id == NULL) return;
  se_buffer_text(variables, ",\"workspaceId\":");
  se_json_write_string(variables, engine->workspace_id);
}

static bool collect(void *data, const char *bytes, size_t count) {
  se_buffer *answer = data;
  if (answer->length + count > ANSWER_LIMIT) return false;
  se_buffer_add(answer, bytes, count);
  return !answer->failed;
}

static sync_engine_status time_left(const sync_engine *engine, int64_t deadline_ms, int64_t *out, sync_engine_error *error) {
  *out = engine->request_timeout_ms;
  if (deadline_ms == 0) return SYNC_ENGINE_OK;
  int64_t left = deadline_ms - se_now_ms();
  if (left <= 0) return se_fail(error, SYNC_ENGINE_TIMEOUT, "The time allowed has passed; what was exchanged until then is kept");
  if (left < *out) *out = left;
  return SYNC_ENGINE_OK;
}

sync_engine_status se_graphql(sync_engine *engine, se_http *http, const char *query, const char *variables, int64_t deadline_ms, cJSON **data,
                              sync_engine_error *error) {
  se_endpoint endpoint;
  char *token = NULL;
  long http_status = 0;
  int64_t timeout_ms;
  se_buffer answer = SE_BUFFER_INIT;
  *data = NULL;
  sync_engine_status status = time_left(engine, deadline_ms, &timeout_ms, error);
  if (status == SYNC_ENGINE_OK) status = se_endpoint_copy(engine, &endpoint, &token, error);
  if (status != SYNC_ENGINE_OK) return status;
  char *body = se_graphql_body(query, variables);
  if (body == NULL) {
    status = se_no_memory(error);
  } else {
    se_request request = {body, "application/graphql-response+json, application/json", timeout_ms, 0, collect, &answer};
    status = se_http_post(http, &endpoint, &request, &http_status, error);
  }
  if (status == SYNC_ENGINE_OK) {
    cJSON *result = answer.length == 0 ? NULL : se_json_read(answer.data, answer.length, SE_ANSWER_DEPTH_LIMIT, NULL);
    status = cJSON_IsObject(result) ? se_graphql_result(result, data, error) : se_graphql_no_result(http_status, error);
    cJSON_Delete(result);
  }
  se_buffer_free(&answer);
  free(body);
  free(token);
  return status;
}
