import { describe, expect, it } from 'vitest';
import { closeReason } from '../close-reason.js';

describe('The reason in a close frame', () => {
  it('is the code and the sentence where they fit', () => {
    expect(closeReason('SHUTTING_DOWN', 'The server is stopping; connect again.')).toBe('SHUTTING_DOWN: The server is stopping; connect again.');
    const exact = 'x'.repeat(123 - 'A: '.length);
    expect(closeReason('A', exact)).toBe(`A: ${exact}`);
  });

  it.each([
    ['words', 'The server did something that takes a good many words to tell, more of them than there is room for in a frame that closes a socket.'],
    ['words of more than one byte a letter', 'Größe übersteigt für ähnliche Öfen '.repeat(6)],
    ['emoji', '👩‍🚀 📦 '.repeat(30)],
  ])('is cut after a word where it is too long: %s', (_what, message) => {
    const reason = closeReason('INTERNAL', message);
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
    expect(Buffer.byteLength(reason)).toBeGreaterThan(90);
    expect(reason.endsWith(' …')).toBe(true);
    const words = reason.slice('INTERNAL: '.length, -2).split(' ');
    expect(message.split(' ').slice(0, words.length)).toEqual(words);
  });

  it('keeps the code when the first word alone is too long', () => {
    expect(closeReason('INTERNAL', 'x'.repeat(200))).toBe('INTERNAL: …');
  });
});
