import { ConcordError, type Condition, type ConditionOperator, type DocumentId, type JsonValue } from '@concord/core';
import {
  buildSchema,
  execute,
  GraphQLError,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import type { DocumentState } from './document-state.js';
import { conditionsOf, pointerOf } from './condition.js';
import { sdl } from './generated/schema.js';
import type { Queries, Selection } from './query.js';
import type { Store } from './store/store.js';

/** Types whose fields SQLite can answer; `Document` but for what only the log knows. */
const localTypes: ReadonlySet<string> = new Set(['Query', 'Document', 'DocumentConnection', 'DocumentEdge', 'PageInfo']);
const localRoots: ReadonlySet<string> = new Set(['document', 'documents', '__typename']);
const remoteFields: ReadonlySet<string> = new Set(['clock', 'history', 'conflicts']);

let built: GraphQLSchema | undefined;
/** Built at the first query: an app that asks none does not pay for it. */
const schema = (): GraphQLSchema => (built ??= buildSchema(sdl, { assumeValid: true }));

const answerable = new WeakMap<DocumentNode, boolean>();

/** Whether every field of the query can be answered from SQLite. */
export function isLocal(query: DocumentNode): boolean {
  const known = answerable.get(query);
  if (known !== undefined) return known;
  let local = true;
  const types = new TypeInfo(schema());
  visit(
    query,
    visitWithTypeInfo(types, {
      Field(node) {
        const name = node.name.value;
        const parent = types.getParentType()?.name;
        if (parent === undefined || !localTypes.has(parent)) local = false;
        else if (parent === 'Query' && !localRoots.has(name)) local = false;
        else if (parent === 'Document' && remoteFields.has(name)) local = false;
        else if (name !== '__typename' && types.getFieldDef() === undefined) local = false;
      },
    }),
  );
  answerable.set(query, local);
  return local;
}

interface Arguments {
  readonly id: string;
  readonly workspaceId?: string | null;
  readonly collection?: string | null;
  readonly ids?: readonly string[] | null;
  readonly where?: readonly { readonly path: string; readonly operator?: ConditionOperator | null; readonly value?: JsonValue }[] | null;
  readonly orderBy?: { readonly field: NonNullable<Selection['order']>['field']; readonly path?: string | null; readonly descending?: boolean | null } | null;
  readonly includeDeleted?: boolean | null;
  readonly first?: number | null;
  readonly after?: string | null;
}

/** What an answer was made of: it may change only when one of these documents does, or one comes that a selection takes. */
export interface Reads {
  readonly ids: ReadonlySet<DocumentId>;
  readonly selections: readonly Selection[];
}

/** Answers a query that `isLocal`; synchronous, because nothing is waited for. `workspaceId` other than this replica's is refused. */
export function executeLocally(
  store: Store,
  queries: Queries,
  query: DocumentNode,
  variables: unknown,
  operationName: string | undefined,
): { readonly result: ExecutionResult; readonly reads: Reads } {
  const ids = new Set<DocumentId>();
  const selections: Selection[] = [];
  const checkWorkspace = ({ workspaceId }: Arguments): void => {
    const own = store.checkpoint.get().workspaceId;
    if (typeof workspaceId === 'string' && own !== null && workspaceId !== own) {
      throw refusal(new ConcordError('WORKSPACE_NOT_FOUND', `This replica holds the workspace ${own}, not ${workspaceId}. Ask the server: requestPolicy 'network-only'.`));
    }
  };
  const result = execute({
    schema: schema(),
    document: query,
    variableValues: (variables ?? {}) as Record<string, unknown>,
    ...(operationName === undefined ? {} : { operationName }),
    rootValue: {
      document(args: Arguments) {
        checkWorkspace(args);
        ids.add(args.id as DocumentId);
        try {
          const state = store.forCaller().read(args.id as DocumentId);
          return state === undefined ? null : nodeOf(state);
        } catch (error) {
          throw error instanceof ConcordError ? refusal(error) : error;
        }
      },
      documents(args: Arguments) {
        checkWorkspace(args);
        try {
          return page(store.forCaller(), queries, args, ids, selections);
        } catch (error) {
          throw error instanceof ConcordError ? refusal(error) : error;
        }
      },
    },
  });
  if (result instanceof Promise) throw new Error('A local query waited for something.');
  return { result, reads: { ids, selections } };
}

const refusal = (error: ConcordError): GraphQLError => new GraphQLError(error.message, { extensions: { code: error.code, ...error.details } });

function page(store: Store, queries: Queries, args: Arguments, ids: Set<DocumentId>, selections: Selection[]): unknown {
  const first = args.first ?? 50;
  if (first < 1 || first > 1000) throw new ConcordError('INPUT_INVALID', `first must be 1 to 1000, got ${first}.`, { path: '/first', limit: 1000, actual: first });
  const selection = selectionOf(args);
  selections.push(selection);
  // One more than shown tells whether there is a next page.
  const rows = queries.select({ ...selection, limit: first + 1 });
  for (const { id } of rows) ids.add(id);
  const shown = rows.slice(0, first);
  const edges = shown.flatMap(({ id, key }) => {
    const state = store.read(id);
    return state === undefined ? [] : [{ cursor: key, node: nodeOf(state) }];
  });
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: { hasNextPage: rows.length > first, hasPreviousPage: false, startCursor: shown.at(0)?.key ?? null, endCursor: shown.at(-1)?.key ?? null },
  };
}

function selectionOf({ collection, ids, where, orderBy, includeDeleted, after }: Arguments): Selection {
  const conditions: readonly Condition[] | undefined = where ? conditionsOf(where.map((condition) => ({ ...condition, operator: condition.operator ?? 'EQUALS' })), '/where') : undefined;
  return {
    ...(typeof collection === 'string' ? { collection } : {}),
    ...(ids ? { ids } : {}),
    ...(conditions === undefined ? {} : { where: conditions }),
    ...(includeDeleted === true ? { includeDeleted } : {}),
    ...(typeof after === 'string' ? { after } : {}),
    order: { field: orderBy?.field ?? 'ID', path: pointerOf(orderBy?.path ?? '', '/orderBy/path'), descending: orderBy?.descending ?? false },
  };
}

const nodeOf = (state: DocumentState) => ({
  __typename: 'Document',
  id: state.id,
  collection: state.collection,
  title: state.title,
  value: state.value,
  revision: state.revision,
  position: state.position,
  deleted: state.deleted,
  createdAt: state.createdAt,
  updatedAt: state.updatedAt,
});
