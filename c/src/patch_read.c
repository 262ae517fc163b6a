#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "patch.h"
#include "text.h"

static const struct {
  const char *name;
  se_op op;
} names[] = {{"add", SE_OP_ADD},   {"remove", SE_OP_REMOVE}, {"replace", SE_OP_REPLACE}, {"move", SE_OP_MOVE},      {"copy", SE_OP_COPY},
             {"test", SE_OP_TEST}, {"inc", SE_OP_INC},       {"str_ins", SE_OP_STR_INS}, {"str_del", SE_OP_STR_DEL}};

static sync_engine_status missing(sync_engine_error *error, const char *path, const cJSON *found, const char *name, const char *needed) {
  return se_fail_at(error, SYNC_ENGINE_PATCH_MALFORMED, path, found == NULL ? "The operation has no member \"%s\"; give %s" : "The member \"%s\" is of another type; give %s",
                    name, needed);
}

static sync_engine_status read_pointer(se_pointer *out, const cJSON *json, const char *name, const char **text, sync_engine_error *error) {
  const cJSON *member = se_json_member(json, name);
  if (!cJSON_IsString(member)) return missing(error, "", member, name, "a JSON pointer");
  if (text != NULL) *text = member->valuestring;
  return se_pointer_parse(out, member->valuestring, error);
}

static sync_engine_status read_count(int64_t *out, const cJSON *json, const char *name, const char *path, sync_engine_error *error) {
  if (se_json_count(json, name, out)) return SYNC_ENGINE_OK;
  return missing(error, path, se_json_member(json, name), name, "a number of UTF-16 code units, 0 or more");
}

static sync_engine_status read_value(se_operation *operation, const cJSON *json, sync_engine_error *error) {
  operation->value = se_json_member(json, "value");
  if (operation->value == NULL) return missing(error, operation->path_text, NULL, "value", "a JSON value (null is one)");
  if ((int)operation->path.count + se_json_depth(operation->value) > SE_DEPTH_LIMIT) {
    return se_fail_at(error, SYNC_ENGINE_LIMIT_EXCEEDED, operation->path_text, "The value would lie deeper than %d containers; keep documents flatter",
                      SE_DEPTH_LIMIT);
  }
  return SYNC_ENGINE_OK;
}

static sync_engine_status read_increment(se_operation *operation, const cJSON *json, sync_engine_error *error) {
  const cJSON *value = se_json_member(json, "value");
  if (!cJSON_IsNumber(value)) return missing(error, operation->path_text, value, "value", "a whole number to add");
  operation->increment = value->valuedouble;
  if (operation->increment != floor(operation->increment)) {
    return se_fail_at(error, SYNC_ENGINE_VALUE_INVALID, operation->path_text,
                      "inc adds whole numbers (sums of fractions depend on their order); %g came instead", operation->increment);
  }
  if (fabs(operation->increment) > 9007199254740991.0) {
    return se_fail_at(error, SYNC_ENGINE_NUMBER_OVERFLOW, operation->path_text, "inc adds safe integers (at most 2^53-1)");
  }
  return SYNC_ENGINE_OK;
}

static sync_engine_status read_text(se_operation *operation, const cJSON *json, sync_engine_error *error) {
  const cJSON *text = se_json_member(json, "str");
  if (!cJSON_IsString(text)) return missing(error, operation->path_text, text, "str", "a text");
  operation->text = text->valuestring;
  return SYNC_ENGINE_OK;
}

static sync_engine_status read_deletion(se_operation *operation, const cJSON *json, sync_engine_error *error) {
  sync_engine_status status = read_count(&operation->position, json, "pos", operation->path_text, error);
  if (status != SYNC_ENGINE_OK) return status;
  if (se_json_member(json, "len") != NULL || se_json_member(json, "str") == NULL) {
    return read_count(&operation->length, json, "len", operation->path_text, error);
  }
  status = read_text(operation, json, error);
  if (status == SYNC_ENGINE_OK) operation->length = (int64_t)se_text_units(operation->text, strlen(operation->text));
  return status;
}

static sync_engine_status read_members(se_operation *operation, const cJSON *json, sync_engine_error *error) {
  sync_engine_status status;
  switch (operation->op) {
    case SE_OP_ADD:
    case SE_OP_REPLACE:
    case SE_OP_TEST:
      return read_value(operation, json, error);
    case SE_OP_REMOVE:
      return SYNC_ENGINE_OK;
    case SE_OP_MOVE:
    case SE_OP_COPY:
      return read_pointer(&operation->from, json, "from", NULL, error);
    case SE_OP_INC:
      return read_increment(operation, json, error);
    case SE_OP_STR_INS:
      status = read_count(&operation->position, json, "pos", operation->path_text, error);
      return status == SYNC_ENGINE_OK ? read_text(operation, json, error) : status;
    case SE_OP_STR_DEL:
      return read_deletion(operation, json, error);
  }
  return SYNC_ENGINE_PATCH_MALFORMED;
}

static sync_engine_status read_operation(se_operation *out, const cJSON *json, sync_engine_error *error) {
  const cJSON *op = se_json_member(json, "op");
  if (!cJSON_IsObject(json)) return se_fail(error, SYNC_ENGINE_PATCH_MALFORMED, "An operation is an object");
  if (!cJSON_IsString(op)) return missing(error, "", op, "op", "the name of the operation");
  sync_engine_status status = read_pointer(&out->path, json, "path", &out->path_text, error);
  if (status != SYNC_ENGINE_OK) return status;
  for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
    if (strcmp(names[index].name, op->valuestring) != 0) continue;
    out->op = names[index].op;
    return read_members(out, json, error);
  }
  return se_fail_at(error, SYNC_ENGINE_PATCH_MALFORMED, out->path_text,
                    "There is no operation \"%.40s\"; add, remove, replace, move, copy, test, inc, str_ins and str_del are", op->valuestring);
}

sync_engine_status se_patch_read(se_patch *out, const cJSON *json, size_t operation_limit, sync_engine_error *error) {
  *out = (se_patch){0, NULL};
  if (!cJSON_IsArray(json)) return se_fail(error, SYNC_ENGINE_PATCH_MALFORMED, "A patch is an array of operations; something else came instead");
  size_t count = (size_t)cJSON_GetArraySize(json);
  if (count > operation_limit) {
    return se_fail(error, SYNC_ENGINE_LIMIT_EXCEEDED, "The patch has %zu operations, %zu are allowed (patchOperations); split it", count, operation_limit);
  }
  if (count == 0) return SYNC_ENGINE_OK;
  out->operations = calloc(count, sizeof *out->operations);
  if (out->operations == NULL) return se_no_memory(error);
  for (const cJSON *item = json->child; item != NULL; item = item->next) {
    sync_engine_status status = read_operation(&out->operations[out->count++], item, error);
    if (status != SYNC_ENGINE_OK) {
      if (error != NULL && error->status == status) error->operation = (int32_t)out->count - 1;
      se_patch_free(out);
      return status;
    }
  }
  return SYNC_ENGINE_OK;
}

void se_patch_free(se_patch *patch) {
  for (size_t index = 0; index < patch->count; index++) {
    se_pointer_free(&patch->operations[index].path);
    se_pointer_free(&patch->operations[index].from);
  }
  free(patch->operations);
  *patch = (se_patch){0, NULL};
}
