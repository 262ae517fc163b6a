/* The text/event-stream format, read piece by piece. */
#ifndef SE_SSE_H
#define SE_SSE_H

#include "buffer.h"

typedef struct se_sse {
  se_buffer line;
  se_buffer event;
  se_buffer data;
  bool has_data;
  bool after_return; /* the last character was a CR, whose LF may follow */
  /* Called for each event; name "" when it has none. False ends the reading. */
  bool (*on_event)(void *context, const char *name, const char *data, size_t length);
  void *context;
} se_sse;

/* Takes the next bytes. False: on_event wanted no more, an event is larger than 64 MiB, or there is no memory. */
bool se_sse_feed(se_sse *sse, const char *bytes, size_t count);
void se_sse_free(se_sse *sse);

#endif
