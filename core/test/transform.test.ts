import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { conflictRows } from '../conflict.js';
import type { JsonValue } from '../json.js';
import type { NormalPatch, Operation } from '../operation.js';
import { normalize } from '../normalize.js';
import { parsePatch } from '../parse.js';
import { rebase } from '../rebase.js';
import type { Row } from '../transform/cell.js';
import { harmlessRows } from '../transform/cell.js';
import { transformBoth } from '../transform/transform.js';
import { diamond } from './diamond.js';
import { transformCases } from './transform-cases.js';
import { workOut, type TransformFixture } from './transform-fixture.js';

const folder = new URL('../../fixtures/', import.meta.url);
const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as T;
const fixtures = read<readonly TransformFixture[]>('transform.json');

describe('fixtures/transform.json', () => {
  it('holds every case that is told', () => {
    expect(fixtures.map(({ comment }) => comment)).toEqual(transformCases.map(([comment]) => comment));
  });

  it.each(fixtures.map((fixture) => [fixture.comment, fixture] as const))('%s', (_, fixture) => {
    const { comment, document, a, b } = fixture;
    expect(workOut([comment, document, a, b])).toEqual(fixture);
  });

  it('meets every row of the table', () => {
    const met = new Set<Row>();
    const normal = (document: JsonValue, wire: unknown): NormalPatch => {
      const patch = parsePatch(wire);
      const normalized = patch.ok ? normalize(document, patch.value) : patch;
      if (!normalized.ok) throw new Error(normalized.error.message);
      return normalized.value;
    };
    for (const { document, a, b } of fixtures) {
      transformBoth(normal(document, a), normal(document, b), (row) => met.add(row));
      transformBoth(normal(document, b), normal(document, a), (row) => met.add(row));
    }
    const every: readonly Row[] = [...harmlessRows, ...conflictRows];
    expect(every.filter((row) => !met.has(row))).toEqual([]);
  });
});

describe('fixtures/found', () => {
  const found = readdirSync(new URL('found/', folder)).filter((name) => name.endsWith('.json'));

  it.each(found.map((name) => [name]))('%s closes its diamond', (name) => {
    const { document, earlier, later } = read<{ document: JsonValue; earlier: NormalPatch; later: NormalPatch }>(`found/${name}`);
    diamond(document, earlier, later);
  });
});

describe('a move to its own place', () => {
  const nothing: NormalPatch = [{ op: 'move', from: [0], path: [0] }];

  it.each([
    ['a move of the same item', [{ op: 'move', from: [0], path: [2] }], ['y', 'z', 'x']],
    ['a move of the next item over it', [{ op: 'move', from: [1], path: [0] }], ['y', 'x', 'z']],
    ['an insertion in front of it', [{ op: 'insert', path: [0], value: 'new' }], ['new', 'x', 'y', 'z']],
    ['its removal', [{ op: 'remove', path: [0] }], ['y', 'z']],
  ] as const satisfies readonly (readonly [string, NormalPatch, JsonValue])[])('is nothing to %s, in both orders', (_, other, result) => {
    const document = ['x', 'y', 'z'];
    expect(diamond(document, nothing, other)).toEqual(result);
    expect(diamond(document, other, nothing)).toEqual(result);
  });
});

describe('transform, pushed hard', () => {
  it('refuses two patches that split each other for too long, in bounded time', () => {
    const deletion: NormalPatch = [{ op: 'str_del', path: [], pos: 0, len: 40_000 }];
    const insertions: Operation[] = Array.from({ length: 20_000 }, (_, index) => ({ op: 'str_ins', path: [], pos: 1 + 3 * index, str: 'x' }));
    expect(transformBoth(deletion, insertions)).toMatchObject({ ok: false, error: { code: 'LIMIT_EXCEEDED' } });
  });

  it('lets one deletion meet a thousand scattered insertions inside of it', () => {
    const insertions: Operation[] = Array.from({ length: 1000 }, (_, index) => ({ op: 'str_ins', path: [], pos: 1 + 3 * index, str: 'x' }));
    diamond('a'.repeat(3000), [{ op: 'str_del', path: [], pos: 0, len: 3000 }], insertions);
  });

  it('takes 1,000 operations past 1,000 in well under a second, colliding at every step', () => {
    const inserts: NormalPatch = Array.from({ length: 1000 }, (_, value) => ({ op: 'insert', path: [0], value }));
    const start = performance.now();
    expect(transformBoth(inserts, inserts).ok).toBe(true);
    expect(performance.now() - start).toBeLessThan(1500);
  });

  it('takes 5,000 pending patches past 5,000 changes in other branches without looking at the pairs', () => {
    const patches = (side: string): NormalPatch[] =>
      Array.from({ length: 5000 }, (_, index) => [{ op: 'replace', path: ['rows', `${side}${index}`], value: index }]);
    const pending = patches('p');
    const start = performance.now();
    const rebased = rebase(pending, patches('c'));
    expect(performance.now() - start).toBeLessThan(1000);
    expect(rebased.ok && rebased.value.pending).toBe(pending);
  });
});
