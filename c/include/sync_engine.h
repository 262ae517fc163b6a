/*
 * sync_engine.h - keeps JSON documents in agreement with a Concord server, offline first.
 *
 * An engine is one replica: an SQLite file that holds every document of a workspace and every edit the server has not yet
 * acknowledged. Reads and edits work on the file and never wait for the network. sync_engine_sync() exchanges edits once;
 * sync_engine_start() keeps doing so in the background and tells a callback what changed.
 *
 * Calls       Each returns a status; SYNC_ENGINE_OK is 0. Outputs come first and are set to NULL on failure. The last
 *             parameter takes a sync_engine_error on the caller's stack (or NULL) with the details of a failure.
 * Ownership   Inputs are copied before a call returns. What a call hands out is owned by the caller and freed by the
 *             function named there, never by free(). Pointers inside it live as long as it does. Free functions take NULL.
 * Text        UTF-8, terminated by NUL. JSON goes in and out as text. Offsets of str_ins and str_del count UTF-16 code
 *             units; sync_engine_utf16_length() converts.
 * Threads     An engine may be used by any number of threads at once: one mutex guards it, and it is never held during a
 *             network exchange or a callback. Only sync_engine_destroy() must be the last call, alone. The library has no
 *             global state but libcurl's, which the first sync_engine_create() initialises once.
 * Stability   Status numbers are never reused. Structs grow at the end only. The shared library's SOVERSION is the major
 *             version.
 */
#ifndef SYNC_ENGINE_H
#define SYNC_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sync_engine_version.h"

#if defined(_WIN32)
#  if defined(SYNC_ENGINE_BUILDING)
#    define SYNC_ENGINE_API __declspec(dllexport)
#  else
#    define SYNC_ENGINE_API __declspec(dllimport)
#  endif
#elif defined(__GNUC__)
#  define SYNC_ENGINE_API __attribute__((visibility("default")))
#else
#  define SYNC_ENGINE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status ------------------------------------------------------------------------------------------------------- */

/* 1 to 99 come from this library, 100 and above are the server's codes by name (docs/ERRORS.md has a section for each). */
typedef enum sync_engine_status {
  SYNC_ENGINE_OK = 0,
  SYNC_ENGINE_NO_MEMORY = 1,         /* an allocation failed; nothing was changed */
  SYNC_ENGINE_STORAGE = 2,           /* SQLite failed; code has its result code, message its words */
  SYNC_ENGINE_DATABASE_IN_USE = 3,   /* another engine, in this process or another, has the file open */
  SYNC_ENGINE_NETWORK = 4,           /* no answer from the server; code has libcurl's result code, or the HTTP status */
  SYNC_ENGINE_TIMEOUT = 5,           /* timeout_ms passed first; what was exchanged until then is kept */
  SYNC_ENGINE_CANCELLED = 6,         /* sync_engine_stop() or sync_engine_destroy() ended the exchange */
  SYNC_ENGINE_PROTOCOL = 7,          /* the answer is not one of a Concord server: check the URL and the versions */
  SYNC_ENGINE_ABI_MISMATCH = 8,      /* header and library do not fit together */
  SYNC_ENGINE_MISUSE = 9,            /* a call that is not allowed here, such as sync_engine_sync() within a callback */

  SYNC_ENGINE_PATCH_MALFORMED = 100,
  SYNC_ENGINE_POINTER_INVALID = 101,
  SYNC_ENGINE_VALUE_INVALID = 102,
  SYNC_ENGINE_PATH_NOT_FOUND = 103,
  SYNC_ENGINE_TYPE_MISMATCH = 104,
  SYNC_ENGINE_RANGE_INVALID = 105,
  SYNC_ENGINE_NUMBER_OVERFLOW = 106,
  SYNC_ENGINE_MOVE_INTO_SELF = 107,
  SYNC_ENGINE_TEST_FAILED = 108,
  SYNC_ENGINE_LIMIT_EXCEEDED = 120,
  SYNC_ENGINE_DOCUMENT_NOT_FOUND = 130,
  SYNC_ENGINE_DOCUMENT_EXISTS = 131,
  SYNC_ENGINE_DOCUMENT_DELETED = 132,
  SYNC_ENGINE_CLOCK_MALFORMED = 140,
  SYNC_ENGINE_CLOCK_GAP = 141,
  SYNC_ENGINE_CLOCK_FUTURE = 142,
  SYNC_ENGINE_CLOCK_NOT_A_PREFIX = 143,
  SYNC_ENGINE_CLOCK_STALE = 144,
  SYNC_ENGINE_EPOCH_CHANGED = 145,
  SYNC_ENGINE_REPLICA_CLONED = 146,
  SYNC_ENGINE_REPLICA_RETIRED = 147,
  SYNC_ENGINE_PATCH_DEPENDS_ON_REFUSED = 148,
  SYNC_ENGINE_OTHER_HISTORY = 149,
  SYNC_ENGINE_UNAUTHENTICATED = 160,
  SYNC_ENGINE_FORBIDDEN = 161,
  SYNC_ENGINE_WORKSPACE_NOT_FOUND = 162,
  SYNC_ENGINE_INPUT_INVALID = 163,
  SYNC_ENGINE_CURSOR_INVALID = 164,
  SYNC_ENGINE_QUERY_TOO_COMPLEX = 165,
  SYNC_ENGINE_PERSISTED_QUERY_NOT_FOUND = 166,
  SYNC_ENGINE_PERSISTED_QUERY_ONLY = 167,
  SYNC_ENGINE_OTHER_PRINCIPAL = 168,
  SYNC_ENGINE_RATE_LIMITED = 180,
  SYNC_ENGINE_LAGGED = 181,
  SYNC_ENGINE_UNAVAILABLE = 182,
  SYNC_ENGINE_SHUTTING_DOWN = 183,
  SYNC_ENGINE_INTERNAL = 184
} sync_engine_status;

/* The name without prefix, such as "PATH_NOT_FOUND"; "UNKNOWN" for a number this version does not know. Static. */
SYNC_ENGINE_API const char *sync_engine_status_name(sync_engine_status status);
/* One sentence on what it means, for logs. Static. */
SYNC_ENGINE_API const char *sync_engine_status_string(sync_engine_status status);
/* True: the same call may succeed later, unchanged. */
SYNC_ENGINE_API bool sync_engine_status_retryable(sync_engine_status status);

/* Which layer the number in sync_engine_error.code belongs to. */
typedef enum sync_engine_domain {
  SYNC_ENGINE_DOMAIN_NONE = 0,
  SYNC_ENGINE_DOMAIN_SQLITE = 1, /* an extended result code of SQLite */
  SYNC_ENGINE_DOMAIN_CURL = 2,   /* a CURLcode */
  SYNC_ENGINE_DOMAIN_HTTP = 3    /* an HTTP status */
} sync_engine_domain;

/* Lives with the caller: sync_engine_error error = SYNC_ENGINE_ERROR_INIT; nothing in it is to be freed. */
typedef struct sync_engine_error {
  size_t size; /* set by SYNC_ENGINE_ERROR_INIT; an error whose size is too small is left alone */
  sync_engine_status status;
  sync_engine_domain domain;
  int32_t code;           /* of the lower layer, 0 when there is none */
  int32_t operation;      /* index of the operation in the patch, -1 when it is not about one */
  int64_t retry_after_ms; /* how long the server asks to wait, 0 when it does not */
  char path[256];         /* JSON pointer of the place, "" when there is none or it is the whole document; cut if longer */
  char message[512];      /* what happened, where, what to do; cut if longer */
} sync_engine_error;

#define SYNC_ENGINE_ERROR_INIT {sizeof(sync_engine_error), SYNC_ENGINE_OK, SYNC_ENGINE_DOMAIN_NONE, 0, -1, 0, {0}, {0}}

/* ---- Version ------------------------------------------------------------------------------------------------------ */

/* Version of the library that runs, such as "0.1.0"; SYNC_ENGINE_VERSION is that of the header. Static. */
SYNC_ENGINE_API const char *sync_engine_version(void);
/* SYNC_ENGINE_OK if a program built with the header of this version can use the library that runs. */
SYNC_ENGINE_API sync_engine_status sync_engine_check_version(int header_major, int header_minor);
#define SYNC_ENGINE_CHECK_VERSION() sync_engine_check_version(SYNC_ENGINE_VERSION_MAJOR, SYNC_ENGINE_VERSION_MINOR)

/* ---- Engine ------------------------------------------------------------------------------------------------------- */

typedef struct sync_engine sync_engine;

/*
 * Opens the replica at database_path (made when it is not there) for the server at server_url ("https://host" or
 * "https://host/graphql"), with the bearer token auth_token. The server is not contacted. NULL on failure;
 * sync_engine_create_with() tells why. Free with sync_engine_destroy().
 */
SYNC_ENGINE_API sync_engine *sync_engine_create(const char *database_path, const char *server_url, const char *auth_token);

typedef struct sync_engine_options {
  size_t size;                 /* set by SYNC_ENGINE_OPTIONS_INIT */
  const char *database_path;   /* required */
  const char *server_url;      /* required */
  const char *auth_token;      /* NULL: edits and reads work, every exchange answers UNAUTHENTICATED */
  const char *workspace_id;    /* NULL: the default workspace of the principal. Fixed with the first use of the file */
  const char *ca_file;         /* PEM file of certificate authorities; NULL: those of the system. TLS is always verified */
  int64_t connect_timeout_ms;  /* 0: 10,000 */
  int64_t request_timeout_ms;  /* one HTTP request; 0: 60,000 */
  bool durable;                /* true: an edit survives loss of power (SQLite synchronous=FULL); false: the death of the process */
} sync_engine_options;

#define SYNC_ENGINE_OPTIONS_INIT {sizeof(sync_engine_options), NULL, NULL, NULL, NULL, NULL, 0, 0, false}

/* As sync_engine_create(), with everything that can be set. STORAGE, DATABASE_IN_USE, INPUT_INVALID, NO_MEMORY. */
SYNC_ENGINE_API sync_engine_status sync_engine_create_with(sync_engine **out, const sync_engine_options *options,
                                                           sync_engine_error *error);

/* Stops what runs, releases the file, frees the engine. Nothing unsent is lost: it is in the file. Takes NULL. */
SYNC_ENGINE_API void sync_engine_destroy(sync_engine *engine);

/* Replaces the token, for this and all later exchanges, and ends the wait after an UNAUTHENTICATED. */
SYNC_ENGINE_API sync_engine_status sync_engine_set_token(sync_engine *engine, const char *auth_token, sync_engine_error *error);

/*
 * A file is bound to one history of its workspace and to one principal, by the first exchange. When the server is another one, has a
 * new database, or was restored from an older backup, every exchange answers OTHER_HISTORY; with the token of somebody else,
 * OTHER_PRINCIPAL. Nothing is dropped or sent; reads and edits go on. With the right server or token it goes on, or:
 *
 * sync_engine_take_history() goes over to the history of the server with the next exchange. What the file holds otherwise is put into the
 * quarantine with OTHER_HISTORY, as an edit that brings it back: a CREATE, or a PATCH that replaces the whole. So it is after a restore
 * for which the operator has raised the epoch. Pending edits stay where their base is unchanged.
 */
SYNC_ENGINE_API sync_engine_status sync_engine_take_history(sync_engine *engine, sync_engine_error *error);
/* Gives the file with its pending edits to the principal of the token of the next exchange. */
SYNC_ENGINE_API sync_engine_status sync_engine_hand_over(sync_engine *engine, sync_engine_error *error);
/* Empties the file, unsent edits included, as for a log-out; it may then be used by anybody. MISUSE while the background runs. */
SYNC_ENGINE_API sync_engine_status sync_engine_clear(sync_engine *engine, sync_engine_error *error);

/* ---- Documents ---------------------------------------------------------------------------------------------------- */

/* A document as the user should see it: with the edits that the server does not know yet. Made by the library only. */
typedef struct sync_engine_document {
  const char *id;
  const char *collection;
  const char *title;
  const char *value;  /* JSON text */
  int64_t revision;   /* of the confirmed state: 0 until the server has acknowledged the creation */
  bool deleted;
  bool pending;       /* true: some edits await their acknowledgement */
} sync_engine_document;

typedef struct sync_engine_documents {
  size_t count;
  const sync_engine_document *const *items;
} sync_engine_documents;

SYNC_ENGINE_API void sync_engine_document_free(sync_engine_document *document);
SYNC_ENGINE_API void sync_engine_documents_free(sync_engine_documents *documents);
/* Frees a string that the library handed out. */
SYNC_ENGINE_API void sync_engine_string_free(char *text);

/*
 * Creates a document. document_id NULL: a random one; collection NULL: "default"; title NULL: empty; value_json NULL: {}.
 * id_out may be NULL; its text is freed with sync_engine_string_free(). DOCUMENT_EXISTS, VALUE_INVALID, LIMIT_EXCEEDED,
 * INPUT_INVALID (an id, or text that is not JSON).
 */
SYNC_ENGINE_API sync_engine_status sync_engine_document_create(char **id_out, sync_engine *engine, const char *document_id,
                                                               const char *collection, const char *title,
                                                               const char *value_json, sync_engine_error *error);
/* Reads a document; a deleted one too. DOCUMENT_NOT_FOUND. Free with sync_engine_document_free(). */
SYNC_ENGINE_API sync_engine_status sync_engine_document_get(sync_engine_document **out, sync_engine *engine,
                                                            const char *document_id, sync_engine_error *error);
/* The documents of a collection (NULL: of all) that are not deleted, by id. Free with sync_engine_documents_free(). */
SYNC_ENGINE_API sync_engine_status sync_engine_document_list(sync_engine_documents **out, sync_engine *engine,
                                                             const char *collection, sync_engine_error *error);
/*
 * Applies a patch: RFC 6902 and {"op":"inc","path","value"}, {"op":"str_ins","path","pos","str"},
 * {"op":"str_del","path","pos","len"}. All of it or nothing. The codes of the patch (100 to 120), DOCUMENT_NOT_FOUND,
 * DOCUMENT_DELETED; error->operation and error->path tell where.
 */
SYNC_ENGINE_API sync_engine_status sync_engine_document_patch(sync_engine *engine, const char *document_id,
                                                              const char *patch_json, sync_engine_error *error);
/* Makes a document a tombstone; deleting a tombstone does nothing. DOCUMENT_NOT_FOUND. */
SYNC_ENGINE_API sync_engine_status sync_engine_document_delete(sync_engine *engine, const char *document_id, sync_engine_error *error);
/* Brings a tombstone back; restoring a living document does nothing. DOCUMENT_NOT_FOUND. */
SYNC_ENGINE_API sync_engine_status sync_engine_document_restore(sync_engine *engine, const char *document_id, sync_engine_error *error);

/* UTF-16 code units of the first byte_count bytes of UTF-8 text: the offset that str_ins and str_del want. */
SYNC_ENGINE_API int64_t sync_engine_utf16_length(const char *text, size_t byte_count);

/*
 * How edits merge. An edit made offline carries the revision it was made on; the server places it among the edits of
 * others by the rules of operational transformation. This library has no transform of its own: while a document has
 * pending edits its visible value is the one they were made on with them applied, and edits of others show when the last
 * of them is acknowledged. What the server had to drop or weaken is listed as a conflict.
 *
 * An edit the server refuses for good goes to the quarantine with its reason, and so do the later pending edits of the
 * same document, which were made on top of it (PATCH_DEPENDS_ON_REFUSED). Nothing is dropped: read them there, make them
 * anew or remove them.
 */

/* Edits the server has not acknowledged yet. */
SYNC_ENGINE_API sync_engine_status sync_engine_pending_count(int64_t *out, sync_engine *engine, sync_engine_error *error);

typedef struct sync_engine_quarantined {
  int64_t id;              /* for sync_engine_quarantine_remove() */
  const char *document_id;
  const char *patch_id;
  const char *kind;        /* "CREATE", "PATCH", "DELETE" or "RESTORE" */
  const char *payload;     /* JSON: the patch; with CREATE {"collection","title","value"}; else null */
  sync_engine_status status;
  const char *message;
} sync_engine_quarantined;

typedef struct sync_engine_quarantine {
  size_t count;
  const sync_engine_quarantined *const *items;
} sync_engine_quarantine;

/* Refused edits, oldest first, of one document or (NULL) of all. Free with sync_engine_quarantine_free(). */
SYNC_ENGINE_API sync_engine_status sync_engine_quarantine_list(sync_engine_quarantine **out, sync_engine *engine,
                                                               const char *document_id, sync_engine_error *error);
/* Forgets one refused edit. No error if it is not there. */
SYNC_ENGINE_API sync_engine_status sync_engine_quarantine_remove(sync_engine *engine, int64_t id, sync_engine_error *error);
SYNC_ENGINE_API void sync_engine_quarantine_free(sync_engine_quarantine *quarantine);

typedef struct sync_engine_conflict {
  const char *document_id;
  int64_t revision;        /* of the earlier of the two changes; 0 when the server does not say */
  int64_t position;        /* of the later change in the workspace */
  const char *rule;        /* the rule of the merge that decided */
  bool own_lost;           /* true: the edit of this replica lost, false: it won */
  const char *path;        /* JSON pointer */
  const char *lost;        /* JSON: the value that was lost, null when the operation carried none */
  const char *losing;      /* JSON: the operation that lost */
  const char *winning;     /* JSON: the operation that won */
  const char *explanation; /* the rule in words, for a person */
  const char *restore;     /* JSON: a patch that puts the lost value back; null when there is none */
} sync_engine_conflict;

typedef struct sync_engine_conflicts {
  size_t count;
  const sync_engine_conflict *const *items;
} sync_engine_conflicts;

/* What the merge of this replica's edits dropped or weakened, oldest first. Free with sync_engine_conflicts_free(). */
SYNC_ENGINE_API sync_engine_status sync_engine_conflict_list(sync_engine_conflicts **out, sync_engine *engine,
                                                             const char *document_id, sync_engine_error *error);
SYNC_ENGINE_API void sync_engine_conflicts_free(sync_engine_conflicts *conflicts);

/* ---- Exchange ----------------------------------------------------------------------------------------------------- */

/*
 * Pushes every pending edit and pulls until up to date. timeout_ms bounds the whole call; 0 or less: only each request
 * is bounded. Passing conditions of the server are waited out, a lost connection is tried three times.
 * NETWORK, TIMEOUT, UNAUTHENTICATED, FORBIDDEN, WORKSPACE_NOT_FOUND, PROTOCOL and the passing codes (180 and above). After
 * any of them the call may be repeated: an edit is committed once however often it is sent.
 * A refused edit is no failure of this call: see sync_engine_quarantine_list(). Not allowed within a callback.
 */
SYNC_ENGINE_API sync_engine_status sync_engine_sync(sync_engine *engine, int64_t timeout_ms, sync_engine_error *error);

/*
 * Starts two threads: one pushes edits over HTTP as they are made, one receives changes over Server-Sent Events. They
 * reconnect by themselves, with growing, jittered pauses. Does nothing if they run.
 */
SYNC_ENGINE_API sync_engine_status sync_engine_start(sync_engine *engine, sync_engine_error *error);
/* Ends both threads, within moments even while a request hangs. Does nothing if none runs. Not allowed within a callback. */
SYNC_ENGINE_API sync_engine_status sync_engine_stop(sync_engine *engine, sync_engine_error *error);

typedef enum sync_engine_connection {
  SYNC_ENGINE_STOPPED = 0,     /* not started */
  SYNC_ENGINE_OFFLINE = 1,     /* waits before the next attempt */
  SYNC_ENGINE_CONNECTING = 2,
  SYNC_ENGINE_CATCHING_UP = 3, /* connected, older changes are still arriving */
  SYNC_ENGINE_LIVE = 4         /* everything known to the server at this moment is here */
} sync_engine_connection;

typedef struct sync_engine_info {
  size_t size; /* set by SYNC_ENGINE_INFO_INIT */
  sync_engine_connection connection;
  sync_engine_status last_status; /* why the background is offline; OK once it has connected again */
  int64_t pending;
  int64_t quarantined;
} sync_engine_info;

#define SYNC_ENGINE_INFO_INIT {sizeof(sync_engine_info), SYNC_ENGINE_STOPPED, SYNC_ENGINE_OK, 0, 0}

SYNC_ENGINE_API sync_engine_status sync_engine_info_get(sync_engine_info *out, sync_engine *engine, sync_engine_error *error);

typedef enum sync_engine_event_kind {
  SYNC_ENGINE_EVENT_DOCUMENT = 1,    /* the visible state of document_id changed: read it again */
  SYNC_ENGINE_EVENT_QUARANTINED = 2, /* an edit of document_id was refused; status says why */
  SYNC_ENGINE_EVENT_CONNECTION = 3   /* sync_engine_info_get() has news; document_id is NULL */
} sync_engine_event_kind;

typedef struct sync_engine_event {
  sync_engine_event_kind kind;
  const char *document_id; /* borrowed for the call */
  sync_engine_status status;
} sync_engine_event;

/*
 * Called for what an exchange changed, after it is stored; never for an edit made by a call of this library. It runs on
 * one of the background threads or on the thread in sync_engine_sync(), one call at a time. It may read and edit; it must
 * not call sync_engine_sync(), sync_engine_stop() or sync_engine_destroy(), and should return soon: the exchange waits.
 */
typedef void (*sync_engine_callback)(sync_engine *engine, const sync_engine_event *event, void *user_data);

typedef struct sync_engine_subscription sync_engine_subscription;

/* Registers a callback. End it with sync_engine_subscription_release(), before the engine is destroyed. */
SYNC_ENGINE_API sync_engine_status sync_engine_subscribe(sync_engine_subscription **out, sync_engine *engine,
                                                         sync_engine_callback callback, void *user_data, sync_engine_error *error);
/*
 * Ends a subscription and frees it. When it returns, the callback does not run and never will again; released from within
 * that very callback, it returns at once and the running call is the last. Takes NULL.
 */
SYNC_ENGINE_API void sync_engine_subscription_release(sync_engine_subscription *subscription);

#ifdef __cplusplus
}
#endif

#endif
