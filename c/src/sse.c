#include "sse.h"

#include <string.h>

enum { EVENT_LIMIT = 64 * 1024 * 1024 };

static bool dispatch(se_sse *sse) {
  bool go_on = true;
  if (sse->has_data || sse->event.length > 0) {
    se_buffer_add(&sse->event, "", 0);
    se_buffer_add(&sse->data, "", 0);
    if (sse->event.failed || sse->data.failed) return false;
    go_on = sse->on_event(sse->context, sse->event.data, sse->data.data, sse->data.length);
  }
  se_buffer_reset(&sse->event);
  se_buffer_reset(&sse->data);
  sse->has_data = false;
  return go_on;
}

static bool field_is(const char *line, size_t name_length, const char *name) {
  return strlen(name) == name_length && memcmp(line, name, name_length) == 0;
}

static bool take_line(se_sse *sse) {
  if (sse->line.length == 0) return dispatch(sse);
  const char *line = sse->line.data;
  const char *colon = memchr(line, ':', sse->line.length);
  size_t name_length = colon == NULL ? sse->line.length : (size_t)(colon - line);
  const char *value = colon == NULL ? "" : colon + 1;
  if (*value == ' ') value++;
  if (field_is(line, name_length, "event")) {
    se_buffer_reset(&sse->event);
    se_buffer_text(&sse->event, value);
  } else if (field_is(line, name_length, "data")) {
    if (sse->has_data) se_buffer_char(&sse->data, '\n');
    se_buffer_text(&sse->data, value);
    sse->has_data = true;
  }
  /* Comments (no name before the colon), id and retry do not concern us. */
  return !sse->event.failed && !sse->data.failed && sse->data.length <= EVENT_LIMIT;
}

bool se_sse_feed(se_sse *sse, const char *bytes, size_t count) {
  size_t start = 0;
  for (size_t at = 0; at < count; at++) {
    if (bytes[at] != '\n' && bytes[at] != '\r') {
      sse->after_return = false;
      continue;
    }
    bool second_half = bytes[at] == '\n' && sse->after_return && at == start && sse->line.length == 0;
    sse->after_return = bytes[at] == '\r';
    se_buffer_add(&sse->line, bytes + start, at - start);
    start = at + 1;
    if (second_half) continue;
    if (sse->line.failed || !take_line(sse)) return false;
    se_buffer_reset(&sse->line);
  }
  se_buffer_add(&sse->line, bytes + start, count - start);
  return !sse->line.failed && sse->line.length <= EVENT_LIMIT;
}

void se_sse_free(se_sse *sse) {
  se_buffer_free(&sse->line);
  se_buffer_free(&sse->event);
  se_buffer_free(&sse->data);
}
