import { constants, deflateRaw } from 'node:zlib';

/** A WebSocket message as a server sends it, whole and ready for the stream: one final frame of text, not masked (RFC 6455, 5.2). */
export interface Frame {
  readonly parts: readonly Buffer[];
  readonly bytes: number;
}

const finalText = 0x81;
const compressed = 0x40;
/** Up to here a copy costs less than another buffer to write, and what a stalled reader holds by itself stays small. */
const mostCopiedBytes = 16 * 1024;

const headerBytes = (length: number): number => (length < 126 ? 2 : length < 0x1_0000 ? 4 : 10);

/** Returns where the header ends. */
function writeHeader(target: Buffer, length: number, first = finalText): number {
  target[0] = first;
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

/** For ws too. */
export const deflateOptions = { level: 3, memLevel: 7 } as const;
const mostStoredBytes = 0xffff;

/** A block of DEFLATE that holds bytes as they are (RFC 1951, 3.2.4), beginning at a whole byte. */
function storedBlock(data: Buffer): Buffer {
  const block = Buffer.allocUnsafe(5 + data.length);
  block[0] = 0;
  block.writeUInt16LE(data.length, 1);
  block.writeUInt16LE(~data.length & 0xffff, 3);
  block.set(data, 5);
  return block;
}

/** After the last block an empty one, without its last four bytes: permessage-deflate leaves those out (RFC 7692, 7.2.1). */
const compressedTail = Buffer.concat([storedBlock(tail), Buffer.from([0])]);

/**
 * The `next` messages of one result, for whatever subscriptions. A large payload is never copied: who is slow to take it holds
 * the same bytes as everybody else. Subscriptions with the same id are given the same frame.
 */
export class NextFrames {
  private id: string | undefined;
  private frame: Frame | undefined;
  private deflated: Buffer | undefined;
  private deflating: Promise<void> | undefined;

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

  /** Resolves when `compressedFor` has a frame. The payload is compressed once, whoever asks. */
  compress(): Promise<void> {
    return (this.deflating ??= new Promise((resolve, reject) => {
      // Ends at a whole byte and refers to nothing before it, so that it stands between blocks of any subscription.
      deflateRaw(this.payload, { ...deflateOptions, finishFlush: constants.Z_SYNC_FLUSH }, (error, deflated) => {
        this.deflated = deflated;
        if (error === null) resolve();
        else reject(error);
      });
    }));
  }

  /** A frame for sockets that agreed on permessage-deflate. Undefined: not yet, or not for such a long id. */
  compressedFor({ bytes: head }: NextHead): Frame | undefined {
    const { deflated } = this;
    if (deflated === undefined || head.length > mostStoredBytes) return undefined;
    const block = storedBlock(head);
    const length = block.length + deflated.length + compressedTail.length;
    const first = Buffer.allocUnsafe(headerBytes(length) + block.length);
    first.set(block, writeHeader(first, length, finalText | compressed));
    return { parts: [first, deflated, compressedTail], bytes: first.length + length - block.length };
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
