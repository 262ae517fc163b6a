#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

void se_json_write_string(se_buffer *buffer, const char *text) {
  se_buffer_char(buffer, '"');
  const char *start = text;
  const char *at = text;
  for (; *at != '\0'; at++) {
    unsigned char byte = (unsigned char)*at;
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    se_buffer_add(buffer, start, (size_t)(at - start));
    start = at + 1;
    switch (byte) {
      case '"': se_buffer_text(buffer, "\\\""); break;
      case '\\': se_buffer_text(buffer, "\\\\"); break;
      case '\b': se_buffer_text(buffer, "\\b"); break;
      case '\f': se_buffer_text(buffer, "\\f"); break;
      case '\n': se_buffer_text(buffer, "\\n"); break;
      case '\r': se_buffer_text(buffer, "\\r"); break;
      case '\t': se_buffer_text(buffer, "\\t"); break;
      default: {
        char escape[8];
        snprintf(escape, sizeof escape, "\\u%04x", byte);
        se_buffer_text(buffer, escape);
      }
    }
  }
  se_buffer_add(buffer, start, (size_t)(at - start));
  se_buffer_char(buffer, '"');
}

static void write_number(se_buffer *buffer, double value) {
  char digits[40];
  if (value == floor(value) && fabs(value) < 1e21) {
    snprintf(digits, sizeof digits, "%.0f", value);
    se_buffer_text(buffer, digits);
    return;
  }
  for (int precision = 15; precision <= 17; precision++) {
    snprintf(digits, sizeof digits, "%.*g", precision, value);
    if (strtod(digits, NULL) == value) break;
  }
  /* Whatever the locale's decimal point is, in bytes, becomes one ".". */
  bool point = false;
  for (const char *at = digits; *at != '\0'; at++) {
    if (memchr("0123456789eE+-", *at, 14) != NULL) {
      se_buffer_char(buffer, *at);
    } else if (!point) {
      point = true;
      se_buffer_char(buffer, '.');
    }
  }
}

void se_json_write(se_buffer *buffer, const cJSON *value) {
  if (cJSON_IsString(value)) {
    se_json_write_string(buffer, value->valuestring);
  } else if (cJSON_IsNumber(value)) {
    write_number(buffer, value->valuedouble);
  } else if (cJSON_IsTrue(value)) {
    se_buffer_text(buffer, "true");
  } else if (cJSON_IsFalse(value)) {
    se_buffer_text(buffer, "false");
  } else if (cJSON_IsArray(value)) {
    se_buffer_char(buffer, '[');
    for (const cJSON *item = value->child; item != NULL; item = item->next) {
      if (item != value->child) se_buffer_char(buffer, ',');
      se_json_write(buffer, item);
    }
    se_buffer_char(buffer, ']');
  } else if (cJSON_IsObject(value)) {
    se_buffer_char(buffer, '{');
    for (const cJSON *item = value->child; item != NULL; item = item->next) {
      if (item != value->child) se_buffer_char(buffer, ',');
      se_json_write_string(buffer, item->string);
      se_buffer_char(buffer, ':');
      se_json_write(buffer, item);
    }
    se_buffer_char(buffer, '}');
  } else {
    se_buffer_text(buffer, "null");
  }
}

char *se_json_text(const cJSON *value) {
  se_buffer buffer = SE_BUFFER_INIT;
  se_json_write(&buffer, value);
  return se_buffer_take(&buffer);
}

size_t se_json_bytes(const cJSON *value) {
  se_buffer buffer = SE_BUFFER_INIT;
  se_json_write(&buffer, value);
  size_t bytes = buffer.failed ? (size_t)-1 / 2 : buffer.length;
  se_buffer_free(&buffer);
  return bytes;
}
