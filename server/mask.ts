import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { ConcordError, errorCodes, type ErrorCode } from '@concord/core';

/** Turns whatever was thrown into what a caller may see. The one place: HTTP, Server-Sent Events and WebSocket pass through it. */
export type Mask = (error: unknown) => GraphQLError;

/**
 * A ConcordError keeps its code and its facts. What GraphQL itself refuses (syntax, unknown field, wrong variable) is
 * INPUT_INVALID. A database that cannot be reached is UNAVAILABLE. Anything else is a bug: INTERNAL, with a reference to the
 * log, where it stands with its stack.
 */
export function createMask(options: { readonly log: Logger; readonly randomId: () => string }): Mask {
  const { log, randomId } = options;
  return (error) => {
    const shown = error instanceof GraphQLError ? error : null;
    if (shown !== null && isCode(shown.extensions['code'])) return shown;
    const cause = rootCause(error);
    if (cause instanceof ConcordError) return dressed(cause.code, cause.message, shown, { ...cause.details });
    if (cause instanceof GraphQLError) {
      return dressed('INPUT_INVALID', cause === shown ? shown.message : (shown ?? cause).message, shown, httpOf(shown ?? cause));
    }
    if (isDatabaseAway(cause)) {
      log.warn({ err: cause }, 'The database cannot be reached.');
      return dressed('UNAVAILABLE', `${errorCodes.UNAVAILABLE}`, shown, { retryAfter: 1_000 });
    }
    const id = randomId();
    log.error({ err: cause, id, path: shown?.path }, 'An unexpected error.');
    return dressed('INTERNAL', `Something went wrong in the server. Its log has the details under the reference ${id}.`, shown, { id });
  };
}

/** A refusal that is not inside a GraphQL result: the body of an HTTP answer. */
export const errorBody = (error: GraphQLError): string => JSON.stringify({ errors: [error] });

/** The HTTP status of a whole request that was refused. */
export function statusOf(code: unknown): number {
  switch (code) {
    case 'UNAUTHENTICATED':
      return 401;
    case 'FORBIDDEN':
      return 403;
    case 'LIMIT_EXCEEDED':
      return 413;
    case 'RATE_LIMITED':
      return 429;
    case 'UNAVAILABLE':
    case 'SHUTTING_DOWN':
      return 503;
    case 'INTERNAL':
      return 500;
    default:
      return 400;
  }
}

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(errorCodes, code);

function rootCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError instanceof Error && cause.originalError !== cause) cause = cause.originalError;
  return cause;
}

function dressed(code: ErrorCode, message: string, shown: GraphQLError | null, facts: Readonly<Record<string, unknown>>): GraphQLError {
  return new GraphQLError(message, {
    nodes: shown?.nodes ?? null,
    source: shown?.source ?? null,
    positions: shown?.positions ?? null,
    path: shown?.path ?? null,
    extensions: { code, ...Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined)) },
  });
}

/** The status that the HTTP edge gave to a request it could not take (405 for a mutation by GET, say). */
const httpOf = (error: GraphQLError): Record<string, unknown> => ('http' in error.extensions ? { http: error.extensions['http'] } : {});

const awayCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH',
  '57P01', '57P02', '57P03', '53300', '08000', '08001', '08003', '08004', '08006',
  'P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2037',
]);

/** Seen through Prisma as well, which wraps the driver's error. */
function isDatabaseAway(error: unknown): boolean {
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth++) {
    if ('code' in current && typeof current.code === 'string' && awayCodes.has(current.code)) return true;
    if (/Connection terminated|timeout exceeded when trying to connect|Cannot use a pool after calling end/.test(current.message)) return true;
  }
  return false;
}
