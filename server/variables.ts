import {
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isScalarType,
  Kind,
  typeFromAST,
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type TypeNode,
} from 'graphql';

/** What is executed instead of an operation and its variables as they were sent. */
export interface Coerced {
  readonly document: DocumentNode;
  readonly variableValues: Readonly<Record<string, unknown>>;
}

/** The variables of one operation as its resolvers will see them; null: something is unusual, let GraphQL itself look at them. */
export type Coercion = (variables: Readonly<Record<string, unknown>>) => Coerced | null;

type Coerce = (value: unknown) => unknown;

const unusual = Symbol('unusual');

/** A scalar that hands on what it is given. */
const passing: TypeNode = { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: 'JSON' } };

/**
 * Prepares the coercion of an operation's variables once: graphql-js walks the types anew for every value, which was a fifth of
 * what a large push cost. The document that is executed declares its variables as JSON, so that they pass as they are.
 * Whatever would be an error, or needs more than the plain case, is left to graphql-js, so its words are the same. Null: the
 * operation has a default value or a type that is not prepared.
 */
export function prepareCoercion(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): Coercion | null {
  const made = new Map<GraphQLInputType, Coerce>();
  const variables: { readonly name: string; readonly required: boolean; readonly coerce: Coerce }[] = [];
  for (const { variable, type: node, defaultValue } of operation.variableDefinitions ?? []) {
    const type = typeFromAST(schema, node as never) as GraphQLInputType | undefined;
    if (type === undefined || !isInputType(type) || defaultValue !== undefined) return null;
    variables.push({ name: variable.name.value, required: isNonNullType(type), coerce: coerceTo(type, made) });
  }
  const open: OperationDefinitionNode = { ...operation, variableDefinitions: operation.variableDefinitions?.map((definition) => ({ ...definition, type: passing })) ?? [] };
  const executed: DocumentNode = { ...document, definitions: document.definitions.map((definition) => (definition === operation ? open : definition)) };
  return (given) => {
    const variableValues: Record<string, unknown> = {};
    for (const { name, required, coerce } of variables) {
      if (!Object.hasOwn(given, name) || given[name] === undefined) {
        if (required) return null;
        continue;
      }
      const value = coerce(given[name]);
      if (value === unusual) return null;
      variableValues[name] = value;
    }
    return { document: executed, variableValues };
  };
}

function coerceTo(type: GraphQLInputType, made: Map<GraphQLInputType, Coerce>): Coerce {
  let coerce = made.get(type);
  if (coerce === undefined) {
    // Types may contain themselves: what is being made is found, and called only later.
    let ready: Coerce = () => unusual;
    made.set(type, (value) => ready(value));
    ready = make(type, made);
    made.set(type, (coerce = ready));
  }
  return coerce;
}

function make(type: GraphQLInputType, made: Map<GraphQLInputType, Coerce>): Coerce {
  if (isNonNullType(type)) {
    const inner = coerceTo(type.ofType, made);
    return (value) => (value === null || value === undefined ? unusual : inner(value));
  }
  if (isListType(type)) {
    const item = coerceTo(type.ofType, made);
    return (value) => {
      if (value === null) return null;
      if (!Array.isArray(value)) return unusual;
      const items: unknown[] = [];
      for (const one of value as readonly unknown[]) {
        const coerced = item(one);
        if (coerced === unusual) return unusual;
        items.push(coerced);
      }
      return items;
    };
  }
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).map((field) => ({ name: field.name, required: isNonNullType(field.type), coerce: coerceTo(field.type, made) }));
    if (Object.values(type.getFields()).some(({ defaultValue }) => defaultValue !== undefined)) return () => unusual;
    const { isOneOf } = type;
    return (value) => {
      if (value === null) return null;
      if (typeof value !== 'object' || Array.isArray(value)) return unusual;
      const given = value as Readonly<Record<string, unknown>>;
      const coerced: Record<string, unknown> = {};
      let taken = 0;
      for (const { name, required, coerce } of fields) {
        const own = given[name];
        if (own === undefined) {
          if (required) return unusual;
          continue;
        }
        const one = coerce(own);
        if (one === unusual || (isOneOf && one === null)) return unusual;
        coerced[name] = one;
        taken += 1;
      }
      return taken === Object.keys(given).length && (!isOneOf || taken === 1) ? coerced : unusual;
    };
  }
  if (isScalarType(type) || isEnumType(type)) {
    return (value) => {
      if (value === null) return null;
      try {
        const parsed: unknown = type.parseValue(value);
        return parsed === undefined ? unusual : parsed;
      } catch {
        return unusual;
      }
    };
  }
  return () => unusual;
}
