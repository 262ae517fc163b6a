/* The state of reading JSON, and the readers of scalars. */
#ifndef SE_JSON_READER_H
#define SE_JSON_READER_H

#include "json.h"

typedef struct se_reader {
  const char *text;
  size_t length;
  size_t at;
  int depth_limit;
  sync_engine_error *error;
  se_buffer scratch; /* the string read last */
} se_reader;

/* Note why reading fails; always NULL. */
cJSON *se_reader_not_json(se_reader *reader, const char *what);
cJSON *se_reader_no_memory(se_reader *reader);
/* Takes the character if it comes next. */
bool se_reader_next_is(se_reader *reader, char character);
/* Reads a string, after its opening quote, into scratch. */
bool se_reader_string(se_reader *reader);
/* Reads a number; NULL if there is none or it cannot be held. */
cJSON *se_reader_number(se_reader *reader);

#endif
