/* Edits on their way to the server. */
#ifndef SE_OUTBOX_H
#define SE_OUTBOX_H

#include "chain.h"

typedef struct se_edit {
  char *document_id;
  char *patch_id;
  char *kind;
  char *payload;
  int64_t counter;
  int64_t epoch;
  int64_t base;
} se_edit;

/* Edits of one replica id, oldest first, as many as one push takes. */
typedef struct se_batch {
  char *replica;
  size_t count;
  se_edit *edits;
} se_batch;

enum { SE_BATCH_LIMIT = 500 };

/* Takes the oldest pending edits, at most `limit`, and marks them as sent. An empty batch: nothing is pending. Free with se_batch_free. */
sync_engine_status se_outbox_take(se_store *store, se_batch *out, size_t limit, sync_engine_error *error);
void se_batch_free(se_batch *batch);
sync_engine_status se_outbox_pending(se_store *store, int64_t *out, sync_engine_error *error);

/*
 * Books the verdicts of a push. *progress: something was acknowledged or set aside, so that pushing again makes sense.
 * wait: the first verdict that asks to come back later, with retry_after_ms; OK if none does. resync: the epoch changed.
 */
typedef struct se_push_outcome {
  bool progress;
  bool resync;
  sync_engine_status wait;
  int64_t retry_after_ms;
  char message[512];
} se_push_outcome;

sync_engine_status se_outbox_book(se_store *store, const se_batch *batch, const cJSON *verdicts, se_push_outcome *outcome, se_events *events,
                                  sync_engine_error *error);
/* Sets one edit, and those after it, aside. */
sync_engine_status se_outbox_refuse(se_store *store, const se_batch *batch, size_t index, sync_engine_status reason, const char *message, se_events *events,
                                    sync_engine_error *error);

#endif
