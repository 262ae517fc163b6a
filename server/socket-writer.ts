import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { textFrame, type Frame, type NextFrames, type NextHead } from './frames.js';

/** Beyond it what is held back in one turn goes out at once. */
const mostHeldBytes = 64 * 1024;
/** Up to here several frames are put together into one buffer. */
const mostJoinedBytes = 16 * 1024;

const asText = { binary: false } as const;
const nothing = Buffer.alloc(0);

/** Writers with frames of this turn of the event loop. */
let holding: SocketWriter[] = [];

/**
 * Sends the messages of one socket. Those of one turn of the event loop go out together at its end: an answer and its `complete`
 * are one write instead of two, and wake the other side once. A message for a socket that is not open is dropped.
 *
 * Frames are written to the stream beside ws, which writes its pings and its close frame there, each whole. While ws compresses a
 * message, everything goes through its queue, so that messages stay in order; what many are sent is compressed once for all.
 */
export class SocketWriter {
  private held: readonly Buffer[] | undefined;
  private heldBytes = 0;
  private compressing = 0;
  /** The newest message that went through ws. */
  private compressed: Promise<void> | undefined;
  private readonly compressFromBytes: number;

  /**
   * `compressFromBytes`: the threshold that ws was given. `sharesCompressed`: whether the socket takes what was compressed for all,
   * which needs the full window.
   */
  constructor(
    private readonly socket: WebSocket,
    private readonly stream: Duplex,
    compressFromBytes: number,
    private readonly sharesCompressed: boolean,
  ) {
    this.compressFromBytes = socket.extensions === '' ? Infinity : compressFromBytes;
  }

  /**
   * Returns a promise when what was written before is still here: it resolves when the kernel has taken the message, so that a
   * slow reader holds back its own stream, or when the socket has failed. Otherwise nothing is to be waited for.
   */
  send(text: string): Promise<void> | undefined {
    if (!this.isOpen) return undefined;
    const compressed = this.compressFromBytes !== Infinity && Buffer.byteLength(text) >= this.compressFromBytes;
    return compressed || this.compressing > 0 ? this.sendThroughWs(text) : this.put(textFrame(text));
  }

  /** `send` for a result that many are sent. */
  sendNext(next: NextFrames, head: NextHead): Promise<void> | undefined {
    if (!this.isOpen) return undefined;
    const frame = this.compressing > 0 ? undefined : this.frameOf(next, head);
    return frame === undefined ? this.sendThroughWs(next.message(head)) : this.put(frame);
  }

  /** Whether `compress` is to be waited for before `sendNext`. */
  wantsCompressed(next: NextFrames, head: NextHead): boolean {
    return this.sharesCompressed && next.messageBytes(head) >= this.compressFromBytes;
  }

  /** `sendNext` if there is nothing to wait for. False: it was not sent. */
  offerNext(next: NextFrames, head: NextHead): boolean {
    if (!this.isOpen) return true;
    if (this.stream.writableLength > 0 || this.compressing > 0 || this.heldBytes > mostHeldBytes) return false;
    const frame = this.frameOf(next, head);
    if (frame === undefined) return false;
    this.hold(frame);
    return true;
  }

  /** Undefined: what was written before is with the kernel, or nearly nothing of it is left. Otherwise resolves when it is, or when the socket has failed. */
  room(): Promise<void> | undefined {
    if (!this.isOpen) return undefined;
    if (this.compressing > 0) return this.compressed;
    if (this.heldBytes > mostJoinedBytes) this.flush();
    if (this.stream.writableLength === 0) return undefined;
    // After all that waits already; a stream tells of being empty only if it was full before.
    return new Promise((resolve) => this.stream.write(nothing, () => resolve()));
  }

  private frameOf(next: NextFrames, head: NextHead): Frame | undefined {
    if (next.messageBytes(head) < this.compressFromBytes) return next.for(head);
    return this.sharesCompressed ? next.compressedFor(head) : undefined;
  }

  /** Closes the socket after what was sent. */
  close(code: number, reason: string): void {
    this.flush();
    this.socket.close(code, reason);
  }

  /** Writes what is held back. */
  flush(): void {
    const { held, heldBytes } = this;
    if (held === undefined) return;
    this.held = undefined;
    this.heldBytes = 0;
    // It may have been closed since.
    if (this.isOpen) this.write(held.length > 1 && heldBytes <= mostJoinedBytes ? [Buffer.concat(held)] : held);
  }

  /** ws hears a moment later that its stream is gone, and what is asked of that fails at once: who waited for room would try for ever. */
  private get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN && !this.stream.destroyed;
  }

  private put(frame: Frame): Promise<void> | undefined {
    if (this.heldBytes > mostHeldBytes) this.flush();
    if (this.stream.writableLength === 0) {
      this.hold(frame);
      return undefined;
    }
    return new Promise((resolve) => this.write(frame.parts, () => resolve()));
  }

  private hold({ parts, bytes }: Frame): void {
    this.heldBytes += bytes;
    if (this.held !== undefined) {
      this.held = [...this.held, ...parts];
      return;
    }
    this.held = parts;
    // A tick asked for within a promise runs when none is left to continue: after all that this turn has to say.
    if (holding.push(this) === 1) process.nextTick(release);
  }

  private write(parts: readonly Buffer[], written?: () => void): void {
    const { stream } = this;
    if (parts.length > 1) stream.cork();
    parts.forEach((part, index) => (index === parts.length - 1 && written !== undefined ? stream.write(part, written) : stream.write(part)));
    if (parts.length > 1) stream.uncork();
  }

  private sendThroughWs(message: string | Buffer): Promise<void> {
    this.flush();
    this.compressing += 1;
    return (this.compressed = new Promise((resolve) => {
      this.socket.send(message, asText, () => {
        this.compressing -= 1;
        resolve();
      });
    }));
  }
}

function release(): void {
  const writers = holding;
  holding = [];
  for (const writer of writers) writer.flush();
}
