/* The confirmed state moves: the only place where what the server says enters the documents. */
#ifndef SE_CONFIRM_H
#define SE_CONFIRM_H

#include "chain.h"

/* Applies a change of the feed. One that was seen already does nothing; one that cannot be applied marks its document stale. */
sync_engine_status se_confirm_change(se_store *store, const cJSON *change, se_events *events, sync_engine_error *error);
/* Takes over a whole document as the server has it, unless the confirmed state is newer; force: in any case. */
sync_engine_status se_confirm_document(se_store *store, const cJSON *document, bool force, se_events *events, sync_engine_error *error);
/* The server has no such document (any more). */
sync_engine_status se_confirm_absent(se_store *store, const char *document_id, se_events *events, sync_engine_error *error);

#endif
