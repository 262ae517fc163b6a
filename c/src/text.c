#include "text.h"

#include <stdint.h>
#include <string.h>

#include "sync_engine.h"

static bool continues(unsigned char byte) { return (byte & 0xC0u) == 0x80u; }

size_t se_text_character(const char *text, size_t length) {
  const unsigned char *at = (const unsigned char *)text;
  if (length == 0) return 0;
  if (at[0] < 0x80) return 1;
  if (at[0] < 0xC2) return 0;
  if (at[0] < 0xE0) return length >= 2 && continues(at[1]) ? 2 : 0;
  if (at[0] < 0xF0) {
    if (length < 3 || !continues(at[1]) || !continues(at[2])) return 0;
    if (at[0] == 0xE0 && at[1] < 0xA0) return 0; /* overlong */
    if (at[0] == 0xED && at[1] > 0x9F) return 0; /* a surrogate */
    return 3;
  }
  if (at[0] > 0xF4 || length < 4 || !continues(at[1]) || !continues(at[2]) || !continues(at[3])) return 0;
  if (at[0] == 0xF0 && at[1] < 0x90) return 0;
  if (at[0] == 0xF4 && at[1] > 0x8F) return 0;
  return 4;
}

bool se_text_valid(const char *text, size_t length) {
  size_t at = 0;
  while (at < length) {
    size_t step = se_text_character(text + at, length - at);
    if (step == 0) return false;
    at += step;
  }
  return true;
}

size_t se_text_units(const char *text, size_t length) {
  size_t units = 0;
  for (size_t at = 0; at < length; at++) {
    unsigned char byte = (unsigned char)text[at];
    if (continues(byte)) continue;
    units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

size_t se_text_byte(const char *text, size_t length, size_t units) {
  size_t at = 0;
  size_t seen = 0;
  while (seen < units) {
    if (at >= length) return SE_TEXT_OUTSIDE;
    unsigned char byte = (unsigned char)text[at];
    size_t bytes = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    seen += bytes == 4 ? 2 : 1;
    at += bytes;
  }
  return seen == units ? at : SE_TEXT_SPLITS;
}

int64_t sync_engine_utf16_length(const char *text, size_t byte_count) {
  if (text == NULL) return 0;
  size_t length = strlen(text);
  return (int64_t)se_text_units(text, byte_count < length ? byte_count : length);
}
