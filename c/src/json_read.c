#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "json.h"
#include "text.h"

typedef struct reader {
  const char *text;
  size_t length;
  size_t at;
  int depth_limit;
  sync_engine_error *error;
  se_buffer scratch;
} reader;

static cJSON *read_value(reader *reader, int depth);

static cJSON *not_json(reader *reader, const char *what) {
  se_fail(reader->error, SYNC_ENGINE_INPUT_INVALID, "The text is not JSON: %s at byte %zu", what, reader->at);
  return NULL;
}

static cJSON *no_memory(reader *reader) {
  se_no_memory(reader->error);
  return NULL;
}

static bool invalid(reader *reader, const char *what) {
  se_fail(reader->error, SYNC_ENGINE_VALUE_INVALID, "%s at byte %zu; send whole characters, or bytes as base64", what, reader->at);
  return false;
}

static void skip_space(reader *reader) {
  while (reader->at < reader->length && memchr(" \t\r\n", reader->text[reader->at], 4) != NULL) reader->at++;
}

static bool next_is(reader *reader, char character) {
  if (reader->at >= reader->length || reader->text[reader->at] != character) return false;
  reader->at++;
  return true;
}

static int hex_digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

/* Four hexadecimal digits at `at`, or -1. */
static int read_unit(const reader *reader, size_t at) {
  int unit = 0;
  if (reader->length - at < 4 || at > reader->length) return -1;
  for (size_t index = at; index < at + 4; index++) {
    int digit = hex_digit(reader->text[index]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

static void add_character(se_buffer *buffer, unsigned long code) {
  char bytes[4];
  size_t count;
  if (code < 0x80) {
    bytes[0] = (char)code;
    count = 1;
  } else if (code < 0x800) {
    bytes[0] = (char)(0xC0 | (code >> 6));
    bytes[1] = (char)(0x80 | (code & 0x3F));
    count = 2;
  } else if (code < 0x10000) {
    bytes[0] = (char)(0xE0 | (code >> 12));
    bytes[1] = (char)(0x80 | ((code >> 6) & 0x3F));
    bytes[2] = (char)(0x80 | (code & 0x3F));
    count = 3;
  } else {
    bytes[0] = (char)(0xF0 | (code >> 18));
    bytes[1] = (char)(0x80 | ((code >> 12) & 0x3F));
    bytes[2] = (char)(0x80 | ((code >> 6) & 0x3F));
    bytes[3] = (char)(0x80 | (code & 0x3F));
    count = 4;
  }
  se_buffer_add(buffer, bytes, count);
}

static bool read_escape(reader *reader) {
  static const char names[] = "\"\\/bfnrt";
  static const char values[] = "\"\\/\b\f\n\r\t";
  char name = reader->at < reader->length ? reader->text[reader->at] : '\0';
  const char *found = name == '\0' ? NULL : strchr(names, name);
  if (found != NULL) {
    se_buffer_char(&reader->scratch, values[found - names]);
    reader->at++;
    return true;
  }
  int unit = name == 'u' ? read_unit(reader, reader->at + 1) : -1;
  if (unit < 0) return not_json(reader, "an unknown escape") != NULL;
  if (unit == 0) return invalid(reader, "A text holds U+0000");
  unsigned long code = (unsigned long)unit;
  if (unit >= 0xDC00 && unit <= 0xDFFF) return invalid(reader, "A text holds a lone surrogate");
  reader->at += 5;
  if (unit >= 0xD800 && unit <= 0xDBFF) {
    int low = -1;
    if (reader->length - reader->at >= 6 && reader->text[reader->at] == '\\' && reader->text[reader->at + 1] == 'u') {
      low = read_unit(reader, reader->at + 2);
    }
    if (low < 0xDC00 || low > 0xDFFF) return invalid(reader, "A text holds a lone surrogate");
    code = 0x10000ul + (((unsigned long)unit - 0xD800ul) << 10) + ((unsigned long)low - 0xDC00ul);
    reader->at += 6;
  }
  add_character(&reader->scratch, code);
  return true;
}

/* Reads a string, after its opening quote, into scratch. */
static bool read_text(reader *reader) {
  se_buffer_reset(&reader->scratch);
  se_buffer_add(&reader->scratch, "", 0);
  for (;;) {
    size_t start = reader->at;
    while (reader->at < reader->length) {
      unsigned char byte = (unsigned char)reader->text[reader->at];
      if (byte == '"' || byte == '\\' || byte < 0x20) break;
      size_t step = se_text_character(reader->text + reader->at, reader->length - reader->at);
      if (step == 0) return invalid(reader, "A text is not well-formed UTF-8");
      reader->at += step;
    }
    se_buffer_add(&reader->scratch, reader->text + start, reader->at - start);
    if (next_is(reader, '"')) break;
    if (!next_is(reader, '\\')) return not_json(reader, "an unfinished string or a control character in it") != NULL;
    if (!read_escape(reader)) return false;
  }
  if (reader->scratch.failed) return no_memory(reader) != NULL;
  return true;
}

static bool is_digit(const reader *reader, size_t at) {
  return at < reader->length && reader->text[at] >= '0' && reader->text[at] <= '9';
}

/* strtod in whatever locale the program chose: our "." becomes its decimal point. Thread-safe, unlike localeconv. */
static double to_double(const char *digits, size_t length, bool *no_room) {
  char sample[16];
  char small[64];
  snprintf(sample, sizeof sample, "%.1f", 0.5);
  size_t point = strlen(sample) - 2;
  char *copy = length + point + 1 <= sizeof small ? small : malloc(length + point + 1);
  if (copy == NULL) {
    *no_room = true;
    return 0;
  }
  size_t end = 0;
  for (size_t at = 0; at < length; at++) {
    if (digits[at] == '.') {
      memcpy(copy + end, sample + 1, point);
      end += point;
    } else {
      copy[end++] = digits[at];
    }
  }
  copy[end] = '\0';
  double value = strtod(copy, NULL);
  if (copy != small) free(copy);
  return value;
}

static cJSON *read_number(reader *reader) {
  size_t start = reader->at;
  next_is(reader, '-');
  if (!is_digit(reader, reader->at)) return not_json(reader, "an unexpected character");
  if (reader->text[reader->at] == '0') {
    reader->at++;
  } else {
    while (is_digit(reader, reader->at)) reader->at++;
  }
  bool whole = true;
  if (next_is(reader, '.')) {
    whole = false;
    if (!is_digit(reader, reader->at)) return not_json(reader, "a number without digits after its point");
    while (is_digit(reader, reader->at)) reader->at++;
  }
  if (next_is(reader, 'e') || next_is(reader, 'E')) {
    whole = false;
    if (!next_is(reader, '+')) next_is(reader, '-');
    if (!is_digit(reader, reader->at)) return not_json(reader, "a number without digits in its exponent");
    while (is_digit(reader, reader->at)) reader->at++;
  }
  double value = 0;
  if (whole && reader->at - start <= 15) {
    bool negative = reader->text[start] == '-';
    for (size_t at = start + (negative ? 1u : 0u); at < reader->at; at++) value = value * 10 + (reader->text[at] - '0');
    if (negative) value = -value;
  } else {
    bool no_room = false;
    value = to_double(reader->text + start, reader->at - start, &no_room);
    if (no_room) return no_memory(reader);
  }
  if (!isfinite(value)) {
    se_fail(reader->error, SYNC_ENGINE_VALUE_INVALID, "The number at byte %zu is too large for a double", start);
    return NULL;
  }
  cJSON *number = cJSON_CreateNumber(value == 0 ? 0.0 : value);
  return number == NULL ? no_memory(reader) : number;
}

static cJSON *read_word(reader *reader, const char *word, cJSON *(*create)(void)) {
  size_t length = strlen(word);
  if (reader->length - reader->at < length || memcmp(reader->text + reader->at, word, length) != 0) {
    return not_json(reader, "an unexpected character");
  }
  reader->at += length;
  cJSON *value = create();
  return value == NULL ? no_memory(reader) : value;
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

static cJSON *read_array(reader *reader, int depth) {
  cJSON *array = cJSON_CreateArray();
  if (array == NULL) return no_memory(reader);
  skip_space(reader);
  if (next_is(reader, ']')) return array;
  for (;;) {
    cJSON *item = read_value(reader, depth);
    if (item == NULL) break;
    append(array, item);
    if (next_is(reader, ']')) return array;
    if (!next_is(reader, ',')) {
      not_json(reader, "an array without , or ]");
      break;
    }
  }
  cJSON_Delete(array);
  return NULL;
}

static char *read_key(reader *reader) {
  skip_space(reader);
  if (!next_is(reader, '"')) {
    not_json(reader, "an object without a key");
    return NULL;
  }
  if (!read_text(reader)) return NULL;
  if (strcmp(reader->scratch.data, "__proto__") == 0) {
    se_fail(reader->error, SYNC_ENGINE_VALUE_INVALID, "The key __proto__ (before byte %zu) is refused; rename it", reader->at);
    return NULL;
  }
  char *key = cJSON_malloc(reader->scratch.length + 1);
  if (key == NULL) {
    no_memory(reader);
    return NULL;
  }
  memcpy(key, reader->scratch.data, reader->scratch.length + 1);
  skip_space(reader);
  if (next_is(reader, ':')) return key;
  not_json(reader, "a key without :");
  cJSON_free(key);
  return NULL;
}

static cJSON *read_object(reader *reader, int depth) {
  size_t count = 0;
  cJSON *object = cJSON_CreateObject();
  if (object == NULL) return no_memory(reader);
  skip_space(reader);
  if (next_is(reader, '}')) return object;
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
    if (next_is(reader, '}')) {
      if (drop_repeated_keys(object, count)) return object;
      no_memory(reader);
      break;
    }
    if (!next_is(reader, ',')) {
      not_json(reader, "an object without , or }");
      break;
    }
  }
  cJSON_Delete(object);
  return NULL;
}

static cJSON *read_container(reader *reader, int depth) {
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
static cJSON *read_value(reader *reader, int depth) {
  cJSON *value;
  skip_space(reader);
  if (reader->at >= reader->length) return not_json(reader, "the end");
  switch (reader->text[reader->at]) {
    case '{':
    case '[':
      value = read_container(reader, depth);
      break;
    case '"':
      reader->at++;
      if (!read_text(reader)) return NULL;
      value = cJSON_CreateString(reader->scratch.data);
      if (value == NULL) return no_memory(reader);
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
      value = read_number(reader);
  }
  skip_space(reader);
  return value;
}

cJSON *se_json_read(const char *text, size_t length, int depth_limit, sync_engine_error *error) {
  reader reader = {text, length, 0, depth_limit, error, SE_BUFFER_INIT};
  cJSON *value = read_value(&reader, 0);
  if (value != NULL && reader.at < length) {
    not_json(&reader, "more text after the value");
    cJSON_Delete(value);
    value = NULL;
  }
  se_buffer_free(&reader.scratch);
  return value;
}
