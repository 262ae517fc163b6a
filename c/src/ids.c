#include "ids.h"

#include "text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/random.h>
#endif

static bool random_bytes(unsigned char *out, size_t count) {
#if defined(_GNU_SOURCE) || defined(__APPLE__) || defined(__FreeBSD__)
  if (getentropy(out, count) == 0) return true;
#endif
  FILE *source = fopen("/dev/urandom", "rb");
  if (source == NULL) return false;
  bool complete = fread(out, 1, count, source) == count;
  fclose(source);
  return complete;
}

bool se_replica_id(char out[SE_REPLICA_ID_ROOM]) {
  unsigned char bytes[16];
  if (!random_bytes(bytes, sizeof bytes)) return false;
  for (size_t index = 0; index < sizeof bytes; index++) snprintf(out + 2 * index, 3, "%02x", bytes[index]);
  return true;
}

bool se_uuid(char out[SE_UUID_ROOM]) {
  unsigned char bytes[16];
  if (!random_bytes(bytes, sizeof bytes)) return false;
  bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40);
  bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
  size_t at = 0;
  for (size_t index = 0; index < sizeof bytes; index++) {
    if (index == 4 || index == 6 || index == 8 || index == 10) out[at++] = '-';
    snprintf(out + at, 3, "%02x", bytes[index]);
    at += 2;
  }
  return true;
}

bool se_id_valid(const char *text) {
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:-";
  size_t length = strlen(text);
  return length >= 1 && length <= 128 && strspn(text, alphabet) == length;
}

/* The code point of the well-formed character of `length` bytes at text. */
static uint32_t code_point(const char *text, size_t length) {
  const unsigned char *bytes = (const unsigned char *)text;
  uint32_t point = length == 1 ? bytes[0] : bytes[0] & (0xFFu >> (length + 1));
  for (size_t index = 1; index < length; index++) point = point << 6 | (bytes[index] & 0x3Fu);
  return point;
}

static bool is_control(uint32_t point) { return point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0x2028 || point == 0x2029; }

/* As String.prototype.trim has it; line ends are controls. */
static bool is_space(uint32_t point) {
  return point == 0x20 || point == 0xA0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x202F || point == 0x205F || point == 0x3000 || point == 0xFEFF;
}

bool se_document_id_valid(const char *text) {
  size_t length = strlen(text);
  if (length < 1 || length > 256 || !se_text_valid(text, length)) return false;
  for (size_t at = 0, size; at < length; at += size) {
    size = se_text_character(text + at, length - at);
    uint32_t point = code_point(text + at, size);
    if (is_control(point) || (is_space(point) && (at == 0 || at + size == length))) return false;
  }
  return true;
}

double se_random_fraction(void) {
  uint32_t bits;
  if (!random_bytes((unsigned char *)&bits, sizeof bits)) return 0.5;
  return bits / 4294967296.0;
}
