/* RFC 6901 JSON pointers. */
#ifndef SE_POINTER_H
#define SE_POINTER_H

#include "sync_engine.h"

typedef struct se_pointer {
  size_t count;
  char **tokens; /* unescaped */
  char *memory;
} se_pointer;

/* Splits and unescapes. POINTER_INVALID, VALUE_INVALID (__proto__), LIMIT_EXCEEDED. Free with se_pointer_free. */
sync_engine_status se_pointer_parse(se_pointer *out, const char *text, sync_engine_error *error);
void se_pointer_free(se_pointer *pointer);
/* Whether pointer begins with all tokens of start. */
bool se_pointer_starts_with(const se_pointer *pointer, const se_pointer *start);

enum { SE_INDEX_NONE = -1 };
/* Decimal without sign or leading zeros, else SE_INDEX_NONE. Indices past 2^31 come out as INT64_MAX. */
int64_t se_pointer_index(const char *token);

#endif
