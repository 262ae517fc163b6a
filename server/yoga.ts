import { GraphQLError, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { createYoga, isAsyncIterable, type GraphQLParams, type Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import type { Context } from '@concord/schema';
import type { Authenticator, Session } from './auth/authenticate.js';
import { mostOperationsInBatch } from './body.js';
import { acceptedEncoding, compress } from './compress.js';
import type { ContextOf } from './context.js';
import { statusOf, type Mask } from './mask.js';
import { admit } from './graphql/admit.js';
import { hashIn, sessionBounds, type Operations } from './operations.js';
import type { Charge } from './rate-limit/charge.js';
import type { Turns } from './rate-limit/turns.js';
import type { Subscribe } from './shared-results.js';
import { guardStream, maskResult } from './stream.js';

const wrongMethod = 405;

/** What the HTTP edge found out before GraphQL begins. */
export interface RequestFacts {
  readonly session: Session | null;
  readonly address: string;
  readonly acceptEncoding: string | undefined;
  readonly charge: Charge;
  /** Aborted when the caller has gone. */
  readonly left: AbortSignal;
  /** Null with GET: the parameters are in the query string. */
  readonly params: GraphQLParams | GraphQLParams[] | null;
}

/** GraphQL over HTTP: queries and mutations, batches, and subscriptions as Server-Sent Events. */
export function createGraphQLHandler(options: {
  readonly schema: GraphQLSchema;
  readonly operations: Operations;
  readonly turns: Turns;
  readonly subscribe: Subscribe;
  readonly contextOf: ContextOf;
  readonly authenticator: Authenticator;
  readonly mask: Mask;
  readonly log: Logger;
}) {
  const { schema, operations, turns, contextOf, authenticator, mask, log } = options;

  const refuse = (errors: readonly unknown[]): ExecutionResult => ({
    errors: errors.map(mask).map((error) => withStatus(error)),
  });

  const plugin: Plugin<RequestFacts & Context, RequestFacts> = {
    onRequestParse({ serverContext, setRequestParser }) {
      const { params } = serverContext;
      if (params !== null) setRequestParser(() => params);
    },
    async onParams({ params, setParams, setResult, context }) {
      // Neither a text nor a hash: Yoga says what is missing.
      if (typeof params.query !== 'string' && hashIn(params.extensions) === null) return;
      const { session, charge } = context;
      try {
        const { operationName, variables } = params;
        const { checked, errors } = await admit(operations, turns, { sent: params, operationName, variables, isAnonymous: session === null, charge });
        if (errors.length > 0) return setResult(refuse(errors));
        if (params.query !== checked.text) setParams({ ...params, query: checked.text });
      } catch (error) {
        setResult(refuse([error]));
      }
    },
    onParse(payload) {
      const { document } = operations.check({ query: String(payload.params.source) }, sessionBounds);
      if (document !== null) payload.setParsedDocument(document);
    },
    onValidate(payload) {
      // Done with the parsing.
      payload.setResult([]);
    },
    onSubscribe({ args, setSubscribeFn }) {
      setSubscribeFn(options.subscribe);
      const { session } = args.contextValue;
      return {
        onSubscribeResult(payload) {
          const { result } = payload;
          if (!isAsyncIterable(result)) return;
          payload.setResult(guardStream(result as AsyncIterable<ExecutionResult>, mask, (listener) => (session === null ? () => undefined : authenticator.onEnded(session, listener))));
        },
      };
    },
    onExecutionResult(payload) {
      const { result } = payload;
      if (result !== undefined && !isAsyncIterable(result) && result.errors !== undefined) payload.setResult(maskResult(result as ExecutionResult, mask));
    },
    async onResponse(payload) {
      const { response, serverContext, fetchAPI } = payload;
      const type = response.headers.get('content-type') ?? '';
      if (type.startsWith('text/event-stream')) {
        // "none" is no encoding: strict clients refuse it.
        response.headers.delete('content-encoding');
        response.headers.set('x-accel-buffering', 'no');
        return;
      }
      const encoding = acceptedEncoding(serverContext.acceptEncoding);
      if (encoding === null || !type.includes('json')) return;
      const text = await response.text();
      const compressed = await compress(text, encoding);
      const headers = Object.fromEntries(response.headers.entries());
      delete headers['content-length'];
      payload.setResponse(
        new fetchAPI.Response((compressed as Uint8Array<ArrayBuffer> | null) ?? text, {
          status: response.status,
          headers: compressed === null ? headers : { ...headers, 'content-encoding': encoding, vary: 'Accept-Encoding' },
        }),
      );
    },
  };

  return createYoga<RequestFacts, Context>({
    schema,
    graphqlEndpoint: '/graphql',
    context: ({ session, left }) => contextOf(session, left),
    plugins: [plugin],
    maskedErrors: { maskError: (error) => withStatus(mask(error)) },
    logging: { debug: () => undefined, info: () => undefined, warn: (...what) => log.warn({ what }), error: () => undefined },
    graphiql: false,
    landingPage: false,
    cors: false,
    multipart: false,
    maxRequestBodySize: false,
    batching: { limit: mostOperationsInBatch },
    parserAndValidationCache: false,
  });
}

/** The status for callers that asked for application/graphql-response+json; the others get 200, as they expect. A wrong method stays one. */
function withStatus(error: GraphQLError): GraphQLError {
  const given = error.extensions['http'] as { readonly status?: number } | undefined;
  if (given?.status === wrongMethod) return error;
  const { message, nodes, source, positions, path, originalError, extensions } = error;
  // Not set on the error itself, which may be kept and answered over WebSocket as well.
  return new GraphQLError(message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    path: path ?? null,
    originalError: originalError ?? null,
    extensions: { ...extensions, http: { spec: true, status: statusOf(extensions['code']) } },
  });
}
