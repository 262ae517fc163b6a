import { join } from 'node:path';
import { openReplica } from '@concord/client';
import { WebSocket } from 'ws';
import { changesIn } from '../change-batch.js';
import { documentOf, type JsonObject } from '../documents.js';
import { ConcordConnection, feedSubscription, PlainWebSocket, snapshotQuery } from '../concord-connection.js';
import { ConcordWriter } from '../concord-writer.js';
import type { Endpoint, Replica, ReplicaRequest, System } from '../system.js';

const pushEdits = 500;

async function seed(endpoint: Endpoint, ids: readonly string[]): Promise<void> {
  const connection = new ConcordConnection(endpoint);
  for (let start = 0; start < ids.length; start += pushEdits) {
    await connection.push(
      ids.slice(start, start + pushEdits).map((id) => ({ documentId: id, counter: 1, base: 0, action: { create: { collection: 'bench', title: id, value: documentOf(id) } } })),
    );
  }
  connection.close();
}

async function subscribe(endpoint: Endpoint, id: string, onChanges: (count: number) => void): Promise<{ close(): void }> {
  const reader = new ConcordConnection(endpoint);
  const { snapshot } = await reader.query(snapshotQuery, { ids: [id] });
  reader.close();
  const socket = new WebSocket(endpoint.url.replace(/^http/, 'ws'), 'graphql-transport-ws', { perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { Authorization: `Bearer ${endpoint.token}` } })));
    socket.on('message', (data: Buffer) => {
      const count = changesIn(data);
      if (count > 0) return onChanges(count);
      const text = data.toString();
      const type = /"type":"(\w+)"/.exec(text)?.[1];
      if (type === 'connection_ack') {
        socket.send(JSON.stringify({ id: 'feed', type: 'subscribe', payload: { query: feedSubscription, variables: { after: snapshot.cursor, ids: [id] } } }));
      } else if (type === 'next') {
        if (text.includes('"upToDate":true')) resolve();
      } else if (type === 'ping') socket.send('{"type":"pong"}');
      else reject(new Error(`the subscription ended: ${text}`));
    });
  });
  return { close: () => socket.close() };
}

/** Without `compressed` the client's default, to offer compression, is off. */
export function concordReplica({ squashFrom = 0, compressed = false } = {}) {
  return async (endpoint: Endpoint, { folder, ids, purpose }: ReplicaRequest): Promise<Replica> => {
    const replica = await openReplica({
      url: endpoint.url,
      token: endpoint.token,
      database: join(folder, 'replica.db'),
      squashFrom,
      ...(purpose === 'offline edits' ? { filter: { ids } } : {}),
      ...(compressed ? {} : { WebSocket: PlainWebSocket }),
    });
    const documents = replica.collection<JsonObject>('bench');
    let before = { sent: 0, received: 0 };
    return {
      async synced() {
        await upToDate(replica);
      },
      goOffline: () => replica.goOffline(),
      goOnline() {
        before = replica.bytes();
        replica.goOnline();
      },
      edit: (id, n) => void documents.edit(id, [{ op: 'replace', path: '/views', value: n }]),
      flushed: () => replica.settled({ timeoutMs: 60_000 }),
      value: (id) => replica.get<JsonObject>(id)?.value,
      bytes: () => ({ sent: replica.bytes().sent - before.sent, received: replica.bytes().received - before.received }),
      close: () => replica.close(),
    };
  };
}

function upToDate(replica: Awaited<ReturnType<typeof openReplica>>): Promise<void> {
  return new Promise((resolve) => {
    const stop = replica.onStatus((status) => {
      if (!status.upToDate) return;
      queueMicrotask(() => stop());
      resolve();
    });
  });
}

export const system: System = {
  title: 'Concord',
  acknowledged: 'committed in PostgreSQL',
  packages: [],
  workloads: ['W1', 'W1p', 'W2', 'W3', 'W4', 'W5', 'W6'],
  postgres: false,
  seed,
  writer: (endpoint, id) => ConcordWriter.open(endpoint, id),
  subscribe,
  replica: concordReplica(),
};
