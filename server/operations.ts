import { getOperationAST, GraphQLError, OperationTypeNode, parse, specifiedRules, validate, type DocumentNode, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import { checkCost, checkShape, hasNestedPages, type QueryLimits } from './query-limits.js';
import type { TrustedDocuments } from './trusted-documents.js';
import { prepareCoercion, type Coerced, type Coercion } from './variables.js';

/** How an operation is sent: as its text, or with an empty one as the hash of a trusted document. */
export interface SentOperation {
  readonly query?: string | null;
  /** `{ "persistedQuery": { "version": 1, "sha256Hash": "…" } }`; looked at only without a text. */
  readonly extensions?: Readonly<Record<string, unknown>> | null;
}

/** A query text, parsed and validated once. */
export interface CheckedDocument {
  readonly text: string;
  readonly document: DocumentNode | null;
  /** Not empty: do not execute. */
  readonly errors: readonly GraphQLError[];
  readonly nestedPages: boolean;
}

/**
 * Parsed and validated operations by their text, shared by both transports: parsing and validating cost more than all the rest
 * of a small operation. Bounded by the length of the texts. Trusted documents are there from the start, and stay.
 */
export interface Operations {
  check(sent: SentOperation): CheckedDocument;
  /** The operation to run and whether it asks for too much with these variables. */
  select(
    checked: CheckedDocument,
    operationName: string | null | undefined,
    variables: Readonly<Record<string, unknown>> | null | undefined,
  ): { readonly operation: OperationDefinitionNode | null; readonly error: GraphQLError | null };
  /** What to execute instead, with the same outcome and less work; null: execute it as it is. Not for subscriptions. */
  coerce(checked: CheckedDocument, operation: OperationDefinitionNode, variables: Readonly<Record<string, unknown>> | null | undefined): Coerced | null;
}

const noVariables: Readonly<Record<string, unknown>> = {};
const mostCachedCharacters = 8 * 1024 * 1024;
/** A text with its data written inside is not asked twice. */
const longestCachedQuery = 64 * 1024;
/** A push of literals has many tokens; a bomb has more. */
const mostTokens = 200_000;

/** @throws Error naming a trusted document that the schema or the limits refuse. */
export function createOperations(schema: GraphQLSchema, limits: QueryLimits, { documents, only }: TrustedDocuments): Operations {
  const cache = new LRUCache<string, CheckedDocument>({
    max: 5_000,
    maxSize: mostCachedCharacters,
    sizeCalculation: (_value, key) => key.length + 1,
  });

  const coercions = new WeakMap<OperationDefinitionNode, Coercion | null>();

  function read(text: string): CheckedDocument {
    let document: DocumentNode;
    try {
      document = parse(text, { maxTokens: mostTokens });
    } catch (error) {
      return refused(error instanceof GraphQLError ? error : tooDeep());
    }
    // Shape first: it is linear in the text, validation of hostile fragments is not.
    const shape = checkShape(document, limits);
    const errors = shape.length > 0 ? shape : validate(schema, document, specifiedRules, { maxErrors: 20 });
    return { text, document, errors, nestedPages: errors.length === 0 && hasNestedPages(document) };
  }

  const trustedByText = new Map<string, CheckedDocument>();
  const trustedById = new Map<string, CheckedDocument>();
  for (const [id, text] of documents) {
    const checked = trustedByText.get(text) ?? read(text);
    const [error] = checked.errors;
    if (error !== undefined) throw new Error(`The trusted document ${id} cannot be run: ${error.message} It begins: ${text.slice(0, 80)}`);
    trustedByText.set(text, checked);
    trustedById.set(id, checked);
    if (id.startsWith(sha256)) trustedById.set(id.slice(sha256.length), checked);
  }

  return {
    check({ query, extensions }) {
      if (!query) {
        const hash = hashIn(extensions);
        if (hash !== null) return trustedById.get(hash) ?? unknownHash;
      }
      const text = query ?? '';
      const known = trustedByText.get(text) ?? cache.get(text);
      if (known !== undefined) return known;
      if (only) return notTrusted;
      const checked = read(text);
      if (text.length <= longestCachedQuery) cache.set(text, checked);
      return checked;
    },
    select({ document, nestedPages }, operationName, variables) {
      if (document === null) return { operation: null, error: null };
      const operation = getOperationAST(document, operationName) ?? null;
      if (operation === null) {
        const message = operationName ? `There is no operation named ${operationName} in the query.` : 'The query has no operation, or several and no operationName says which to run.';
        return { operation, error: new GraphQLError(message, { extensions: { code: 'INPUT_INVALID' } }) };
      }
      return { operation, error: nestedPages ? checkCost(document, operation, variables ?? {}, limits) : null };
    },
    coerce({ document }, operation, variables) {
      if (document === null || operation.operation === OperationTypeNode.SUBSCRIPTION) return null;
      let coercion = coercions.get(operation);
      if (coercion === undefined) coercions.set(operation, (coercion = prepareCoercion(schema, document, operation)));
      return coercion === null ? null : coercion(variables ?? noVariables);
    },
  };
}

/** The parser descends by recursion: what it throws beside a syntax error is that its stack is used up. */
const tooDeep = (): GraphQLError =>
  new GraphQLError('The operation is nested too deeply to be read. Ask in several operations, and send large values as variables.', { extensions: { code: 'QUERY_TOO_COMPLEX' } });

const sha256 = 'sha256:';

/** The hash in the form that GraphQL clients have agreed on; null: there is none. */
export function hashIn(extensions: SentOperation['extensions']): string | null {
  const persisted = extensions?.['persistedQuery'];
  if (typeof persisted !== 'object' || persisted === null || !('sha256Hash' in persisted)) return null;
  return typeof persisted.sha256Hash === 'string' ? persisted.sha256Hash : null;
}

const refused = (error: GraphQLError): CheckedDocument => ({ text: '', document: null, errors: [error], nestedPages: false });

/** Clients look for this message or this code, and send the text. */
const unknownHash = refused(new GraphQLError('PersistedQueryNotFound', { extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }));

const notTrusted = refused(
  new GraphQLError('This server runs only operations that it was given beforehand, and this is none of them. Its operator adds operations in the file that TRUSTED_DOCUMENTS names.', {
    extensions: { code: 'PERSISTED_QUERY_ONLY' },
  }),
);
