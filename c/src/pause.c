#include "clock.h"
#include "engine.h"
#include "ids.h"

se_watch se_watch_now(const sync_engine *engine) { return (se_watch){engine->edits, engine->connections, engine->alerts}; }

void se_alert(sync_engine *engine) {
  engine->alerts++;
  pthread_cond_broadcast(&engine->wake);
}

static bool happened(const sync_engine *engine, se_watch watch) {
  return engine->alerts != watch.alerts || (watch.edits != SE_UNWATCHED && engine->edits != watch.edits) ||
         (watch.connections != SE_UNWATCHED && engine->connections != watch.connections);
}

void se_pause(sync_engine *engine, se_watch watch, int64_t pause_ms) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += (time_t)(pause_ms / 1000);
  until.tv_nsec += (long)(pause_ms % 1000) * 1000000L;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000L;
  }
  while (!happened(engine, watch)) {
    if (pause_ms < 0) pthread_cond_wait(&engine->wake, &engine->lock);
    else if (pthread_cond_timedwait(&engine->wake, &engine->lock, &until) != 0) return;
  }
}

int64_t se_backoff_ms(int failures, int64_t retry_after_ms) {
  int64_t pause = 200;
  for (int count = 1; count < failures && pause < 30000; count++) pause *= 2;
  if (pause > 30000) pause = 30000;
  pause = pause / 2 + (int64_t)((double)pause / 2 * se_random_fraction());
  return pause > retry_after_ms ? pause : retry_after_ms;
}
