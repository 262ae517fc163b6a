/* HTTP requests that another thread can cancel. */
#ifndef SE_HTTP_H
#define SE_HTTP_H

#include <curl/curl.h>
#include <stdatomic.h>

#include "buffer.h"
#include "sync_engine.h"

/* One line to the server: used by one thread at a time, keeps its connection between requests. */
typedef struct se_http {
  CURLM *multi;
  CURL *easy;
  atomic_bool cancelled;
} se_http;

/* What a request needs to know of the server. Borrowed for the call. */
typedef struct se_endpoint {
  const char *url;
  const char *token; /* NULL: none */
  const char *ca_file;
  int64_t connect_timeout_ms;
} se_endpoint;

typedef struct se_request {
  const char *body; /* JSON */
  const char *accept;
  int64_t timeout_ms;       /* 0: none; a stream ends when silent_ms pass without a byte */
  int64_t silent_ms;        /* 0: not watched */
  /* Called with each piece of the body; false ends the request. */
  bool (*sink)(void *data, const char *bytes, size_t count);
  void *sink_data;
} se_request;

bool se_http_open(se_http *http);
void se_http_close(se_http *http);
/* Ends the running request and refuses later ones with CANCELLED, until se_http_resume. From any thread. */
void se_http_cancel(se_http *http);
void se_http_resume(se_http *http);

/* Posts and waits. OK: the server answered, with *http_status. NETWORK, TIMEOUT, CANCELLED. */
sync_engine_status se_http_post(se_http *http, const se_endpoint *endpoint, const se_request *request, long *http_status, sync_engine_error *error);

#endif
