import type { Limits } from './limits.js';

/**
 * Every way Concord can say no. The set is closed: the GraphQL enum `ErrorCode`, the C status codes and docs/ERRORS.md are
 * held against it by tests. A code's meaning never changes; a code is never reused.
 */
export const errorCodes = {
  // The patch itself (who can fix it: the caller; never retry unchanged)
  PATCH_MALFORMED: 'The patch is not a list of RFC 6902 operations.',
  POINTER_INVALID: 'A JSON pointer is not valid RFC 6901.',
  VALUE_INVALID: 'A value cannot be held the same everywhere (U+0000, lone surrogate, number out of range, __proto__ key).',
  PATH_NOT_FOUND: 'A path names a place that does not exist in the document.',
  TYPE_MISMATCH: 'An operation needs another type of value at its path.',
  RANGE_INVALID: 'An index or a text offset is out of range, or splits a surrogate pair.',
  NUMBER_OVERFLOW: 'A counter would leave the safe integers.',
  MOVE_INTO_SELF: 'A value cannot be moved into itself.',
  TEST_FAILED: 'A test operation did not hold at the head of the document.',
  // Sizes
  LIMIT_EXCEEDED: 'Something is larger, deeper or more numerous than the limits allow.',
  // The document
  DOCUMENT_NOT_FOUND: 'There is no such document in the workspace.',
  DOCUMENT_EXISTS: 'The document id is taken.',
  DOCUMENT_DELETED: 'The document was deleted by a change the patch had not seen.',
  // Clocks (docs/SEMANTICS.md, clocks)
  CLOCK_MALFORMED: 'The clock is not a clock.',
  CLOCK_GAP: 'Earlier edits of this replica are missing.',
  CLOCK_FUTURE: 'The clock names changes this server never made.',
  CLOCK_NOT_A_PREFIX: 'The clock names a state that never existed.',
  CLOCK_STALE: 'The base of the patch is older than the retained history.',
  EPOCH_CHANGED: 'The history was rewritten; the replica must resync.',
  OTHER_HISTORY: 'The server holds another history than the one the caller followed: another server or database, or an older backup.',
  REPLICA_CLONED: 'Another patch has this replica id and counter: the replica was copied or restored from a backup.',
  REPLICA_RETIRED: 'The server no longer remembers this replica; it must take a new id.',
  PATCH_DEPENDS_ON_REFUSED: 'An earlier patch of the same replica on this document was refused in the same push.',
  // The caller
  UNAUTHENTICATED: 'There is no token, or it is unknown, expired or revoked.',
  FORBIDDEN: 'The principal has no right to do this in the workspace.',
  OTHER_PRINCIPAL: 'The token is of another principal than the one the edits or the file belong to.',
  WORKSPACE_NOT_FOUND: 'There is no such workspace, or the principal has no role in it.',
  INPUT_INVALID: 'An argument is not valid.',
  CURSOR_INVALID: 'The cursor is not one this server made.',
  QUERY_TOO_COMPLEX: 'The GraphQL operation is too deep, has too many aliases, or the batch too many operations.',
  PERSISTED_QUERY_NOT_FOUND: 'The server does not know the hash of the operation; send its text.',
  PERSISTED_QUERY_ONLY: 'The server runs only operations that it was given beforehand.',
  // Passing conditions (retry later)
  RATE_LIMITED: 'The principal called too often; retryAfter says how many milliseconds to wait.',
  LAGGED: 'The subscriber read too slowly; it resumes from its last cursor.',
  UNAVAILABLE: 'The server cannot answer now; nothing is known to have been written. Retry with the same ids.',
  SHUTTING_DOWN: 'The server is stopping; connect again.',
  INTERNAL: 'A bug in Concord. The message carries a reference to the server log.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

const passing: ReadonlySet<ErrorCode> = new Set(['RATE_LIMITED', 'LAGGED', 'UNAVAILABLE', 'SHUTTING_DOWN', 'INTERNAL']);

/** True: the same call may succeed later. False: it will be refused again unchanged. */
export const retryable = (code: ErrorCode): boolean => passing.has(code);

/** Why a pure function refused its input. `path` is the RFC 6901 pointer of the place, `operation` the index in the patch. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly path?: string;
  readonly operation?: number;
  readonly limit?: number;
  readonly actual?: number;
  /** Which limit it was, with `LIMIT_EXCEEDED`: the server's operator knows it as `LIMIT_…` in the same words. */
  readonly limitName?: keyof Limits;
}

/** What pure functions return instead of throwing. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Failure };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
export const fail = (error: Failure): Result<never> => ({ ok: false, error });

/** The one error class the edges throw. `details` are the facts a caller may act on. */
export class ConcordError extends Error {
  override readonly name = 'ConcordError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Omit<Failure, 'code' | 'message'> & {
      readonly id?: string;
      /** Milliseconds to wait before a retry. */
      readonly retryAfter?: number;
      /** The counter the server expects next, with `CLOCK_GAP`. */
      readonly expected?: number;
    } = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  static from(failure: Failure): ConcordError {
    const { code, message, ...details } = failure;
    return new ConcordError(code, message, details);
  }
}
