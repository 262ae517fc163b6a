/** A WebSocket message as a server sends it, whole and ready for the stream: one final frame of text, not masked (RFC 6455, 5.2). */
export interface Frame {
  readonly parts: readonly Buffer[];
  readonly bytes: number;
}

const finalText = 0x81;
/** Up to here a copy costs less than another buffer to write, and what a stalled reader holds by itself stays small. */
const mostCopiedBytes = 16 * 1024;

const headerBytes = (length: number): number => (length < 126 ? 2 : length < 0x1_0000 ? 4 : 10);

/** Returns where the header ends. */
function writeHeader(target: Buffer, length: number): number {
  target[0] = finalText;
  if (length < 126) {
    target[1] = length;
    return 2;
  }
  if (length < 0x1_0000) {
    target[1] = 126;
    return target.writeUInt16BE(length, 2);
  }
  target[1] = 127;
  target.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
  return target.writeUInt32BE(length >>> 0, 6);
}

export function textFrame(text: string): Frame {
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(headerBytes(length) + length);
  frame.write(text, writeHeader(frame, length));
  return { parts: [frame], bytes: frame.length };
}

/** What comes before the payload in the `next` messages of one subscription. */
export interface NextHead {
  readonly id: string;
  readonly bytes: Buffer;
}

export const nextHead = (id: string): NextHead => ({ id, bytes: Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`) });

const tail = Buffer.from('}');

/**
 * The `next` messages of one result, for whatever subscriptions. A large payload is never copied: who is slow to take it holds
 * the same bytes as everybody else. Subscriptions with the same id are given the same frame.
 */
export class NextFrames {
  private id: string | undefined;
  private frame: Frame | undefined;

  constructor(readonly payload: Buffer) {}

  messageBytes(head: NextHead): number {
    return head.bytes.length + this.payload.length + tail.length;
  }

  /** The message without its frame. */
  message(head: NextHead): Buffer {
    return Buffer.concat([head.bytes, this.payload, tail]);
  }

  for(head: NextHead): Frame {
    if (this.frame !== undefined && this.id === head.id) return this.frame;
    this.id = head.id;
    return (this.frame = this.make(head.bytes));
  }

  private make(head: Buffer): Frame {
    const { payload } = this;
    const length = head.length + payload.length + tail.length;
    const bytes = headerBytes(length) + length;
    const copied = payload.length <= mostCopiedBytes;
    const first = Buffer.allocUnsafe(copied ? bytes : bytes - payload.length - tail.length);
    let at = writeHeader(first, length);
    first.set(head, at);
    if (!copied) return { parts: [first, payload, tail], bytes };
    at += head.length;
    first.set(payload, at);
    first.set(tail, at + payload.length);
    return { parts: [first], bytes };
  }
}
