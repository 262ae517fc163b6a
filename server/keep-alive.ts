import type { WebSocket } from 'ws';

/** Sockets are pinged in turns, so that ten thousand are not pinged at once. */
const turns = 15;

/** Ends sockets whose other side does not answer two pings in a row: one timer for all of them. */
export interface KeepAlive {
  /** Until the socket closes. */
  watch(socket: WebSocket): void;
  close(): void;
}

/** `everyMs`: how often each socket is pinged; one that reads nothing is ended within twice that. */
export function createKeepAlive(everyMs: number): KeepAlive {
  const waves = Array.from({ length: turns }, () => new Set<WebSocket>());
  const silent = new Set<WebSocket>();
  let turn = 0;
  let newest = 0;

  const timer = setInterval(() => {
    turn = (turn + 1) % turns;
    for (const socket of waves[turn]!) {
      if (silent.has(socket)) socket.terminate();
      else {
        silent.add(socket);
        socket.ping();
      }
    }
  }, everyMs / turns);
  timer.unref();

  function answered(this: WebSocket): void {
    silent.delete(this);
  }
  function closed(this: WebSocket): void {
    silent.delete(this);
    for (const wave of waves) wave.delete(this);
  }

  return {
    watch(socket) {
      newest = (newest + 1) % turns;
      waves[newest]!.add(socket);
      socket.on('pong', answered);
      socket.on('close', closed);
    },
    close: () => clearInterval(timer),
  };
}
