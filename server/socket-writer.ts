import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** Beyond it what is held back in one turn goes out at once. */
const mostHeldBytes = 64 * 1024;

const asText = { binary: false } as const;

/** Streams with frames of this turn of the event loop. */
let held: Duplex[] = [];

/**
 * Sends frames of one socket. Those of one turn of the event loop go out together at its end: an answer and its `complete`
 * are one write instead of two, and wake the other side once.
 *
 * Returns a promise when what was written before is still here: it resolves when the kernel has taken the frame, so that a slow
 * reader holds back its own stream. Otherwise nothing is to be waited for. A frame for a socket that is not open is dropped.
 */
export function createSocketWriter(socket: WebSocket, stream: Duplex): (frame: string | Buffer) => Promise<void> | undefined {
  return (frame) => {
    if (socket.readyState !== socket.OPEN) return undefined;
    const corked = stream.writableCorked > 0;
    const waits = socket.bufferedAmount > (corked ? mostHeldBytes : 0);
    if (!waits) {
      if (!corked) hold(stream);
      socket.send(frame, asText);
      return undefined;
    }
    if (corked) stream.uncork();
    return new Promise((resolve, reject) => {
      socket.send(frame, asText, (error) => (error ? reject(error) : resolve()));
    });
  };
}

function hold(stream: Duplex): void {
  stream.cork();
  // Ticks run when no promise is left to continue: after all that this turn has to say.
  if (held.push(stream) === 1) process.nextTick(release);
}

function release(): void {
  const streams = held;
  held = [];
  for (const stream of streams) stream.uncork();
}
