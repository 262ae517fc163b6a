/* What an engine holds, and the order of its locks. */
#ifndef SE_ENGINE_H
#define SE_ENGINE_H

#include <pthread.h>

#include "events.h"
#include "http.h"
#include "json.h"
#include "store.h"

struct sync_engine_subscription {
  sync_engine *engine;
  sync_engine_callback callback;
  void *user_data;
  struct sync_engine_subscription *next;
  bool released; /* never called again; freed once no callback runs */
};

/*
 * Locks, taken in this order, none held while a callback runs but `telling`:
 *   control_lock  starting and stopping
 *   pull_lock  one pull at a time (background or sync): the cursor moves in one hand
 *   push_lock  one push outstanding at a time: an edit is never under way twice
 *   lock       everything else; never held during network traffic
 * `telling` is a flag under `lock` with `told` as its condition: one callback at a time.
 */
struct sync_engine {
  pthread_mutex_t control_lock;
  pthread_mutex_t lock;
  pthread_mutex_t pull_lock;
  pthread_mutex_t push_lock;
  pthread_cond_t wake; /* edits to push, stopping, a new token, connected again */
  pthread_cond_t told; /* a callback has returned */

  se_store store;
  char *url;
  char *token;
  char *workspace_id;
  char *ca_file;
  int64_t connect_timeout_ms;
  int64_t request_timeout_ms;

  se_http pull_http; /* under pull_lock */
  se_http push_http; /* under push_lock */
  se_http live_http; /* of the receiving thread */

  bool started;
  bool stopping;
  pthread_t pusher;
  pthread_t receiver;
  uint64_t edits;       /* rises with each edit made here */
  uint64_t connections; /* rises whenever the receiver gets through */
  uint64_t alerts;      /* rises with a new token, and for stopping */
  bool resync;     /* a push found another epoch: the receiver is to begin with a snapshot */
  sync_engine_connection connection;
  sync_engine_status last_status;

  sync_engine_subscription *subscriptions;
  sync_engine_subscription *running; /* whose callback runs now */
  pthread_t running_thread;
  bool telling;
};

/* Tells the subscribers. Call without any lock. Clears events. */
void se_tell(sync_engine *engine, se_events *events);
/* True on the thread that runs a callback of this engine. */
bool se_in_callback(sync_engine *engine);
/* What ends a pause, as it stood before the work that leads to it: nothing that happens meanwhile is missed. */
typedef struct se_watch {
  uint64_t edits;
  uint64_t connections;
  uint64_t alerts;
} se_watch;

/* Given in place of a number that is not to end the pause. Alerts always do. */
#define SE_UNWATCHED UINT64_MAX

/* Call with the lock held, like the next two. */
se_watch se_watch_now(const sync_engine *engine);
/* Wakes whoever pauses. */
void se_alert(sync_engine *engine);
/* Waits until something watched has happened or pause_ms have passed; less than 0: without end. */
void se_pause(sync_engine *engine, se_watch watch, int64_t pause_ms);
/* How long to wait after so many failures in a row: doubled each time up to 30 s, with jitter, at least what the server asks. */
int64_t se_backoff_ms(int failures, int64_t retry_after_ms);

#endif
