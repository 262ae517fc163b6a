import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { sqliteExchange } from './exchange.js';
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
  socket,
}: {
  readonly url: string;
  readonly token: () => Promise<string>;
  readonly store: Store;
  readonly queries: Queries;
  readonly live: Live;
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
      sqliteExchange(store, queries, live),
      trustedExchange,
      subscriptionExchange({
        forwardSubscription: (operation) => ({
          subscribe: (sink) => {
            let current: Socket;
            try {
              current = socket();
            } catch (error) {
              sink.error(error);
              return { unsubscribe: () => undefined };
            }
            const { query = '', variables, extensions } = operation;
            const unsubscribe = current.subscribe({ query, variables: variables as Record<string, unknown> | undefined, extensions }, {
              next: (result) => sink.next(result),
              error: (error) => sink.error(error),
              complete: () => sink.complete(),
            });
            return { unsubscribe };
          },
        }),
      }),
      fetchExchange,
    ],
  });
}
