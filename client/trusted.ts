import { makeOperation, type Exchange, type Operation } from '@urql/core';
import { ConcordError } from '@concord/core';
import { print, type DocumentNode } from 'graphql';
import { filter, makeSubject, map, merge, pipe } from 'wonka';

// The generated documents carry the hash of their text. A server that was given them beforehand (it has those of this package)
// needs no more than the hash; one that was not says so before it does anything, and is sent the text.

interface PersistedQuery {
  readonly version: 1;
  readonly sha256Hash: string;
}

/** Of a generated document, without the name of the algorithm; undefined: it was not generated with hashes. */
function hashOf(document: DocumentNode): string | undefined {
  const { __meta__: meta } = document as DocumentNode & { readonly __meta__?: { readonly hash?: unknown } };
  return typeof meta?.hash === 'string' ? meta.hash.replace(/^sha256:/, '') : undefined;
}

/** From the list of errors in a message, from a result, or as a ConcordError. */
function isUnknownHash(error: unknown): boolean {
  if (error instanceof ConcordError) return error.code === 'PERSISTED_QUERY_NOT_FOUND';
  return Array.isArray(error) && error.some((one: { readonly extensions?: { readonly code?: unknown } }) => one.extensions?.code === 'PERSISTED_QUERY_NOT_FOUND');
}

const texts = new WeakMap<DocumentNode, string>();

/** Every operation as one text, always the same, so that the server finds it parsed and validated. */
function textOf(document: DocumentNode): string {
  let text = texts.get(document);
  if (text === undefined) texts.set(document, (text = print(document)));
  return text;
}

/** What stands for an operation in a message. */
interface Name {
  readonly query: string;
  readonly extensions?: { readonly persistedQuery: PersistedQuery };
}

/** The names of operations on one connection: hashes, until the server turns out not to know them. */
export class Naming {
  private readonly unknown = new Set<string>();

  of(document: DocumentNode): Name {
    const hash = hashOf(document);
    if (hash === undefined || this.unknown.has(hash)) return { query: textOf(document) };
    return { query: '', extensions: { persistedQuery: { version: 1, sha256Hash: hash } } };
  }

  /** True: the operation was refused for this name only. It has another one from now on, and is to be sent again. */
  learn({ extensions }: Name, error: unknown): boolean {
    if (extensions === undefined || !isUnknownHash(error)) return false;
    this.unknown.add(extensions.persistedQuery.sha256Hash);
    return true;
  }
}

/** The same for an urql client: also an app's own generated documents go as hashes where the server has its manifest. */
export const trustedExchange: Exchange = ({ forward }) => {
  const unknown = new Set<string>();
  const again = makeSubject<Operation>();

  const named = (operation: Operation): Operation => {
    const hash = hashOf(operation.query);
    if (operation.kind === 'teardown' || hash === undefined) return operation;
    const { persistedQuery: _, ...extensions } = operation.extensions ?? {};
    const persistedQuery: PersistedQuery = { version: 1, sha256Hash: hash };
    return makeOperation(operation.kind, { ...operation, extensions: unknown.has(hash) ? extensions : { ...extensions, persistedQuery } });
  };

  return (operations) =>
    pipe(
      forward(pipe(merge([operations, again.source]), map(named))),
      filter(({ operation, error }) => {
        const persisted = operation.extensions?.['persistedQuery'] as PersistedQuery | undefined;
        if (persisted === undefined || !(isUnknownHash(error?.graphQLErrors) || isUnknownHash(error?.networkError))) return true;
        unknown.add(persisted.sha256Hash);
        again.next(operation);
        return false;
      }),
    );
};
