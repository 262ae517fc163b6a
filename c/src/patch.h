/* RFC 6902 patches with inc, str_ins and str_del: strict, atomic, on own members only. */
#ifndef SE_PATCH_H
#define SE_PATCH_H

#include "json.h"
#include "pointer.h"

typedef enum se_op { SE_OP_ADD, SE_OP_REMOVE, SE_OP_REPLACE, SE_OP_MOVE, SE_OP_COPY, SE_OP_TEST, SE_OP_INC, SE_OP_STR_INS, SE_OP_STR_DEL } se_op;

/* One operation as read. `value` and `text` are borrowed from the JSON it was read from. */
typedef struct se_operation {
  se_op op;
  const char *path_text;
  se_pointer path;
  se_pointer from;
  const cJSON *value;
  const char *text;
  int64_t position;
  int64_t length;
  double increment;
} se_operation;

typedef struct se_patch {
  size_t count;
  se_operation *operations;
} se_patch;

/*
 * Reads a patch. PATCH_MALFORMED, the codes of pointers, NUMBER_OVERFLOW, and LIMIT_EXCEEDED for more than operation_limit
 * operations; error->operation tells which. json must outlive the patch. Free with se_patch_free.
 */
sync_engine_status se_patch_read(se_patch *out, const cJSON *json, size_t operation_limit, sync_engine_error *error);
void se_patch_free(se_patch *patch);

/* Replaces *document by the result of the patch; if the patch fails, *document is untouched. */
sync_engine_status se_patch_apply(cJSON **document, const se_patch *patch, sync_engine_error *error);

#endif
