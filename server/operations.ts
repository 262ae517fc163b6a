import { getOperationAST, GraphQLError, OperationTypeNode, parse, specifiedRules, validate, type DocumentNode, type GraphQLSchema, type OperationDefinitionNode, type ValidationRule } from 'graphql';
import { LRUCache } from 'lru-cache';
import { checkCost, checkShape, countRootFields, hasNestedPages, type QueryLimits } from './query-limits.js';
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
  /** What `check` of it costs, in operations: 0 for what is trusted or was checked before. */
  costOfCheck(sent: SentOperation): number;
  /** `bounds` are for a text that is not known yet. */
  check(sent: SentOperation, bounds: TextBounds): CheckedDocument;
  /** The operation to run and whether it asks for too much with these variables. */
  select(
    checked: CheckedDocument,
    operationName: string | null | undefined,
    variables: Readonly<Record<string, unknown>> | null | undefined,
  ): { readonly operation: OperationDefinitionNode | null; readonly error: GraphQLError | null };
  /** How many fields it asks for at its root, aliases too: each is as much work as an operation of its own. */
  rootFields(checked: CheckedDocument, operation: OperationDefinitionNode): number;
  /** What to execute instead, with the same outcome and less work; null: execute it as it is. Not for subscriptions. */
  coerce(checked: CheckedDocument, operation: OperationDefinitionNode, variables: Readonly<Record<string, unknown>> | null | undefined): Coerced | null;
}

const noVariables: Readonly<Record<string, unknown>> = {};
const mostCachedCharacters = 8 * 1024 * 1024;
/** So many characters of a text cost as much as an operation to read and to validate. */
const charactersPerOperation = 1_024;

/** How long the text of an operation may be, apart from its variables. */
export interface TextBounds {
  readonly characters: number;
  readonly tokens: number;
}

/** Validating costs up to 10 µs a token. What is longer than a person writes has data in it, which belongs into variables. */
export const sessionBounds: TextBounds = { characters: 64 * 1024, tokens: 5_000 };
/** GraphiQL asks for the schema with 300 tokens; all else that can be answered without a session is shorter. */
export const anonymousBounds: TextBounds = { characters: 4_096, tokens: 500 };

/** @throws Error naming a trusted document that the schema or the limits refuse. */
export function createOperations(schema: GraphQLSchema, limits: QueryLimits, { documents, only }: TrustedDocuments, { introspection }: { readonly introspection: boolean }): Operations {
  const cache = new LRUCache<string, CheckedDocument>({
    max: 5_000,
    maxSize: mostCachedCharacters,
    sizeCalculation: (_value, key) => key.length + 1,
  });

  const coercions = new WeakMap<OperationDefinitionNode, Coercion | null>();

  function read(text: string, bounds: TextBounds | null): CheckedDocument {
    let document: DocumentNode;
    if (bounds !== null && text.length > bounds.characters) return refused(tooLong('characters', bounds, text.length));
    try {
      document = parse(text, bounds === null ? {} : { maxTokens: bounds.tokens });
    } catch (error) {
      if (!(error instanceof GraphQLError)) return refused(tooDeep());
      return refused(bounds !== null && error.message.includes('Parsing aborted') ? tooLong('tokens', bounds) : error);
    }
    // Shape first: it is linear in the text, validation of hostile fragments is not.
    const shape = checkShape(document, limits);
    const errors = shape.length > 0 ? shape : validate(schema, document, introspection || bounds === null ? specifiedRules : [...specifiedRules, noIntrospection], { maxErrors: 20 });
    return { text, document, errors, nestedPages: errors.length === 0 && hasNestedPages(document) };
  }

  const trustedByText = new Map<string, CheckedDocument>();
  const trustedById = new Map<string, CheckedDocument>();
  for (const [id, text] of documents) {
    const checked = trustedByText.get(text) ?? read(text, null);
    const [error] = checked.errors;
    if (error !== undefined) throw new Error(`The trusted document ${id} cannot be run: ${error.message} It begins: ${text.slice(0, 80)}`);
    trustedByText.set(text, checked);
    trustedById.set(id, checked);
    if (id.startsWith(sha256)) trustedById.set(id.slice(sha256.length), checked);
  }

  const roots = new WeakMap<OperationDefinitionNode, number>();

  return {
    costOfCheck({ query }) {
      const text = query ?? '';
      return text === '' || only || trustedByText.has(text) || cache.has(text) ? 0 : Math.ceil(text.length / charactersPerOperation);
    },
    check({ query, extensions }, bounds) {
      if (!query) {
        const hash = hashIn(extensions);
        if (hash !== null) return trustedById.get(hash) ?? unknownHash;
      }
      const text = query ?? '';
      const known = trustedByText.get(text) ?? cache.get(text);
      if (known !== undefined) return known;
      if (only) return notTrusted;
      const checked = read(text, bounds);
      // Too long for this caller need not be too long for the next.
      if (checked.errors[0]?.extensions['code'] !== 'QUERY_TOO_COMPLEX' || checked.document !== null) cache.set(text, checked);
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
    rootFields({ document }, operation) {
      let count = roots.get(operation);
      if (count === undefined) roots.set(operation, (count = document === null ? 0 : countRootFields(document, operation)));
      return count;
    },
    coerce({ document }, operation, variables) {
      if (document === null || operation.operation === OperationTypeNode.SUBSCRIPTION) return null;
      let coercion = coercions.get(operation);
      if (coercion === undefined) coercions.set(operation, (coercion = prepareCoercion(schema, document, operation)));
      return coercion === null ? null : coercion(variables ?? noVariables);
    },
  };
}

/** `__typename` is no introspection: clients need it. */
const noIntrospection: ValidationRule = (context) => ({
  Field(node) {
    if (node.name.value !== '__schema' && node.name.value !== '__type') return;
    const message = 'Introspection is off on this server. Its schema is the schema/schema.graphql of its version; its operator turns introspection on with INTROSPECTION=1.';
    context.reportError(new GraphQLError(message, { nodes: node, extensions: { code: 'FORBIDDEN' } }));
  },
});

/** The parser descends by recursion: what it throws beside a syntax error is that its stack is used up. */
const tooDeep = (): GraphQLError =>
  new GraphQLError('The operation is nested too deeply to be read. Ask in several operations, and send large values as variables.', { extensions: { code: 'QUERY_TOO_COMPLEX' } });

const tooLong = (what: keyof TextBounds, bounds: TextBounds, actual?: number): GraphQLError =>
  new GraphQLError(
    `The text of the operation has more than ${bounds[what]} ${what}. Send its data as variables${bounds === sessionBounds ? ', and ask in several operations' : '; longer texts need a token'}.`,
    { extensions: { code: 'QUERY_TOO_COMPLEX', limit: bounds[what], ...(actual === undefined ? {} : { actual }) } },
  );

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
