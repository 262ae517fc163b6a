import { GraphQLError, Kind, type DocumentNode, type FieldNode, type FragmentDefinitionNode, type OperationDefinitionNode, type SelectionSetNode } from 'graphql';

// How much one operation may ask for. Fragments count where they are spread. Introspection is bounded by graphql-js itself
// (MaxIntrospectionDepthRule), and GraphiQL's introspection is deeper than any sensible query.

export interface QueryLimits {
  readonly depth: number;
  readonly aliases: number;
  /** Fields times the sizes of the pages around them. */
  readonly cost: number;
}

export const defaultQueryLimits: QueryLimits = { depth: 12, aliases: 15, cost: 250_000 };

/** What a page of unknown size is taken for; the largest that the schema hands out. */
const unknownPage = 1_000;

interface Measure {
  readonly depth: number;
  readonly aliases: number;
  readonly fields: number;
}

/** Depth and aliases of every operation in the document; they need no variables, so the outcome can be kept with the document. */
export function checkShape(document: DocumentNode, limits: QueryLimits): readonly GraphQLError[] {
  const fragments = fragmentsOf(document);
  const errors: GraphQLError[] = [];
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const { depth, aliases } = measure(definition.selectionSet, fragments, new Map());
    if (depth > limits.depth) errors.push(tooComplex(`The operation is ${depth} levels deep; ${limits.depth} are allowed. Ask in several operations.`, definition, limits.depth, depth));
    if (aliases > limits.aliases) errors.push(tooComplex(`The operation has ${aliases} aliases; ${limits.aliases} are allowed. Ask in several operations.`, definition, limits.aliases, aliases));
  }
  return errors;
}

/** Fields times page sizes, with the variables of this call. Null: within the limit. */
export function checkCost(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  limits: QueryLimits,
): GraphQLError | null {
  const cost = costOf(operation.selectionSet, fragmentsOf(document), operation, variables, new Map());
  return cost <= limits.cost
    ? null
    : tooComplex(`The operation may return about ${cost} fields; ${limits.cost} are allowed. Ask for smaller pages (first) or for fewer fields.`, operation, limits.cost, cost);
}

/** True when a page lies within a page: only then can the cost grow beyond what one page allows. */
export function hasNestedPages(document: DocumentNode): boolean {
  const fragments = fragmentsOf(document);
  const nesting = new Map<string, number>();
  const within = (set: SelectionSetNode | undefined): number => {
    let most = 0;
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FIELD) most = Math.max(most, within(selection.selectionSet) + (pageArgument(selection) === null ? 0 : 1));
      else if (selection.kind === Kind.INLINE_FRAGMENT) most = Math.max(most, within(selection.selectionSet));
      else {
        const name = selection.name.value;
        const known = nesting.get(name);
        if (known === undefined) {
          nesting.set(name, 0);
          nesting.set(name, within(fragments.get(name)?.selectionSet));
        }
        most = Math.max(most, nesting.get(name) ?? 0);
      }
    }
    return most;
  };
  return document.definitions.some((definition) => definition.kind === Kind.OPERATION_DEFINITION && within(definition.selectionSet) > 1);
}

/** The fields at the root of an operation, each fragment counted where it is spread. */
export function countRootFields(document: DocumentNode, operation: OperationDefinitionNode): number {
  const fragments = fragmentsOf(document);
  const known = new Map<string, number>();
  const count = (set: SelectionSetNode | undefined): number => {
    let fields = 0;
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FIELD) fields++;
      else if (selection.kind === Kind.INLINE_FRAGMENT) fields += count(selection.selectionSet);
      else {
        const name = selection.name.value;
        if (!known.has(name)) {
          known.set(name, 0);
          known.set(name, count(fragments.get(name)?.selectionSet));
        }
        fields += known.get(name) ?? 0;
      }
    }
    return fields;
  };
  return count(operation.selectionSet);
}

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

const fragmentsOf = (document: DocumentNode): Fragments =>
  new Map(document.definitions.flatMap((definition) => (definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition] as const] : [])));

const nothing: Measure = { depth: 0, aliases: 0, fields: 0 };

/** Each fragment is measured once; one that spreads itself (validation refuses it) counts as nothing. */
function measure(set: SelectionSetNode | undefined, fragments: Fragments, known: Map<string, Measure>): Measure {
  let { depth, aliases, fields } = nothing;
  for (const selection of set?.selections ?? []) {
    let inner: Measure;
    let level = 0;
    if (selection.kind === Kind.FIELD) {
      fields++;
      if (selection.alias !== undefined) aliases++;
      if (selection.name.value.startsWith('__')) continue;
      inner = measure(selection.selectionSet, fragments, known);
      level = 1;
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      inner = measure(selection.selectionSet, fragments, known);
    } else {
      const name = selection.name.value;
      if (!known.has(name)) {
        known.set(name, nothing);
        known.set(name, measure(fragments.get(name)?.selectionSet, fragments, known));
      }
      inner = known.get(name) ?? nothing;
    }
    depth = Math.max(depth, inner.depth + level);
    aliases += inner.aliases;
    fields += inner.fields;
  }
  return { depth, aliases, fields };
}

function costOf(
  set: SelectionSetNode | undefined,
  fragments: Fragments,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  known: Map<string, number>,
): number {
  let cost = 0;
  for (const selection of set?.selections ?? []) {
    if (selection.kind === Kind.FIELD) {
      if (selection.name.value.startsWith('__')) continue;
      cost += 1 + pageSize(selection, operation, variables) * costOf(selection.selectionSet, fragments, operation, variables, known);
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      cost += costOf(selection.selectionSet, fragments, operation, variables, known);
    } else {
      const name = selection.name.value;
      if (!known.has(name)) {
        known.set(name, 0);
        known.set(name, costOf(fragments.get(name)?.selectionSet, fragments, operation, variables, known));
      }
      cost += known.get(name) ?? 0;
    }
  }
  return cost;
}

const pageArgument = (field: FieldNode) => field.arguments?.find((argument) => argument.name.value === 'first')?.value ?? null;

function pageSize(field: FieldNode, operation: OperationDefinitionNode, variables: Readonly<Record<string, unknown>>): number {
  const value = pageArgument(field);
  if (value === null) return 1;
  if (value.kind === Kind.INT) return Number(value.value);
  if (value.kind !== Kind.VARIABLE) return unknownPage;
  const given = variables[value.name.value];
  if (typeof given === 'number') return given;
  const fallback = operation.variableDefinitions?.find(({ variable }) => variable.name.value === value.name.value)?.defaultValue;
  return fallback?.kind === Kind.INT ? Number(fallback.value) : unknownPage;
}

const tooComplex = (message: string, operation: OperationDefinitionNode, limit: number, actual: number): GraphQLError =>
  new GraphQLError(message, { nodes: [operation], extensions: { code: 'QUERY_TOO_COMPLEX', limit, actual } });
