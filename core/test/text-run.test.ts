import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextRun } from '../text-run.js';

describe('a run of edits on a long text', () => {
  const start = 'ab😀'.repeat(1500);

  it('gives what slicing gives, over chunk borders and after chunks grew and shrank', () => {
    const edit = fc.record({ at: fc.nat(7000), count: fc.oneof(fc.nat(5), fc.nat(4000)), text: fc.constantFrom('', 'x', '😁', 'long '.repeat(900)) });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 30 }), (edits) => {
        const run = new TextRun(start);
        let text = start;
        for (const { at, count, text: inserted } of edits) {
          const pos = Math.min(at, text.length);
          const end = Math.min(pos + count, text.length);
          const cuts = (offset: number) => (text.codePointAt(offset - 1) ?? 0) > 0xffff;
          expect(run.delete(pos, end - pos)).toBe(!cuts(pos) && !cuts(end));
          if (!cuts(pos) && !cuts(end)) text = text.slice(0, pos) + text.slice(end);
          expect(run.insert(pos, inserted)).toBe(!cuts(pos));
          if (!cuts(pos)) text = text.slice(0, pos) + inserted + text.slice(pos);
          expect(run.length).toBe(text.length);
        }
        expect(run.toString()).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('may empty the text and fill it again', () => {
    const run = new TextRun(start);
    expect(run.delete(0, start.length)).toBe(true);
    expect(run.toString()).toBe('');
    expect(run.insert(0, 'again')).toBe(true);
    expect(run.toString()).toBe('again');
    expect(new TextRun('').toString()).toBe('');
  });
});
