#include <string.h>

#include "failure.h"

static const struct {
  sync_engine_status status;
  const char *name;
  const char *text;
} statuses[] = {
    {SYNC_ENGINE_OK, "OK", "Everything is fine."},
    {SYNC_ENGINE_NO_MEMORY, "NO_MEMORY", "An allocation failed."},
    {SYNC_ENGINE_STORAGE, "STORAGE", "The database file could not be read or written."},
    {SYNC_ENGINE_DATABASE_IN_USE, "DATABASE_IN_USE", "Another engine has the database file open."},
    {SYNC_ENGINE_NETWORK, "NETWORK", "The server did not answer."},
    {SYNC_ENGINE_TIMEOUT, "TIMEOUT", "The time allowed has passed."},
    {SYNC_ENGINE_CANCELLED, "CANCELLED", "The engine is being stopped."},
    {SYNC_ENGINE_PROTOCOL, "PROTOCOL", "The answer is not one of a Concord server."},
    {SYNC_ENGINE_ABI_MISMATCH, "ABI_MISMATCH", "The header and the library do not fit together."},
    {SYNC_ENGINE_MISUSE, "MISUSE", "The call is not allowed here."},
    {SYNC_ENGINE_PATCH_MALFORMED, "PATCH_MALFORMED", "The patch is not a list of RFC 6902 operations."},
    {SYNC_ENGINE_POINTER_INVALID, "POINTER_INVALID", "A JSON pointer is not valid RFC 6901."},
    {SYNC_ENGINE_VALUE_INVALID, "VALUE_INVALID", "A value cannot be held the same everywhere (U+0000, lone surrogate, number out of range, __proto__ key)."},
    {SYNC_ENGINE_PATH_NOT_FOUND, "PATH_NOT_FOUND", "A path names a place that does not exist in the document."},
    {SYNC_ENGINE_TYPE_MISMATCH, "TYPE_MISMATCH", "An operation needs another type of value at its path."},
    {SYNC_ENGINE_RANGE_INVALID, "RANGE_INVALID", "An index or a text offset is out of range, or splits a surrogate pair."},
    {SYNC_ENGINE_NUMBER_OVERFLOW, "NUMBER_OVERFLOW", "A counter would leave the safe integers."},
    {SYNC_ENGINE_MOVE_INTO_SELF, "MOVE_INTO_SELF", "A value cannot be moved into itself."},
    {SYNC_ENGINE_TEST_FAILED, "TEST_FAILED", "A test operation did not hold."},
    {SYNC_ENGINE_LIMIT_EXCEEDED, "LIMIT_EXCEEDED", "Something is larger, deeper or more numerous than the limits allow."},
    {SYNC_ENGINE_DOCUMENT_NOT_FOUND, "DOCUMENT_NOT_FOUND", "There is no such document."},
    {SYNC_ENGINE_DOCUMENT_EXISTS, "DOCUMENT_EXISTS", "The document id is taken."},
    {SYNC_ENGINE_DOCUMENT_DELETED, "DOCUMENT_DELETED", "The document is deleted."},
    {SYNC_ENGINE_CLOCK_MALFORMED, "CLOCK_MALFORMED", "The clock is not a clock."},
    {SYNC_ENGINE_CLOCK_GAP, "CLOCK_GAP", "Earlier edits of this replica are missing."},
    {SYNC_ENGINE_CLOCK_FUTURE, "CLOCK_FUTURE", "The clock names changes the server never made."},
    {SYNC_ENGINE_CLOCK_NOT_A_PREFIX, "CLOCK_NOT_A_PREFIX", "The clock names a state that never existed."},
    {SYNC_ENGINE_CLOCK_STALE, "CLOCK_STALE", "The base of the patch is older than the history the server keeps."},
    {SYNC_ENGINE_EPOCH_CHANGED, "EPOCH_CHANGED", "The history on the server was rewritten."},
    {SYNC_ENGINE_REPLICA_CLONED, "REPLICA_CLONED", "The database file was copied or restored from a backup and used twice."},
    {SYNC_ENGINE_REPLICA_RETIRED, "REPLICA_RETIRED", "The server no longer remembers this replica."},
    {SYNC_ENGINE_PATCH_DEPENDS_ON_REFUSED, "PATCH_DEPENDS_ON_REFUSED", "An earlier edit of the document, which this one was made on, was refused."},
    {SYNC_ENGINE_OTHER_HISTORY, "OTHER_HISTORY", "The server holds another history than the one this database follows."},
    {SYNC_ENGINE_UNAUTHENTICATED, "UNAUTHENTICATED", "There is no token, or it is unknown, expired or revoked."},
    {SYNC_ENGINE_FORBIDDEN, "FORBIDDEN", "The principal has no right to do this in the workspace."},
    {SYNC_ENGINE_WORKSPACE_NOT_FOUND, "WORKSPACE_NOT_FOUND", "There is no such workspace, or the principal has no role in it."},
    {SYNC_ENGINE_INPUT_INVALID, "INPUT_INVALID", "An argument is not valid."},
    {SYNC_ENGINE_CURSOR_INVALID, "CURSOR_INVALID", "The cursor is not one this server made."},
    {SYNC_ENGINE_QUERY_TOO_COMPLEX, "QUERY_TOO_COMPLEX", "The GraphQL operation is too complex."},
    {SYNC_ENGINE_PERSISTED_QUERY_NOT_FOUND, "PERSISTED_QUERY_NOT_FOUND", "The server does not know the hash of the operation."},
    {SYNC_ENGINE_PERSISTED_QUERY_ONLY, "PERSISTED_QUERY_ONLY", "The server runs only operations that it was given beforehand."},
    {SYNC_ENGINE_OTHER_PRINCIPAL, "OTHER_PRINCIPAL", "The token is of another principal than the one this database belongs to."},
    {SYNC_ENGINE_RATE_LIMITED, "RATE_LIMITED", "The principal called too often."},
    {SYNC_ENGINE_LAGGED, "LAGGED", "The subscriber read too slowly."},
    {SYNC_ENGINE_UNAVAILABLE, "UNAVAILABLE", "The server cannot answer now."},
    {SYNC_ENGINE_SHUTTING_DOWN, "SHUTTING_DOWN", "The server is stopping."},
    {SYNC_ENGINE_INTERNAL, "INTERNAL", "The server failed; its message names the entry in its log."},
};

#define STATUS_COUNT (sizeof statuses / sizeof statuses[0])

const char *sync_engine_status_name(sync_engine_status status) {
  for (size_t index = 0; index < STATUS_COUNT; index++) {
    if (statuses[index].status == status) return statuses[index].name;
  }
  return "UNKNOWN";
}

const char *sync_engine_status_string(sync_engine_status status) {
  for (size_t index = 0; index < STATUS_COUNT; index++) {
    if (statuses[index].status == status) return statuses[index].text;
  }
  return "A status this version of the library does not know.";
}

bool sync_engine_status_retryable(sync_engine_status status) {
  return status == SYNC_ENGINE_NETWORK || status == SYNC_ENGINE_TIMEOUT || status >= SYNC_ENGINE_RATE_LIMITED;
}

sync_engine_status se_status_from_name(const char *name) {
  for (size_t index = 0; name != NULL && index < STATUS_COUNT; index++) {
    if (statuses[index].status >= SYNC_ENGINE_PATCH_MALFORMED && strcmp(statuses[index].name, name) == 0) return statuses[index].status;
  }
  return SYNC_ENGINE_PROTOCOL;
}

const char *sync_engine_version(void) { return SYNC_ENGINE_VERSION; }

sync_engine_status sync_engine_check_version(int header_major, int header_minor) {
  /* Before 1.0 a minor version may break; from then on only a major one does, and a newer header may ask for more. */
  if (header_major != SYNC_ENGINE_VERSION_MAJOR) return SYNC_ENGINE_ABI_MISMATCH;
  if (SYNC_ENGINE_VERSION_MAJOR == 0) return header_minor == SYNC_ENGINE_VERSION_MINOR ? SYNC_ENGINE_OK : SYNC_ENGINE_ABI_MISMATCH;
  return header_minor <= SYNC_ENGINE_VERSION_MINOR ? SYNC_ENGINE_OK : SYNC_ENGINE_ABI_MISMATCH;
}
