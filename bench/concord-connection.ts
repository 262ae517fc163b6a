import { randomBytes, randomUUID } from 'node:crypto';
import type { JsonValue } from '@concord/core';
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

interface Sink {
  next(data: unknown): void;
  failed(error: Error): void;
  complete(): void;
}

/** What a server of graphql-ws says. */
type Message =
  | { readonly type: 'connection_ack' | 'ping' | 'pong' }
  | { readonly type: 'next'; readonly id: string; readonly payload: { readonly data?: unknown; readonly errors?: readonly { readonly message: string }[] } }
  | { readonly type: 'error'; readonly id: string; readonly payload: readonly { readonly message: string }[] }
  | { readonly type: 'complete'; readonly id: string };

/**
 * One graphql-ws socket and nothing of a replica around it. It speaks the protocol itself, so that a driver of many clients
 * takes as little as can be of the processors that the server is measured on.
 */
export class ConcordConnection {
  readonly workspaceId: string | null;
  private readonly replicaId = randomBytes(16).toString('hex');
  private readonly socket: WebSocket;
  private readonly sinks = new Map<string, Sink>();
  /** What was asked before the server has taken the token; null: it has. */
  private early: string[] | null = [];
  private over: Error | undefined;
  private ids = 0;

  /** Without a workspace: the token's first. */
  constructor(
    endpoint: Endpoint,
    { compressed = false, workspaceId = null }: { readonly compressed?: boolean; readonly workspaceId?: string | null } = {},
  ) {
    this.workspaceId = workspaceId;
    this.socket = new (compressed ? WebSocket : PlainWebSocket)(endpoint.url.replace(/^http/, 'ws'), 'graphql-transport-ws');
    this.socket.on('open', () => this.socket.send(JSON.stringify({ type: 'connection_init', payload: { Authorization: `Bearer ${endpoint.token}` } })));
    this.socket.on('message', (data: Buffer) => this.take(JSON.parse(data.toString()) as Message));
    this.socket.on('error', () => undefined);
    this.socket.on('close', (code, reason) => {
      this.over = new Error(`the socket was closed: ${code} ${reason.toString()}`);
      for (const sink of this.sinks.values()) sink.failed(this.over);
      this.sinks.clear();
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
        edits: edits.map(({ documentId, counter, base, action, patchId = randomUUID() }) => ({ documentId, counter, action, patchId, clock: { epoch: 1, base } })),
      },
    );
    return push.verdicts.map((verdict) => {
      if (verdict.__typename === 'Refused') throw new Error(`refused: ${verdict.code}: ${verdict.message}`);
      return verdict.revision;
    });
  }

  /** Returns the way to stop. */
  subscribe<Data>(query: string, variables: Record<string, unknown>, { next, failed }: { readonly next: (this: void, data: Data) => void; readonly failed: (this: void, error: Error) => void }): () => void {
    const id = this.start(query, variables, { next: (data) => next(data as Data), failed, complete: () => undefined });
    return () => {
      if (this.sinks.delete(id) && this.socket.readyState === WebSocket.OPEN) this.socket.send(`{"id":"${id}","type":"complete"}`);
    };
  }

  close(): void {
    this.socket.close();
  }

  private execute<Data>(query: string, variables: Record<string, unknown>): Promise<Data> {
    return new Promise((resolve, reject) => {
      let answer: Data | undefined;
      this.start(query, variables, {
        next: (data) => (answer = data as Data),
        failed: reject,
        complete: () => (answer === undefined ? reject(new Error('no answer')) : resolve(answer)),
      });
    });
  }

  private start(query: string, variables: Record<string, unknown>, sink: Sink): string {
    const id = String(++this.ids);
    if (this.over !== undefined) {
      sink.failed(this.over);
      return id;
    }
    this.sinks.set(id, sink);
    const message = JSON.stringify({ id, type: 'subscribe', payload: { query, variables } });
    if (this.early === null) this.socket.send(message);
    else this.early.push(message);
    return id;
  }

  private take(message: Message): void {
    switch (message.type) {
      case 'connection_ack':
        for (const text of this.early ?? []) this.socket.send(text);
        this.early = null;
        return;
      case 'ping':
        return this.socket.send('{"type":"pong"}');
      case 'pong':
        return;
      case 'next': {
        const { data, errors } = message.payload;
        const sink = this.sinks.get(message.id);
        if (errors === undefined) sink?.next(data);
        else sink?.failed(new Error(errors.map((error) => error.message).join('; ')));
        return;
      }
      case 'error':
        this.sinks.get(message.id)?.failed(new Error(message.payload.map((error) => error.message).join('; ')));
        this.sinks.delete(message.id);
        return;
      case 'complete':
        this.sinks.get(message.id)?.complete();
        this.sinks.delete(message.id);
        return;
    }
  }
}
