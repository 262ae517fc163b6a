#include "listing.h"

#include <stdlib.h>

#include "failure.h"

static bool append(se_listing *listing, size_t *room, void *item) {
  if (listing->count == *room) {
    size_t larger = *room == 0 ? 16 : *room * 2;
    void **items = realloc(listing->items, larger * sizeof *items);
    if (items == NULL) return false;
    listing->items = items;
    *room = larger;
  }
  listing->items[listing->count++] = item;
  return true;
}

sync_engine_status se_listing_read(se_listing **out, se_store *store, sqlite3_stmt *statement, se_read_item read, se_free_item release,
                                   sync_engine_error *error) {
  size_t room = 0;
  bool row = true;
  se_listing *listing = calloc(1, sizeof *listing);
  sync_engine_status status = listing == NULL ? se_no_memory(error) : SYNC_ENGINE_OK;
  while (status == SYNC_ENGINE_OK) {
    status = se_query_step(store, statement, &row, error);
    if (status != SYNC_ENGINE_OK || !row) break;
    void *item = read(statement);
    if (item == NULL) {
      status = se_no_memory(error);
    } else if (!append(listing, &room, item)) {
      release(item);
      status = se_no_memory(error);
    }
  }
  se_query_end(statement);
  if (status == SYNC_ENGINE_OK) *out = listing;
  else se_listing_free(listing, release);
  return status;
}

void se_listing_free(se_listing *listing, se_free_item release) {
  if (listing == NULL) return;
  for (size_t index = 0; index < listing->count; index++) release(listing->items[index]);
  free(listing->items);
  free(listing);
}
