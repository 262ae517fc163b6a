/* The cases of fixtures/apply.json, which the TypeScript tests run too. */
#include <stdlib.h>

#include "check.h"
#include "failure.h"
#include "json.h"
#include "patch.h"

static cJSON *read_file(const char *path) {
  se_buffer text = SE_BUFFER_INIT;
  char piece[4096];
  size_t count;
  FILE *file = fopen(path, "rb");
  if (file == NULL) return NULL;
  while ((count = fread(piece, 1, sizeof piece, file)) > 0) se_buffer_add(&text, piece, count);
  fclose(file);
  sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
  cJSON *json = se_json_read(text.data, text.length, SE_ANSWER_DEPTH_LIMIT, &error);
  if (json == NULL) printf("%s: %s\n", path, error.message);
  se_buffer_free(&text);
  return json;
}

static sync_engine_status run_patch(cJSON **document, const cJSON *fixture, sync_engine_error *error) {
  se_patch patch;
  const char *text = se_json_string(fixture, "patchText");
  cJSON *parsed = text == NULL ? NULL : se_json_read(text, strlen(text), SE_DEPTH_LIMIT + 2, error);
  if (text != NULL && parsed == NULL) return error->status;
  sync_engine_status status = se_patch_read(&patch, text == NULL ? se_json_member(fixture, "patch") : parsed, SE_OPERATION_LIMIT, error);
  if (status == SYNC_ENGINE_OK) {
    status = se_patch_apply(document, &patch, error);
    se_patch_free(&patch);
  }
  cJSON_Delete(parsed);
  return status;
}

static bool run_case(const cJSON *fixture) {
  sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
  const char *comment = se_json_string(fixture, "comment");
  const char *expected_code = se_json_string(fixture, "error");
  const cJSON *before = se_json_member(fixture, "document");
  cJSON *document = cJSON_Duplicate(before, true);
  sync_engine_status status = run_patch(&document, fixture, &error);
  const cJSON *expected = se_json_member(fixture, "expected");
  int64_t operation = -1;
  bool right;
  if (expected_code != NULL) {
    right = strcmp(sync_engine_status_name(status), expected_code) == 0 && se_json_equal(document, before);
    /* Where the text itself is refused, which operation it is in is not known. */
    if (se_json_string(fixture, "patchText") == NULL && se_json_count(fixture, "operation", &operation)) right = right && error.operation == operation;
  } else {
    right = status == SYNC_ENGINE_OK && expected != NULL && se_json_equal(document, expected);
  }
  if (!right) {
    char *text = se_json_text(document);
    printf("  FAILED - %s: %s (operation %d) %s; the document is %.200s\n", comment, sync_engine_status_name(status), error.operation, error.message, text);
    free(text);
  }
  cJSON_Delete(document);
  return right;
}

int main(int count, char **arguments) {
  cJSON *fixtures = count > 1 ? read_file(arguments[1]) : NULL;
  const cJSON *cases = cJSON_IsArray(fixtures) ? fixtures : se_json_member(fixtures, "cases");
  if (!cJSON_IsArray(cases)) {
    printf("usage: fixtures_test <fixtures/apply.json>\n0 passed, 1 failed\n");
    return 1;
  }
  for (const cJSON *fixture = cases->child; fixture != NULL; fixture = fixture->next) {
    if (run_case(fixture)) passed_cases++;
    else failed_cases++;
  }
  cJSON_Delete(fixtures);
  return check_end();
}
