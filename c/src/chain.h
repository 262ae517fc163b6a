/*
 * The chain of a document: the edits made here on one frozen base, from the first one the server has not acknowledged on.
 *
 *   base (frozen at revision b) -- edit 1 -- edit 2 -- edit 3 -> visible
 *   confirmed (moves with the feed) ---------------------------> becomes visible when the chain ends
 *
 * This library has no transform, so it never moves a pending edit to a newer base. Each carries the clock {epoch, b}; the
 * server bridges from b to the head. Acknowledged edits stay in the chain, as part of what the later ones were made on,
 * until all are acknowledged and the confirmed state contains them. Then the chain ends.
 */
#ifndef SE_CHAIN_H
#define SE_CHAIN_H

#include "documents.h"
#include "events.h"

/* Queues an edit, as the last of the chain or the first of a new one. The caller has set row->visible to the state with it. */
sync_engine_status se_chain_append(se_store *store, se_row *row, const char *kind, const char *payload, sync_engine_error *error);
/* Freezes the confirmed state as base unless there is a chain already. */
sync_engine_status se_chain_begin(se_store *store, se_row *row, sync_engine_error *error);
/* The server has committed this edit. Nothing happens if it is not in the outbox. */
sync_engine_status se_chain_acknowledge(se_store *store, const char *document_id, const char *replica, int64_t counter, const char *patch_id,
                                        int64_t revision, sync_engine_error *error);
/* Ends the chain if everything in it is acknowledged and confirmed. Changes the row; the caller saves it. */
sync_engine_status se_chain_settle(se_store *store, se_row *row, se_events *events, sync_engine_error *error);
/* Moves the edit `counter` and all after it to the quarantine. Changes the row; the caller saves it. */
sync_engine_status se_chain_cut(se_store *store, se_row *row, int64_t counter, sync_engine_status reason, const char *message, se_events *events,
                                sync_engine_error *error);
/* The server does not accept the chain's replica id: continues it under a new one, or cuts it where that cannot be said. */
sync_engine_status se_chain_reidentify(se_store *store, se_row *row, sync_engine_status reason, const char *message, se_events *events,
                                       sync_engine_error *error);
/* The history was rewritten: the chain goes on from the new confirmed state if that equals its base, else it is cut. */
sync_engine_status se_chain_change_epoch(se_store *store, se_row *row, se_events *events, sync_engine_error *error);

#endif
