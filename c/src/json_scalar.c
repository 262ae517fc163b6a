#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "json_reader.h"
#include "text.h"

cJSON *se_reader_not_json(se_reader *reader, const char *what) {
  se_fail(reader->error, SYNC_ENGINE_INPUT_INVALID, "The text is not JSON: %s at byte %zu", what, reader->at);
  return NULL;
}

cJSON *se_reader_no_memory(se_reader *reader) {
  se_no_memory(reader->error);
  return NULL;
}

static bool invalid(se_reader *reader, const char *what) {
  se_fail(reader->error, SYNC_ENGINE_VALUE_INVALID, "%s at byte %zu; send whole characters, or bytes as base64", what, reader->at);
  return false;
}

bool se_reader_next_is(se_reader *reader, char character) {
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
static int read_unit(const se_reader *reader, size_t at) {
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

static bool read_escape(se_reader *reader) {
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
  if (unit < 0) return se_reader_not_json(reader, "an unknown escape") != NULL;
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

bool se_reader_string(se_reader *reader) {
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
    if (se_reader_next_is(reader, '"')) break;
    if (!se_reader_next_is(reader, '\\')) return se_reader_not_json(reader, "an unfinished string or a control character in it") != NULL;
    if (!read_escape(reader)) return false;
  }
  if (reader->scratch.failed) return se_reader_no_memory(reader) != NULL;
  return true;
}

static bool is_digit(const se_reader *reader, size_t at) {
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

cJSON *se_reader_number(se_reader *reader) {
  size_t start = reader->at;
  se_reader_next_is(reader, '-');
  if (!is_digit(reader, reader->at)) return se_reader_not_json(reader, "an unexpected character");
  if (reader->text[reader->at] == '0') {
    reader->at++;
  } else {
    while (is_digit(reader, reader->at)) reader->at++;
  }
  bool whole = true;
  if (se_reader_next_is(reader, '.')) {
    whole = false;
    if (!is_digit(reader, reader->at)) return se_reader_not_json(reader, "a number without digits after its point");
    while (is_digit(reader, reader->at)) reader->at++;
  }
  if (se_reader_next_is(reader, 'e') || se_reader_next_is(reader, 'E')) {
    whole = false;
    if (!se_reader_next_is(reader, '+')) se_reader_next_is(reader, '-');
    if (!is_digit(reader, reader->at)) return se_reader_not_json(reader, "a number without digits in its exponent");
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
    if (no_room) return se_reader_no_memory(reader);
  }
  if (!isfinite(value)) {
    se_fail(reader->error, SYNC_ENGINE_VALUE_INVALID, "The number at byte %zu is too large for a double", start);
    return NULL;
  }
  cJSON *number = cJSON_CreateNumber(value == 0 ? 0.0 : value);
  return number == NULL ? se_reader_no_memory(reader) : number;
}
