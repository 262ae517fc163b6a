/*
 * JSON in the one form every replica holds the same. Trees are cJSON's, but reading and writing are our own, because
 * cJSON cuts strings at \u0000, keeps both of two equal keys, accepts 01 and +1, and writes 0.30000000000000004 as 0.3.
 */
#ifndef SE_JSON_H
#define SE_JSON_H

#include <cjson/cJSON.h>

#include "buffer.h"
#include "sync_engine.h"

enum {
  SE_DEPTH_LIMIT = 128,              /* containers within containers, of documents and of pointers */
  SE_ANSWER_DEPTH_LIMIT = 512,       /* of an answer of the server, which wraps documents */
  SE_POINTER_LIMIT = 4096,           /* bytes of a JSON pointer */
  SE_OPERATION_LIMIT = 1000,         /* of a patch */
  SE_PATCH_LIMIT = 1088 * 1024,      /* bytes of a patch */
  SE_DOCUMENT_LIMIT = 1024 * 1024    /* bytes of a document */
};

/*
 * Reads JSON text. Equal keys: the last one counts. -0 becomes 0. NULL with INPUT_INVALID (not JSON), VALUE_INVALID (U+0000,
 * lone surrogates, malformed UTF-8, numbers out of range, the key __proto__) or LIMIT_EXCEEDED (deeper than depth_limit).
 */
cJSON *se_json_read(const char *text, size_t length, int depth_limit, sync_engine_error *error);
/* Appends the value as text, without spaces; numbers as the shortest that reads back the same. */
void se_json_write(se_buffer *buffer, const cJSON *value);
void se_json_write_string(se_buffer *buffer, const char *text);
/* As text to be freed with free(); NULL without memory. */
char *se_json_text(const cJSON *value);
/* Bytes as text. */
size_t se_json_bytes(const cJSON *value);
/* Containers within each other: 0 for a scalar. */
int se_json_depth(const cJSON *value);
/* Deep, the order of keys ignored. */
bool se_json_equal(const cJSON *a, const cJSON *b);

/*
 * Puts an item at an index of at most the array's size. Our own, because the cJSON of Debian 12 (1.7.15-1+deb12u4) refuses
 * to insert before the last item.
 */
void se_json_insert(cJSON *array, int index, cJSON *item);

/* Members of an object by exact name; NULL when absent or when it is no object. */
const cJSON *se_json_member(const cJSON *object, const char *name);
const char *se_json_string(const cJSON *object, const char *name);
/* False when the member is not a whole number of 0 to 2^53-1. */
bool se_json_count(const cJSON *object, const char *name, int64_t *out);

#endif
