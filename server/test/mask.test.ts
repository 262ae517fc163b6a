import { GraphQLError } from 'graphql';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ConcordError } from '@concord/core';
import { createMask } from '../mask.js';

function maskWithLog() {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  return { mask: createMask({ log, randomId: () => 'ref-1' }), lines };
}

describe('The mask', () => {
  it('keeps the code and the facts of a ConcordError, and the place in the answer', () => {
    const { mask, lines } = maskWithLog();
    const cause = new ConcordError('CLOCK_GAP', 'Expected 3.', { expected: 3, path: '/a' });
    const shown = mask(new GraphQLError('Expected 3.', { path: ['push'], originalError: cause })).toJSON();
    expect(shown).toEqual({ message: 'Expected 3.', path: ['push'], extensions: { code: 'CLOCK_GAP', expected: 3, path: '/a' } });
    expect(lines).toEqual([]);
  });

  it('hides a bug behind a reference, under which the log has it with its stack', () => {
    const { mask, lines } = maskWithLog();
    const shown = mask(new GraphQLError('secret table is on fire', { originalError: new TypeError('secret table is on fire') }));
    expect(JSON.stringify(shown)).not.toContain('secret');
    expect(shown.extensions).toEqual({ code: 'INTERNAL', id: 'ref-1' });
    expect(shown.message).toContain('ref-1');
    expect(lines[0]).toMatchObject({ id: 'ref-1', err: { type: 'TypeError', stack: expect.stringContaining('mask.test') as string } });
  });

  it('calls a database that is away UNAVAILABLE, also inside the error of a library', () => {
    const { mask } = maskWithLog();
    const away = Object.assign(new Error('connect ECONNREFUSED 10.0.0.5:5432'), { code: 'ECONNREFUSED' });
    for (const error of [away, new Error('query failed', { cause: away })]) {
      const shown = mask(error);
      expect(shown.extensions).toMatchObject({ code: 'UNAVAILABLE', retryAfter: 1000 });
      expect(shown.message).not.toContain('10.0.0.5');
    }
  });

  it('leaves an error alone that has been through it', () => {
    const { mask } = maskWithLog();
    const once = mask(new ConcordError('LAGGED', 'Too slow.'));
    expect(mask(once)).toBe(once);
  });
});
