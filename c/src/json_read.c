#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "json_reader.h"

static cJSON *read_value(se_reader *reader, int depth);

static void skip_space(se_reader *reader) {
  while (reader->at < reader->length && memchr(" \t\r\n", reader->text[reader->at], 4) != NULL) reader->at++;
}

static cJSON *read_word(se_reader *reader, const char *word, cJSON *(*create)(void)) {
  size_t length = strlen(word);
  if (reader->length - reader->at < length || memcmp(reader->text + reader->at, word, length) != 0) {
    return se_reader_not_json(reader, "an unexpected character");
  }
  reader->at += length;
  cJSON *value = create();
  return value == NULL ? se_reader_no_memory(reader) : value;
}

/* Appends to a container's list in constant time: cJSON keeps the last item in the first one's prev. */
static void append(cJSON *container, cJSON *item) {
  if (container->child == NULL) {
    container->child = item;
    item->prev = item;
  } else {
    cJSON *last = container->child->prev;
    last->next = item;
    item->prev = last;
    container->child->prev = item;
  }
}

typedef struct keyed {
  cJSON *item;
  size_t order;
} keyed;

static int by_key(const void *left, const void *right) {
  const keyed *a = left;
  const keyed *b = right;
  int order = strcmp(a->item->string, b->item->string);
  if (order != 0) return order;
  return a->order < b->order ? -1 : 1;
}

/* Of equal keys only the last may stay. Sorting keeps a hostile object with many keys from costing its square. */
static bool drop_repeated_keys(cJSON *object, size_t count) {
  if (count < 2) return true;
  keyed *members = malloc(count * sizeof *members);
  if (members == NULL) return false;
  size_t index = 0;
  for (cJSON *item = object->child; item != NULL; item = item->next, index++) members[index] = (keyed){item, index};
  qsort(members, count, sizeof *members, by_key);
  for (index = 0; index + 1 < count; index++) {
    if (strcmp(members[index].item->string, members[index + 1].item->string) == 0) {
      cJSON_Delete(cJSON_DetachItemViaPointer(object, members[index].item));
    }
  }
  free(members);
  return true;
}

static cJSON *read_array(se_reader *reader, int depth) {
  cJSON *array = cJSON_CreateArray();
  if (array == NULL) return se_reader_no_memory(reader);
  skip_space(reader);
  if (se_reader_next_is(reader, ']')) return array;
  for (;;) {
    cJSON *item = read_value(reader, depth);
    if (item == NULL) break;
    append(array, item);
    if (se_reader_next_is(reader, ']')) return array;
    if (!se_reader_next_is(reader, ',')) {
      se_reader_not_json(reader, "an array without , or ]");
      break;
    }
  }
  cJSON_Delete(array);
  return NULL;
}

static char *read_key(se_reader *reader) {
  skip_space(reader);
  if (!se_reader_next_is(reader, '"')) {
    se_reader_not_json(reader, "an object without a key");
    return NULL;
  }
  if (!se_reader_string(reader)) return NULL;
  if (strcmp(reader->scratch.data, "__proto__") == 0) {
    se_fail(reader->error, SYNC_ENGINE_VALUE_INVALID, "The key __proto__ (before byte %zu) is refused; rename it", reader->at);
    return NULL;
  }
  char *key = cJSON_malloc(reader->scratch.length + 1);
  if (key == NULL) {
    se_reader_no_memory(reader);
    return NULL;
  }
  memcpy(key, reader->scratch.data, reader->scratch.length + 1);
  skip_space(reader);
  if (se_reader_next_is(reader, ':')) return key;
  se_reader_not_json(reader, "a key without :");
  cJSON_free(key);
  return NULL;
}

static cJSON *read_object(se_reader *reader, int depth) {
  size_t count = 0;
  cJSON *object = cJSON_CreateObject();
  if (object == NULL) return se_reader_no_memory(reader);
  skip_space(reader);
  if (se_reader_next_is(reader, '}')) return object;
  for (;;) {
    char *key = read_key(reader);
    if (key == NULL) break;
    cJSON *item = read_value(reader, depth);
    if (item == NULL) {
      cJSON_free(key);
      break;
    }
    item->string = key;
    append(object, item);
    count++;
    if (se_reader_next_is(reader, '}')) {
      if (drop_repeated_keys(object, count)) return object;
      se_reader_no_memory(reader);
      break;
    }
    if (!se_reader_next_is(reader, ',')) {
      se_reader_not_json(reader, "an object without , or }");
      break;
    }
  }
  cJSON_Delete(object);
  return NULL;
}

static cJSON *read_container(se_reader *reader, int depth) {
  if (depth >= reader->depth_limit) {
    se_fail(reader->error, SYNC_ENGINE_LIMIT_EXCEEDED, "The value lies deeper than %d containers (byte %zu); flatten it",
            reader->depth_limit, reader->at);
    return NULL;
  }
  bool array = reader->text[reader->at] == '[';
  reader->at++;
  return array ? read_array(reader, depth + 1) : read_object(reader, depth + 1);
}

/* One value with the spaces around it. */
static cJSON *read_value(se_reader *reader, int depth) {
  cJSON *value;
  skip_space(reader);
  if (reader->at >= reader->length) return se_reader_not_json(reader, "the end");
  switch (reader->text[reader->at]) {
    case '{':
    case '[':
      value = read_container(reader, depth);
      break;
    case '"':
      reader->at++;
      if (!se_reader_string(reader)) return NULL;
      value = cJSON_CreateString(reader->scratch.data);
      if (value == NULL) return se_reader_no_memory(reader);
      break;
    case 't':
      value = read_word(reader, "true", cJSON_CreateTrue);
      break;
    case 'f':
      value = read_word(reader, "false", cJSON_CreateFalse);
      break;
    case 'n':
      value = read_word(reader, "null", cJSON_CreateNull);
      break;
    default:
      value = se_reader_number(reader);
  }
  skip_space(reader);
  return value;
}

cJSON *se_json_read(const char *text, size_t length, int depth_limit, sync_engine_error *error) {
  se_reader reader = {text, length, 0, depth_limit, error, SE_BUFFER_INIT};
  cJSON *value = read_value(&reader, 0);
  if (value != NULL && reader.at < length) {
    se_reader_not_json(&reader, "more text after the value");
    cJSON_Delete(value);
    value = NULL;
  }
  se_buffer_free(&reader.scratch);
  return value;
}
