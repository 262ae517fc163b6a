import { ConcordError, errorCodes, type ErrorCode } from '@concord/core';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import type { DocumentNode, ExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import type { Environment } from './options.js';
import { Naming } from './trusted.js';

/** A ping is sent after so long without one, and answered within `pongWaitMs`, or the connection counts as dead. */
const pingEveryMs = 12_000;
const pongWaitMs = 8_000;

type Variables = Record<string, unknown>;

/** One authenticated graphql-ws connection. It does not reconnect: that is the connection's loop. */
export interface Socket {
  /** @throws ConcordError the refusal; UNAVAILABLE when there was no answer, so that it is unknown whether it happened. */
  execute<Data, V extends Variables>(document: TypedDocumentNode<Data, V>, variables: V): Promise<Data>;
  /** Ends by `return()`. Throws as `execute` does when the stream or the connection ends. */
  follow<Data, V extends Variables>(document: TypedDocumentNode<Data, V>, variables: V): AsyncIterableIterator<Data>;
  /** For subscriptions of the app: raw results, and nothing more once the connection is over. Returns the way to stop. */
  subscribe(operation: { readonly document: DocumentNode; readonly variables: Variables }, sink: ResultSink): () => void;
  /** Payload bytes through the connection so far, compressed as they travelled; 0 where the socket class does not tell. */
  bytes(): { readonly sent: number; readonly received: number };
  /** Settles once, when the connection is over. */
  readonly closed: Promise<ConcordError>;
  close(): void;
}

export interface ResultSink {
  next(result: ExecutionResult): void;
  error(error: ConcordError): void;
  complete(): void;
}

/** Connects and waits for the server's word; gives up when `signal` says so. @throws ConcordError UNAUTHENTICATED, UNAVAILABLE. */
export async function openSocket(environment: Environment, signal: AbortSignal): Promise<Socket> {
  const token = await abortable(environment.token(), signal);
  return await new Promise<Socket>((resolve, reject) => {
    let underlying: { readonly _socket?: { readonly bytesRead: number; readonly bytesWritten: number } | null } | undefined;
    let counted = { sent: 0, received: 0 };
    let pong: unknown;
    let over!: (error: ConcordError) => void;
    const closed = new Promise<ConcordError>((settle) => (over = settle));
    let ended: ConcordError | undefined;
    const end = (error: ConcordError): void => {
      ended ??= error;
      environment.timers.clear(pong);
      environment.timers.clear(accepted);
      signal.removeEventListener('abort', giveUp);
      over(error);
      reject(error);
    };
    // graphql-ws would connect anew for an operation after the end.
    const check = (): void => {
      if (ended !== undefined) throw ended;
    };
    let operations = 0;
    const client: Client = createClient({
      url: environment.url.replace(/^http/, 'ws'),
      webSocketImpl: environment.WebSocket,
      connectionParams: { Authorization: `Bearer ${token}` },
      lazy: false,
      retryAttempts: 0,
      keepAlive: pingEveryMs,
      // Short, and the same in all clients: messages of a subscription are then the same bytes for many of them.
      generateID: () => String(++operations),
      connectionAckWaitTimeout: environment.answerTimeoutMs,
      onNonLazyError: (error) => end(closeError(error)),
      on: {
        opened: (socket) => {
          underlying = socket as typeof underlying;
        },
        connected: () => {
          environment.timers.clear(accepted);
          resolve(socket);
        },
        ping: (received) => {
          if (!received) pong = environment.timers.set(() => client.terminate(), pongWaitMs);
        },
        pong: (received) => {
          if (received) environment.timers.clear(pong);
        },
        error: (error) => end(closeError(error)),
        closed: (event) => end(closeError(event)),
      },
    });
    /** The reason is told before the socket ends: the end of a socket that is cut says only that it was cut. */
    const lose = (reason: ConcordError): void => {
      end(reason);
      client.terminate();
    };
    // A connection attempt into nowhere would last for minutes.
    const accepted = environment.timers.set(
      () => lose(new ConcordError('UNAVAILABLE', `The server did not accept the connection within ${environment.answerTimeoutMs} ms.`)),
      environment.answerTimeoutMs,
    );
    const giveUp = (): void => {
      end(closedHere());
      client.terminate();
      void client.dispose();
    };
    signal.addEventListener('abort', giveUp);
    const bytes = () => {
      const raw = underlying?._socket;
      if (raw) counted = { sent: raw.bytesWritten, received: raw.bytesRead };
      return counted;
    };
    const naming = new Naming();
    const socket: Socket = {
      closed,
      bytes,
      execute: async (document, variables) => {
        check();
        return await execute({ client, naming, environment, lose }, document, variables);
      },
      follow: (document, variables) => {
        check();
        return follow(client, naming, document, variables);
      },
      subscribe: (operation, sink) => {
        if (ended !== undefined) return () => undefined;
        return subscribe(client, naming, operation, sink, () => ended !== undefined);
      },
      close: () => {
        bytes();
        end(closedHere());
        void client.dispose();
      },
    };
  });
}

const closedHere = (): ConcordError => new ConcordError('UNAVAILABLE', 'The replica closed the connection.');

function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void => reject(closedHere());
    if (signal.aborted) giveUp();
    // One signal serves all connections until the replica goes offline.
    signal.addEventListener('abort', giveUp);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

interface Asking {
  readonly client: Client;
  readonly naming: Naming;
  readonly environment: Environment;
  /** Ends the connection for a reason. */
  readonly lose: (reason: ConcordError) => void;
}

function execute<Data, V extends Variables>({ client, naming, environment, lose }: Asking, document: TypedDocumentNode<Data, V>, variables: V): Promise<Data> {
  return new Promise((resolve, reject) => {
    let data: Data | undefined;
    const timer = environment.timers.set(() => {
      const late = new ConcordError('UNAVAILABLE', `The server did not answer within ${environment.answerTimeoutMs} ms; whether it did the work is unknown.`);
      reject(late);
      lose(late);
    }, environment.answerTimeoutMs);
    const settle = (act: () => void): void => {
      environment.timers.clear(timer);
      act();
    };
    const send = (): void => {
      const name = naming.of(document);
      client.subscribe<Data>(
        { ...name, variables },
        {
          next: (result) => {
            if (result.errors !== undefined && result.errors.length > 0) settle(() => reject(graphqlError(result.errors!)));
            else data = result.data as Data;
          },
          error: (error) => (naming.learn(name, error) ? send() : settle(() => reject(closeError(error)))),
          complete: () =>
            settle(() => {
              if (data === undefined) reject(new ConcordError('UNAVAILABLE', 'The server ended the operation without an answer.'));
              else resolve(data);
            }),
        },
      );
    };
    send();
  });
}

/** What ends a connection ends its operations too, which is no word of the server on them: `over` tells. */
function subscribe(client: Client, naming: Naming, { document, variables }: { readonly document: DocumentNode; readonly variables: Variables }, sink: ResultSink, over: () => boolean): () => void {
  let stop: () => void = () => undefined;
  const send = (): void => {
    const name = naming.of(document);
    stop = client.subscribe(
      { ...name, variables },
      {
        next: (result) => sink.next(result as ExecutionResult),
        error: (error) => {
          if (over()) return;
          if (naming.learn(name, error)) send();
          else sink.error(closeError(error));
        },
        complete: () => {
          if (!over()) sink.complete();
        },
      },
    );
  };
  send();
  return () => stop();
}

/** Not a generator: `return` must end a wait that is under way. */
function follow<Data, V extends Variables>(client: Client, naming: Naming, document: TypedDocumentNode<Data, V>, variables: V): AsyncIterableIterator<Data> {
  let name = naming.of(document);
  let results = client.iterate<Data>({ ...name, variables });
  let left = false;
  return {
    async next() {
      const result = await results
        .next()
        .catch((error: unknown) => {
          if (left || !naming.learn(name, error)) throw error;
          name = naming.of(document);
          results = client.iterate<Data>({ ...name, variables });
          return results.next();
        })
        .catch((error: unknown) => {
          throw closeError(error);
        });
      if (result.done === true) return { done: true, value: undefined };
      if (result.value.errors !== undefined && result.value.errors.length > 0) throw graphqlError(result.value.errors);
      return { done: false, value: result.value.data as Data };
    },
    async return() {
      left = true;
      await results.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(errorCodes, code);

/** The first GraphQL error as a ConcordError. One without a code of ours is a refusal of the operation itself. */
export function graphqlError(errors: readonly (GraphQLFormattedError | GraphQLError)[]): ConcordError {
  const { message, extensions = {} } = errors[0]!;
  const { code, path, operation, limit, actual, expected, retryAfter, id } = extensions;
  return new ConcordError(isCode(code) ? code : 'INPUT_INVALID', message, {
    ...(typeof path === 'string' ? { path } : {}),
    ...(typeof operation === 'number' ? { operation } : {}),
    ...(typeof limit === 'number' ? { limit } : {}),
    ...(typeof actual === 'number' ? { actual } : {}),
    ...(typeof expected === 'number' ? { expected } : {}),
    ...(typeof retryAfter === 'number' ? { retryAfter } : {}),
    ...(typeof id === 'string' ? { id } : {}),
  });
}

/** graphql-ws refuses a connection with these close codes. */
const refused: ReadonlySet<unknown> = new Set([4401, 4403]);

/** What ended a connection or an operation, as a ConcordError: close events, lists of GraphQL errors, errors of the socket. */
export function closeError(cause: unknown): ConcordError {
  if (cause instanceof ConcordError) return cause;
  if (Array.isArray(cause)) return graphqlError(cause as GraphQLFormattedError[]);
  const { code, reason, message } = (typeof cause === 'object' && cause !== null ? cause : {}) as { code?: unknown; reason?: unknown; message?: unknown };
  const told = (typeof reason === 'string' && reason !== '' ? reason : typeof message === 'string' && message !== '' ? message : 'the connection was lost').replace(/\.$/, '');
  // A server's reason is "CODE: sentence".
  const named = typeof reason === 'string' ? told.split(/[ :]/, 1)[0] : undefined;
  const sentence = isCode(named) ? told.slice(named.length).replace(/^:? */, '') || errorCodes[named].replace(/\.$/, '') : told;
  if (refused.has(code)) return new ConcordError('UNAUTHENTICATED', `The server refused the token: ${sentence}. Get a valid one and call setToken().`);
  if (isCode(named)) return new ConcordError(named, `${sentence}.`);
  const status = typeof message === 'string' ? /^Unexpected server response: (\d+)$/.exec(message)?.[1] : undefined;
  if (status === '404' || status === '405') {
    return new ConcordError('UNAVAILABLE', `There is no GraphQL endpoint at the address (HTTP ${status}): \`url\` must end in the path of it, which is /graphql.`, {}, { cause });
  }
  return new ConcordError('UNAVAILABLE', `The server cannot be reached: ${told}${typeof code === 'number' ? ` (${code})` : ''}.`, {}, { cause });
}
