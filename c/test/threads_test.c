/* One engine used by many threads at once. Made for ThreadSanitizer as well: configure with -DSYNC_ENGINE_SANITIZE=thread. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "sync_engine.h"

enum { WRITERS = 4, EDITS = 60 };

static sync_engine *engine;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t called = PTHREAD_COND_INITIALIZER;
static int calls;

static void on_event(sync_engine *told, const sync_engine_event *event, void *user_data) {
  sync_engine_info info = SYNC_ENGINE_INFO_INIT;
  (void)event;
  sync_engine_info_get(&info, told, NULL);
  pthread_mutex_lock(&lock);
  calls++;
  pthread_cond_broadcast(&called);
  pthread_mutex_unlock(&lock);
  if (user_data != NULL) *(int *)user_data += 1; /* not atomic: only one callback runs at a time, and none after the release */
}

static void *write_edits(void *argument) {
  const char *id = argument;
  for (int count = 0; count < EDITS; count++) {
    sync_engine_document *document = NULL;
    CHECK_STATUS(sync_engine_document_patch(engine, id, "[{\"op\":\"inc\",\"path\":\"/n\",\"value\":1}]", NULL), SYNC_ENGINE_OK);
    CHECK_STATUS(sync_engine_document_get(&document, engine, "shared", NULL), SYNC_ENGINE_OK);
    sync_engine_document_free(document);
    CHECK_STATUS(sync_engine_document_patch(engine, "shared", "[{\"op\":\"inc\",\"path\":\"/n\",\"value\":1}]", NULL), SYNC_ENGINE_OK);
  }
  return NULL;
}

static void *exchange(void *argument) {
  (void)argument;
  for (int count = 0; count < 10; count++) {
    sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
    sync_engine_status status = sync_engine_sync(engine, 50, &error);
    CHECK(status == SYNC_ENGINE_NETWORK || status == SYNC_ENGINE_CANCELLED || status == SYNC_ENGINE_TIMEOUT);
  }
  return NULL;
}

static void *start_and_stop(void *argument) {
  (void)argument;
  for (int count = 0; count < 20; count++) {
    CHECK_STATUS(sync_engine_start(engine, NULL), SYNC_ENGINE_OK);
    CHECK_STATUS(sync_engine_set_token(engine, "other.token", NULL), SYNC_ENGINE_OK);
    CHECK_STATUS(sync_engine_stop(engine, NULL), SYNC_ENGINE_OK);
  }
  return NULL;
}

static void *subscribe_and_release(void *argument) {
  (void)argument;
  for (int count = 0; count < 200; count++) {
    int heard = 0;
    sync_engine_subscription *subscription = NULL;
    CHECK_STATUS(sync_engine_subscribe(&subscription, engine, on_event, &heard, NULL), SYNC_ENGINE_OK);
    if (count % 8 == 0) usleep(1000);
    sync_engine_subscription_release(subscription);
  }
  return NULL;
}

static void threads_share_an_engine(void) {
  char database[256];
  char ids[WRITERS][16];
  pthread_t writers[WRITERS];
  pthread_t others[4];
  sync_engine_subscription *subscription = NULL;
  sync_engine_document *document = NULL;
  int64_t pending = 0;
  snprintf(database, sizeof database, "/tmp/sync_engine_threads_%ld.db", (long)getpid());
  unlink(database);
  engine = sync_engine_create(database, "http://127.0.0.1:1", "id.secret");
  CHECK(engine != NULL);
  sync_engine_document_create(NULL, engine, "shared", NULL, NULL, "{\"n\":0}", NULL);
  CHECK_STATUS(sync_engine_subscribe(&subscription, engine, on_event, NULL, NULL), SYNC_ENGINE_OK);
  for (int index = 0; index < WRITERS; index++) {
    snprintf(ids[index], sizeof ids[index], "own-%d", index);
    sync_engine_document_create(NULL, engine, ids[index], NULL, NULL, "{\"n\":0}", NULL);
    pthread_create(&writers[index], NULL, write_edits, ids[index]);
  }
  pthread_create(&others[0], NULL, exchange, NULL);
  pthread_create(&others[1], NULL, start_and_stop, NULL);
  pthread_create(&others[2], NULL, start_and_stop, NULL);
  pthread_create(&others[3], NULL, subscribe_and_release, NULL);
  for (int index = 0; index < WRITERS; index++) pthread_join(writers[index], NULL);
  for (int index = 0; index < 4; index++) pthread_join(others[index], NULL);
  CHECK_STATUS(sync_engine_document_get(&document, engine, "shared", NULL), SYNC_ENGINE_OK);
  CHECK_TEXT(document->value, "{\"n\":240}");
  sync_engine_document_free(document);
  sync_engine_pending_count(&pending, engine, NULL);
  CHECK(pending == 1 + WRITERS + 2 * WRITERS * EDITS);
  sync_engine_start(engine, NULL);
  pthread_mutex_lock(&lock);
  while (calls == 0) pthread_cond_wait(&called, &lock);
  pthread_mutex_unlock(&lock);
  sync_engine_subscription_release(subscription);
  sync_engine_destroy(engine);
  const char *const endings[] = {"", "-wal", "-shm"};
  for (size_t index = 0; index < 3; index++) {
    char path[300];
    snprintf(path, sizeof path, "%s%s", database, endings[index]);
    unlink(path);
  }
}

int main(void) {
  check_case("many threads edit, exchange, start, stop and subscribe at once", threads_share_an_engine);
  return check_end();
}
