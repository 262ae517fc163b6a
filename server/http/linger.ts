import type { ServerResponse } from 'node:http';

/** What a caller may go on sending after its refusal: more than the largest body, with what is on the way in between. */
const mostBytes = 32 * 1024 * 1024;
const longestMs = 15_000;

/**
 * Answers a request whose body is not wanted, and takes the rest of it before the connection is closed: a connection that is closed
 * while its other side is sending is reset, and many clients lose the answer with it.
 */
export function answerAndLinger(response: ServerResponse, status: number, body: string): void {
  const { req: request } = response;
  response.writeHead(status, { ...jsonHeaders(body), connection: 'close' });
  // With its length in the head it is complete for the caller; to end it would close the connection.
  response.write(body);
  let left = mostBytes;
  const timer = setTimeout(finish, longestMs);
  timer.unref();
  function finish(): void {
    clearTimeout(timer);
    request.off('data', count).off('end', finish).off('error', finish).off('close', finish);
    response.end();
  }
  function count(chunk: Buffer): void {
    left -= chunk.length;
    if (left < 0) finish();
  }
  request.on('data', count).on('end', finish).on('error', finish).on('close', finish);
  request.resume();
}

export const jsonHeaders = (body: string): Readonly<Record<string, string | number>> => ({
  'content-type': 'application/json; charset=utf-8',
  'content-length': Buffer.byteLength(body),
  'cache-control': 'no-store',
});
