import { describe, expect, it } from 'vitest';
import { parseConflict, rebase, type Conflict, type NormalPatch } from '../index.js';

const mine: NormalPatch = [{ op: 'replace', path: ['title'], value: 'mine' }];
const theirs: NormalPatch = [{ op: 'replace', path: ['title'], value: 'theirs' }];

function found(): Conflict {
  const rebased = rebase([mine], [theirs]);
  if (!rebased.ok) throw new Error(rebased.error.message);
  return rebased.value.conflicts[0]!;
}

describe('a conflict from another process', () => {
  it('comes through JSON as it was found', () => {
    expect(parseConflict(JSON.parse(JSON.stringify(found())))).toEqual({ ok: true, value: found() });
  });

  it.each([
    ['an unknown rule', { rule: 'whoever' }, '/rule'],
    ['an inherited rule', { rule: 'toString' }, '/rule'],
    ['no loser', { loser: null }, '/loser'],
    ['an operation of the wire', { losing: { patch: 0, operation: 0, op: { op: 'replace', path: '/title', value: 1 } } }, '/losing'],
    ['an operation with more members', { winning: { patch: 0, operation: 0, op: { op: 'remove', path: [], note: 1 } } }, '/winning'],
    ['a path with a fraction', { path: ['list', 0.5] }, '/path'],
    ['a place that is text', { place: '/title' }, '/place'],
  ])('is refused with %s, and told where', (_name, change, path) => {
    expect(parseConflict({ ...found(), ...change })).toMatchObject({ ok: false, error: { code: 'INPUT_INVALID', path } });
  });

  it('is refused when it is larger than a patch may be', () => {
    expect(parseConflict({ ...found(), lost: 'x'.repeat(1_200_000) })).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED', limit: 1_048_576 } });
  });
});
