/* Filling in the caller's error struct. */
#ifndef SE_FAILURE_H
#define SE_FAILURE_H

#include "sync_engine.h"

#if defined(__GNUC__)
#define SE_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define SE_PRINTF(at, first)
#endif

/* Writes status and message; returns status, so that `return se_fail(...)` reads well. error may be NULL. */
sync_engine_status se_fail(sync_engine_error *error, sync_engine_status status, const char *format, ...) SE_PRINTF(3, 4);
/* The same with the JSON pointer of the place. */
sync_engine_status se_fail_at(sync_engine_error *error, sync_engine_status status, const char *path, const char *format, ...)
    SE_PRINTF(4, 5);
sync_engine_status se_no_memory(sync_engine_error *error);
/* Sets status OK and empties the rest. */
void se_clear(sync_engine_error *error);
/* Copies what fits of text, whole UTF-8 characters only. */
void se_copy_text(char *out, size_t room, const char *text);

/* The status with this server code; SYNC_ENGINE_PROTOCOL for an unknown name. */
sync_engine_status se_status_from_name(const char *name);

#endif
