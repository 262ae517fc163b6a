#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int se_json_depth(const cJSON *value) {
  int deepest = 0;
  if (!cJSON_IsArray(value) && !cJSON_IsObject(value)) return 0;
  for (const cJSON *item = value->child; item != NULL; item = item->next) {
    int depth = se_json_depth(item);
    if (depth > deepest) deepest = depth;
  }
  return deepest + 1;
}

static int by_name(const void *left, const void *right) {
  return strcmp((*(const cJSON *const *)left)->string, (*(const cJSON *const *)right)->string);
}

/* Members sorted by key, so that comparing two large objects does not cost the square of their size. NULL without memory. */
static const cJSON **sorted_members(const cJSON *object, size_t count) {
  const cJSON **members = malloc(count * sizeof *members);
  if (members == NULL) return NULL;
  size_t index = 0;
  for (const cJSON *item = object->child; item != NULL; item = item->next) members[index++] = item;
  qsort(members, count, sizeof *members, by_name);
  return members;
}

static bool equal_objects(const cJSON *a, const cJSON *b) {
  size_t count = (size_t)cJSON_GetArraySize(a);
  if (count != (size_t)cJSON_GetArraySize(b)) return false;
  if (count == 0) return true;
  const cJSON **left = sorted_members(a, count);
  const cJSON **right = sorted_members(b, count);
  bool equal = left != NULL && right != NULL;
  for (size_t index = 0; equal && index < count; index++) {
    equal = strcmp(left[index]->string, right[index]->string) == 0 && se_json_equal(left[index], right[index]);
  }
  free((void *)left);
  free((void *)right);
  return equal;
}

bool se_json_equal(const cJSON *a, const cJSON *b) {
  if ((a->type & 0xFF) != (b->type & 0xFF)) return false;
  if (cJSON_IsNumber(a)) return a->valuedouble == b->valuedouble;
  if (cJSON_IsString(a)) return strcmp(a->valuestring, b->valuestring) == 0;
  if (cJSON_IsObject(a)) return equal_objects(a, b);
  if (!cJSON_IsArray(a)) return true;
  const cJSON *left = a->child;
  const cJSON *right = b->child;
  for (; left != NULL && right != NULL; left = left->next, right = right->next) {
    if (!se_json_equal(left, right)) return false;
  }
  return left == NULL && right == NULL;
}

void se_json_insert(cJSON *array, int index, cJSON *item) {
  cJSON *after = cJSON_GetArrayItem(array, index);
  cJSON *first = array->child;
  item->next = after;
  if (first == NULL) {
    item->prev = item; /* cJSON keeps the last item in the first one's prev */
    array->child = item;
  } else if (after == NULL) {
    item->prev = first->prev;
    first->prev->next = item;
    first->prev = item;
  } else {
    item->prev = after->prev;
    after->prev = item;
    if (after == first) array->child = item;
    else item->prev->next = item;
  }
}

const cJSON *se_json_member(const cJSON *object, const char *name) {
  return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

const char *se_json_string(const cJSON *object, const char *name) {
  const cJSON *member = se_json_member(object, name);
  return cJSON_IsString(member) ? member->valuestring : NULL;
}

bool se_json_count(const cJSON *object, const char *name, int64_t *out) {
  const cJSON *member = se_json_member(object, name);
  if (!cJSON_IsNumber(member)) return false;
  double value = member->valuedouble;
  if (!(value >= 0) || value > 9007199254740991.0 || value != floor(value)) return false;
  *out = (int64_t)value;
  return true;
}
