#include "pointer.h"

#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "json.h"

/* Unescapes the token at *from up to "/" or the end, in place: it only ever becomes shorter. */
static bool unescape(char **from, char **to) {
  char *at = *from;
  char *end = *to;
  while (*at != '\0' && *at != '/') {
    if (*at == '~') {
      if (at[1] != '0' && at[1] != '1') return false;
      *end++ = at[1] == '0' ? '~' : '/';
      at += 2;
    } else {
      *end++ = *at++;
    }
  }
  *from = at;
  *to = end;
  return true;
}

sync_engine_status se_pointer_parse(se_pointer *out, const char *text, sync_engine_error *error) {
  size_t length = strlen(text);
  size_t count = 0;
  *out = (se_pointer){0, NULL, NULL};
  if (length == 0) return SYNC_ENGINE_OK;
  if (length > SE_POINTER_LIMIT) {
    return se_fail_at(error, SYNC_ENGINE_LIMIT_EXCEEDED, text, "The pointer has %zu bytes, %d are allowed; keep documents flatter or keys shorter", length,
                      SE_POINTER_LIMIT);
  }
  if (text[0] != '/') {
    return se_fail_at(error, SYNC_ENGINE_POINTER_INVALID, text,
                      "\"%.80s\" is not a JSON pointer: start it with \"/\" (or leave it empty for the whole document)", text);
  }
  for (const char *at = text; *at != '\0'; at++) count += *at == '/';
  if (count > SE_DEPTH_LIMIT) {
    return se_fail_at(error, SYNC_ENGINE_LIMIT_EXCEEDED, text, "The pointer has %zu segments, %d are allowed; keep documents flatter", count,
                      SE_DEPTH_LIMIT);
  }
  out->tokens = malloc(count * sizeof *out->tokens);
  out->memory = malloc(length + 2);
  if (out->tokens == NULL || out->memory == NULL) {
    se_pointer_free(out);
    return se_no_memory(error);
  }
  memcpy(out->memory, text, length + 1);
  char *from = out->memory;
  char *to = out->memory;
  while (*from == '/') {
    from++;
    char *token = to;
    if (!unescape(&from, &to)) {
      se_pointer_free(out);
      return se_fail_at(error, SYNC_ENGINE_POINTER_INVALID, text, "\"%.80s\" has a \"~\" that is neither \"~0\" nor \"~1\": write \"~0\" for \"~\"", text);
    }
    *to++ = '\0'; /* before *from: each token lost its "/" */
    out->tokens[out->count++] = token;
    if (strcmp(token, "__proto__") == 0) {
      se_pointer_free(out);
      return se_fail_at(error, SYNC_ENGINE_VALUE_INVALID, text, "The key __proto__ is refused; rename it");
    }
  }
  return SYNC_ENGINE_OK;
}

void se_pointer_free(se_pointer *pointer) {
  free(pointer->tokens);
  free(pointer->memory);
  *pointer = (se_pointer){0, NULL, NULL};
}

bool se_pointer_starts_with(const se_pointer *pointer, const se_pointer *start) {
  if (pointer->count < start->count) return false;
  for (size_t index = 0; index < start->count; index++) {
    if (strcmp(pointer->tokens[index], start->tokens[index]) != 0) return false;
  }
  return true;
}

int64_t se_pointer_index(const char *token) {
  if (token[0] < '0' || token[0] > '9') return SE_INDEX_NONE;
  if (token[0] == '0') return token[1] == '\0' ? 0 : SE_INDEX_NONE;
  int64_t index = 0;
  for (const char *at = token; *at != '\0'; at++) {
    if (*at < '0' || *at > '9') return SE_INDEX_NONE;
    if (index < INT64_MAX) index = index * 10 + (*at - '0');
    if (index > INT32_MAX) index = INT64_MAX;
  }
  return index;
}
