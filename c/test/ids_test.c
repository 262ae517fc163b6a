/* The cases of fixtures/ids.json, which the TypeScript tests run too. */
#include <stdlib.h>

#include "check.h"
#include "failure.h"
#include "ids.h"
#include "json.h"

int main(int count, char **arguments) {
  se_buffer text = SE_BUFFER_INIT;
  char piece[4096];
  size_t read;
  FILE *file = count > 1 ? fopen(arguments[1], "rb") : NULL;
  if (file != NULL) {
    while ((read = fread(piece, 1, sizeof piece, file)) > 0) se_buffer_add(&text, piece, read);
    fclose(file);
  }
  sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
  cJSON *cases = file == NULL ? NULL : se_json_read(text.data, text.length, SE_ANSWER_DEPTH_LIMIT, &error);
  se_buffer_free(&text);
  if (!cJSON_IsArray(cases)) {
    printf("usage: ids_test <fixtures/ids.json>\n0 passed, 1 failed\n");
    return 1;
  }
  for (const cJSON *fixture = cases->child; fixture != NULL; fixture = fixture->next) {
    const char *id = se_json_string(fixture, "id");
    bool right = id != NULL && se_document_id_valid(id) == cJSON_IsTrue(se_json_member(fixture, "valid"));
    if (!right) printf("  FAILED - %s\n", id == NULL ? "a case without id" : id);
    if (right) passed_cases++;
    else failed_cases++;
  }
  cJSON_Delete(cases);
  return check_end();
}
