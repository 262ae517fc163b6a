#include "ids.h"

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

double se_random_fraction(void) {
  uint32_t bits;
  if (!random_bytes((unsigned char *)&bits, sizeof bits)) return 0.5;
  return bits / 4294967296.0;
}
