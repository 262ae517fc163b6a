import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { ConcordError, errorCodes, type ErrorCode } from '@concord/core';
import { outageOf, unavailable } from './postgres/failure.js';

/** Turns whatever was thrown into what a caller may see. The one place: HTTP, Server-Sent Events and WebSocket pass through it. */
export type Mask = (error: unknown) => GraphQLError;

/**
 * A ConcordError keeps its code and its facts. What GraphQL itself refuses (syntax, unknown field, wrong variable) is
 * INPUT_INVALID. A database that cannot be reached, or cannot take it now, is UNAVAILABLE. Anything else is a bug: INTERNAL, with a reference to the
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
    const outage = outageOf(cause);
    if (outage !== null) {
      log.warn({ err: cause, outage }, 'The database cannot serve.');
      const { code, message, details } = unavailable(cause);
      return dressed(code, message, shown, { ...details });
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
