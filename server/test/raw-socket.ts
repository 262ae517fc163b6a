import { WebSocket, type PerMessageDeflateOptions } from 'ws';

export interface Message {
  readonly type: string;
  readonly id?: string;
  // As it came over the wire; a test states what it expects of it.
  readonly payload?: unknown;
}

/** A graphql-transport-ws client of a few lines, so that the tests talk the wire. Messages wait in order until they are asked for. */
export interface RawSocket {
  send(message: unknown): void;
  sendText(text: string): void;
  /** The next message; pings are answered and left out. Rejects when the socket closes first. */
  next(): Promise<Message>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): void;
}

export async function openRawSocket(url: string, protocol = 'graphql-transport-ws', { perMessageDeflate = true }: { readonly perMessageDeflate?: boolean | PerMessageDeflateOptions } = {}): Promise<RawSocket> {
  const socket = new WebSocket(url, protocol, { perMessageDeflate });
  const arrived: Message[] = [];
  const waiting: { resolve: (message: Message) => void; reject: (error: Error) => void }[] = [];
  let end: Error | null = null;
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => {
      end = new Error(`The socket closed: ${code} ${reason.toString()}`);
      resolve({ code, reason: reason.toString() });
      for (const { reject } of waiting.splice(0)) reject(end);
    });
  });
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Message;
    if (message.type === 'ping') return socket.send(JSON.stringify({ type: 'pong' }));
    const reader = waiting.shift();
    if (reader === undefined) arrived.push(message);
    else reader.resolve(message);
  });
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('error', () => undefined);
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    sendText: (text) => socket.send(text),
    next: () => {
      const message = arrived.shift();
      if (message !== undefined) return Promise.resolve(message);
      if (end !== null) return Promise.reject(end);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    closed,
    close: () => socket.close(1000),
  };
}

/** Opened and acknowledged with this token. */
export async function openSession(url: string, token: string, options: { readonly perMessageDeflate?: boolean | PerMessageDeflateOptions } = {}): Promise<RawSocket> {
  const socket = await openRawSocket(url, undefined, options);
  socket.send({ type: 'connection_init', payload: { Authorization: `Bearer ${token}` } });
  const { type } = await socket.next();
  if (type !== 'connection_ack') throw new Error(`Expected connection_ack, got ${type}.`);
  return socket;
}
