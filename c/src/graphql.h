/* GraphQL over HTTP: one operation there, its data or its first error back. */
#ifndef SE_GRAPHQL_H
#define SE_GRAPHQL_H

#include "engine.h"

/*
 * Runs an operation. variables: JSON text of an object. deadline_ms of the monotonic clock, 0: none but the engine's
 * timeout for a request. *data is owned by the caller. Codes of the server, NETWORK, TIMEOUT, CANCELLED, PROTOCOL.
 */
sync_engine_status se_graphql(sync_engine *engine, se_http *http, const char *query, const char *variables, int64_t deadline_ms, cJSON **data,
                              sync_engine_error *error);
/* The JSON body of an operation, to be freed with free(). */
char *se_graphql_body(const char *query, const char *variables);
/* What an execution result says: its data, taken out of it, or the status of its first error. */
sync_engine_status se_graphql_result(cJSON *result, cJSON **data, sync_engine_error *error);
/* The status of an answer that is no execution result. */
sync_engine_status se_graphql_no_result(long http_status, sync_engine_error *error);
/* Copies of what a request needs, so that sync_engine_set_token may be called meanwhile. */
sync_engine_status se_endpoint_copy(sync_engine *engine, se_endpoint *out, char **token, sync_engine_error *error);
/* Appends ,"workspaceId":"..." if the engine has one. */
void se_write_workspace(const sync_engine *engine, se_buffer *variables);

#endif
