import { get, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const query = 'subscription ($after: Cursor, $ids: [ID!]) { changes(after: $after, ids: $ids) { ... on ChangeBatch { changes { position patch } cursor upToDate } } }';

interface Result {
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
  readonly data: { readonly changes: { readonly changes?: readonly { readonly position: number }[]; readonly cursor?: string; readonly upToDate?: boolean } };
}

/** A subscriber of one document that can stop reading its socket, as a suspended laptop does, and go on where it was. */
export interface StallingReader {
  readonly positions: readonly number[];
  /** How often it was told LAGGED; it then subscribes again after its last cursor. */
  readonly lagged: number;
  stop(): void;
  goOn(): void;
  /** Resolves when it has the change with this position. */
  has(position: number): Promise<void>;
  readonly closed: Promise<number | null>;
  close(): void;
}

/** Resolves when the subscription is live. */
export async function openStallingReader(url: string, token: string, documentId: string, { perMessageDeflate = false, autoPong = true } = {}): Promise<StallingReader> {
  const socket = new WebSocket(url, 'graphql-transport-ws', { perMessageDeflate, autoPong });
  const positions: number[] = [];
  const waiting: { readonly position: number; readonly resolve: () => void }[] = [];
  let subscriptions = 0;
  let lagged = 0;
  let cursor: string | undefined;
  const send = (message: object) => socket.send(JSON.stringify(message));
  const subscribe = () => {
    send({ id: `s${++subscriptions}`, type: 'subscribe', payload: { query, variables: { after: cursor, ids: [documentId] } } });
  };
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('The socket closed before it was live.')));
    socket.once('open', () => send({ type: 'connection_init', payload: { Authorization: `Bearer ${token}` } }));
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { readonly type: string; readonly payload?: Result & readonly { readonly extensions: { readonly code: string } }[] };
      if (message.type === 'connection_ack') return subscribe();
      if (message.type === 'error' && message.payload?.[0]?.extensions.code === 'LAGGED') {
        lagged += 1;
        return subscribe();
      }
      if (message.type !== 'next') return reject(new Error(data.toString()));
      const batch = message.payload!.data.changes;
      positions.push(...batch.changes!.map(({ position }) => position));
      cursor = batch.cursor;
      if (batch.upToDate === true) resolve();
      for (const { position, resolve: done } of waiting) if (positions.at(-1)! >= position) done();
    });
  });
  return {
    positions,
    get lagged() {
      return lagged;
    },
    stop: () => socket.pause(),
    goOn: () => socket.resume(),
    has: (position) => new Promise((resolve) => (positions.at(-1)! >= position ? resolve() : waiting.push({ position, resolve }))),
    closed: new Promise((resolve) => socket.once('close', resolve)),
    close: () => socket.terminate(),
  };
}

/** The same over HTTP as Server-Sent Events, except that LAGGED ends it. */
export async function openStallingStream(url: string, token: string, documentId: string): Promise<StallingReader> {
  const positions: number[] = [];
  const waiting: { readonly position: number; readonly resolve: () => void }[] = [];
  let lagged = 0;
  const parameters = new URLSearchParams({ query, variables: JSON.stringify({ ids: [documentId] }) });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}?${parameters.toString()}`, { agent: false, headers: { accept: 'text/event-stream', authorization: `Bearer ${token}` } }, resolve).once('error', reject);
  });
  const closed = new Promise<null>((resolve) => response.once('close', () => resolve(null)));
  response.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    createInterface({ input: response }).on('line', (line) => {
      if (!line.startsWith('data: ')) return;
      const { data, errors } = JSON.parse(line.slice('data: '.length)) as Result;
      if (errors !== undefined) {
        lagged += errors.filter(({ extensions }) => extensions.code === 'LAGGED').length;
        return;
      }
      positions.push(...data.changes.changes!.map(({ position }) => position));
      if (data.changes.upToDate === true) resolve();
      for (const { position, resolve: done } of waiting) if (positions.at(-1)! >= position) done();
    });
  });
  return {
    positions,
    get lagged() {
      return lagged;
    },
    stop: () => void response.pause(),
    goOn: () => void response.resume(),
    has: (position) => new Promise((resolve) => (positions.at(-1)! >= position ? resolve() : waiting.push({ position, resolve }))),
    closed,
    close: () => void response.destroy(),
  };
}
