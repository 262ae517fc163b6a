/* Push, pull and the live stream: the steps of an exchange with the server. */
#ifndef SE_EXCHANGE_H
#define SE_EXCHANGE_H

#include "engine.h"

/*
 * Pushes until nothing is pending, or until the server asks to wait (a passing code; error->retry_after_ms). Takes
 * push_lock. *resync: the server's history was rewritten; pull with resync before pushing again.
 */
sync_engine_status se_push(sync_engine *engine, int64_t deadline_ms, bool *resync, sync_engine_error *error);

/* Reads a snapshot where there is none, then the feed to its end. resync: begins with a snapshot in any case. Takes pull_lock. */
sync_engine_status se_pull(sync_engine *engine, int64_t deadline_ms, bool resync, sync_engine_error *error);
/* Applies an event of the feed ({"__typename": "ChangeBatch" or "Resync", ...}) in one transaction, with its cursor. */
sync_engine_status se_pull_event(sync_engine *engine, const cJSON *event, bool *up_to_date, bool *resync, sync_engine_error *error);
/* Reads documents whose confirmed state missed a change. Takes pull_lock. */
sync_engine_status se_pull_stale(sync_engine *engine, int64_t deadline_ms, sync_engine_error *error);

/* Selection of a feed event, for query and subscription alike. */
#define SE_FEED_SELECTION                                                                                                    \
  "__typename ... on ChangeBatch { cursor upToDate left changes { documentId revision kind patch collection title replicaId " \
  "counter patchId } } ... on Resync { reason }"

/* Threads of the background. */
void *se_pusher_main(void *engine);
void *se_receiver_main(void *engine);

#endif
