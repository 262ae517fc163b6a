/*
 * A replica driven over stdin: each line is a JSON array [command, arguments...], each answer a line
 * {"status":NAME,"message":...,"result":...}. Events are printed as {"event":KIND,"document":ID,"status":NAME} as they happen.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "sync_engine.h"

static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

static void print_line(cJSON *line) {
  char *text = cJSON_PrintUnformatted(line);
  pthread_mutex_lock(&output);
  printf("%s\n", text);
  fflush(stdout);
  pthread_mutex_unlock(&output);
  cJSON_free(text);
  cJSON_Delete(line);
}

static void on_event(sync_engine *engine, const sync_engine_event *event, void *user_data) {
  (void)user_data;
  sync_engine_info info = SYNC_ENGINE_INFO_INIT;
  cJSON *line = cJSON_CreateObject();
  sync_engine_info_get(&info, engine, NULL); /* calls within a callback are allowed */
  cJSON_AddNumberToObject(line, "event", event->kind);
  if (event->document_id != NULL) cJSON_AddStringToObject(line, "document", event->document_id);
  cJSON_AddStringToObject(line, "status", sync_engine_status_name(event->status));
  cJSON_AddNumberToObject(line, "connection", info.connection);
  cJSON_AddStringToObject(line, "nested", sync_engine_status_name(sync_engine_sync(engine, 1, NULL)));
  print_line(line);
}

static cJSON *quarantine_json(sync_engine *engine) {
  sync_engine_quarantine *list = NULL;
  cJSON *out = cJSON_CreateArray();
  if (sync_engine_quarantine_list(&list, engine, NULL, NULL) != SYNC_ENGINE_OK) return out;
  for (size_t index = 0; index < list->count; index++) {
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "document", list->items[index]->document_id);
    cJSON_AddStringToObject(item, "kind", list->items[index]->kind);
    cJSON_AddStringToObject(item, "code", sync_engine_status_name(list->items[index]->status));
    cJSON_AddRawToObject(item, "payload", list->items[index]->payload);
    cJSON_AddItemToArray(out, item);
  }
  sync_engine_quarantine_free(list);
  return out;
}

static cJSON *conflicts_json(sync_engine *engine) {
  sync_engine_conflicts *list = NULL;
  cJSON *out = cJSON_CreateArray();
  if (sync_engine_conflict_list(&list, engine, NULL, NULL) != SYNC_ENGINE_OK) return out;
  for (size_t index = 0; index < list->count; index++) {
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "document", list->items[index]->document_id);
    cJSON_AddStringToObject(item, "rule", list->items[index]->rule);
    cJSON_AddBoolToObject(item, "ownLost", list->items[index]->own_lost);
    cJSON_AddStringToObject(item, "path", list->items[index]->path);
    cJSON_AddRawToObject(item, "lost", list->items[index]->lost);
    cJSON_AddRawToObject(item, "winning", list->items[index]->winning);
    cJSON_AddItemToArray(out, item);
  }
  sync_engine_conflicts_free(list);
  return out;
}

static cJSON *info_json(sync_engine *engine) {
  sync_engine_info info = SYNC_ENGINE_INFO_INIT;
  cJSON *out = cJSON_CreateObject();
  sync_engine_info_get(&info, engine, NULL);
  cJSON_AddNumberToObject(out, "connection", info.connection);
  cJSON_AddStringToObject(out, "lastStatus", sync_engine_status_name(info.last_status));
  cJSON_AddNumberToObject(out, "pending", (double)info.pending);
  cJSON_AddNumberToObject(out, "quarantined", (double)info.quarantined);
  return out;
}

static sync_engine_status get(sync_engine *engine, const char *id, cJSON **result, sync_engine_error *error) {
  sync_engine_document *document = NULL;
  sync_engine_status status = sync_engine_document_get(&document, engine, id, error);
  if (status != SYNC_ENGINE_OK) return status;
  *result = cJSON_CreateObject();
  cJSON_AddRawToObject(*result, "value", document->value);
  cJSON_AddStringToObject(*result, "title", document->title);
  cJSON_AddStringToObject(*result, "collection", document->collection);
  cJSON_AddNumberToObject(*result, "revision", (double)document->revision);
  cJSON_AddBoolToObject(*result, "deleted", document->deleted);
  cJSON_AddBoolToObject(*result, "pending", document->pending);
  sync_engine_document_free(document);
  return status;
}

static sync_engine_status run(sync_engine *engine, const cJSON *line, cJSON **result, sync_engine_error *error) {
  const char *words[4] = {"", NULL, NULL, NULL};
  for (int index = 0; index < 4 && index < cJSON_GetArraySize(line); index++) words[index] = cJSON_GetStringValue(cJSON_GetArrayItem(line, index));
  const char *command = words[0];
  if (strcmp(command, "create") == 0) return sync_engine_document_create(NULL, engine, words[1], "notes", words[2], words[3], error);
  if (strcmp(command, "patch") == 0) return sync_engine_document_patch(engine, words[1], words[2], error);
  if (strcmp(command, "delete") == 0) return sync_engine_document_delete(engine, words[1], error);
  if (strcmp(command, "restore") == 0) return sync_engine_document_restore(engine, words[1], error);
  if (strcmp(command, "sync") == 0) return sync_engine_sync(engine, words[1] == NULL ? 20000 : atoll(words[1]), error);
  if (strcmp(command, "start") == 0) return sync_engine_start(engine, error);
  if (strcmp(command, "stop") == 0) return sync_engine_stop(engine, error);
  if (strcmp(command, "token") == 0) return sync_engine_set_token(engine, words[1], error);
  if (strcmp(command, "takeHistory") == 0) return sync_engine_take_history(engine, error);
  if (strcmp(command, "handOver") == 0) return sync_engine_hand_over(engine, error);
  if (strcmp(command, "clear") == 0) return sync_engine_clear(engine, error);
  if (strcmp(command, "get") == 0) return get(engine, words[1], result, error);
  *result = strcmp(command, "quarantine") == 0 ? quarantine_json(engine) : strcmp(command, "conflicts") == 0 ? conflicts_json(engine) : info_json(engine);
  return SYNC_ENGINE_OK;
}

int main(int count, char **arguments) {
  static char line[1 << 20];
  sync_engine *engine = NULL;
  sync_engine_subscription *subscription = NULL;
  sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
  sync_engine_options options = SYNC_ENGINE_OPTIONS_INIT;
  if (count < 4) return 2;
  options.database_path = arguments[1];
  options.server_url = arguments[2];
  options.auth_token = arguments[3];
  options.workspace_id = count > 4 && arguments[4][0] != '\0' ? arguments[4] : NULL;
  if (sync_engine_create_with(&engine, &options, &error) != SYNC_ENGINE_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  sync_engine_subscribe(&subscription, engine, on_event, NULL, NULL);
  while (fgets(line, sizeof line, stdin) != NULL) {
    cJSON *words = cJSON_Parse(line);
    cJSON *answer = cJSON_CreateObject();
    cJSON *result = NULL;
    sync_engine_status status = run(engine, words, &result, &error);
    cJSON_AddStringToObject(answer, "status", sync_engine_status_name(status));
    if (status != SYNC_ENGINE_OK) cJSON_AddStringToObject(answer, "message", error.message);
    if (result != NULL) cJSON_AddItemToObject(answer, "result", result);
    print_line(answer);
    cJSON_Delete(words);
  }
  sync_engine_subscription_release(subscription);
  sync_engine_destroy(engine);
  return 0;
}
