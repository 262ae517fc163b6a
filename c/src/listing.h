/* Lists handed out to the caller: a head and items that own texts, freed together. */
#ifndef SE_LISTING_H
#define SE_LISTING_H

#include "store.h"

/* Layout of every public list: count, then the items. */
typedef struct se_listing {
  size_t count;
  void **items;
} se_listing;

/* Turns a row into an item made with calloc, or NULL without memory. */
typedef void *(*se_read_item)(sqlite3_stmt *statement);
typedef void (*se_free_item)(void *item);

/* Collects the rows of a statement, which is reset; an empty list is a list. */
sync_engine_status se_listing_read(se_listing **out, se_store *store, sqlite3_stmt *statement, se_read_item read, se_free_item release,
                                   sync_engine_error *error);
void se_listing_free(se_listing *listing, se_free_item release);

#endif
