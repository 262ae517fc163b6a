import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apply } from '../apply.js';
import { conflictRows } from '../conflict.js';
import { invert } from '../invert.js';
import { normalize } from '../normalize.js';
import { parsePatch } from '../parse.js';
import type { JsonValue } from '../json.js';
import type { NormalPatch, Operation } from '../operation.js';
import { rebase } from '../rebase.js';
import type { Row } from '../transform/cell.js';
import { harmlessRows } from '../transform/cell.js';
import { transform, transformBoth } from '../transform/transform.js';
import { canonicalJson } from '../value.js';
import { toWire } from '../wire.js';
import { diamond } from './diamond.js';
import { report } from './report.js';
import type { Tape } from './generate.js';
import { generateDocument, generatePatch, givenTape, seededTape } from './generate.js';
import { plainApply } from './plain-apply.js';

/** A seed of its own for every run unless one is given; fast-check prints it, with the path to the failure. */
const seed = process.env['FUZZ_SEED'] === undefined ? Date.now() & 0x7fffffff : Number(process.env['FUZZ_SEED']);
report(`laws: FUZZ_SEED=${seed}`);
const given = (numRuns: number): { readonly seed: number; readonly numRuns: number } => ({ seed, numRuns });

/** Everything the generator decides, as an array that fast-check can shrink. */
const tape = (length: number): fc.Arbitrary<Tape> =>
  fc.array(fc.nat({ max: 9999 }), { maxLength: length, size: 'max' }).map(givenTape);

const strip = (patch: NormalPatch): NormalPatch => patch.filter(({ op }) => op !== 'test');

const mustApply = (document: JsonValue, ...patches: readonly NormalPatch[]): JsonValue =>
  patches.reduce<JsonValue>((state, patch) => {
    const result = apply(state, strip(patch));
    if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
    return result.value;
  }, document);

const must = <T>(result: { ok: true; value: T } | { ok: false; error: { message: string } }): T => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

describe('the diamond: both orders of two concurrent patches end in the same document', () => {
  for (const [length, numRuns, tapeLength] of [
    [1, 4000, 60],
    [3, 1500, 120],
    [12, 150, 400],
  ] as const) {
    it(`holds for ${length} against ${length} operations, shrinking what breaks it`, () => {
      fc.assert(
        fc.property(tape(tapeLength), (decisions) => {
          const document = generateDocument(decisions);
          diamond(document, generatePatch(decisions, document, length), generatePatch(decisions, document, length));
        }),
        given(numRuns),
      );
    });
  }

  it('holds on a seeded run in which every row of the table fires at least 100 times', () => {
    const counts = new Map<Row, number>();
    const observe = (row: Row): void => void counts.set(row, (counts.get(row) ?? 0) + 1);
    const tapeOfRun = seededTape(seed);
    for (const [length, runs] of [
      [1, 30_000],
      [3, 60_000],
      [12, 3_000],
    ] as const) {
      for (let run = 0; run < runs; run++) {
        const document = generateDocument(tapeOfRun);
        const first = generatePatch(tapeOfRun, document, length, true);
        diamond(document, first, generatePatch(tapeOfRun, document, length, true), observe);
      }
    }
    const every = [...harmlessRows, ...conflictRows];
    const counted = every.map((row) => `${row} ${counts.get(row) ?? 0}`);
    report(`rows of the table: ${counted.join(', ')}`);
    expect(every.filter((row) => (counts.get(row) ?? 0) < 100)).toEqual([]);
  });
});

describe('apply', () => {
  it('never fails on a transformed patch, and agrees with the plainest interpreter', () => {
    const decisions = seededTape(seed + 1);
    for (let run = 0; run < 5000; run++) {
      const document = generateDocument(decisions);
      const earlier = generatePatch(decisions, document, 3);
      const later = generatePatch(decisions, document, 3);
      const both = must(transformBoth(earlier, later));
      const one = mustApply(document, earlier, both.later);
      expect(canonicalJson(one)).toBe(canonicalJson(plainApply(document, earlier, both.later)));
      expect(canonicalJson(mustApply(document, later, both.earlier))).toBe(canonicalJson(one));
    }
  });
});

describe('transform', () => {
  it('gives each side of transformBoth', () => {
    const decisions = seededTape(seed + 2);
    for (let run = 0; run < 1000; run++) {
      const document = generateDocument(decisions);
      const earlier = generatePatch(decisions, document, 3, true);
      const later = generatePatch(decisions, document, 3, true);
      const both = must(transformBoth(earlier, later));
      expect(must(transform(earlier, later, 'left'))).toEqual({ patch: both.earlier, conflicts: both.conflicts });
      expect(must(transform(later, earlier, 'right'))).toEqual({ patch: both.later, conflicts: both.conflicts });
    }
  });

  it('gives back the same reference where nothing touched', () => {
    const patch: NormalPatch = [{ op: 'replace', path: ['a', 'b'], value: 1 }];
    const other: NormalPatch = [{ op: 'remove', path: ['b'] }];
    const both = must(transformBoth(patch, other));
    expect(both.earlier).toBe(patch);
    expect(both.later).toBe(other);
  });

  it('keeps the mark of a move that brings an item home, whatever it goes past', () => {
    const decisions = seededTape(seed + 4);
    let moved = 0;
    for (let run = 0; run < 3000; run++) {
      const document = generateDocument(decisions);
      const move = generatePatch(decisions, document, 1)[0];
      const other = generatePatch(decisions, document, 2);
      if (move?.op !== 'move') continue;
      const marked: NormalPatch = [{ ...move, restoring: true }];
      for (const side of ['left', 'right'] as const) {
        for (const operation of must(transform(marked, other, side)).patch) {
          if (operation.op !== 'move') continue;
          expect(operation.restoring).toBe(true);
          if (operation !== marked[0]) moved++;
        }
      }
    }
    expect(moved).toBeGreaterThan(50);
  });

  it('makes patches that travel: read from the wire and normalised they are the same again', () => {
    const decisions = seededTape(seed + 5);
    const isNothing = (operation: Operation): boolean =>
      operation.op === 'inc' ? operation.value === 0 : operation.op === 'move' && canonicalJson(operation.from) === canonicalJson(operation.path);
    for (let run = 0; run < 3000; run++) {
      const document = generateDocument(decisions);
      const earlier = generatePatch(decisions, document, 3);
      const { later } = must(transformBoth(earlier, generatePatch(decisions, document, 3)));
      const wire = must(parsePatch(JSON.parse(JSON.stringify(toWire(later)))));
      expect(must(normalize(plainApply(document, earlier), wire))).toEqual(later.filter((operation) => !isNothing(operation)));
    }
  });

  it('names each loser as its patch told it, and conflicts survive JSON', () => {
    const decisions = seededTape(seed + 3);
    let conflicts = 0;
    for (let run = 0; run < 3000; run++) {
      const document = generateDocument(decisions);
      const earlier = generatePatch(decisions, document, 3, true);
      const later = generatePatch(decisions, document, 3, true);
      for (const conflict of must(transformBoth(earlier, later)).conflicts) {
        conflicts++;
        const [losers, winners] = conflict.loser === 'earlier' ? [earlier, later] : [later, earlier];
        expect(losers[conflict.losing.operation]).toBe(conflict.losing.op);
        expect(winners[conflict.winning.operation]).toBe(conflict.winning.op);
        expect(JSON.parse(JSON.stringify(conflict))).toEqual(conflict);
      }
    }
    expect(conflicts).toBeGreaterThan(1000);
  });
});

describe('rebase', () => {
  it('over nothing, and of nothing, is identity', () => {
    const patches: NormalPatch[] = [[{ op: 'remove', path: ['a'] }], []];
    expect(must(rebase(patches, []))).toEqual({ pending: patches, changes: [], conflicts: [] });
    expect(must(rebase(patches, [])).pending).toBe(patches);
    expect(must(rebase([], patches)).changes).toBe(patches);
  });

  it('does not depend on how changes or pending patches were batched', () => {
    fc.assert(
      fc.property(tape(600), (decisions) => {
        const document = generateDocument(decisions);
        // Long ones are told apart by branch when taken all at once, and not when taken one by one.
        const pending = chain(decisions, document, 1 + decisions.draw(10));
        const changes = chain(decisions, document, 1 + decisions.draw(10));
        const atOnce = must(rebase(pending, changes));
        expect(canonicalJson(mustApply(document, ...pending, ...atOnce.changes))).toBe(
          canonicalJson(mustApply(document, ...changes, ...atOnce.pending)),
        );

        // One change at a time, as they arrive.
        let left: readonly NormalPatch[] = pending;
        const arrived: NormalPatch[] = [];
        for (const change of changes) {
          const rebased = must(rebase(left, [change]));
          left = rebased.pending;
          arrived.push(...rebased.changes);
        }
        expect(left).toEqual(atOnce.pending);
        expect(arrived).toEqual(atOnce.changes);

        // All in one patch a side.
        const whole = must(transformBoth(changes.flat(), pending.flat()));
        expect(whole.later).toEqual(atOnce.pending.flat());
        expect(whole.earlier).toEqual(atOnce.changes.flat());
      }),
      given(500),
    );
  });
});

describe('taking long runs past each other', () => {
  it('gives the same patches when they are told apart by branch and when they are taken one by one', () => {
    const decisions = seededTape(seed + 6);
    for (let run = 0; run < 1500; run++) {
      const document = generateDocument(decisions);
      const pending = chain(decisions, document, 8);
      const changes = chain(decisions, document, 8);
      const atOnce = must(rebase(pending, changes));
      let left: readonly NormalPatch[] = pending;
      const arrived = changes.flatMap((change) => {
        const rebased = must(rebase(left, [change]));
        left = rebased.pending;
        return rebased.changes;
      });
      expect([left, arrived]).toEqual([atOnce.pending, atOnce.changes]);
    }
  });
});

describe('invert', () => {
  it('brings the document back', () => {
    fc.assert(
      fc.property(tape(200), (decisions) => {
        const document = generateDocument(decisions);
        const patch = generatePatch(decisions, document, 6, true);
        const inverse = must(invert(document, patch));
        expect(canonicalJson(mustApply(document, patch, inverse))).toBe(canonicalJson(document));
      }),
      given(2000),
    );
  });

  it('undoes through later concurrent patches: the others\' work stays, in both orders', () => {
    fc.assert(
      fc.property(tape(300), (decisions) => {
        const document = generateDocument(decisions);
        const patch = generatePatch(decisions, document, 3);
        const after = plainApply(document, patch);
        const since = generatePatch(decisions, after, 3);
        const inverse = must(invert(document, patch));
        const both = must(transformBoth(since, inverse));
        expect(canonicalJson(mustApply(after, since, both.later))).toBe(
          canonicalJson(mustApply(document, both.earlier)),
        );
      }),
      given(1500),
    );
  });

  it('leaves alone what others did elsewhere', () => {
    const document: JsonValue = { title: 'old', rows: ['a', 'b'], n: 1 };
    const patch: NormalPatch = [
      { op: 'replace', path: ['title'], value: 'new' },
      { op: 'remove', path: ['rows', 0] },
      { op: 'inc', path: ['n'], value: 2 },
    ];
    const since: NormalPatch = [
      { op: 'insert', path: ['rows', 1], value: 'c' },
      { op: 'inc', path: ['n'], value: 10 },
    ];
    const undo = must(transform(must(invert(document, patch)), since, 'right')).patch;
    expect(mustApply(document, patch, since, undo)).toEqual({ title: 'old', rows: ['a', 'b', 'c'], n: 11 });
  });

  it('tells which operation does not fit', () => {
    const operations: Operation[] = [
      { op: 'replace', path: ['a'], value: 2 },
      { op: 'remove', path: ['b'] },
    ];
    expect(invert({ a: 1 }, operations)).toMatchObject({ ok: false, error: { code: 'PATH_NOT_FOUND', operation: 1 } });
  });
});

/** Patches of one or two operations, each made on what the ones before it lead to. */
const chain = (decisions: Tape, document: JsonValue, length: number): NormalPatch[] => {
  const patches: NormalPatch[] = [];
  let state = document;
  for (let index = 0; index < length; index++) {
    const patch = generatePatch(decisions, state, 1 + decisions.draw(2));
    state = plainApply(state, patch);
    patches.push(patch);
  }
  return patches;
};
