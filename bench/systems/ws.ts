import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes, randomUUID } from 'node:crypto';
import { WebSocket, WebSocketServer } from 'ws';
import { changeBatch, changesIn, type PushedEdit } from '../change-batch.js';
import { documentOf, patchOf } from '../documents.js';
import type { Endpoint, System, Writer } from '../system.js';

/** What a client sends: which document it follows, or an edit. */
type Sent = { readonly follow: string } | { readonly replicaId: string; readonly edit: PushedEdit };

const following = '{"following":true}';

/** Makes the message of Concord's subscription once for each edit and sends it to all who follow the document. */
async function serve(): Promise<{ url: string }> {
  const followers = new Map<string, Set<WebSocket>>();
  const revisions = new Map<string, number>();

  function follow(socket: WebSocket, id: string): void {
    const own = followers.get(id) ?? new Set();
    followers.set(id, own.add(socket));
    socket.once('close', () => own.delete(socket));
    socket.send(following);
  }

  const server = createServer();
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const sent = JSON.parse(data.toString()) as Sent;
      if ('follow' in sent) return follow(socket, sent.follow);
      const { replicaId, edit } = sent;
      const revision = (revisions.get(edit.documentId) ?? 1) + 1;
      revisions.set(edit.documentId, revision);
      const message = JSON.stringify({ id: 'feed', type: 'next', payload: { data: { changes: changeBatch(replicaId, edit, revision) } } });
      for (const follower of followers.get(edit.documentId) ?? []) follower.send(message);
      socket.send(JSON.stringify({ revision }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function opened(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
}

async function writer({ url }: Endpoint, documentId: string): Promise<Writer> {
  const socket = await opened(url);
  const replicaId = randomBytes(16).toString('hex');
  let document = documentOf(documentId);
  let counter = 1;
  // Answers come in the order of the edits.
  const open: (() => void)[] = [];
  socket.on('message', () => open.shift()?.());
  return {
    edit: (edit) =>
      new Promise((resolve) => {
        const patch = patchOf(edit, document).map(({ op, path, value }) => ({ op, path, ...(value === undefined ? {} : { value }) }));
        open.push(() => {
          document = { ...document, views: edit.n };
          resolve();
        });
        socket.send(JSON.stringify({ replicaId, edit: { documentId, patchId: randomUUID(), counter: ++counter, action: { patch } } } satisfies Sent));
      }),
    value: () => document,
    close: () => socket.close(),
  };
}

async function subscribe({ url }: Endpoint, id: string, onChanges: (count: number) => void): Promise<{ close(): void }> {
  const socket = await opened(url);
  await new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      const count = changesIn(data);
      if (count > 0) onChanges(count);
      else if (data.toString() === following) resolve();
    });
    socket.send(JSON.stringify({ follow: id } satisfies Sent));
  });
  return { close: () => socket.close() };
}

/** The floor: what a message to each subscriber costs when there is nothing else. */
export const system: System = {
  title: 'bare ws',
  acknowledged: 'sent to the subscribers, nothing is kept',
  packages: [],
  workloads: ['W3'],
  postgres: false,
  serve,
  seed: () => Promise.resolve(),
  writer,
  subscribe,
};
