#include "http.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "failure.h"

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

/* libcurl's global state must be set up once, before any thread uses it; it is never torn down, other users may share it. */
static void initialise_curl(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

bool se_http_open(se_http *http) {
  pthread_once(&curl_once, initialise_curl);
  http->multi = curl_multi_init();
  http->easy = curl_easy_init();
  atomic_init(&http->cancelled, false);
  if (http->multi != NULL && http->easy != NULL) return true;
  se_http_close(http);
  return false;
}

void se_http_close(se_http *http) {
  if (http->easy != NULL) curl_easy_cleanup(http->easy);
  if (http->multi != NULL) curl_multi_cleanup(http->multi);
  http->easy = NULL;
  http->multi = NULL;
}

void se_http_cancel(se_http *http) {
  atomic_store(&http->cancelled, true);
  curl_multi_wakeup(http->multi);
}

void se_http_resume(se_http *http) { atomic_store(&http->cancelled, false); }

typedef struct transfer {
  const se_request *request;
  int64_t last_byte_ms;
  bool refused; /* the sink wanted no more */
} transfer;

static size_t receive(char *bytes, size_t size, size_t count, void *data) {
  transfer *transfer = data;
  transfer->last_byte_ms = se_now_ms();
  if (!transfer->request->sink(transfer->request->sink_data, bytes, size * count)) {
    transfer->refused = true;
    return size * count + 1; /* any other number than was given ends the transfer */
  }
  return size * count;
}

static sync_engine_status curl_failed(CURLcode code, const char *details, sync_engine_error *error) {
  if (code == CURLE_OUT_OF_MEMORY) return se_no_memory(error);
  sync_engine_status status = code == CURLE_OPERATION_TIMEDOUT ? SYNC_ENGINE_TIMEOUT : SYNC_ENGINE_NETWORK;
  se_fail(error, status, "The server could not be reached: %s; check the URL and the connection", details[0] == '\0' ? curl_easy_strerror(code) : details);
  if (error != NULL) {
    error->domain = SYNC_ENGINE_DOMAIN_CURL;
    error->code = (int32_t)code;
  }
  return status;
}

static struct curl_slist *request_headers(const se_endpoint *endpoint, const se_request *request) {
  se_buffer line = SE_BUFFER_INIT;
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  se_buffer_text(&line, "Accept: ");
  se_buffer_text(&line, request->accept);
  if (headers != NULL && !line.failed) headers = curl_slist_append(headers, line.data);
  if (endpoint->token != NULL) {
    se_buffer_reset(&line);
    se_buffer_text(&line, "Authorization: Bearer ");
    se_buffer_text(&line, endpoint->token);
    if (headers != NULL && !line.failed) headers = curl_slist_append(headers, line.data);
  }
  se_buffer_free(&line);
  return headers;
}

static void set_options(CURL *easy, const se_endpoint *endpoint, const se_request *request, struct curl_slist *headers, transfer *transfer, char *details) {
  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_URL, endpoint->url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(request->body));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, details);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, ""); /* whatever libcurl can unpack */
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);        /* no SIGALRM: we run in threads of somebody else's program */
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)endpoint->connect_timeout_ms);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "sync_engine/" SYNC_ENGINE_VERSION);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  /* Redirects are not followed: they would carry the token to wherever the answer points. */
  if (endpoint->ca_file != NULL) curl_easy_setopt(easy, CURLOPT_CAINFO, endpoint->ca_file);
}

/* Drives the transfer to its end. CURLE_ABORTED_BY_CALLBACK: cancelled. */
static CURLcode drive(se_http *http, const transfer *transfer) {
  for (;;) {
    int running = 0;
    int queued = 0;
    if (atomic_load(&http->cancelled)) return CURLE_ABORTED_BY_CALLBACK;
    if (curl_multi_perform(http->multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
    const CURLMsg *message = curl_multi_info_read(http->multi, &queued);
    if (message != NULL && message->msg == CURLMSG_DONE) return message->data.result;
    if (running == 0) return CURLE_FAILED_INIT;
    int64_t silent_ms = transfer->request->silent_ms;
    if (silent_ms > 0 && se_now_ms() - transfer->last_byte_ms > silent_ms) return CURLE_OPERATION_TIMEDOUT;
    if (curl_multi_poll(http->multi, NULL, 0, 1000, NULL) != CURLM_OK) return CURLE_FAILED_INIT;
  }
}

sync_engine_status se_http_post(se_http *http, const se_endpoint *endpoint, const se_request *request, long *http_status, sync_engine_error *error) {
  char details[CURL_ERROR_SIZE] = "";
  transfer transfer = {request, se_now_ms(), false};
  struct curl_slist *headers = request_headers(endpoint, request);
  *http_status = 0;
  if (headers == NULL) return se_no_memory(error);
  set_options(http->easy, endpoint, request, headers, &transfer, details);
  CURLcode code = curl_multi_add_handle(http->multi, http->easy) == CURLM_OK ? drive(http, &transfer) : CURLE_OUT_OF_MEMORY;
  curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, http_status);
  curl_multi_remove_handle(http->multi, http->easy);
  curl_easy_reset(http->easy); /* drops the pointers into this frame */
  curl_slist_free_all(headers);
  if (code == CURLE_OK || transfer.refused) return SYNC_ENGINE_OK;
  if (code == CURLE_ABORTED_BY_CALLBACK) return se_fail(error, SYNC_ENGINE_CANCELLED, "The engine is being stopped");
  return curl_failed(code, details, error);
}
