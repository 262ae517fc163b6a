import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { frozenExchange, openExchange, sqliteExchange } from './exchange.js';
import type { Live } from './live.js';
import type { Queries } from './query.js';
import type { Store } from './store/store.js';
import type { Subscriptions } from './subscriptions.js';
import { trustedExchange } from './trusted.js';

/** The replica's urql client: SQLite first, subscriptions over the replica's own socket, the rest by HTTP. */
export function urqlClient({
  url,
  token,
  store,
  queries,
  live,
  assertOpen,
  subscriptions,
  answerTimeoutMs,
}: {
  readonly url: string;
  readonly token: () => Promise<string>;
  readonly store: Store;
  readonly queries: Queries;
  readonly live: Live;
  /** Throws a ConcordError when the replica is closed. */
  readonly assertOpen: () => void;
  readonly subscriptions: Subscriptions;
  /** A request by HTTP gets so long. */
  readonly answerTimeoutMs: number;
}): Client {
  return new Client({
    url,
    preferGetMethod: false,
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set('Authorization', `Bearer ${await token()}`);
      const late = AbortSignal.timeout(answerTimeoutMs);
      return await fetch(input, { ...init, headers, signal: init?.signal == null ? late : AbortSignal.any([init.signal, late]) });
    },
    exchanges: [
      frozenExchange,
      openExchange(assertOpen),
      sqliteExchange(store, queries, live),
      trustedExchange,
      subscriptionExchange({
        forwardSubscription: (_request, { query, variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: subscriptions.add(
              { document: query, variables: variables ?? {} },
              { next: (result) => sink.next(result), error: (error) => sink.error(error), complete: () => sink.complete() },
            ),
          }),
        }),
      }),
      fetchExchange,
    ],
  });
}
