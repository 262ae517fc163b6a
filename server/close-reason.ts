/** A WebSocket close frame holds at most 125 bytes, two of which are the code. */
const mostBytes = 123;

/** `CODE: sentence`, cut after a word where it is too long for a close frame. */
export function closeReason(code: string, message: string): string {
  const whole = `${code}: ${message}`;
  if (Buffer.byteLength(whole) <= mostBytes) return whole;
  const room = mostBytes - Buffer.byteLength(' …');
  let end = 0;
  for (const { index } of whole.matchAll(/\s/g)) {
    if (Buffer.byteLength(whole.slice(0, index)) > room) break;
    end = index;
  }
  return `${whole.slice(0, end)} …`;
}
