import { deepFreeze } from '@concord/core';
import { makeErrorResult, makeResult, type Exchange, type Operation, type OperationResult } from '@urql/core';
import { Kind, type OperationDefinitionNode } from 'graphql';
import { filter, fromValue, make, map, merge, mergeMap, pipe, share, takeUntil, tap, type Source } from 'wonka';
import type { Live } from './live.js';
import { executeLocally, isLocal, type Reads } from './local-schema.js';
import type { Queries } from './query.js';
import type { Store } from './store/store.js';

/**
 * An urql exchange that answers queries whose fields are all in SQLite (`document`, `documents`) from there, at once and
 * without a connection, and again after each change while they are subscribed to. Everything else goes on to the next
 * exchange, and so does a query with the request policy `network-only`.
 */
export function sqliteExchange(store: Store, queries: Queries, live: Live): Exchange {
  return ({ forward }) =>
    (operations) => {
      const shared = pipe(operations, share);
      const local = pipe(
        shared,
        filter(answeredHere),
        mergeMap((operation) =>
          pipe(
            answers(operation, store, queries, live),
            takeUntil(
              pipe(
                shared,
                filter((other) => other.kind === 'teardown' && other.key === operation.key),
              ),
            ),
          ),
        ),
      );
      const remote = pipe(
        shared,
        filter((operation) => !answeredHere(operation)),
        forward,
      );
      return merge([local, remote]);
    };
}

/** What is handed out may be shared with others who read it, and with the replica itself: nobody may alter it. */
export const frozenExchange: Exchange =
  ({ forward }) =>
  (operations) =>
    pipe(
      forward(operations),
      tap(({ data }: OperationResult) => void deepFreeze(data as unknown)),
    );

/** Answers what is asked of a closed replica: nothing of it goes to the server any more. */
export const openExchange =
  (assertOpen: () => void): Exchange =>
  ({ forward }) =>
  (operations) => {
    const shared = pipe(operations, share);
    const refusals = new WeakMap<Operation, Error>();
    const isRefused = (operation: Operation): boolean => {
      if (operation.kind === 'teardown') return false;
      try {
        assertOpen();
        return false;
      } catch (error) {
        refusals.set(operation, error as Error);
        return true;
      }
    };
    return merge([
      pipe(
        shared,
        filter(isRefused),
        map((operation) => makeErrorResult(operation, refusals.get(operation)!)),
      ),
      pipe(
        shared,
        filter((operation) => !isRefused(operation)),
        forward,
      ),
    ]);
  };

const answeredHere = (operation: Operation): boolean =>
  operation.kind === 'query' && operation.context.requestPolicy !== 'network-only' && isLocal(operation.query);

function answers(operation: Operation, store: Store, queries: Queries, live: Live): Source<OperationResult> {
  const name = operation.query.definitions.find((definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION)?.name?.value;
  let told: string | undefined;
  let reads: Reads = { ids: new Set(), selections: [] };
  /** Undefined: the same answer as the last one, as after a change of documents that the query does not show. */
  const answer = (): OperationResult | undefined => {
    let result: OperationResult;
    try {
      const answered = executeLocally(store, queries, operation.query, operation.variables, name);
      reads = answered.reads;
      result = makeResult(operation, answered.result);
    } catch (error) {
      result = makeErrorResult(operation, error instanceof Error ? error : new Error(String(error)));
    }
    const text = JSON.stringify([result.data, result.error?.message]);
    if (text === told) return undefined;
    told = text;
    return { ...result, hasNext: false, stale: false };
  };
  // What `make` is given before its sink has started is lost, hence the first answer by itself.
  return merge([
    fromValue(answer()!),
    make<OperationResult>((observer) =>
      live.query(
        () => reads.selections,
        () => reads.ids,
        () => {
          const changed = answer();
          if (changed !== undefined) observer.next(changed);
        },
      ),
    ),
  ]);
}
