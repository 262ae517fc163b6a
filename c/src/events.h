/* What an exchange changed, collected during a transaction and told to the callbacks after it. */
#ifndef SE_EVENTS_H
#define SE_EVENTS_H

#include "sync_engine.h"

typedef struct se_events {
  struct se_pending_event {
    sync_engine_event_kind kind;
    char *document_id;
    sync_engine_status status;
  } *items;
  size_t count;
  size_t room;
} se_events;

/* A document that is already listed with the same kind and status is not listed twice in a row. events may be NULL. */
sync_engine_status se_events_add(se_events *events, sync_engine_event_kind kind, const char *document_id, sync_engine_status status,
                                 sync_engine_error *error);
void se_events_clear(se_events *events);

#endif
