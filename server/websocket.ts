import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionArgs, ExecutionResult, GraphQLError, GraphQLSchema } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type Context as SocketContext, type ServerOptions, type SubscribePayload } from 'graphql-ws';
import type { Logger } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import { ConcordError } from '@concord/core';
import type { Authenticator, Session } from './auth/authenticate.js';
import { bytesPerOperation } from './body.js';
import { closeReason } from './close-reason.js';
import type { ContextOf } from './context.js';
import { deflateOptions, nextHead } from './frames.js';
import { admit } from './graphql/admit.js';
import { createKeepAlive } from './keep-alive.js';
import type { Mask } from './mask.js';
import type { Operations } from './operations.js';
import type { RateLimit } from './rate-limit.js';
import { networkOf, openCharge } from './rate-limit/charge.js';
import type { Turns } from './rate-limit/turns.js';
import { isShared, SharedResults, type Subscribe } from './shared-results.js';
import { SocketWriter } from './socket-writer.js';
import type { Connections } from './websocket/connections.js';
import { Messages } from './websocket/messages.js';

const initTimeoutMs = 5_000;
const flushMs = 20;
const mostOperationsPerSocket = 1_000;

/**
 * What fits into the first ten segments of a connection arrives in one round trip, compressed or not; deflating it costs a trip
 * to another thread and more CPU than all the rest of a small answer.
 */
const compressFromBytes = 14 * 1024;

/** Close codes beyond graphql-ws's own: standard "try again later", after which clients reconnect. */
const tryAgainLater = 1013;
const goingAway = 1001;
const hangUpMs = 1_000;

interface Extra {
  readonly socket: WebSocket;
  readonly writer: SocketWriter;
  readonly address: string;
  readonly messages: Messages;
  readonly left: AbortSignal;
  /** From now on it has a session. */
  readonly stopAnonymous: () => void;
  session: Session | null;
}

type ConnectionContext = SocketContext<Record<string, unknown>, Extra>;

export interface WebSocketEdge {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes every socket with 1001, after which clients connect elsewhere; resolves when they are gone or `timeoutMs` has passed. */
  close(timeoutMs: number): Promise<void>;
}

/**
 * graphql-ws on the path of the HTTP endpoint. The token comes in `connectionParams: { Authorization: "Bearer …" }`. A wrong one
 * closes the socket with 4401, a revoked or expired one too. Compression is without context takeover, so that an idle socket
 * holds no window.
 */
export function createWebSocketEdge(options: {
  readonly schema: GraphQLSchema;
  readonly operations: Operations;
  readonly turns: Turns;
  readonly rateLimit: RateLimit;
  readonly subscribe: Subscribe;
  readonly contextOf: ContextOf;
  readonly authenticator: Authenticator;
  readonly mask: Mask;
  readonly log: Logger;
  readonly mostMessageBytes: number;
  /** How often each socket is pinged. */
  readonly pingMs: number;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly connections: Connections;
}): WebSocketEdge {
  const { schema, operations, turns, contextOf, authenticator, mask, log, connections } = options;

  const graphql = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: initTimeoutMs,
    onConnect: (context) => connect(context),
    onSubscribe: (context, id, payload) => prepare(context, id, payload),
    subscribe: options.subscribe,
    onOperation: ({ extra }, id, _payload, _args, result) => (result instanceof SharedResults ? sendShared(result, id, extra.writer) : undefined),
    onNext: (_context, _id, _payload, _args, result) => (result.errors === undefined ? undefined : { data: result.data ?? null, errors: result.errors.map((error) => mask(error).toJSON()) }),
    onError: (_context, _id, _payload, errors) => errors.map((error) => mask(error).toJSON()),
  } satisfies ServerOptions<Record<string, unknown>, Extra>);

  async function connect({ connectionParams, extra }: ConnectionContext): Promise<boolean> {
    try {
      extra.session = await authenticator.authenticate(authorizationIn(connectionParams), extra.address);
      if (extra.session !== null) extra.socket.once('close', connections.ofPrincipal(extra.session.principalId));
    } catch (error) {
      const masked = mask(error);
      const code = masked.extensions['code'];
      extra.writer.close(code === 'UNAUTHENTICATED' ? CloseCode.Unauthorized : tryAgainLater, closeReason(String(code), masked.message));
      return false;
    }
    const { session, socket } = extra;
    if (session !== null) {
      extra.stopAnonymous();
      extra.messages.trust();
      // Not through the writer: what it holds back is not sent any more (I8).
      const stop = authenticator.onEnded(session, ({ code, message }) => socket.close(CloseCode.Unauthorized, closeReason(code, message)));
      socket.once('close', stop);
    }
    return true;
  }

  /** There is nothing to stay for without a session: such a socket is closed after a while. Returns the way to stop watching. */
  function watchAnonymous(socket: WebSocket, network: string): () => void {
    const giveBack = connections.ofAnonymous(network);
    if (giveBack === null) {
      socket.close(tryAgainLater, closeReason('RATE_LIMITED', 'This address has too many sockets without a token.'));
      setTimeout(() => socket.terminate(), hangUpMs).unref();
      return () => undefined;
    }
    const { anonymousMs } = connections.limits;
    const timer = setTimeout(() => socket.close(CloseCode.Unauthorized, closeReason('UNAUTHENTICATED', `A socket without a token is closed after ${anonymousMs / 1_000} seconds.`)), anonymousMs);
    timer.unref();
    const stop = (): void => {
      clearTimeout(timer);
      giveBack();
    };
    socket.once('close', stop);
    return stop;
  }

  async function prepare(
    { extra, subscriptions }: ConnectionContext,
    id: string,
    { query, operationName, variables: small, extensions }: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const { session } = extra;
    try {
      extra.messages.refuseLossy(id);
      if (Object.keys(subscriptions).length > mostOperationsPerSocket) {
        throw new ConcordError('LIMIT_EXCEEDED', `More than ${mostOperationsPerSocket} operations are running on this socket; wait for some to end.`, { limit: mostOperationsPerSocket });
      }
      const charge = openCharge(options.rateLimit, { principalId: session?.principalId ?? null, address: extra.address });
      const large = extra.messages.takeLarge(id);
      if (large !== undefined) await charge.spend(Math.floor(large.bytes / bytesPerOperation));
      const variables = large === undefined ? small : large.variables;
      const { checked, operation, errors } = await admit(operations, turns, { sent: { query, extensions: extensions ?? null }, operationName, variables, isAnonymous: session === null, charge });
      if (checked.document === null || errors.length > 0) return errors.map(mask);
      const coerced = operation === null ? null : operations.coerce(checked, operation, variables);
      const variableValues = coerced?.variableValues ?? variables;
      return {
        schema,
        document: coerced?.document ?? checked.document,
        ...(operationName == null ? {} : { operationName }),
        ...(variableValues == null ? {} : { variableValues }),
        contextValue: await contextOf(session, extra.left),
      };
    } catch (error) {
      return [mask(error)];
    }
  }

  const server = new WebSocketServer({
    noServer: true,
    maxPayload: options.mostMessageBytes,
    handleProtocols: (protocols) => handleProtocols(protocols),
    perMessageDeflate: {
      threshold: compressFromBytes,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      concurrencyLimit: 4,
      zlibDeflateOptions: deflateOptions,
    },
  });

  const keepAlive = createKeepAlive(options.pingMs);
  server.on('connection', (socket, request) => {
    // A message that is too large or not UTF-8 is the caller's fault: ws closes with 1009 or 1007 by itself.
    socket.on('error', (error) => log.debug({ err: error }, 'A socket failed.'));
    keepAlive.watch(socket);
    const messages = new Messages(socket, request.socket, turns);
    const writer = new SocketWriter(socket, request.socket, compressFromBytes, !request.headers['sec-websocket-extensions']?.includes('server_max_window_bits'));
    const stopAnonymous = watchAnonymous(socket, networkOf(options.addressOf(request)));
    const leaving = new AbortController();
    socket.once('close', () => leaving.abort());
    const closed = graphql.opened(
      {
        protocol: socket.protocol,
        send: (text) => writer.send(text),
        close: (code, reason) => writer.close(code ?? CloseCode.InternalServerError, reason ?? ''),
        onMessage: (handle) =>
          messages.handOn(handle, (error) => {
            // Of a socket that is gone there is nobody to tell; otherwise it is a bug.
            if (socket.readyState !== socket.OPEN) return;
            writer.close(CloseCode.InternalServerError, closeReason('INTERNAL', mask(error).message));
          }),
      },
      { socket, writer, messages, left: leaving.signal, stopAnonymous, address: options.addressOf(request), session: null },
    );
    socket.once('close', (code, reason) => {
      closed(code, reason.toString()).catch((error: unknown) => log.error({ err: error }, 'The end of a socket was not handled.'));
    });
  });

  return {
    upgrade(request, socket, head) {
      const giveBack = connections.ofAddress(networkOf(options.addressOf(request)));
      if (giveBack === null) {
        socket.end('HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      socket.once('close', giveBack);
      server.handleUpgrade(request, socket, head, (webSocket) => server.emit('connection', webSocket, request));
    },
    async close(timeoutMs) {
      keepAlive.close();
      // The ends of the streams, which have just been told, go out before the close frames.
      await delay(flushMs);
      const gone = [...server.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      for (const socket of server.clients) socket.close(goingAway, closeReason('SHUTTING_DOWN', 'The server is stopping; connect again.'));
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([Promise.all(gone), new Promise((resolve) => (timer = setTimeout(resolve, timeoutMs)))]);
      clearTimeout(timer);
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}

/** Passes on what is to be sent by graphql-ws; results that are serialised already are sent from here, most without waking anybody. */
function sendShared(results: SharedResults, id: string, writer: SocketWriter): AsyncIterableIterator<ExecutionResult> {
  const head = nextHead(id);
  let over = false;
  results.pushTo(
    ({ frames }) => writer.offerNext(frames, head),
    () => writer.room(),
  );
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      for (;;) {
        const next = await results.next();
        if (next.done === true || !isShared(next.value)) return next;
        const { frames } = next.value;
        if (writer.wantsCompressed(frames, head)) await frames.compress();
        // Ended meanwhile: the id may be another subscription's by now.
        if (over) continue;
        const waits = writer.sendNext(frames, head);
        if (waits !== undefined) await waits;
      }
    },
    return() {
      over = true;
      return results.return();
    },
  };
}

/** Attaches the edge to a server: an upgrade elsewhere than on `/graphql` is refused. */
export function attachWebSocketEdge(server: Server, edge: WebSocketEdge): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if ((request.url ?? '').split('?')[0] === '/graphql') return edge.upgrade(request, socket, head);
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
}

function authorizationIn(connectionParams: Record<string, unknown> | undefined): string | null {
  for (const [name, value] of Object.entries(connectionParams ?? {})) {
    if (name.toLowerCase() === 'authorization' && typeof value === 'string') return value;
  }
  return null;
}
