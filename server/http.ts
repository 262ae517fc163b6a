import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Logger } from 'pino';
import { ConcordError } from '@concord/core';
import type { Authenticator } from './auth/authenticate.js';
import { anonymousBytes, readGraphQLBody } from './body.js';
import type { Config } from './config.js';
import { errorBody, statusOf, type Mask } from './mask.js';
import type { GraphiQLPage } from './graphiql.js';
import type { Readiness } from './health.js';
import { answerAndLinger, jsonHeaders } from './http/linger.js';
import type { RateLimit } from './rate-limit.js';
import { openCharge } from './rate-limit/charge.js';
import type { Turns } from './rate-limit/turns.js';
import { readTls, renewTls } from './tls.js';
import type { Connections } from './websocket/connections.js';
import type { createGraphQLHandler } from './yoga.js';

/**
 * Address of the caller: the socket's, or behind a proxy the last one in X-Forwarded-For, which that proxy wrote itself.
 */
export function createAddressOf(trustProxy: boolean): (request: IncomingMessage) => string {
  return (request) => {
    const forwarded = trustProxy ? request.headers['x-forwarded-for'] : undefined;
    const last = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded)?.split(',').at(-1)?.trim();
    return last || (request.socket.remoteAddress ?? 'unknown');
  };
}

const graphiqlIsOff =
  'There is no page here: GraphiQL is off on this server. The API is at /graphql; send it operations by POST. Its operator turns GraphiQL on with GRAPHIQL=1, and without TRUSTED_DOCUMENTS_ONLY.';

/** Routes of the HTTP edge: `/graphql`, `/playground`, `/health`, `/ready`. */
export function createHttpListener(options: {
  readonly graphql: ReturnType<typeof createGraphQLHandler>;
  readonly graphiql: GraphiQLPage | null;
  readonly authenticator: Authenticator;
  readonly readiness: () => Promise<Readiness>;
  readonly mask: Mask;
  readonly log: Logger;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly mostBodyBytes: number;
  readonly rateLimit: RateLimit;
  readonly turns: Turns;
  readonly connections: Connections;
  readonly corsOrigins: readonly string[];
  /** How long a browser shall come by TLS only; 0: it is not told so. */
  readonly hstsSeconds: number;
  /** A stream is ended when its reader has taken nothing for so long. Yoga sends something every 12 s. */
  readonly stalledStreamMs: number;
}): RequestListener {
  const { graphql, graphiql, authenticator, readiness, mask, log, addressOf } = options;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    allowOrigin(request, response, options.corsOrigins);
    response.setHeader('x-content-type-options', 'nosniff');
    if (options.hstsSeconds > 0) response.setHeader('strict-transport-security', `max-age=${options.hstsSeconds}`);
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    switch (path) {
      case '/graphql':
        if (request.method === 'GET' && request.headers.accept?.includes('text/html')) {
          if (graphiql !== null) return graphiql.page(response);
          // With an operation in the query string a browser gets its answer.
          if (request.url === path) return refuse(response, new ConcordError('INPUT_INVALID', graphiqlIsOff), 406);
        }
        return answerGraphQL(request, response);
      case '/':
      case '/playground':
      case '/graphiql':
        if (graphiql !== null) return void response.writeHead(302, { location: '/graphql' }).end();
        return refuse(response, new ConcordError('INPUT_INVALID', graphiqlIsOff), 404);
      case '/health':
        return sendJson(response, 200, JSON.stringify({ alive: true }));
      case '/ready': {
        const state = await readiness();
        return sendJson(response, state.ready ? 200 : 503, JSON.stringify(state));
      }
    }
    if (graphiql !== null && path.startsWith('/graphql/assets/')) {
      if (await graphiql.asset(path.slice('/graphql/assets/'.length), request, response)) return;
    }
    refuse(response, new ConcordError('INPUT_INVALID', `There is nothing at ${path.slice(0, 200)}. GraphQL is at /graphql.`), 404);
  }

  async function answerGraphQL(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'POST') {
      response.setHeader('allow', 'GET, POST');
      return refuse(response, new ConcordError('INPUT_INVALID', `${request.method ?? 'This method'} is not for GraphQL; use POST.`), 405);
    }
    const address = addressOf(request);
    const session = await authenticator.authenticate(request.headers.authorization, address);
    const charge = openCharge(options.rateLimit, { principalId: session?.principalId ?? null, address });
    await charge.arrive();
    const hasSession = session !== null;
    const params = request.method === 'GET' ? null : await readGraphQLBody(request, { mostBytes: hasSession ? options.mostBodyBytes : anonymousBytes, hasSession, charge, turns: options.turns });
    if (request.headers.accept?.includes('text/event-stream') && session !== null) response.once('close', options.connections.ofPrincipal(session.principalId));
    if (request.headers.accept?.includes('text/event-stream')) response.setTimeout(options.stalledStreamMs, () => response.destroy());
    const acceptEncoding = request.headers['accept-encoding'];
    const leaving = new AbortController();
    response.once('close', () => leaving.abort());
    await graphql(request, response, { session, address, params, charge, left: leaving.signal, acceptEncoding: typeof acceptEncoding === 'string' ? acceptEncoding : undefined });
  }

  /** A request that GraphQL never saw. */
  function refuse(response: ServerResponse, error: unknown, status?: number): void {
    const masked = mask(error);
    if (response.headersSent) return void response.destroy();
    const { code, retryAfter } = masked.extensions;
    if (typeof retryAfter === 'number') response.setHeader('retry-after', Math.ceil(retryAfter / 1000));
    if (code === 'UNAUTHENTICATED') response.setHeader('www-authenticate', 'Bearer');
    if (response.req.complete || !hasBody(response.req)) sendJson(response, status ?? statusOf(code), errorBody(masked));
    else answerAndLinger(response, status ?? statusOf(code), errorBody(masked));
  }

  return (request, response) => {
    const startedAt = performance.now();
    if (log.isLevelEnabled('debug')) {
      response.once('finish', () => {
        log.debug({ method: request.method, path: request.url?.split('?')[0], status: response.statusCode, ms: Math.round(performance.now() - startedAt) }, 'HTTP');
      });
    }
    answer(request, response).catch((error: unknown) => {
      // The caller went away in the middle of its own request.
      if (request.destroyed && !request.complete) response.destroy();
      else refuse(response, error);
    });
  };
}

/** Whoever connects and does not send its request in time holds a connection for nothing. A push of 4 MiB has two minutes. */
const timeouts = { headersTimeout: 15_000, requestTimeout: 120_000, connectionsCheckingInterval: 5_000 };

/** With TLS of its own it reads renewed files again until it is closed. */
export function createHttpServer(config: Config, listener: RequestListener, log: Logger): Server {
  if (config.tls === null) return createServer(timeouts, listener);
  const server = createSecureServer({ ...timeouts, ...readTls(config.tls) }, listener);
  server.once('close', renewTls(server, config.tls, { log }));
  return server;
}

const hasBody = ({ headers }: IncomingMessage): boolean => headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

function sendJson(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, jsonHeaders(body)).end(body);
}

/** Tokens travel in a header that a foreign page cannot make a browser add, so only reading of answers is at stake. */
function allowOrigin(request: IncomingMessage, response: ServerResponse, origins: readonly string[]): void {
  const { origin } = request.headers;
  if (origins.length === 0 || origin === undefined) return;
  response.setHeader('vary', 'Origin');
  if (!origins.includes('*') && !origins.includes(origin)) return;
  response.setHeader('access-control-allow-origin', origins.includes('*') ? '*' : origin);
  response.setHeader('access-control-allow-methods', 'GET, POST, OPTIONS');
  response.setHeader('access-control-allow-headers', 'authorization, content-type');
  response.setHeader('access-control-expose-headers', 'retry-after');
  response.setHeader('access-control-max-age', '600');
}
