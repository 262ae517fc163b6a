import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { lossyNumberIn, type ConcordError } from '@concord/core';
import { anonymousBytes } from '../body.js';
import { closeReason } from '../close-reason.js';
import { parseLargeJson, pieceBytes } from '../graphql/large-json.js';
import { lossyNumber, lossyNumberRefusal } from '../graphql/lossy-numbers.js';
import type { Turns } from '../rate-limit/turns.js';

const tooBig = 1009;
const hangUpMs = 1_000;
/** Of a message that is cut into frames, or compressed, more may come than it has. */
const untrustedStreamBytes = 4 * anonymousBytes;

/** The variables of a message that was too large to be parsed at once. */
export interface LargeVariables {
  readonly variables: Readonly<Record<string, unknown>> | null | undefined;
  readonly bytes: number;
}

/**
 * What one socket is sent. Until it has a session a message may be as large as a request without one. A large one is parsed in pieces;
 * those after it wait, and so does the socket.
 */
export class Messages {
  private isTrusted = false;
  private received = 0;
  /** The newest of the messages that wait for a large one. */
  private last: Promise<void> | undefined;
  private readonly large = new Map<string, LargeVariables>();
  private readonly lossy = new Map<string, ConcordError>();

  constructor(
    private readonly socket: WebSocket,
    private readonly stream: Duplex,
    private readonly turns: Turns,
  ) {
    // Without this a socket without a session could make the server gather a message of any size.
    stream.on('data', this.count);
  }

  /** It has a session now. */
  trust(): void {
    this.isTrusted = true;
    this.stream.off('data', this.count);
  }

  /** The variables that came with the message of this id; undefined: they are in the message itself. */
  takeLarge(id: string): LargeVariables | undefined {
    const found = this.large.get(id);
    this.large.delete(id);
    return found;
  }

  /** @throws ConcordError VALUE_INVALID when the message of this id has a number that was rounded. */
  refuseLossy(id: string): void {
    const refusal = this.lossy.get(id);
    this.lossy.delete(id);
    if (refusal !== undefined) throw refusal;
  }

  /** `handle` rejects only for what is a bug. */
  handOn(handle: (message: string) => Promise<void>, failed: (error: unknown) => void): void {
    this.socket.on('message', (data) => {
      if (this.socket.readyState !== this.socket.OPEN) return;
      const bytes = bytesOf(data);
      this.received = 0;
      if (!this.isTrusted && bytes.length > anonymousBytes) return this.refuse();
      if (this.last === undefined && bytes.length <= pieceBytes) {
        this.noteLossy(bytes);
        handle(bytes.toString()).catch(failed);
        return;
      }
      if (this.last === undefined) this.socket.pause();
      const turn = (this.last ?? Promise.resolve()).then(async () => {
        // What the handling waits for is not waited for here: only the order in which it begins counts.
        const message = bytes.length > pieceBytes ? await this.lighten(bytes) : this.noteLossy(bytes).toString();
        handle(message).catch(failed);
      });
      const done = turn.catch(failed).then(() => {
        if (this.last !== done) return;
        this.last = undefined;
        // Also one that is closing: it reads the other side's answer to that.
        if (this.socket.readyState !== this.socket.CLOSED) this.socket.resume();
      });
      this.last = done;
    });
  }

  private readonly count = (chunk: Buffer): void => {
    this.received += chunk.length;
    if (this.received > untrustedStreamBytes) this.refuse();
  };

  private refuse(): void {
    this.stream.off('data', this.count);
    this.socket.close(tooBig, closeReason('LIMIT_EXCEEDED', `Before connection_ack, and without a token, a message may have ${anonymousBytes} bytes.`));
    // Whoever goes on sending does not hear of it.
    setTimeout(() => this.socket.terminate(), hangUpMs).unref();
  }

  /** The same bytes. graphql-ws parses them by itself, so that a number that it rounds is kept in mind for `refuseLossy`. */
  private noteLossy(bytes: Buffer): Buffer {
    const lossy = lossyNumberIn(bytes);
    if (lossy === null) return bytes;
    const id = idOf(bytes);
    if (id !== null) this.lossy.set(id, lossyNumber(lossy));
    return bytes;
  }

  /** The message without its variables, which are kept for `takeLarge`. What is not such a message, the protocol refuses. */
  private async lighten(bytes: Buffer): Promise<string> {
    const message = await parseLargeJson(bytes, this.turns).catch(() => undefined);
    if (!isObject(message) || message['type'] !== 'subscribe' || typeof message['id'] !== 'string') return '';
    const { id, payload } = message as { readonly id: string; readonly payload: unknown };
    const refusal = await lossyNumberRefusal(bytes, this.turns);
    if (refusal !== null) this.lossy.set(id, refusal);
    if (!isObject(payload) || !isObjectOrNothing(payload['variables'])) return JSON.stringify({ ...message, payload: null });
    const { variables, ...rest } = payload;
    this.large.set(id, { variables: variables as LargeVariables['variables'], bytes: bytes.length });
    return JSON.stringify({ id, type: 'subscribe', payload: rest });
  }
}

/** Null: it is no message, or has none. */
function idOf(bytes: Buffer): string | null {
  try {
    const message: unknown = JSON.parse(bytes.toString());
    return isObject(message) && message['type'] === 'subscribe' && typeof message['id'] === 'string' ? message['id'] : null;
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isObjectOrNothing = (value: unknown): boolean => value === undefined || value === null || isObject(value);

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
