import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PushedEdit } from './change-batch.js';
import { documentOf } from './documents.js';
import { ofServer } from './peers.js';

interface GraphQL {
  readonly buildSchema: (source: string) => object;
  readonly parse: (text: string) => object;
  readonly validate: (schema: object, document: object) => readonly unknown[];
}
interface SocketServerModule {
  readonly WebSocketServer: new (options: { readonly server: object; readonly perMessageDeflate: boolean }) => object;
}
interface GraphQLWs {
  readonly useServer: (options: object, sockets: object) => unknown;
}
interface Payload {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: object | null;
}

/**
 * Concord's contract as far as bench/concord-connection.ts asks for it, so that the same clients speak to both. An edit is a scalar, taken
 * as it comes: reading typed inputs one by one would cost graphql-js more than all the rest of a message with many.
 */
const contract = /* GraphQL */ `
  scalar JSON
  scalar Cursor
  scalar EditInput
  type Query { snapshot(ids: [ID!], workspaceId: ID): Snapshot! }
  type Mutation { push(replicaId: ID!, edits: [EditInput!]!, workspaceId: ID): PushResult! }
  type Subscription { changes(after: Cursor, ids: [ID!], workspaceId: ID): FeedEvent! }
  type Snapshot { documents: [Document!]!, cursor: Cursor!, epoch: Int! }
  type Document { id: ID!, value: JSON!, revision: Int! }
  type PushResult { verdicts: [Verdict!]! }
  union Verdict = Committed | Refused
  type Committed { patchId: ID!, revision: Int! }
  type Refused { code: String!, message: String! }
  union FeedEvent = ChangeBatch | Resync
  type ChangeBatch { changes: [Change!]!, left: [ID!]!, cursor: Cursor!, upToDate: Boolean! }
  type Change { position: Int!, documentId: ID!, revision: Int!, kind: String!, patch: JSON, replicaId: ID!, counter: Int!, patchId: ID! }
  type Resync { code: String! }
`;

export interface PlainServerOptions {
  /** Whether an operation is parsed and validated once for each text; else for each message, as graphql-ws does by itself. */
  readonly cached: boolean;
  readonly onEdit?: (replicaId: string, edit: PushedEdit, revision: number) => void;
  /** What a subscriber of these documents is given. */
  readonly changes?: (ids: readonly string[]) => AsyncIterable<object>;
}

/**
 * A server by graphql-ws and ws as their documentation has it, in this process: a push is answered from memory, where each
 * document has a revision and nothing else. The packages are those that Concord's server runs on.
 */
export async function servePlain({ cached, onEdit, changes }: PlainServerOptions): Promise<{ readonly url: string }> {
  const { buildSchema, parse, validate } = ofServer<GraphQL>('graphql');
  const { useServer } = ofServer<GraphQLWs>('graphql-ws/use/ws');
  const { WebSocketServer } = ofServer<SocketServerModule>('ws');
  const schema = buildSchema(contract);
  const revisions = new Map<string, number>();
  const revisionOf = (id: string): number => revisions.get(id) ?? 1;
  const roots = {
    query: {
      snapshot: ({ ids }: { readonly ids: readonly string[] }) => ({ documents: ids.map((id) => ({ id, value: documentOf(id), revision: revisionOf(id) })), cursor: '', epoch: 1 }),
    },
    mutation: {
      push: ({ replicaId, edits }: { readonly replicaId: string; readonly edits: readonly PushedEdit[] }) => ({
        verdicts: edits.map((edit) => {
          const revision = revisionOf(edit.documentId) + 1;
          revisions.set(edit.documentId, revision);
          onEdit?.(replicaId, edit, revision);
          return { __typename: 'Committed', patchId: edit.patchId, revision };
        }),
      }),
    },
    subscription: { changes: ({ ids }: { readonly ids: readonly string[] }) => changes?.(ids) },
  };
  const documents = new Map<string, object>();
  const onSubscribe = (_context: unknown, _id: string, { query, operationName, variables }: Payload) => {
    let document = documents.get(query);
    if (document === undefined) {
      document = parse(query);
      const errors = validate(schema, document);
      if (errors.length > 0) return errors;
      documents.set(query, document);
    }
    return { schema, document, operationName, variableValues: variables };
  };
  const server = createServer();
  useServer({ schema, roots, ...(cached ? { onSubscribe } : {}) }, new WebSocketServer({ server, perMessageDeflate: false }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
