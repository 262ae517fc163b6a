#include <string.h>

#include "clock.h"
#include "exchange.h"
#include "failure.h"
#include "outbox.h"

/* Without a deadline, how often a passing refusal is waited out, and a lost connection tried again. */
enum { PATIENCE = 10, CONNECTION_TRIES = 3 };

static sync_engine_status count_pending(sync_engine *engine, int64_t *out, sync_engine_error *error) {
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_outbox_pending(&engine->store, out, error);
  pthread_mutex_unlock(&engine->lock);
  return status;
}

/* Push, then pull; the first time the other way round, since edits need to know the epoch. *done: nothing is pending. */
static sync_engine_status exchange(sync_engine *engine, int64_t deadline_ms, bool *resync, bool *done, sync_engine_error *error) {
  int64_t cursors = 0;
  int64_t pending = 0;
  *done = false;
  pthread_mutex_lock(&engine->lock);
  sync_engine_status status = se_query_number(&engine->store, &cursors, error, "SELECT count(*) FROM meta WHERE name = 'cursor'", "");
  pthread_mutex_unlock(&engine->lock);
  if (status == SYNC_ENGINE_OK && cursors == 0) status = se_pull(engine, deadline_ms, false, error);
  bool again = *resync;
  if (status == SYNC_ENGINE_OK && !again) status = se_push(engine, deadline_ms, &again, error);
  *resync = again;
  if (status == SYNC_ENGINE_OK) status = se_pull(engine, deadline_ms, again, error);
  if (status == SYNC_ENGINE_OK) *resync = false;
  if (status == SYNC_ENGINE_OK) status = count_pending(engine, &pending, error);
  *done = status == SYNC_ENGINE_OK && pending == 0;
  return status;
}

/* Waits before another try; false if it makes no sense or the time is up. */
static bool wait_for_retry(sync_engine *engine, sync_engine_status status, int failures, int64_t retry_after_ms, int64_t deadline_ms) {
  if (status != SYNC_ENGINE_NETWORK && status < SYNC_ENGINE_RATE_LIMITED) return false;
  if (status == SYNC_ENGINE_NETWORK ? failures >= CONNECTION_TRIES : deadline_ms == 0 && failures >= PATIENCE) return false;
  int64_t pause = se_backoff_ms(failures, retry_after_ms);
  if (deadline_ms != 0 && se_now_ms() + pause >= deadline_ms) return false;
  pthread_mutex_lock(&engine->lock);
  bool stopping = engine->stopping;
  se_watch watch = {SE_UNWATCHED, SE_UNWATCHED, engine->alerts};
  if (!stopping) se_pause(engine, watch, pause);
  stopping = engine->stopping;
  pthread_mutex_unlock(&engine->lock);
  return !stopping;
}

sync_engine_status sync_engine_sync(sync_engine *engine, int64_t timeout_ms, sync_engine_error *error) {
  sync_engine_error last = SYNC_ENGINE_ERROR_INIT;
  sync_engine_status status = SYNC_ENGINE_OK;
  int failures = 0;
  bool resync = false;
  bool done = false;
  se_clear(error);
  if (engine == NULL) return se_fail(error, SYNC_ENGINE_INPUT_INVALID, "engine must not be NULL");
  if (se_in_callback(engine)) return se_fail(error, SYNC_ENGINE_MISUSE, "sync_engine_sync() cannot be called within a callback: the exchange waits for it");
  int64_t deadline_ms = timeout_ms <= 0 ? 0 : se_now_ms() + timeout_ms;
  while (!done) {
    status = exchange(engine, deadline_ms, &resync, &done, &last);
    if (status == SYNC_ENGINE_OK) continue;
    if (!wait_for_retry(engine, status, ++failures, last.retry_after_ms, deadline_ms)) break;
  }
  if (status != SYNC_ENGINE_OK && error != NULL && error->size >= sizeof last) {
    last.size = error->size;
    *error = last;
  }
  return status;
}
