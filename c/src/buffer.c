#include "buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void se_buffer_add(se_buffer *buffer, const char *bytes, size_t count) {
  if (buffer->failed) return;
  if (count >= SIZE_MAX / 4 - buffer->length) {
    buffer->failed = true;
    return;
  }
  if (buffer->length + count + 1 > buffer->room) {
    size_t room = buffer->room < 64 ? 64 : buffer->room;
    while (room < buffer->length + count + 1) room *= 2;
    char *data = realloc(buffer->data, room);
    if (data == NULL) {
      buffer->failed = true;
      return;
    }
    buffer->data = data;
    buffer->room = room;
  }
  if (count > 0) memcpy(buffer->data + buffer->length, bytes, count);
  buffer->length += count;
  buffer->data[buffer->length] = '\0';
}

void se_buffer_text(se_buffer *buffer, const char *text) { se_buffer_add(buffer, text, strlen(text)); }

void se_buffer_char(se_buffer *buffer, char character) { se_buffer_add(buffer, &character, 1); }

void se_buffer_reset(se_buffer *buffer) {
  buffer->length = 0;
  buffer->failed = false;
  if (buffer->data != NULL) buffer->data[0] = '\0';
}

char *se_buffer_take(se_buffer *buffer) {
  se_buffer_add(buffer, "", 0);
  char *data = buffer->data;
  if (buffer->failed) {
    free(data);
    data = NULL;
  }
  *buffer = (se_buffer)SE_BUFFER_INIT;
  return data;
}

void se_buffer_free(se_buffer *buffer) {
  free(buffer->data);
  *buffer = (se_buffer)SE_BUFFER_INIT;
}
