#include "chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "ids.h"

sync_engine_status se_chain_begin(se_store *store, se_row *row, sync_engine_error *error) {
  char *replica = NULL;
  if (row->chained) return SYNC_ENGINE_OK;
  sync_engine_status status = se_meta_get(store, "replica", &replica, error);
  if (status != SYNC_ENGINE_OK) return status;
  if (strcmp(row->replica, replica) != 0) {
    status = se_row_set(&row->replica, replica, error);
    row->counter = 0;
  }
  free(replica);
  if (status == SYNC_ENGINE_OK) status = se_row_set(&row->base, row->confirmed, error);
  if (status != SYNC_ENGINE_OK) return status;
  row->base_revision = row->revision;
  row->base_deleted = row->deleted;
  row->chained = true;
  return SYNC_ENGINE_OK;
}

sync_engine_status se_chain_append(se_store *store, se_row *row, const char *kind, const char *payload, sync_engine_error *error) {
  char patch_id[SE_UUID_ROOM];
  if (!se_uuid(patch_id)) return se_fail(error, SYNC_ENGINE_STORAGE, "The system gave no random bytes");
  row->counter++;
  /* The epoch is 0 until the first snapshot tells it: a document made before that has no history it could belong to. */
  return se_run(store, error,
                "INSERT INTO outbox (document_id, replica, counter, patch_id, kind, payload, epoch, base) VALUES (?, ?, ?, ?, ?, ?,"
                " coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'epoch'), 0), ?)",
                "ttittti", row->id, row->replica, row->counter, patch_id, kind, payload, row->base_revision);
}

sync_engine_status se_chain_acknowledge(se_store *store, const char *document_id, const char *replica, int64_t counter, const char *patch_id,
                                        int64_t revision, sync_engine_error *error) {
  return se_run(store, error, "UPDATE outbox SET state = 2, revision = ? WHERE document_id = ? AND replica = ? AND counter = ? AND patch_id = ?", "ittit",
                revision, document_id, replica, counter, patch_id);
}

/* Whether two stored states look the same to a user. */
static bool same_value(const char *a, const char *b) {
  if (a == NULL || b == NULL) return a == b;
  if (strcmp(a, b) == 0) return true;
  cJSON *left = se_json_read(a, strlen(a), SE_ANSWER_DEPTH_LIMIT, NULL);
  cJSON *right = se_json_read(b, strlen(b), SE_ANSWER_DEPTH_LIMIT, NULL);
  bool same = left != NULL && right != NULL && se_json_equal(left, right);
  cJSON_Delete(left);
  cJSON_Delete(right);
  return same;
}

static sync_engine_status end_chain(se_store *store, se_row *row, se_events *events, sync_engine_error *error) {
  bool changed = row->visible_deleted != row->deleted || !same_value(row->visible, row->confirmed);
  sync_engine_status status = se_run(store, error, "DELETE FROM outbox WHERE document_id = ?", "t", row->id);
  if (status == SYNC_ENGINE_OK && changed) status = se_events_add(events, SYNC_ENGINE_EVENT_DOCUMENT, row->id, SYNC_ENGINE_OK, error);
  row->chained = false;
  return status;
}

sync_engine_status se_chain_settle(se_store *store, se_row *row, se_events *events, sync_engine_error *error) {
  int64_t unsettled = 0;
  if (!row->chained || row->stale) return SYNC_ENGINE_OK;
  sync_engine_status status = se_query_number(store, &unsettled, error, "SELECT count(*) FROM outbox WHERE document_id = ? AND (state < 2 OR revision > ?)", "ti",
                                              row->id, row->revision);
  if (status != SYNC_ENGINE_OK || unsettled > 0) return status;
  return end_chain(store, row, events, error);
}

/* base with the edits that are still in the outbox applied. */
static sync_engine_status replay(se_store *store, const se_row *row, se_state *state, sync_engine_error *error) {
  sqlite3_stmt *statement;
  bool more = true;
  sync_engine_status status = se_state_read(state, row->base, row->base_deleted, error);
  if (status != SYNC_ENGINE_OK) return status;
  status = se_query(store, &statement, error, "SELECT kind, payload FROM outbox WHERE document_id = ? ORDER BY counter", "t", row->id);
  if (status != SYNC_ENGINE_OK) return status;
  while (status == SYNC_ENGINE_OK) {
    status = se_query_step(store, statement, &more, error);
    if (status != SYNC_ENGINE_OK || !more) break;
    status = se_state_apply(state, row->id, (const char *)sqlite3_column_text(statement, 0), (const char *)sqlite3_column_text(statement, 1), error);
  }
  se_query_end(statement);
  return status;
}

static sync_engine_status state_text(const se_state *state, char **out, sync_engine_error *error) {
  char *text = state->value == NULL ? NULL : se_json_text(state->value);
  if (state->value != NULL && text == NULL) return se_no_memory(error);
  free(*out);
  *out = text;
  return SYNC_ENGINE_OK;
}

static sync_engine_status rebuild_visible(se_store *store, se_row *row, sync_engine_error *error) {
  se_state state = {NULL, false};
  sync_engine_status status = replay(store, row, &state, error);
  if (status == SYNC_ENGINE_OK) status = state_text(&state, &row->visible, error);
  row->visible_deleted = state.deleted;
  se_state_free(&state);
  return status;
}

sync_engine_status se_chain_cut(se_store *store, se_row *row, int64_t counter, sync_engine_status reason, const char *message, se_events *events,
                                sync_engine_error *error) {
  int64_t left = 0;
  sync_engine_status status =
      se_run(store, error,
             "INSERT INTO quarantine (document_id, patch_id, kind, payload, base, code, message)"
             " SELECT document_id, patch_id, kind, payload, base, CASE WHEN counter = ?2 THEN ?3 ELSE ?4 END, CASE WHEN counter = ?2 THEN ?5 ELSE ?6 END"
             " FROM outbox WHERE document_id = ?1 AND counter >= ?2 ORDER BY counter",
             "tiiitt", row->id, counter, (int64_t)reason, (int64_t)SYNC_ENGINE_PATCH_DEPENDS_ON_REFUSED, message,
             "An earlier edit of the document, which this one was made on, was refused; make both again on what is there now");
  if (status == SYNC_ENGINE_OK) status = se_run(store, error, "DELETE FROM outbox WHERE document_id = ? AND counter >= ?", "ti", row->id, counter);
  if (status == SYNC_ENGINE_OK) status = se_query_number(store, &left, error, "SELECT count(*) FROM outbox WHERE document_id = ?", "t", row->id);
  if (status == SYNC_ENGINE_OK) status = se_events_add(events, SYNC_ENGINE_EVENT_QUARANTINED, row->id, reason, error);
  if (status != SYNC_ENGINE_OK) return status;
  /* The refused counters were never used on the server; the next edit takes the first of them. */
  row->counter = counter - 1;
  if (left == 0) return end_chain(store, row, events, error);
  status = rebuild_visible(store, row, error);
  if (status == SYNC_ENGINE_OK) status = se_events_add(events, SYNC_ENGINE_EVENT_DOCUMENT, row->id, SYNC_ENGINE_OK, error);
  if (status == SYNC_ENGINE_OK) status = se_chain_settle(store, row, events, error);
  return status;
}

/* A replica id other than the row's: the one other documents already moved to, or a new one. */
static sync_engine_status other_replica(se_store *store, const se_row *row, char **out, sync_engine_error *error) {
  char fresh[SE_REPLICA_ID_ROOM];
  sync_engine_status status = se_meta_get(store, "replica", out, error);
  if (status != SYNC_ENGINE_OK || strcmp(*out, row->replica) != 0) return status;
  if (!se_replica_id(fresh)) return se_fail(error, SYNC_ENGINE_STORAGE, "The system gave no random bytes");
  status = se_meta_set(store, "replica", fresh, error);
  return status == SYNC_ENGINE_OK ? se_row_set(out, fresh, error) : status;
}

/* Numbers the chain's edits anew, from 1, under another replica id and on the row's base. */
static sync_engine_status renumber(se_store *store, se_row *row, sync_engine_error *error) {
  char *replica = NULL;
  int64_t count = 0;
  sync_engine_status status = other_replica(store, row, &replica, error);
  if (status == SYNC_ENGINE_OK) {
    status = se_run(store, error,
                    "UPDATE outbox SET replica = ?2, state = 0, base = ?3, epoch = coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'epoch'), 0),"
                    " counter = (SELECT count(*) FROM outbox AS earlier WHERE earlier.document_id = ?1 AND earlier.seq <= outbox.seq)"
                    " WHERE document_id = ?1",
                    "tti", row->id, replica, row->base_revision);
  }
  if (status == SYNC_ENGINE_OK) status = se_query_number(store, &count, error, "SELECT count(*) FROM outbox WHERE document_id = ?", "t", row->id);
  if (status == SYNC_ENGINE_OK) status = se_row_set(&row->replica, replica, error);
  row->counter = count;
  free(replica);
  return status;
}

/*
 * Acknowledged edits at the front of the chain become part of the base. That can be said only if they were committed right
 * after it with nothing of others between: then the server's state at that revision is our base with them applied.
 */
static sync_engine_status absorb_acknowledged(se_store *store, se_row *row, bool *possible, sync_engine_error *error) {
  int64_t acknowledged = 0;
  int64_t newest = 0;
  se_state state = {NULL, false};
  sync_engine_status status = se_query_number(store, &acknowledged, error, "SELECT count(*) FROM outbox WHERE document_id = ? AND state = 2", "t", row->id);
  if (status == SYNC_ENGINE_OK) {
    status = se_query_number(store, &newest, error, "SELECT max(revision) FROM outbox WHERE document_id = ? AND state = 2", "t", row->id);
  }
  *possible = acknowledged == 0 || newest == row->base_revision + acknowledged;
  if (status != SYNC_ENGINE_OK || acknowledged == 0 || !*possible) return status;
  /* The pending edits step aside for the replay of the acknowledged ones. */
  status = se_run(store, error, "UPDATE outbox SET document_id = ' ' || document_id WHERE document_id = ? AND state < 2", "t", row->id);
  if (status == SYNC_ENGINE_OK) status = replay(store, row, &state, error);
  if (status == SYNC_ENGINE_OK) status = state_text(&state, &row->base, error);
  row->base_deleted = state.deleted;
  row->base_revision = newest;
  se_state_free(&state);
  if (status == SYNC_ENGINE_OK) status = se_run(store, error, "DELETE FROM outbox WHERE document_id = ?", "t", row->id);
  if (status == SYNC_ENGINE_OK) status = se_run(store, error, "UPDATE outbox SET document_id = ?1 WHERE document_id = ' ' || ?1", "t", row->id);
  return status;
}

static sync_engine_status first_pending(se_store *store, const se_row *row, int64_t *out, sync_engine_error *error) {
  return se_query_number(store, out, error, "SELECT min(counter) FROM outbox WHERE document_id = ? AND state < 2", "t", row->id);
}

sync_engine_status se_chain_reidentify(se_store *store, se_row *row, sync_engine_status reason, const char *message, se_events *events,
                                       sync_engine_error *error) {
  bool possible = false;
  int64_t counter = 0;
  sync_engine_status status = absorb_acknowledged(store, row, &possible, error);
  if (status != SYNC_ENGINE_OK) return status;
  if (possible) return renumber(store, row, error);
  status = first_pending(store, row, &counter, error);
  if (status == SYNC_ENGINE_OK && counter > 0) status = se_chain_cut(store, row, counter, reason, message, events, error);
  return status;
}

sync_engine_status se_chain_change_epoch(se_store *store, se_row *row, se_events *events, sync_engine_error *error) {
  int64_t acknowledged = 0;
  int64_t first = 0;
  if (!row->chained) return SYNC_ENGINE_OK;
  sync_engine_status status = se_query_number(store, &acknowledged, error, "SELECT count(*) FROM outbox WHERE document_id = ? AND state = 2", "t", row->id);
  if (status != SYNC_ENGINE_OK) return status;
  if (acknowledged == 0 && row->base_deleted == row->deleted && same_value(row->base, row->confirmed)) {
    row->base_revision = row->revision;
    return renumber(store, row, error);
  }
  /* Acknowledged edits go along: whether the rewritten history still has them cannot be known here. */
  status = se_query_number(store, &first, error, "SELECT min(counter) FROM outbox WHERE document_id = ?", "t", row->id);
  if (status != SYNC_ENGINE_OK) return status;
  return se_chain_cut(store, row, first, SYNC_ENGINE_EPOCH_CHANGED, "The history on the server was rewritten under this edit; make it again on what is there now",
                      events, error);
}
