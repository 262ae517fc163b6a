/* The engine without a server: everything that must work offline. Uses the public header only. */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "sync_engine.h"

static char database[256];
static const char nowhere[] = "http://127.0.0.1:1"; /* nobody listens on port 1 */

static void remove_database(void) {
  char path[300];
  const char *const endings[] = {"", "-wal", "-shm", "-journal"};
  for (size_t index = 0; index < 4; index++) {
    snprintf(path, sizeof path, "%s%s", database, endings[index]);
    unlink(path);
  }
}

static sync_engine *open_engine(void) {
  sync_engine *engine = sync_engine_create(database, nowhere, "id.secret");
  CHECK(engine != NULL);
  return engine;
}

static sync_engine *fresh_engine(void) {
  remove_database();
  return open_engine();
}

#define CHECK_VALUE(engine, id, expected)                                               \
  do {                                                                                  \
    sync_engine_document *document_ = NULL;                                             \
    CHECK_STATUS(sync_engine_document_get(&document_, engine, id, NULL), SYNC_ENGINE_OK); \
    if (document_ != NULL) CHECK_TEXT(document_->value, expected);                      \
    sync_engine_document_free(document_);                                               \
  } while (0)

static int64_t pending(sync_engine *engine) {
  int64_t count = -1;
  CHECK_STATUS(sync_engine_pending_count(&count, engine, NULL), SYNC_ENGINE_OK);
  return count;
}

static void edits_survive_a_restart(void) {
  sync_engine *engine = fresh_engine();
  CHECK_STATUS(sync_engine_document_create(NULL, engine, "n1", "notes", "First", "{\"text\":\"h\\u00e9llo\",\"n\":1}", NULL), SYNC_ENGINE_OK);
  CHECK_STATUS(sync_engine_document_patch(engine, "n1", "[{\"op\":\"inc\",\"path\":\"/n\",\"value\":4},{\"op\":\"str_ins\",\"path\":\"/text\",\"pos\":5,\"str\":\"!\"}]", NULL),
               SYNC_ENGINE_OK);
  CHECK(pending(engine) == 2);
  sync_engine_destroy(engine);
  engine = open_engine();
  sync_engine_document *document = NULL;
  CHECK_STATUS(sync_engine_document_get(&document, engine, "n1", NULL), SYNC_ENGINE_OK);
  CHECK_TEXT(document->value, "{\"text\":\"h\xC3\xA9llo!\",\"n\":5}");
  CHECK_TEXT(document->title, "First");
  CHECK_TEXT(document->collection, "notes");
  CHECK(document->pending && !document->deleted && document->revision == 0);
  sync_engine_document_free(document);
  CHECK(pending(engine) == 2);
  sync_engine_destroy(engine);
}

static void a_refused_patch_changes_nothing(void) {
  sync_engine *engine = fresh_engine();
  sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
  sync_engine_document_create(NULL, engine, "n1", NULL, NULL, "{\"a\":[1]}", NULL);
  CHECK_STATUS(sync_engine_document_patch(engine, "n1", "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":2},{\"op\":\"remove\",\"path\":\"/b\"}]", &error),
               SYNC_ENGINE_PATH_NOT_FOUND);
  CHECK(error.operation == 1);
  CHECK_TEXT(error.path, "/b");
  CHECK_VALUE(engine, "n1", "{\"a\":[1]}");
  CHECK_STATUS(sync_engine_document_patch(engine, "n1", "no patch", &error), SYNC_ENGINE_PATCH_MALFORMED);
  CHECK_STATUS(sync_engine_document_patch(engine, "n1", "{}", NULL), SYNC_ENGINE_PATCH_MALFORMED);
  CHECK_STATUS(sync_engine_document_patch(engine, "n2", "[]", &error), SYNC_ENGINE_DOCUMENT_NOT_FOUND);
  CHECK_STATUS(sync_engine_document_patch(engine, "a\tb", "[]", &error), SYNC_ENGINE_INPUT_INVALID);
  CHECK_STATUS(sync_engine_document_create(NULL, engine, "n1", NULL, NULL, "{}", &error), SYNC_ENGINE_DOCUMENT_EXISTS);
  CHECK_STATUS(sync_engine_document_create(NULL, engine, NULL, NULL, NULL, "{\"a\":1e999}", &error), SYNC_ENGINE_VALUE_INVALID);
  CHECK_STATUS(sync_engine_document_create(NULL, engine, NULL, NULL, NULL, "{", NULL), SYNC_ENGINE_INPUT_INVALID);
  CHECK_STATUS(sync_engine_document_create(NULL, engine, NULL, "", NULL, "{}", NULL), SYNC_ENGINE_INPUT_INVALID);
  CHECK(pending(engine) == 1);
  sync_engine_destroy(engine);
}

static void deleted_documents_can_be_restored(void) {
  sync_engine *engine = fresh_engine();
  sync_engine_document *document = NULL;
  sync_engine_document_create(NULL, engine, "n1", NULL, NULL, "{\"a\":1}", NULL);
  CHECK_STATUS(sync_engine_document_delete(engine, "n1", NULL), SYNC_ENGINE_OK);
  CHECK_STATUS(sync_engine_document_delete(engine, "n1", NULL), SYNC_ENGINE_OK);
  CHECK(pending(engine) == 2);
  CHECK_STATUS(sync_engine_document_patch(engine, "n1", "[]", NULL), SYNC_ENGINE_DOCUMENT_DELETED);
  CHECK_STATUS(sync_engine_document_get(&document, engine, "n1", NULL), SYNC_ENGINE_OK);
  CHECK(document->deleted);
  sync_engine_document_free(document);
  CHECK_STATUS(sync_engine_document_restore(engine, "n1", NULL), SYNC_ENGINE_OK);
  CHECK_VALUE(engine, "n1", "{\"a\":1}");
  CHECK(pending(engine) == 3);
  sync_engine_destroy(engine);
}

static void lists_show_living_documents_of_a_collection(void) {
  sync_engine *engine = fresh_engine();
  sync_engine_documents *documents = NULL;
  sync_engine_document_create(NULL, engine, "b", "notes", NULL, NULL, NULL);
  sync_engine_document_create(NULL, engine, "a", "notes", NULL, NULL, NULL);
  sync_engine_document_create(NULL, engine, "c", "tasks", NULL, NULL, NULL);
  sync_engine_document_create(NULL, engine, "d", "notes", NULL, NULL, NULL);
  sync_engine_document_delete(engine, "d", NULL);
  CHECK_STATUS(sync_engine_document_list(&documents, engine, "notes", NULL), SYNC_ENGINE_OK);
  CHECK(documents->count == 2);
  CHECK_TEXT(documents->items[0]->id, "a");
  CHECK_TEXT(documents->items[1]->id, "b");
  sync_engine_documents_free(documents);
  CHECK_STATUS(sync_engine_document_list(&documents, engine, NULL, NULL), SYNC_ENGINE_OK);
  CHECK(documents->count == 3);
  sync_engine_documents_free(documents);
  CHECK_STATUS(sync_engine_document_list(&documents, engine, "none", NULL), SYNC_ENGINE_OK);
  CHECK(documents->count == 0);
  sync_engine_documents_free(documents);
  sync_engine_destroy(engine);
}

static void random_ids_are_handed_out(void) {
  sync_engine *engine = fresh_engine();
  char *id = NULL;
  CHECK_STATUS(sync_engine_document_create(&id, engine, NULL, NULL, NULL, "[1]", NULL), SYNC_ENGINE_OK);
  CHECK_VALUE(engine, id, "[1]");
  sync_engine_string_free(id);
  sync_engine_destroy(engine);
}

static void a_file_belongs_to_one_engine(void) {
  sync_engine *engine = fresh_engine();
  sync_engine *second = NULL;
  sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
  sync_engine_options options = SYNC_ENGINE_OPTIONS_INIT;
  options.database_path = database;
  options.server_url = nowhere;
  CHECK_STATUS(sync_engine_create_with(&second, &options, &error), SYNC_ENGINE_DATABASE_IN_USE);
  CHECK(second == NULL && error.domain == SYNC_ENGINE_DOMAIN_SQLITE);
  sync_engine_destroy(engine);
  CHECK_STATUS(sync_engine_create_with(&second, &options, &error), SYNC_ENGINE_OK);
  sync_engine_destroy(second);
}

static void a_file_belongs_to_one_workspace(void) {
  sync_engine *engine = NULL;
  sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
  sync_engine_options options = SYNC_ENGINE_OPTIONS_INIT;
  remove_database();
  options.database_path = database;
  options.server_url = "https://example.test/api/graphql";
  options.workspace_id = "w1";
  options.durable = true;
  CHECK_STATUS(sync_engine_create_with(&engine, &options, &error), SYNC_ENGINE_OK);
  sync_engine_destroy(engine);
  options.workspace_id = "w2";
  CHECK_STATUS(sync_engine_create_with(&engine, &options, &error), SYNC_ENGINE_INPUT_INVALID);
}

static void wrong_options_are_named(void) {
  sync_engine *engine = NULL;
  sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
  sync_engine_options options = SYNC_ENGINE_OPTIONS_INIT;
  CHECK_STATUS(sync_engine_create_with(&engine, &options, &error), SYNC_ENGINE_INPUT_INVALID);
  options.database_path = database;
  options.server_url = "ftp://example.test";
  CHECK_STATUS(sync_engine_create_with(&engine, &options, &error), SYNC_ENGINE_INPUT_INVALID);
  options.server_url = nowhere;
  options.auth_token = "a\r\nX-Evil: 1";
  CHECK_STATUS(sync_engine_create_with(&engine, &options, &error), SYNC_ENGINE_INPUT_INVALID);
  CHECK(sync_engine_create(NULL, NULL, NULL) == NULL);
  CHECK(sync_engine_create("/nonexistent/folder/file.db", nowhere, NULL) == NULL);
  sync_engine_destroy(NULL);
}

static void sync_without_a_server_says_so_and_loses_nothing(void) {
  sync_engine *engine = fresh_engine();
  sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
  sync_engine_document_create(NULL, engine, "n1", NULL, NULL, "{}", NULL);
  CHECK_STATUS(sync_engine_sync(engine, 5000, &error), SYNC_ENGINE_NETWORK);
  CHECK(error.domain == SYNC_ENGINE_DOMAIN_CURL && error.code != 0);
  CHECK(pending(engine) == 1);
  sync_engine_destroy(engine);
}

static void the_background_stops_at_once(void) {
  sync_engine *engine = fresh_engine();
  sync_engine_info info = SYNC_ENGINE_INFO_INIT;
  CHECK_STATUS(sync_engine_start(engine, NULL), SYNC_ENGINE_OK);
  CHECK_STATUS(sync_engine_start(engine, NULL), SYNC_ENGINE_OK);
  sync_engine_document_create(NULL, engine, "n1", NULL, NULL, "{}", NULL);
  CHECK_STATUS(sync_engine_stop(engine, NULL), SYNC_ENGINE_OK);
  CHECK_STATUS(sync_engine_stop(engine, NULL), SYNC_ENGINE_OK);
  CHECK_STATUS(sync_engine_info_get(&info, engine, NULL), SYNC_ENGINE_OK);
  CHECK(info.connection == SYNC_ENGINE_STOPPED && info.pending == 1 && info.quarantined == 0);
  sync_engine_start(engine, NULL);
  sync_engine_destroy(engine);
}

static void large_documents_are_refused(void) {
  sync_engine *engine = fresh_engine();
  sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
  size_t size = 1100 * 1024;
  char *value = malloc(size + 3);
  memset(value, 'x', size + 2);
  value[0] = '"';
  value[size + 1] = '"';
  value[size + 2] = '\0';
  CHECK_STATUS(sync_engine_document_create(NULL, engine, NULL, NULL, NULL, value, &error), SYNC_ENGINE_LIMIT_EXCEEDED);
  free(value);
  sync_engine_destroy(engine);
}

static void empty_lists_are_lists(void) {
  sync_engine *engine = fresh_engine();
  sync_engine_quarantine *quarantine = NULL;
  sync_engine_conflicts *conflicts = NULL;
  CHECK_STATUS(sync_engine_quarantine_list(&quarantine, engine, NULL, NULL), SYNC_ENGINE_OK);
  CHECK(quarantine != NULL && quarantine->count == 0);
  CHECK_STATUS(sync_engine_conflict_list(&conflicts, engine, "x", NULL), SYNC_ENGINE_OK);
  CHECK(conflicts != NULL && conflicts->count == 0);
  CHECK_STATUS(sync_engine_quarantine_remove(engine, 7, NULL), SYNC_ENGINE_OK);
  sync_engine_quarantine_free(quarantine);
  sync_engine_conflicts_free(conflicts);
  sync_engine_destroy(engine);
}

int main(void) {
  const char *folder = getenv("TMPDIR");
  snprintf(database, sizeof database, "%s/sync_engine_test_%ld.db", folder == NULL ? "/tmp" : folder, (long)getpid());
  check_case("edits made offline survive a restart", edits_survive_a_restart);
  check_case("a refused edit changes nothing and says where it failed", a_refused_patch_changes_nothing);
  check_case("a deleted document can be restored", deleted_documents_can_be_restored);
  check_case("a list shows the living documents of a collection, by id", lists_show_living_documents_of_a_collection);
  check_case("a document without an id gets a random one", random_ids_are_handed_out);
  check_case("a second engine on the same file is refused", a_file_belongs_to_one_engine);
  check_case("a file belongs to one workspace", a_file_belongs_to_one_workspace);
  check_case("wrong options are refused", wrong_options_are_named);
  check_case("an exchange without a server fails and loses nothing", sync_without_a_server_says_so_and_loses_nothing);
  check_case("the background stops at once while offline", the_background_stops_at_once);
  check_case("a document over the limit is refused", large_documents_are_refused);
  check_case("empty lists are lists", empty_lists_are_lists);
  remove_database();
  return check_end();
}
