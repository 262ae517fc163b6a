#include <stdlib.h>

#include "engine.h"
#include "failure.h"

bool se_in_callback(sync_engine *engine) {
  pthread_mutex_lock(&engine->lock);
  bool inside = engine->telling && pthread_equal(engine->running_thread, pthread_self());
  pthread_mutex_unlock(&engine->lock);
  return inside;
}

/* Takes a subscription out of the list and frees it, if it is still there. Called with the lock held. */
static void forget(sync_engine *engine, const sync_engine_subscription *subscription) {
  for (sync_engine_subscription **at = &engine->subscriptions; *at != NULL; at = &(*at)->next) {
    if (*at != subscription) continue;
    sync_engine_subscription *found = *at;
    *at = found->next;
    free(found);
    return;
  }
}

/* Calls one subscriber without the lock. Called with it held. */
static void call(sync_engine *engine, sync_engine_subscription *subscription, const sync_engine_event *event) {
  engine->running = subscription;
  pthread_mutex_unlock(&engine->lock);
  subscription->callback(engine, event, subscription->user_data);
  pthread_mutex_lock(&engine->lock);
  engine->running = NULL;
  pthread_cond_broadcast(&engine->told);
}

/* While telling, released subscriptions stay in the list, so that walking it is safe; they go afterwards. */
static void sweep(sync_engine *engine) {
  for (sync_engine_subscription *at = engine->subscriptions; at != NULL;) {
    sync_engine_subscription *next = at->next;
    if (at->released) forget(engine, at);
    at = next;
  }
}

void se_tell(sync_engine *engine, se_events *events) {
  if (events->count == 0) return;
  pthread_mutex_lock(&engine->lock);
  while (engine->telling) pthread_cond_wait(&engine->told, &engine->lock);
  engine->telling = true;
  engine->running_thread = pthread_self();
  for (size_t index = 0; index < events->count; index++) {
    const struct se_pending_event *pending = &events->items[index];
    sync_engine_event event = {pending->kind, pending->document_id, pending->status};
    for (sync_engine_subscription *at = engine->subscriptions; at != NULL; at = at->next) {
      if (!at->released) call(engine, at, &event);
    }
  }
  sweep(engine);
  engine->telling = false;
  pthread_cond_broadcast(&engine->told);
  pthread_mutex_unlock(&engine->lock);
  se_events_clear(events);
}

sync_engine_status sync_engine_subscribe(sync_engine_subscription **out, sync_engine *engine, sync_engine_callback callback, void *user_data,
                                         sync_engine_error *error) {
  se_clear(error);
  if (out != NULL) *out = NULL;
  if (out == NULL || engine == NULL || callback == NULL) return se_fail(error, SYNC_ENGINE_INPUT_INVALID, "out, engine and callback must not be NULL");
  sync_engine_subscription *subscription = calloc(1, sizeof *subscription);
  if (subscription == NULL) return se_no_memory(error);
  subscription->engine = engine;
  subscription->callback = callback;
  subscription->user_data = user_data;
  pthread_mutex_lock(&engine->lock);
  subscription->next = engine->subscriptions;
  engine->subscriptions = subscription;
  pthread_mutex_unlock(&engine->lock);
  *out = subscription;
  return SYNC_ENGINE_OK;
}

void sync_engine_subscription_release(sync_engine_subscription *subscription) {
  if (subscription == NULL) return;
  sync_engine *engine = subscription->engine;
  pthread_mutex_lock(&engine->lock);
  subscription->released = true;
  bool within = engine->running == subscription && pthread_equal(engine->running_thread, pthread_self());
  while (!within && engine->running == subscription) pthread_cond_wait(&engine->told, &engine->lock);
  if (!engine->telling) forget(engine, subscription);
  pthread_mutex_unlock(&engine->lock);
}
