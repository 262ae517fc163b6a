import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { frozenExchange, openExchange, sqliteExchange } from './exchange.js';
import type { Live } from './live.js';
import type { Queries } from './query.js';
import type { Store } from './store/store.js';
import type { Socket } from './transport.js';
import { trustedExchange } from './trusted.js';

/** The replica's urql client: SQLite first, subscriptions over the replica's own socket, the rest by HTTP. */
export function urqlClient({
  url,
  token,
  store,
  queries,
  live,
  assertOpen,
  socket,
}: {
  readonly url: string;
  readonly token: () => Promise<string>;
  readonly store: Store;
  readonly queries: Queries;
  readonly live: Live;
  /** Throws a ConcordError when the replica is closed. */
  readonly assertOpen: () => void;
  /** Throws a ConcordError while there is none. */
  readonly socket: () => Socket;
}): Client {
  return new Client({
    url,
    preferGetMethod: false,
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set('Authorization', `Bearer ${await token()}`);
      return await fetch(input, { ...init, headers });
    },
    exchanges: [
      frozenExchange,
      openExchange(assertOpen),
      sqliteExchange(store, queries, live),
      trustedExchange,
      subscriptionExchange({
        forwardSubscription: (operation) => ({
          subscribe: (sink) => {
            const { query = '', variables, extensions } = operation;
            try {
              const unsubscribe = socket().subscribe({ query, variables: variables as Record<string, unknown> | undefined, extensions }, {
                next: (result) => sink.next(result),
                error: (error) => sink.error(error),
                complete: () => sink.complete(),
              });
              return { unsubscribe };
            } catch (error) {
              // There is no socket, or it is just ending. urql calls this in a promise of its own: thrown on, it would end the process.
              sink.error(error);
              return { unsubscribe: () => undefined };
            }
          },
        }),
      }),
      fetchExchange,
    ],
  });
}
