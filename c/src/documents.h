/* Documents as rows: the confirmed state, the frozen base of the pending edits, the visible state. */
#ifndef SE_DOCUMENTS_H
#define SE_DOCUMENTS_H

#include "json.h"
#include "store.h"

/* A row in memory; texts are owned. See the schema in store.c for what the members mean. */
typedef struct se_row {
  char *id;
  char *collection;
  char *title;
  char *confirmed; /* NULL: the server does not know the document */
  int64_t revision;
  bool deleted;
  bool chained; /* has pending edits, or acknowledged ones that the confirmed state does not yet show */
  char *base;
  int64_t base_revision;
  bool base_deleted;
  char *visible; /* only while chained */
  bool visible_deleted;
  char *replica;
  int64_t counter;
  int64_t stale; /* 0, or the newest revision known of that is not here: the document is to be read again */
} se_row;

/* *found false: *out is empty. Free with se_row_free in any case. */
sync_engine_status se_row_load(se_store *store, const char *id, se_row *out, bool *found, sync_engine_error *error);
sync_engine_status se_row_new(se_row *out, const char *id, const char *collection, const char *title, sync_engine_error *error);
sync_engine_status se_row_save(se_store *store, const se_row *row, sync_engine_error *error);
void se_row_free(se_row *row);

/* What a user sees; NULL when there is nothing. */
const char *se_row_visible(const se_row *row);
bool se_row_visible_deleted(const se_row *row);

/* Replaces a text of a row by a copy. */
sync_engine_status se_row_set(char **member, const char *text, sync_engine_error *error);

/* The state of a document while edits are applied to it. */
typedef struct se_state {
  cJSON *value; /* NULL: does not exist */
  bool deleted;
} se_state;

sync_engine_status se_state_read(se_state *out, const char *value, bool deleted, sync_engine_error *error);
void se_state_free(se_state *state);
/* Applies one edit. payload: CREATE {"collection","title","value"}, PATCH the operations, else NULL. */
sync_engine_status se_state_apply(se_state *state, const char *document_id, const char *kind, const char *payload, sync_engine_error *error);

#endif
