/* The parts that read what others wrote: JSON, text, pointers, event streams. */
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "failure.h"
#include "ids.h"
#include "json.h"
#include "pointer.h"
#include "sse.h"
#include "text.h"

static sync_engine_status refusal(const char *text, int depth) {
  sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
  cJSON *json = se_json_read(text, strlen(text), depth, &error);
  cJSON_Delete(json);
  return json == NULL ? error.status : SYNC_ENGINE_OK;
}

/* What a text becomes when it is read and written. */
static char *again(const char *text) {
  cJSON *json = se_json_read(text, strlen(text), 16, NULL);
  char *out = json == NULL ? strdup("refused") : se_json_text(json);
  cJSON_Delete(json);
  return out;
}

#define CHECK_AGAIN(text, expected)  \
  do {                               \
    char *written_ = again(text);    \
    CHECK_TEXT(written_, expected);  \
    free(written_);                  \
  } while (0)

static void json_is_kept(void) {
  CHECK_AGAIN(" { \"a\" : [ 1 , -2.5 , true , false , null , \"x\" ] } ", "{\"a\":[1,-2.5,true,false,null,\"x\"]}");
  CHECK_AGAIN("[]", "[]");
  CHECK_AGAIN("{}", "{}");
  CHECK_AGAIN("\"\\u00e9\\ud83d\\ude00\\n\\\"\\\\\\/\"", "\"\xC3\xA9\xF0\x9F\x98\x80\\n\\\"\\\\/\"");
  CHECK_AGAIN("\"\\u0001\"", "\"\\u0001\"");
}

static void numbers_are_exact(void) {
  CHECK_AGAIN("0.30000000000000004", "0.30000000000000004");
  CHECK_AGAIN("0.1", "0.1");
  CHECK_AGAIN("9007199254740993", "9007199254740992");
  CHECK_AGAIN("-0", "0");
  CHECK_AGAIN("-0.0", "0");
  CHECK_AGAIN("1e2", "100");
  CHECK_AGAIN("5e-324", "4.94065645841247e-324");
  CHECK(strtod("4.94065645841247e-324", NULL) == 5e-324);
  CHECK_AGAIN("123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890", "1.2345678901234568e+89");
}

static void numbers_do_not_depend_on_the_locale(void) {
  /* Where no such locale is installed this checks the plain one again. */
  setlocale(LC_ALL, "de_DE.UTF-8");
  CHECK_AGAIN("[0.5,1.25e-7]", "[0.5,1.25e-07]");
  setlocale(LC_ALL, "C");
}

static void equal_keys_keep_the_last(void) {
  CHECK_AGAIN("{\"a\":1,\"b\":2,\"a\":3}", "{\"b\":2,\"a\":3}");
  CHECK_AGAIN("{\"a\":1,\"a\":2,\"a\":3}", "{\"a\":3}");
  CHECK_AGAIN("{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}");
}

static void what_is_not_json_is_refused(void) {
  const char *const texts[] = {"", "{", "[1,]", "{\"a\":1,}", "{a:1}", "01", "+1", "1.", ".5", "1e", "-", "nul", "[1] 2", "\"x", "\"\t\"", "'x'", "\"\\x\"", "NaN", "Infinity"};
  for (size_t index = 0; index < sizeof texts / sizeof texts[0]; index++) {
    if (refusal(texts[index], 16) != SYNC_ENGINE_INPUT_INVALID) printf("    accepted: %s\n", texts[index]);
    CHECK_STATUS(refusal(texts[index], 16), SYNC_ENGINE_INPUT_INVALID);
  }
}

static void what_cannot_be_held_is_refused(void) {
  CHECK_STATUS(refusal("\"\\u0000\"", 16), SYNC_ENGINE_VALUE_INVALID);
  CHECK_STATUS(refusal("\"\\ud800\"", 16), SYNC_ENGINE_VALUE_INVALID);
  CHECK_STATUS(refusal("\"\\ud800\\u0041\"", 16), SYNC_ENGINE_VALUE_INVALID);
  CHECK_STATUS(refusal("\"\\udc00\"", 16), SYNC_ENGINE_VALUE_INVALID);
  CHECK_STATUS(refusal("\"\xED\xA0\x80\"", 16), SYNC_ENGINE_VALUE_INVALID);
  CHECK_STATUS(refusal("\"\xC0\x80\"", 16), SYNC_ENGINE_VALUE_INVALID);
  CHECK_STATUS(refusal("\"\xFF\"", 16), SYNC_ENGINE_VALUE_INVALID);
  CHECK_STATUS(refusal("1e400", 16), SYNC_ENGINE_VALUE_INVALID);
  CHECK_STATUS(refusal("{\"__proto__\":1}", 16), SYNC_ENGINE_VALUE_INVALID);
  CHECK_STATUS(refusal("{\"constructor\":1}", 16), SYNC_ENGINE_OK);
}

static void depth_is_bounded(void) {
  static char deep[200001];
  memset(deep, '[', 100000);
  memset(deep + 100000, ']', 100000);
  CHECK_STATUS(refusal(deep, 128), SYNC_ENGINE_LIMIT_EXCEEDED);
  CHECK_STATUS(refusal("[[1]]", 2), SYNC_ENGINE_OK);
  CHECK_STATUS(refusal("[[[1]]]", 2), SYNC_ENGINE_LIMIT_EXCEEDED);
}

static void offsets_count_utf16_units(void) {
  const char *text = "a\xC3\xA9\xE6\xBC\xA2\xF0\x9F\x98\x80z"; /* a é 漢 😀 z */
  CHECK(se_text_units(text, strlen(text)) == 6);
  CHECK(se_text_byte(text, strlen(text), 3) == 6);
  CHECK(se_text_byte(text, strlen(text), 4) == SE_TEXT_SPLITS);
  CHECK(se_text_byte(text, strlen(text), 5) == 10);
  CHECK(se_text_byte(text, strlen(text), 6) == 11);
  CHECK(se_text_byte(text, strlen(text), 7) == SE_TEXT_OUTSIDE);
  CHECK(sync_engine_utf16_length(text, 10) == 5);
  CHECK(sync_engine_utf16_length(text, 1000) == 6);
}

static void pointers_are_strict(void) {
  se_pointer pointer;
  CHECK_STATUS(se_pointer_parse(&pointer, "/a~1b/~0/~01/", NULL), SYNC_ENGINE_OK);
  CHECK(pointer.count == 4);
  CHECK_TEXT(pointer.tokens[0], "a/b");
  CHECK_TEXT(pointer.tokens[1], "~");
  CHECK_TEXT(pointer.tokens[2], "~1");
  CHECK_TEXT(pointer.tokens[3], "");
  se_pointer_free(&pointer);
  CHECK_STATUS(se_pointer_parse(&pointer, "a", NULL), SYNC_ENGINE_POINTER_INVALID);
  CHECK_STATUS(se_pointer_parse(&pointer, "/~", NULL), SYNC_ENGINE_POINTER_INVALID);
  CHECK_STATUS(se_pointer_parse(&pointer, "/~2", NULL), SYNC_ENGINE_POINTER_INVALID);
  CHECK_STATUS(se_pointer_parse(&pointer, "/a/__proto__", NULL), SYNC_ENGINE_VALUE_INVALID);
  static char slashes[100001];
  memset(slashes, '/', 100000);
  CHECK_STATUS(se_pointer_parse(&pointer, slashes, NULL), SYNC_ENGINE_LIMIT_EXCEEDED);
  slashes[200] = '\0';
  CHECK_STATUS(se_pointer_parse(&pointer, slashes, NULL), SYNC_ENGINE_LIMIT_EXCEEDED);
  CHECK(se_pointer_index("0") == 0);
  CHECK(se_pointer_index("10") == 10);
  CHECK(se_pointer_index("01") == SE_INDEX_NONE);
  CHECK(se_pointer_index("") == SE_INDEX_NONE);
  CHECK(se_pointer_index("99999999999999999999999") == INT64_MAX);
}

static se_buffer heard;

static bool hear(void *context, const char *name, const char *data, size_t length) {
  (void)context;
  se_buffer_text(&heard, name);
  se_buffer_char(&heard, '=');
  se_buffer_add(&heard, data, length);
  se_buffer_char(&heard, ';');
  return strcmp(name, "stop") != 0;
}

static void event_streams_are_read_in_any_pieces(void) {
  const char stream[] = ":\n\nevent: next\ndata: {\"a\":\ndata: 1}\n\n: ping\r\n\r\nevent:next\r\ndata:x\r\n\r\nid: 7\rdata: y\r\revent: complete\ndata\n\n";
  for (size_t piece = 1; piece < sizeof stream; piece++) {
    se_sse sse = {SE_BUFFER_INIT, SE_BUFFER_INIT, SE_BUFFER_INIT, false, false, hear, NULL};
    se_buffer_reset(&heard);
    for (size_t at = 0; at < sizeof stream - 1; at += piece) {
      size_t left = sizeof stream - 1 - at;
      CHECK(se_sse_feed(&sse, stream + at, left < piece ? left : piece));
    }
    CHECK_TEXT(heard.data, "next={\"a\":\n1};next=x;=y;complete=;");
    se_sse_free(&sse);
  }
  se_sse sse = {SE_BUFFER_INIT, SE_BUFFER_INIT, SE_BUFFER_INIT, false, false, hear, NULL};
  CHECK(!se_sse_feed(&sse, "event: stop\ndata: 1\n\ndata: 2\n\n", 29));
  se_sse_free(&sse);
  se_buffer_free(&heard);
}

static void ids_are_well_formed(void) {
  char replica[SE_REPLICA_ID_ROOM];
  char uuid[SE_UUID_ROOM];
  CHECK(se_replica_id(replica));
  CHECK(strspn(replica, "0123456789abcdef") == 32);
  CHECK(se_uuid(uuid));
  CHECK(strlen(uuid) == 36 && uuid[14] == '4' && strchr("89ab", uuid[19]) != NULL);
  CHECK(se_id_valid("a.b_c~d:e-1"));
  CHECK(!se_id_valid("") && !se_id_valid("a b") && !se_id_valid("a/b") && !se_id_valid("\xC3\xA9"));
}

static void messages_are_cut_between_characters(void) {
  char room[5];
  se_copy_text(room, sizeof room, "abc\xC3\xA9");
  CHECK_TEXT(room, "abc");
}

static void every_status_has_a_name(void) {
  CHECK_TEXT(sync_engine_status_name(SYNC_ENGINE_PATH_NOT_FOUND), "PATH_NOT_FOUND");
  CHECK_TEXT(sync_engine_status_name((sync_engine_status)7777), "UNKNOWN");
  CHECK_STATUS(se_status_from_name("LAGGED"), SYNC_ENGINE_LAGGED);
  CHECK_STATUS(se_status_from_name("NETWORK"), SYNC_ENGINE_PROTOCOL);
  CHECK_STATUS(se_status_from_name(NULL), SYNC_ENGINE_PROTOCOL);
  CHECK(sync_engine_status_retryable(SYNC_ENGINE_RATE_LIMITED) && !sync_engine_status_retryable(SYNC_ENGINE_FORBIDDEN));
  CHECK_STATUS(SYNC_ENGINE_CHECK_VERSION(), SYNC_ENGINE_OK);
  CHECK_STATUS(sync_engine_check_version(99, 0), SYNC_ENGINE_ABI_MISMATCH);
  CHECK_TEXT(sync_engine_version(), SYNC_ENGINE_VERSION);
}

int main(void) {
  check_case("JSON that is read and written stays the same", json_is_kept);
  check_case("numbers keep every bit of a double", numbers_are_exact);
  check_case("numbers do not depend on the locale of the program", numbers_do_not_depend_on_the_locale);
  check_case("of equal keys the last one counts, and case matters", equal_keys_keep_the_last);
  check_case("what is not JSON is refused", what_is_not_json_is_refused);
  check_case("what no replica could hold the same is refused", what_cannot_be_held_is_refused);
  check_case("depth is bounded before the stack is", depth_is_bounded);
  check_case("offsets count UTF-16 units", offsets_count_utf16_units);
  check_case("pointers are read strictly", pointers_are_strict);
  check_case("an event stream is read the same in whatever pieces it comes", event_streams_are_read_in_any_pieces);
  check_case("ids have the form the server wants", ids_are_well_formed);
  check_case("a message is cut between characters", messages_are_cut_between_characters);
  check_case("every status has a name and the versions fit", every_status_has_a_name);
  return check_end();
}
