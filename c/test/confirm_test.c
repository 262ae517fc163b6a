/* What the server says of a document, in whatever order it comes. */
#include <stdlib.h>

#include "check.h"
#include "confirm.h"
#include "failure.h"

static cJSON *parsed(const char *text) { return se_json_read(text, strlen(text), SE_ANSWER_DEPTH_LIMIT, NULL); }

static void read_whole(se_store *store, int revision) {
  char text[256];
  snprintf(text, sizeof text, "{\"id\":\"d\",\"collection\":\"c\",\"title\":\"\",\"value\":{\"n\":%d},\"revision\":%d,\"deleted\":false}", revision, revision);
  cJSON *document = parsed(text);
  CHECK(se_confirm_document(store, document, false, NULL, NULL) == SYNC_ENGINE_OK);
  cJSON_Delete(document);
}

static void hear_of(se_store *store, int revision) {
  char text[512];
  snprintf(text, sizeof text,
           "{\"documentId\":\"d\",\"kind\":\"PATCH\",\"collection\":\"c\",\"replicaId\":\"r\",\"patchId\":\"p%d\",\"revision\":%d,\"counter\":%d,"
           "\"patch\":[{\"op\":\"inc\",\"path\":\"/n\",\"value\":1}]}",
           revision, revision, revision);
  cJSON *change = parsed(text);
  CHECK(se_confirm_change(store, change, NULL, NULL) == SYNC_ENGINE_OK);
  cJSON_Delete(change);
}

static int64_t number(se_store *store, const char *sql) {
  int64_t value = -1;
  CHECK(se_query_number(store, &value, NULL, sql, "") == SYNC_ENGINE_OK);
  return value;
}

static const char stale[] = "SELECT count(*) FROM documents WHERE stale <> 0";
static const char revision[] = "SELECT revision FROM documents";

static void a_change_missed_while_the_document_was_read_is_read_too(void) {
  se_store store;
  CHECK(se_store_open(&store, ":memory:", false, NULL) == SYNC_ENGINE_OK);
  read_whole(&store, 3);
  hear_of(&store, 4);
  CHECK(number(&store, revision) == 4);
  CHECK(number(&store, stale) == 0);
  hear_of(&store, 6);
  CHECK(number(&store, stale) == 1);
  read_whole(&store, 5); /* asked before the change of revision 6 was made */
  CHECK(number(&store, stale) == 1);
  read_whole(&store, 6);
  CHECK(number(&store, revision) == 6);
  CHECK(number(&store, stale) == 0);
  hear_of(&store, 8);
  read_whole(&store, 7);
  hear_of(&store, 8);
  CHECK(number(&store, revision) == 8);
  read_whole(&store, 7); /* overtaken by the change again */
  CHECK(number(&store, stale) == 1);
  read_whole(&store, 8);
  CHECK(number(&store, revision) == 8);
  CHECK(number(&store, stale) == 0);
  se_store_close(&store);
}

static void a_server_that_lost_a_change_is_not_asked_for_ever(void) {
  se_store store;
  CHECK(se_store_open(&store, ":memory:", false, NULL) == SYNC_ENGINE_OK);
  read_whole(&store, 3);
  hear_of(&store, 9);
  read_whole(&store, 5);
  CHECK(number(&store, stale) == 1);
  read_whole(&store, 5);
  CHECK(number(&store, stale) == 0);
  se_store_close(&store);
}

int main(void) {
  check_case("a change that came while an older state was being read is not forgotten", a_change_missed_while_the_document_was_read_is_read_too);
  check_case("a server that has lost a change is not asked for it for ever", a_server_that_lost_a_change_is_not_asked_for_ever);
  return check_end();
}
