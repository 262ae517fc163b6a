#include "events.h"

#include <stdlib.h>
#include <string.h>

#include "failure.h"

sync_engine_status se_events_add(se_events *events, sync_engine_event_kind kind, const char *document_id, sync_engine_status status,
                                 sync_engine_error *error) {
  if (events == NULL) return SYNC_ENGINE_OK;
  if (events->count > 0) {
    const struct se_pending_event *last = &events->items[events->count - 1];
    if (last->kind == kind && last->status == status && last->document_id != NULL && document_id != NULL && strcmp(last->document_id, document_id) == 0) {
      return SYNC_ENGINE_OK;
    }
  }
  if (events->count == events->room) {
    size_t room = events->room == 0 ? 16 : events->room * 2;
    struct se_pending_event *items = realloc(events->items, room * sizeof *items);
    if (items == NULL) return se_no_memory(error);
    events->items = items;
    events->room = room;
  }
  char *copy = document_id == NULL ? NULL : strdup(document_id);
  if (document_id != NULL && copy == NULL) return se_no_memory(error);
  events->items[events->count++] = (struct se_pending_event){kind, copy, status};
  return SYNC_ENGINE_OK;
}

void se_events_clear(se_events *events) {
  for (size_t index = 0; index < events->count; index++) free(events->items[index].document_id);
  free(events->items);
  *events = (se_events){NULL, 0, 0};
}
