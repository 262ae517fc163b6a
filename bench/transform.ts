/**
 * The speed of the merge, with ot-json1 beside it in the same run. Prints medians of several rounds and their ratio.
 *
 *     npx tsx --conditions=@concord/source bench/transform.ts
 */
import { rebase, squash, transform, transformBoth } from '@concord/core';
import type { NormalPatch, Operation } from '@concord/core';
import { editOp, insertOp, moveOp, removeOp, type as json1 } from 'ot-json1';
import type { JSONOp } from 'ot-json1';

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1] as number;

/** Milliseconds one call takes, the median of `rounds` after two to warm up. */
const timed = (rounds: number, run: () => void): number => {
  const times: number[] = [];
  for (let round = -2; round < rounds; round++) {
    const start = performance.now();
    run();
    if (round >= 0) times.push(performance.now() - start);
  }
  return median(times);
};

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const perSecond = (count: number, ms: number): number => (count / ms) * 1000;
const readable = (number: number): string => Math.round(number).toLocaleString('en');

/** Pairs as they come: most do not touch, the rest shift, tie, edit one text, or carry each other along. */
const pairs: readonly (readonly [Operation, Operation])[] = [
  [{ op: 'replace', path: ['title'], value: 'x' }, { op: 'replace', path: ['body'], value: 'y' }],
  [{ op: 'insert', path: ['items', 3], value: 1 }, { op: 'insert', path: ['items', 7], value: 2 }],
  [{ op: 'insert', path: ['items', 3], value: 1 }, { op: 'replace', path: ['items', 5, 'name'], value: 'n' }],
  [{ op: 'remove', path: ['items', 2] }, { op: 'inc', path: ['items', 4, 'count'], value: 1 }],
  [{ op: 'str_ins', path: ['body'], pos: 10, str: 'abc' }, { op: 'str_ins', path: ['body'], pos: 20, str: 'de' }],
  [{ op: 'str_del', path: ['body'], pos: 5, len: 3 }, { op: 'str_ins', path: ['body'], pos: 20, str: 'de' }],
  [{ op: 'inc', path: ['count'], value: 1 }, { op: 'inc', path: ['count'], value: 2 }],
  [{ op: 'move', from: ['items', 1], path: ['items', 4] }, { op: 'inc', path: ['items', 1, 'count'], value: 1 }],
];

const ofJson1 = (operation: Operation): JSONOp => {
  const path = [...operation.path];
  switch (operation.op) {
    case 'add':
    case 'insert':
      return insertOp(path, operation.value as never);
    case 'replace':
      return json1.compose(removeOp(path), insertOp(path, operation.value as never));
    case 'remove':
      return removeOp(path);
    case 'move':
      return moveOp([...operation.from], path);
    case 'inc':
      return editOp(path, 'number', operation.value);
    case 'str_ins':
      return editOp(path, 'text-unicode', [operation.pos, operation.str]);
    case 'str_del':
      return editOp(path, 'text-unicode', [operation.pos, { d: operation.len }]);
    case 'test':
      throw new Error('ot-json1 has no guards');
  }
};

const singles = (): void => {
  const ours = pairs.map(([a, b]) => [[a], [b]] as const);
  const theirs = pairs.map(([a, b]) => [ofJson1(a), ofJson1(b)] as const);
  const each = 100_000;
  let kept = 0;
  const oursMs = timed(9, () => {
    for (let turn = 0; turn < each; turn++) {
      for (const [a, b] of ours) {
        const result = transform(b, a, 'right');
        if (result.ok) kept += result.value.patch.length;
      }
    }
  });
  const theirsEach = 1000;
  const theirsMs = timed(5, () => {
    for (let turn = 0; turn < theirsEach; turn++) for (const [a, b] of theirs) json1.transform(b, a, 'right');
  });
  const oursRate = perSecond(each * ours.length, oursMs);
  const theirsRate = perSecond(theirsEach * theirs.length, theirsMs);
  print(`single transform        ${readable(oursRate)}/s; ot-json1 ${readable(theirsRate)}/s; ratio ${(oursRate / theirsRate).toFixed(0)} (${kept > 0 ? 'kept' : ''})`);
};

const grids = (): void => {
  const inserts = (count: number, step: number): NormalPatch =>
    Array.from({ length: count }, (_, index) => ({ op: 'insert', path: ['items', (index * step) % (index + 1)], value: index }));
  const texts = (count: number, step: number): NormalPatch =>
    Array.from({ length: count }, (_, index) => ({ op: 'str_ins', path: ['body'], pos: (index * step) % (index + 1), str: 'x' }));
  const fields = (count: number, side: string): NormalPatch =>
    Array.from({ length: count }, (_, index) => ({ op: 'replace', path: ['rows', index % 50, `${side}${index % 7}`], value: index }));
  for (const [name, earlier, later] of [
    ['array inserts', inserts(1000, 7), inserts(1000, 13)],
    ['text inserts', texts(1000, 7), texts(1000, 13)],
    ['fields of rows', fields(1000, 'a'), fields(1000, 'b')],
  ] as const) {
    const ms = timed(7, () => void transformBoth(earlier, later));
    print(`grid 1,000 x 1,000      ${ms.toFixed(1)} ms (${name}; ${(ms * 1000 / 1000).toFixed(0)} ns a pair)`);
  }
};

const branches = (): void => {
  const patches = (side: string): NormalPatch[] =>
    Array.from({ length: 5000 }, (_, index) => [{ op: 'replace', path: ['rows', `${side}${index}`, 'name'], value: index }]);
  const pending = patches('p');
  const changes = patches('c');
  const ms = timed(7, () => void rebase(pending, changes));
  print(`rebase 5,000 over 5,000 ${ms.toFixed(1)} ms (different branches)`);
  const shared = patches('p');
  const sharedMs = timed(7, () => void rebase(pending, shared));
  print(`rebase 5,000 over 5,000 ${sharedMs.toFixed(1)} ms (each branch touched once by both)`);
};

const squashes = (): void => {
  const typing: NormalPatch[] = Array.from({ length: 5000 }, (_, index) => [
    { op: 'str_ins', path: ['notes', index < 2500 ? 1 : 2, 'text'], pos: index % 2500, str: 'x' },
  ]);
  const mixed: NormalPatch[] = Array.from({ length: 5000 }, (_, index): NormalPatch => {
    switch (index % 4) {
      case 0:
        return [{ op: 'replace', path: ['rows', `r${index % 300}`, 'done'], value: index % 8 === 0 }];
      case 1:
        return [{ op: 'inc', path: ['rows', `r${index % 300}`, 'count'], value: 1 }];
      case 2:
        return [{ op: 'insert', path: ['log', 0], value: { at: index } }];
      default:
        return [{ op: 'str_ins', path: ['rows', `r${index % 30}`, 'text'], pos: 0, str: 'x' }];
    }
  });
  for (const [name, patches] of [['typing', typing], ['mixed', mixed]] as const) {
    const ms = timed(7, () => void squash(patches));
    const left = squash(patches).reduce((sum, { patch }) => sum + patch.length, 0);
    print(`squash 5,000            ${ms.toFixed(1)} ms (${name}; ${left} operations left)`);
  }
};

singles();
grids();
branches();
squashes();
