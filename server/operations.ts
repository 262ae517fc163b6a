import { getOperationAST, GraphQLError, OperationTypeNode, parse, specifiedRules, validate, type DocumentNode, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import { checkCost, checkShape, hasNestedPages, type QueryLimits } from './query-limits.js';
import { prepareCoercion, type Coerced, type Coercion } from './variables.js';

/** A query text, parsed and validated once. */
export interface CheckedDocument {
  readonly document: DocumentNode | null;
  /** Not empty: do not execute. */
  readonly errors: readonly GraphQLError[];
  readonly nestedPages: boolean;
}

/**
 * Parsed and validated operations by their text, shared by both transports: parsing and validating cost more than all the rest
 * of a small operation. Bounded by the length of the texts.
 */
export interface Operations {
  check(query: string): CheckedDocument;
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

export function createOperations(schema: GraphQLSchema, limits: QueryLimits): Operations {
  const cache = new LRUCache<string, CheckedDocument>({
    max: 5_000,
    maxSize: mostCachedCharacters,
    sizeCalculation: (_value, key) => key.length + 1,
  });

  const coercions = new WeakMap<OperationDefinitionNode, Coercion | null>();

  function read(query: string): CheckedDocument {
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: mostTokens });
    } catch (error) {
      return { document: null, errors: [error instanceof GraphQLError ? error : tooDeep()], nestedPages: false };
    }
    // Shape first: it is linear in the text, validation of hostile fragments is not.
    const shape = checkShape(document, limits);
    const errors = shape.length > 0 ? shape : validate(schema, document, specifiedRules, { maxErrors: 20 });
    return { document, errors, nestedPages: errors.length === 0 && hasNestedPages(document) };
  }

  return {
    check(query) {
      const known = cache.get(query);
      if (known !== undefined) return known;
      const checked = read(query);
      if (query.length <= longestCachedQuery) cache.set(query, checked);
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
