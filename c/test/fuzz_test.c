/*
 * Hostile input: well-formed pieces, mutated, through every parser. Looks for crashes, leaks and broken promises under the
 * sanitizers. fuzz_test [rounds [seed]]; the seed is printed, and the same seed gives the same inputs.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "failure.h"
#include "json.h"
#include "patch.h"
#include "sse.h"
#include "text.h"

static unsigned long long state;

static unsigned random_below(unsigned limit) {
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return (unsigned)(state >> 33) % limit;
}

static const char *const seeds[] = {
    "{\"a\":[1,2,{\"b\":\"x\\ud83d\\ude00\"}],\"c\":-1.5e-7,\"\":null,\"a~b/c\":true}",
    "[{\"op\":\"add\",\"path\":\"/a/0\",\"value\":{\"k\":[1]}},{\"op\":\"remove\",\"path\":\"/a/1\"},{\"op\":\"replace\",\"path\":\"\",\"value\":[]}]",
    "[{\"op\":\"move\",\"from\":\"/a/2/b\",\"path\":\"/a/-\"},{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/d\"},{\"op\":\"move\",\"from\":\"/a/0\",\"path\":\"/a/1\"}]",
    "[{\"op\":\"str_ins\",\"path\":\"/a/2/b\",\"pos\":3,\"str\":\"\xC3\xA9\"},{\"op\":\"str_del\",\"path\":\"/a/2/b\",\"pos\":1,\"len\":2},{\"op\":\"inc\",\"path\":\"/a/0\",\"value\":9007199254740991}]",
    "[{\"op\":\"test\",\"path\":\"/a~0b~1c\",\"value\":true},{\"op\":\"move\",\"from\":\"/a/2\",\"path\":\"/a\"},{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]",
    "event: next\ndata: {\"data\":{}}\r\n\r\n:ping\n\nid: 1\rdata\n\n",
};

static const char *const tokens[] = {"\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", "e9", ".", "null", "true", "\\u0000", "\\ud800", "\xFF", "\xED\xA0\x80", "/", "~", "~1", "__proto__",
                                     "999999999999999999999", "\n", "\r", "\n\n", "data:", "\"path\":\"/a\"", "\"op\":\"copy\""};

/* A seed with some bytes changed, removed, doubled, or tokens put in. */
static void mutate(se_buffer *out) {
  const char *seed = seeds[random_below(sizeof seeds / sizeof seeds[0])];
  size_t length = strlen(seed);
  unsigned rarity = 8u << random_below(7); /* a mild mutation is often still JSON, a wild one seldom */
  se_buffer_reset(out);
  for (size_t at = 0; at < length; at++) {
    switch (random_below(rarity)) {
      case 0: break;
      case 1: se_buffer_char(out, (char)(1 + random_below(255))); break;
      case 2: se_buffer_text(out, tokens[random_below(sizeof tokens / sizeof tokens[0])]); break;
      case 3: se_buffer_add(out, seed + at, 1 + random_below((unsigned)(length - at))); break;
      default: se_buffer_char(out, seed[at]);
    }
  }
  if (random_below(10) == 0 && out->length > 0) out->length = random_below((unsigned)out->length);
  se_buffer_add(out, "", 0);
}

/* What was read is written as text that reads as the same, and that text is stable. */
static void check_json(const cJSON *value) {
  char *text = se_json_text(value);
  cJSON *again = se_json_read(text, strlen(text), SE_ANSWER_DEPTH_LIMIT, NULL);
  CHECK(again != NULL && se_json_equal(value, again));
  CHECK(se_text_valid(text, strlen(text)));
  if (again != NULL) {
    char *twice = se_json_text(again);
    CHECK_TEXT(twice, text);
    free(twice);
  }
  cJSON_Delete(again);
  free(text);
}

/* A patch leaves a sound document, or the one before untouched. */
static void check_patch(const cJSON *json) {
  se_patch patch;
  sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
  cJSON *document = se_json_read(seeds[0], strlen(seeds[0]), SE_DEPTH_LIMIT, NULL);
  cJSON *before = cJSON_Duplicate(document, true);
  if (se_patch_read(&patch, json, SE_OPERATION_LIMIT, &error) == SYNC_ENGINE_OK) {
    if (se_patch_apply(&document, &patch, &error) == SYNC_ENGINE_OK) check_json(document);
    else CHECK(se_json_equal(document, before) && error.status != SYNC_ENGINE_OK && error.operation >= 0);
    se_patch_free(&patch);
  } else {
    CHECK(error.status != SYNC_ENGINE_OK && error.message[0] != '\0');
  }
  cJSON_Delete(before);
  cJSON_Delete(document);
}

static bool hear(void *context, const char *name, const char *data, size_t length) {
  (void)name, (void)data;
  *(size_t *)context += length;
  return true;
}

static void check_stream(const se_buffer *input) {
  size_t whole = 0;
  size_t pieces = 0;
  se_sse one = {SE_BUFFER_INIT, SE_BUFFER_INIT, SE_BUFFER_INIT, false, false, hear, &whole};
  se_sse many = {SE_BUFFER_INIT, SE_BUFFER_INIT, SE_BUFFER_INIT, false, false, hear, &pieces};
  se_sse_feed(&one, input->data, input->length);
  for (size_t at = 0; at < input->length;) {
    size_t piece = 1 + random_below(7);
    if (piece > input->length - at) piece = input->length - at;
    se_sse_feed(&many, input->data + at, piece);
    at += piece;
  }
  CHECK(whole == pieces);
  se_sse_free(&one);
  se_sse_free(&many);
}

static unsigned long rounds = 20000;
static unsigned long read_well;

static void hostile_input_is_survived(void) {
  se_buffer input = SE_BUFFER_INIT;
  for (unsigned long round = 0; round < rounds; round++) {
    mutate(&input);
    sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
    cJSON *json = se_json_read(input.data, input.length, SE_ANSWER_DEPTH_LIMIT, &error);
    if (json == NULL) CHECK(error.status == SYNC_ENGINE_INPUT_INVALID || error.status == SYNC_ENGINE_VALUE_INVALID || error.status == SYNC_ENGINE_LIMIT_EXCEEDED);
    else check_json(json), check_patch(json), read_well++;
    cJSON_Delete(json);
    check_stream(&input);
  }
  se_buffer_free(&input);
  printf("  %lu of them were JSON\n", read_well);
  CHECK(read_well > rounds / 20);
}

int main(int count, char **arguments) {
  state = count > 2 ? strtoull(arguments[2], NULL, 10) : (unsigned long long)time(NULL);
  if (count > 1) rounds = strtoul(arguments[1], NULL, 10);
  printf("  seed %llu, %lu rounds\n", state, rounds);
  check_case("mutated input is read or refused, never broken by", hostile_input_is_survived);
  return check_end();
}
