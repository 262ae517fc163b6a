import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../json.js';
import type { NormalPatch, Operation } from '../operation.js';
import { rebase } from '../rebase.js';
import { transformBoth } from '../transform/transform.js';
import { canonicalJson, equalValues } from '../value.js';
import { diamond } from './diamond.js';
import { report } from './report.js';
import type { World } from './enumerate.js';
import { everyOperation, everyPlace } from './enumerate.js';
import { plainApply } from './plain-apply.js';

const worlds: readonly World[] = [
  { document: { a: 1, b: 2 }, keys: ['a', 'b', 'c'], values: [1, 'x'], marked: true },
  { document: [1, 2, 3], keys: [], values: [1, 'x'], marked: true },
  { document: { a: { b: 1 }, c: [] }, keys: ['a', 'b', 'c'], values: [[], 7], marked: true },
  { document: { a: { a: {}, b: [0] }, b: { a: 1 } }, keys: ['a', 'b'], values: [0, {}], marked: true },
  { document: [[[1], []], { a: [2] }], keys: ['a'], values: [1, []], marked: true },
  { document: [[1], { '0': 2 }], keys: ['0', '1'], values: [1, {}], marked: true },
  { document: { t: 'a😀b' }, keys: ['t'], values: ['a😀b', 1] },
  { document: { '0': { '1': {} }, '1': [0] }, keys: ['0', '1'], values: [0, {}], marked: true },
  { document: [[[]], []], keys: [], values: [0], marked: true },
  { document: { a: { a: {} }, b: {} }, keys: ['a', 'b'], values: [0], marked: true },
  { document: { a: [{ x: 1 }, { x: 2 }], b: [] }, keys: ['a', 'x'], values: [0], marked: true },
  { document: 5, keys: [], values: [5, 6] },
  { document: '😀', keys: [], values: ['😀', 1] },
];

describe('every pair of single operations', () => {
  it.each(worlds.map((world) => [JSON.stringify(world.document), world] as const))(
    'on %s closes its diamond, in both orders',
    (_, world) => {
      const operations = everyOperation(world);
      for (const earlier of operations) {
        for (const later of operations) diamond(world.document, [earlier], [later]);
      }
      expect(operations.length).toBeGreaterThan(3);
    },
  );

  it('is thousands of pairs', () => {
    const pairs = worlds.reduce((sum, world) => sum + everyOperation(world).length ** 2, 0);
    report(`exhaustive: ${pairs} pairs`);
    expect(pairs).toBeGreaterThan(40_000);
  });
});

describe('every triple of single operations through the server order', () => {
  const small: readonly World[] = [
    { document: [1, 2], keys: [], values: ['x'] },
    { document: { a: {}, b: {} }, keys: ['a', 'b'], values: [0] },
    { document: { a: [1] }, keys: ['a', 'b'], values: [0] },
    { document: [[1], []], keys: [], values: [0] },
    { document: { a: { b: {} }, c: {} }, keys: ['a', 'b'], values: [0] },
    { document: 'ab', keys: [], values: ['ab'] },
  ];

  it.each(small.map((world) => [JSON.stringify(world.document), world] as const))(
    'on %s leaves the server and all three authors with the same document',
    (_, { document, ...stock }) => {
      const operations = everyOperation({ document, ...stock });
      for (const first of operations) for (const second of operations) for (const third of operations) {
        threeAuthors(document, [first], [second], [third]);
      }
    },
  );
});

/** The server commits the three in this order; each author has its own patch pending and receives what was committed. */
const threeAuthors = (document: JsonValue, first: NormalPatch, second: NormalPatch, third: NormalPatch): void => {
  const secondCommitted = after(second, [first]);
  const thirdCommitted = after(third, [first, secondCommitted]);
  const server = canonicalJson(plainApply(document, first, secondCommitted, thirdCommitted));
  const ofSecond = plainApply(document, second, ...past([second], [first]), thirdCommitted);
  const ofThird = plainApply(document, third, ...past([third], [first, secondCommitted]));
  if (canonicalJson(ofSecond) !== server || canonicalJson(ofThird) !== server) {
    throw new Error(`The authors differ: ${JSON.stringify({ document, first, second, third, server, ofSecond, ofThird })}`);
  }
};

const after = (patch: NormalPatch, changes: readonly NormalPatch[]): NormalPatch => {
  const rebased = rebase([patch], changes);
  if (!rebased.ok) throw new Error(rebased.error.message);
  return rebased.value.pending[0] as NormalPatch;
};

const past = (pending: readonly NormalPatch[], changes: readonly NormalPatch[]): readonly NormalPatch[] => {
  const rebased = rebase(pending, changes);
  if (!rebased.ok) throw new Error(rebased.error.message);
  return rebased.value.changes;
};

describe('a guard', () => {
  // Every leaf is told from every other by its value, so that an element can be found again after any operation.
  const document: JsonValue = { a: [100, { x: 200, y: [300] }, 400], b: { x: 500, y: { z: 600 } }, c: 'text' };

  it('follows its element past every operation, and is lost when and only when the element is', () => {
    const { elements } = everyPlace(document, []);
    let lost = 0;
    for (const operation of everyOperation({ document, keys: ['x', 'y', 'c', 'd'], values: [99] })) {
      const result = plainApply(document, [operation]);
      const found = everyPlace(result, []).elements;
      for (const { path, value } of elements) {
        if (typeof value !== 'number') continue;
        const mapped = mapGuard({ op: 'test', path, value }, operation);
        const there = found.find((element) => equalValues(element.value, value));
        if (there !== undefined) {
          expect(mapped, JSON.stringify({ operation, path })).toEqual([{ op: 'test', path: there.path, value }]);
        } else if (operation.op === 'inc' || (operation.op === 'replace' && samePlace(operation, path))) {
          // The element is there with another value: the guard stays, to fail when it is evaluated.
          expect(mapped).toEqual([{ op: 'test', path, value }]);
        } else {
          expect(mapped, JSON.stringify({ operation, path })).toBe('lost');
          lost++;
        }
      }
    }
    expect(lost).toBeGreaterThan(10);
  });

  it('of an earlier patch is left out once there is something to go past, and changes nothing for the other side', () => {
    const guarded: NormalPatch = [{ op: 'test', path: ['c'], value: 'text' }, { op: 'remove', path: ['c'] }];
    const both = transformBoth(guarded, [{ op: 'str_ins', path: ['b', 'x'], pos: 0, str: '' }]);
    expect(both).toMatchObject({ ok: true, value: { earlier: [{ op: 'remove', path: ['c'] }], conflicts: [] } });
  });
});

const samePlace = (operation: Operation, path: readonly (string | number)[]): boolean =>
  JSON.stringify(operation.path) === JSON.stringify(path);

const mapGuard = (guard: Operation, past: Operation): NormalPatch | 'lost' => {
  const both = transformBoth([past], [guard]);
  if (!both.ok) throw new Error(both.error.message);
  const { later, conflicts } = both.value;
  if (later.length > 0) return later;
  expect(conflicts).toMatchObject([{ rule: 'guardLost', loser: 'later', losing: { op: guard } }]);
  return 'lost';
};
