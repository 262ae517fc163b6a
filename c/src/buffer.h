/* A growing text, always terminated by NUL. After a failed allocation it stays empty-handed: check se_buffer_failed once. */
#ifndef SE_BUFFER_H
#define SE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct se_buffer {
  char *data;
  size_t length;
  size_t room;
  bool failed;
} se_buffer;

#define SE_BUFFER_INIT {NULL, 0, 0, false}

void se_buffer_add(se_buffer *buffer, const char *bytes, size_t count);
void se_buffer_text(se_buffer *buffer, const char *text);
void se_buffer_char(se_buffer *buffer, char character);
/* Keeps the memory for the next use. */
void se_buffer_reset(se_buffer *buffer);
/* Hands the text to the caller, who frees it with free(); NULL if an allocation failed. */
char *se_buffer_take(se_buffer *buffer);
void se_buffer_free(se_buffer *buffer);

#endif
