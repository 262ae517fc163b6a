#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void se_copy_text(char *out, size_t room, const char *text) {
  size_t length = strlen(text);
  if (length >= room) {
    length = room - 1;
    while (length > 0 && ((unsigned char)text[length] & 0xC0u) == 0x80u) length--;
  }
  memcpy(out, text, length);
  out[length] = '\0';
}

/* When the struct grows, this becomes the size of its first form, and later members are written only where there is room. */
static bool writable(const sync_engine_error *error) { return error != NULL && error->size >= sizeof(sync_engine_error); }

void se_clear(sync_engine_error *error) {
  if (!writable(error)) return;
  error->status = SYNC_ENGINE_OK;
  error->domain = SYNC_ENGINE_DOMAIN_NONE;
  error->code = 0;
  error->operation = -1;
  error->retry_after_ms = 0;
  error->path[0] = '\0';
  error->message[0] = '\0';
}

static void fill(sync_engine_error *error, sync_engine_status status, const char *path, const char *format, va_list arguments) {
  char message[1024];
  if (!writable(error)) return;
  vsnprintf(message, sizeof message, format, arguments);
  se_clear(error);
  error->status = status;
  se_copy_text(error->path, sizeof error->path, path);
  se_copy_text(error->message, sizeof error->message, message);
}

sync_engine_status se_fail(sync_engine_error *error, sync_engine_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fill(error, status, "", format, arguments);
  va_end(arguments);
  return status;
}

sync_engine_status se_fail_at(sync_engine_error *error, sync_engine_status status, const char *path, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fill(error, status, path, format, arguments);
  va_end(arguments);
  return status;
}

sync_engine_status se_no_memory(sync_engine_error *error) {
  return se_fail(error, SYNC_ENGINE_NO_MEMORY, "Out of memory; nothing was changed");
}
