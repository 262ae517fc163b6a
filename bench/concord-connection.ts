import { randomBytes, randomUUID } from 'node:crypto';
import type { JsonValue } from '@concord/core';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { JsonObject } from './documents.js';
import type { Endpoint } from './system.js';

export const snapshotQuery = `query Snapshot($ids: [ID!], $workspaceId: ID) {
  snapshot(ids: $ids, workspaceId: $workspaceId) { documents { id value revision } cursor epoch }
}`;

export const feedSubscription = `subscription Feed($after: Cursor, $ids: [ID!], $workspaceId: ID) {
  changes(after: $after, ids: $ids, workspaceId: $workspaceId) {
    __typename
    ... on ChangeBatch {
      changes { position documentId revision kind patch replicaId counter patchId }
      left
      cursor
      upToDate
    }
  }
}`;

const pushMutation = `mutation Push($replicaId: ID!, $edits: [EditInput!]!, $workspaceId: ID) {
  push(replicaId: $replicaId, edits: $edits, workspaceId: $workspaceId) {
    verdicts { __typename ... on Committed { patchId revision } ... on Refused { code message } }
  }
}`;

export interface SnapshotPage {
  readonly snapshot: { readonly documents: readonly { readonly id: string; readonly value: JsonObject; readonly revision: number }[]; readonly cursor: string; readonly epoch: number };
}

export interface EditToPush {
  readonly documentId: string;
  readonly counter: number;
  readonly base: number;
  readonly patchId?: string;
  readonly action: { readonly patch: JsonValue } | { readonly create: { readonly collection: string; readonly title: string; readonly value: JsonObject } };
}

/** Offers no compression, as no peer here does. */
export class PlainWebSocket extends WebSocket {
  constructor(address: string | URL, protocols?: string | string[]) {
    super(address, protocols, { perMessageDeflate: false, maxPayload: 256 * 1024 * 1024 });
  }
}

/** What this process has sent so far. */
export const sent = { pushes: 0 };

/** One graphql-ws socket, as the client's transport holds it, and nothing of a replica around it. */
export class ConcordConnection {
  readonly client: Client;
  readonly workspaceId: string | null;
  private readonly replicaId = randomBytes(16).toString('hex');

  /** Without a workspace: the token's first. */
  constructor(
    endpoint: Endpoint,
    { compressed = false, workspaceId = null }: { readonly compressed?: boolean; readonly workspaceId?: string | null } = {},
  ) {
    this.workspaceId = workspaceId;
    this.client = createClient({
      url: endpoint.url.replace(/^http/, 'ws'),
      webSocketImpl: compressed ? WebSocket : PlainWebSocket,
      connectionParams: { Authorization: `Bearer ${endpoint.token}` },
      lazy: false,
      retryAttempts: 0,
      onNonLazyError: () => undefined,
    });
  }

  query(query: typeof snapshotQuery, variables: Record<string, unknown>): Promise<SnapshotPage> {
    return this.execute<SnapshotPage>(query, { ...variables, workspaceId: this.workspaceId });
  }

  /** The revision of each edit. Throws when one is refused. */
  async push(edits: readonly EditToPush[]): Promise<readonly number[]> {
    sent.pushes += 1;
    const { push } = await this.execute<{ push: { verdicts: readonly ({ readonly __typename: 'Committed'; readonly revision: number } | { readonly __typename: 'Refused'; readonly code: string; readonly message: string })[] } }>(
      pushMutation,
      {
        replicaId: this.replicaId,
        workspaceId: this.workspaceId,
        edits: edits.map(({ base, patchId, ...edit }) => ({ ...edit, patchId: patchId ?? randomUUID(), clock: { epoch: 1, base } })),
      },
    );
    return push.verdicts.map((verdict) => {
      if (verdict.__typename === 'Refused') throw new Error(`refused: ${verdict.code}: ${verdict.message}`);
      return verdict.revision;
    });
  }

  close(): void {
    void this.client.dispose();
  }

  private execute<Data>(query: string, variables: Record<string, unknown>): Promise<Data> {
    return new Promise((resolve, reject) => {
      let answer: Data | undefined;
      this.client.subscribe<Data>(
        { query, variables },
        {
          next: (result) => {
            if (result.errors !== undefined) reject(new Error(result.errors.map(({ message }) => message).join('; ')));
            else answer = result.data ?? undefined;
          },
          error: (error) => reject(error instanceof Error ? error : new Error(JSON.stringify(error))),
          complete: () => (answer === undefined ? reject(new Error('no answer')) : resolve(answer)),
        },
      );
    });
  }
}
