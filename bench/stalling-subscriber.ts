import { PlainWebSocket } from './concord-connection.js';
import type { Endpoint } from './system.js';

const subscription = 'subscription ($after: Cursor, $ids: [ID!]) { changes(after: $after, ids: $ids) { ... on ChangeBatch { changes { position patch } cursor upToDate } } }';
const positionKey = '"position":';
const cursorKey = '"cursor":"';

/** A subscriber of one document that can stop reading, and checks that each position comes once and in order. */
export interface StallingSubscriber {
  /** Newest position that has come, and its cursor. */
  readonly position: number;
  readonly cursor: string;
  /** How often it was told LAGGED, after which it subscribed again after its cursor. */
  readonly lagged: number;
  /** Bytes that have come since it stopped, up to LAGGED or else to now. */
  readonly bytesBeforeLagged: number;
  /** What came that should not have, or the end of the socket. Null: nothing. */
  readonly wrong: string | null;
  stop(): void;
  goOn(): void;
  /** Ends the subscription, subscribes after this place and reads nothing of what comes. */
  stopAfter(place: Place): void;
  close(): void;
}

export interface Place {
  readonly position: number;
  readonly cursor: string;
}

/** Resolves when it is live; `position` is that of the feed then. Each has ids of its own, so that no two are sent the same frame. */
export async function openStallingSubscriber(endpoint: Endpoint, name: string, documentId: string, position: number, onPosition: (position: number, cursor: string) => void = () => undefined): Promise<StallingSubscriber> {
  const socket = new PlainWebSocket(endpoint.url.replace(/^http/, 'ws'), 'graphql-transport-ws');
  let place: Place = { position, cursor: '' };
  let subscriptions = 0;
  let id = '';
  let lagged = 0;
  let bytes = 0;
  let bytesBeforeLagged: number | null = null;
  let wrong: string | null = null;
  const subscribe = () => {
    id = `${name}-${++subscriptions}`;
    const after = place.cursor === '' ? {} : { after: place.cursor };
    socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query: subscription, variables: { ...after, ids: [documentId] } } }));
  };
  const take = (data: Buffer) => {
    let at = data.indexOf(positionKey);
    for (; at !== -1; at = data.indexOf(positionKey, at)) {
      at += positionKey.length;
      const next = Number.parseInt(data.toString('latin1', at, at + 16), 10);
      if (next !== place.position + 1) wrong ??= `position ${next} came after ${place.position}`;
      place = { position: next, cursor: place.cursor };
    }
    const from = data.lastIndexOf(cursorKey) + cursorKey.length;
    place = { position: place.position, cursor: data.toString('latin1', from, data.indexOf('"', from)) };
    onPosition(place.position, place.cursor);
  };
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', (code) => {
      wrong ??= `the socket was closed with ${code}`;
      reject(new Error(wrong));
    });
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { Authorization: `Bearer ${endpoint.token}` } })));
    socket.on('message', (data: Buffer) => {
      bytes += data.length;
      const head = data.toString('latin1', 0, 100);
      if (head.includes('"type":"connection_ack"')) return subscribe();
      if (!head.includes(`"${id}"`)) return undefined;
      if (head.includes('"type":"next"')) {
        take(data);
        return resolve();
      }
      if (data.includes('"LAGGED"')) {
        lagged += 1;
        bytesBeforeLagged ??= bytes;
        return subscribe();
      }
      wrong ??= data.toString('utf8', 0, 500);
      return reject(new Error(wrong));
    });
  });
  const stop = () => {
    socket.pause();
    lagged = 0;
    bytes = 0;
    bytesBeforeLagged = null;
  };
  return {
    get position() {
      return place.position;
    },
    get cursor() {
      return place.cursor;
    },
    get lagged() {
      return lagged;
    },
    get bytesBeforeLagged() {
      return bytesBeforeLagged ?? bytes;
    },
    get wrong() {
      return wrong;
    },
    stop,
    goOn: () => socket.resume(),
    stopAfter(from) {
      stop();
      socket.send(`{"id":"${id}","type":"complete"}`);
      place = from;
      subscribe();
    },
    close() {
      socket.removeAllListeners('close');
      socket.terminate();
    },
  };
}
