#include "patch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "text.h"

/* A patch at work. `root` is a private duplicate of the document, so that giving up halfway costs nothing. */
typedef struct run {
  cJSON *root;
  size_t copied_bytes; /* what copies added: bounds a patch that doubles a value again and again */
  const se_operation *operation;
  sync_engine_error *error;
} run;

#define FAIL(run, status, ...) se_fail_at((run)->error, (status), (run)->operation->path_text, __VA_ARGS__)

static bool is_container(const cJSON *value) { return cJSON_IsArray(value) || cJSON_IsObject(value); }

static sync_engine_status not_an_index(run *run, const char *token) {
  const char *digits = token[0] == '-' || token[0] == '+' ? token + 1 : token;
  if (strcmp(token, "-") == 0) return FAIL(run, SYNC_ENGINE_RANGE_INVALID, "\"-\" is the end of an array; only add, move and copy may write there");
  if (digits[0] >= '0' && digits[0] <= '9') {
    return FAIL(run, SYNC_ENGINE_RANGE_INVALID, "\"%.40s\" is not an index: write a decimal number without sign or leading zeros", token);
  }
  return FAIL(run, SYNC_ENGINE_TYPE_MISMATCH, "\"%.40s\" is not an index of an array; keys are for objects", token);
}

/* The index that a token names in an array, at most `highest`. */
static sync_engine_status array_index(run *run, const char *token, int64_t highest, int *out) {
  int64_t index = se_pointer_index(token);
  if (index == SE_INDEX_NONE) return not_an_index(run, token);
  if (index > highest) return FAIL(run, SYNC_ENGINE_RANGE_INVALID, "Index %.40s is outside of the array: the highest is %lld", token, (long long)highest);
  *out = (int)index;
  return SYNC_ENGINE_OK;
}

static sync_engine_status child_of(run *run, cJSON *parent, const char *token, cJSON **out) {
  int index;
  if (cJSON_IsArray(parent)) {
    sync_engine_status status = array_index(run, token, cJSON_GetArraySize(parent) - 1, &index);
    if (status == SYNC_ENGINE_OK) *out = cJSON_GetArrayItem(parent, index);
    return status;
  }
  *out = cJSON_IsObject(parent) ? cJSON_GetObjectItemCaseSensitive(parent, token) : NULL;
  if (*out != NULL) return SYNC_ENGINE_OK;
  if (cJSON_IsObject(parent)) return FAIL(run, SYNC_ENGINE_PATH_NOT_FOUND, "There is no key \"%.80s\" there", token);
  return FAIL(run, SYNC_ENGINE_PATH_NOT_FOUND, "The value there is neither object nor array, so it holds no \"%.80s\"", token);
}

/* The value at the first `count` tokens. */
static sync_engine_status find(run *run, const se_pointer *pointer, size_t count, cJSON **out) {
  cJSON *value = run->root;
  for (size_t depth = 0; depth < count; depth++) {
    sync_engine_status status = child_of(run, value, pointer->tokens[depth], &value);
    if (status != SYNC_ENGINE_OK) return status;
  }
  *out = value;
  return SYNC_ENGINE_OK;
}

static sync_engine_status find_parent(run *run, const se_pointer *pointer, cJSON **out) {
  sync_engine_status status = find(run, pointer, pointer->count - 1, out);
  if (status == SYNC_ENGINE_OK && !is_container(*out)) {
    return FAIL(run, SYNC_ENGINE_PATH_NOT_FOUND, "The value there is neither object nor array, so it holds no \"%.80s\"",
                pointer->tokens[pointer->count - 1]);
  }
  return status;
}

/* Puts `value` in the place of `old`, keeping the key of that place. */
static sync_engine_status put_in_place(run *run, cJSON *parent, cJSON *old, cJSON *value) {
  if (parent == NULL) {
    cJSON_Delete(run->root);
    run->root = value;
    return SYNC_ENGINE_OK;
  }
  cJSON_free(value->string);
  value->string = old->string;
  old->string = NULL;
  if (cJSON_ReplaceItemViaPointer(parent, old, value)) return SYNC_ENGINE_OK;
  cJSON_Delete(value);
  return se_no_memory(run->error);
}

static sync_engine_status replace(run *run, const se_pointer *path, cJSON *value) {
  cJSON *parent = NULL;
  cJSON *old = run->root;
  sync_engine_status status = SYNC_ENGINE_OK;
  if (path->count > 0) {
    status = find_parent(run, path, &parent);
    if (status == SYNC_ENGINE_OK) status = child_of(run, parent, path->tokens[path->count - 1], &old);
  }
  if (status == SYNC_ENGINE_OK) return put_in_place(run, parent, old, value);
  cJSON_Delete(value);
  return status;
}

static sync_engine_status add_to_array(run *run, cJSON *array, const char *token, cJSON *value) {
  int size = cJSON_GetArraySize(array);
  int index = size;
  sync_engine_status status = SYNC_ENGINE_OK;
  if (strcmp(token, "-") != 0) status = array_index(run, token, size, &index);
  if (status != SYNC_ENGINE_OK) return status;
  cJSON_free(value->string);
  value->string = NULL;
  se_json_insert(array, index, value);
  return SYNC_ENGINE_OK;
}

/* RFC 6902 "add". Takes the value over, also when it fails. */
static sync_engine_status add(run *run, const se_pointer *path, cJSON *value) {
  cJSON *parent;
  if (path->count == 0) return put_in_place(run, NULL, run->root, value);
  const char *token = path->tokens[path->count - 1];
  sync_engine_status status = find_parent(run, path, &parent);
  if (status == SYNC_ENGINE_OK && cJSON_IsObject(parent)) {
    cJSON *old = cJSON_GetObjectItemCaseSensitive(parent, token);
    if (old != NULL) return put_in_place(run, parent, old, value);
    if (!cJSON_AddItemToObject(parent, token, value)) status = se_no_memory(run->error);
  } else if (status == SYNC_ENGINE_OK) {
    status = add_to_array(run, parent, token, value);
  }
  if (status != SYNC_ENGINE_OK) cJSON_Delete(value);
  return status;
}

static sync_engine_status add_duplicate(run *run, const se_pointer *path, const cJSON *value,
                                        sync_engine_status (*place)(struct run *, const se_pointer *, cJSON *)) {
  cJSON *duplicate = cJSON_Duplicate(value, true);
  return duplicate == NULL ? se_no_memory(run->error) : place(run, path, duplicate);
}

/* Detaches the value at path (not empty). */
static sync_engine_status take(run *run, const se_pointer *path, cJSON **out) {
  cJSON *parent;
  sync_engine_status status = find_parent(run, path, &parent);
  if (status == SYNC_ENGINE_OK) status = child_of(run, parent, path->tokens[path->count - 1], out);
  if (status == SYNC_ENGINE_OK) cJSON_DetachItemViaPointer(parent, *out);
  return status;
}

static sync_engine_status remove_value(run *run, const se_pointer *path) {
  cJSON *value;
  if (path->count == 0) return FAIL(run, SYNC_ENGINE_PATCH_MALFORMED, "The whole document cannot be removed; replace it with null or delete the document");
  sync_engine_status status = take(run, path, &value);
  if (status == SYNC_ENGINE_OK) cJSON_Delete(value);
  return status;
}

static sync_engine_status check_depth(run *run, const se_pointer *path, const cJSON *value) {
  if ((int)path->count + se_json_depth(value) <= SE_DEPTH_LIMIT) return SYNC_ENGINE_OK;
  return FAIL(run, SYNC_ENGINE_LIMIT_EXCEEDED, "The value would lie deeper than %d containers; keep documents flatter", SE_DEPTH_LIMIT);
}

/* Whether the place is the whole document or under a key, not a slot of an array. */
static bool is_key(run *run, const se_pointer *path) {
  cJSON *parent;
  if (path->count == 0) return true;
  return find(run, path, path->count - 1, &parent) == SYNC_ENGINE_OK && !cJSON_IsArray(parent);
}

static sync_engine_status into_itself(run *run, const se_pointer *from) {
  cJSON *value;
  sync_engine_status status = find(run, from, from->count, &value);
  if (status != SYNC_ENGINE_OK) return status;
  return FAIL(run, SYNC_ENGINE_MOVE_INTO_SELF, "A value cannot be moved into itself; choose a path outside of it");
}

static sync_engine_status move(run *run, const se_pointer *from, const se_pointer *path) {
  cJSON *value;
  cJSON *source;
  sync_engine_status status;
  bool inside = se_pointer_starts_with(path, from);
  if (inside && from->count == path->count) return find(run, from, from->count, &value);
  if (from->count == 0) return into_itself(run, from);
  if (se_pointer_starts_with(from, path) && is_key(run, path)) {
    /* The container that holds the item is replaced by the item. */
    status = find(run, from, from->count, &value);
    return status == SYNC_ENGINE_OK ? add_duplicate(run, path, value, replace) : status;
  }
  status = find_parent(run, from, &source);
  if (status != SYNC_ENGINE_OK) return status;
  /* `path` counts after the removal: where an array closes the gap it names a place in the next item instead. */
  if (inside && !cJSON_IsArray(source)) return into_itself(run, from);
  status = take(run, from, &value);
  if (status != SYNC_ENGINE_OK) return status;
  if (path->count > from->count) status = check_depth(run, path, value);
  if (status == SYNC_ENGINE_OK) return add(run, path, value);
  cJSON_Delete(value);
  return status;
}

static sync_engine_status copy(run *run, const se_pointer *from, const se_pointer *path) {
  cJSON *value;
  sync_engine_status status = find(run, from, from->count, &value);
  if (status != SYNC_ENGINE_OK) return status;
  run->copied_bytes += se_json_bytes(value);
  if (run->copied_bytes > SE_DOCUMENT_LIMIT) {
    return FAIL(run, SYNC_ENGINE_LIMIT_EXCEEDED, "The copies of the patch add up to more than %d bytes; copy less", SE_DOCUMENT_LIMIT);
  }
  status = check_depth(run, path, value);
  return status == SYNC_ENGINE_OK ? add_duplicate(run, path, value, add) : status;
}

static sync_engine_status test(run *run, const se_operation *operation) {
  cJSON *value;
  sync_engine_status status = find(run, &operation->path, operation->path.count, &value);
  if (status != SYNC_ENGINE_OK) return FAIL(run, SYNC_ENGINE_TEST_FAILED, "The test failed: there is no such place");
  if (se_json_equal(value, operation->value)) return SYNC_ENGINE_OK;
  return FAIL(run, SYNC_ENGINE_TEST_FAILED, "The test failed: the value there is another one");
}

static sync_engine_status increment(run *run, const se_operation *operation) {
  const double safe = 9007199254740991.0;
  cJSON *value;
  sync_engine_status status = find(run, &operation->path, operation->path.count, &value);
  if (status != SYNC_ENGINE_OK) return status;
  if (!cJSON_IsNumber(value)) return FAIL(run, SYNC_ENGINE_TYPE_MISMATCH, "inc needs a number; the value there is none");
  double before = value->valuedouble;
  if (before != floor(before)) return FAIL(run, SYNC_ENGINE_TYPE_MISMATCH, "inc needs a whole number; the value there is %g", before);
  double sum = before + operation->increment;
  if (fabs(before) > safe || fabs(sum) > safe) {
    return FAIL(run, SYNC_ENGINE_NUMBER_OVERFLOW, "%.0f + %.0f leaves the safe integers (2^53-1); keep counters smaller", before, operation->increment);
  }
  cJSON_SetNumberValue(value, sum == 0 ? 0.0 : sum);
  return SYNC_ENGINE_OK;
}

static sync_engine_status edit_text(run *run, const se_operation *operation) {
  cJSON *value;
  sync_engine_status status = find(run, &operation->path, operation->path.count, &value);
  if (status != SYNC_ENGINE_OK) return status;
  if (!cJSON_IsString(value)) return FAIL(run, SYNC_ENGINE_TYPE_MISMATCH, "Text can only be edited in a text; the value there is none");
  const char *old = value->valuestring;
  size_t length = strlen(old);
  size_t start = se_text_byte(old, length, (size_t)operation->position);
  size_t end = start;
  if (start < SE_TEXT_SPLITS && operation->op == SE_OP_STR_DEL) end = se_text_byte(old + start, length - start, (size_t)operation->length);
  if (start == SE_TEXT_OUTSIDE || end == SE_TEXT_OUTSIDE) {
    return FAIL(run, SYNC_ENGINE_RANGE_INVALID, "Offset %lld + %lld is outside of the text of %zu UTF-16 units", (long long)operation->position,
                (long long)operation->length, se_text_units(old, length));
  }
  if (start == SE_TEXT_SPLITS || end == SE_TEXT_SPLITS) {
    return FAIL(run, SYNC_ENGINE_RANGE_INVALID, "An edit at %lld would cut a character of two UTF-16 units", (long long)operation->position);
  }
  bool insert = operation->op == SE_OP_STR_INS;
  size_t inserted = insert ? strlen(operation->text) : 0;
  size_t rest = insert ? start : start + end;
  char *text = cJSON_malloc(start + inserted + (length - rest) + 1);
  if (text == NULL) return se_no_memory(run->error);
  memcpy(text, old, start);
  if (inserted > 0) memcpy(text + start, operation->text, inserted);
  memcpy(text + start + inserted, old + rest, length - rest + 1);
  cJSON_free(value->valuestring);
  value->valuestring = text;
  return SYNC_ENGINE_OK;
}

static sync_engine_status step(run *run) {
  const se_operation *operation = run->operation;
  switch (operation->op) {
    case SE_OP_ADD: return add_duplicate(run, &operation->path, operation->value, add);
    case SE_OP_REMOVE: return remove_value(run, &operation->path);
    case SE_OP_REPLACE: return add_duplicate(run, &operation->path, operation->value, replace);
    case SE_OP_MOVE: return move(run, &operation->from, &operation->path);
    case SE_OP_COPY: return copy(run, &operation->from, &operation->path);
    case SE_OP_TEST: return test(run, operation);
    case SE_OP_INC: return increment(run, operation);
    case SE_OP_STR_INS:
    case SE_OP_STR_DEL: return edit_text(run, operation);
  }
  return SYNC_ENGINE_PATCH_MALFORMED;
}

sync_engine_status se_patch_apply(cJSON **document, const se_patch *patch, sync_engine_error *error) {
  run run = {cJSON_Duplicate(*document, true), 0, NULL, error};
  if (run.root == NULL) return se_no_memory(error);
  for (size_t index = 0; index < patch->count; index++) {
    run.operation = &patch->operations[index];
    sync_engine_status status = step(&run);
    if (status != SYNC_ENGINE_OK) {
      if (error != NULL && error->status == status) error->operation = (int32_t)index;
      cJSON_Delete(run.root);
      return status;
    }
  }
  cJSON_Delete(*document);
  *document = run.root;
  return SYNC_ENGINE_OK;
}
