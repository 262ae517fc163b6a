/**
 * Tries the laws of the merge for as long as it is given. Every round is repeatable from its seed alone; a failure is
 * printed with the line that repeats it, made smaller where it is a diamond, and saved in fixtures/found, which the tests
 * run from then on.
 *
 *     npm run fuzz -- --minutes 10 --seed 1
 *     npm run fuzz -- --only 123456       (repeats one round)
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { apply } from '../apply.js';
import { conflictRows } from '../conflict.js';
import { invert } from '../invert.js';
import type { JsonValue } from '../json.js';
import type { NormalPatch } from '../operation.js';
import { rebase } from '../rebase.js';
import { squash } from '../squash.js';
import { diamond } from '../test/diamond.js';
import type { Tape } from '../test/generate.js';
import { generateDocument, generatePatch, seededTape } from '../test/generate.js';
import { plainApply } from '../test/plain-apply.js';
import { simulate } from '../test/sequencer.js';
import type { Row } from '../transform/cell.js';
import { harmlessRows } from '../transform/cell.js';
import { canonicalJson } from '../value.js';
import { numbersOf } from './options.js';
import type { Diamond } from './shrink.js';
import { shrink } from './shrink.js';

const options = numbersOf('npm run fuzz -- [--minutes N] [--seed S] [--only ROUND]', {
  minutes: 1,
  /** Taken modulo 2^21. */
  seed: Date.now() % 1_000_000,
  only: NaN,
});

const rows = new Map<Row, number>();
const observe = (row: Row): void => void rows.set(row, (rows.get(row) ?? 0) + 1);
const counts = new Map<string, number>();
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const same = (one: JsonValue, other: JsonValue, what: string): void => {
  if (canonicalJson(one) !== canonicalJson(other)) throw new Error(`${what}: ${JSON.stringify(one)} is not ${JSON.stringify(other)}`);
};

class BrokenDiamond extends Error {
  constructor(
    readonly broken: Diamond,
    cause: unknown,
  ) {
    super(String(cause));
  }
}

const tryDiamond = (broken: Diamond): void => {
  try {
    diamond(broken.document, broken.earlier, broken.later, observe);
  } catch (cause) {
    throw new BrokenDiamond(broken, cause);
  }
};

const diamonds =
  (length: number) =>
  (tape: Tape): void => {
    const document = generateDocument(tape);
    const earlier = generatePatch(tape, document, length, length === 3);
    tryDiamond({ document, earlier, later: generatePatch(tape, document, length, length === 3) });
  };

const chain = (tape: Tape, document: JsonValue, length: number): { readonly patches: NormalPatch[]; readonly end: JsonValue } => {
  const patches: NormalPatch[] = [];
  let end = document;
  for (let index = 0; index < length; index++) {
    const patch = generatePatch(tape, end, 1 + tape.draw(3));
    end = plainApply(end, patch);
    patches.push(patch);
  }
  return { patches, end };
};

const squashing = (tape: Tape): void => {
  const document = generateDocument(tape);
  const { patches, end } = chain(tape, document, 10);
  const squashed = squash(patches).flatMap(({ patch }) => patch);
  same(plainApply(document, squashed), end, 'squashed');
  tryDiamond({ document, earlier: generatePatch(tape, document, 3), later: squashed });
};

const inverting = (tape: Tape): void => {
  const document = generateDocument(tape);
  const patch = generatePatch(tape, document, 8);
  const inverse = invert(document, patch);
  if (!inverse.ok) throw new Error(inverse.error.message);
  const after = plainApply(document, patch);
  same(plainApply(after, inverse.value), document, 'inverted');
  tryDiamond({ document: after, earlier: generatePatch(tape, after, 4), later: inverse.value });
  const applied = apply(document, patch);
  same(applied.ok ? applied.value : applied.error.message, after, 'apply and the plain apply');
};

/** One by one or all at once (told apart by branch): the same patches. */
const batching = (tape: Tape): void => {
  const document = generateDocument(tape);
  const pending = chain(tape, document, 8).patches;
  const changes = chain(tape, document, 8).patches;
  const atOnce = rebase(pending, changes);
  let left: readonly NormalPatch[] = pending;
  const arrived: NormalPatch[] = [];
  for (const change of changes) {
    const rebased = rebase(left, [change]);
    if (!rebased.ok) throw new Error(rebased.error.message);
    left = rebased.value.pending;
    arrived.push(...rebased.value.changes);
  }
  if (!atOnce.ok) throw new Error(atOnce.error.message);
  const one = JSON.stringify([left, arrived]);
  const other = JSON.stringify([atOnce.value.pending, atOnce.value.changes]);
  if (one !== other) throw new Error(`batching: ${JSON.stringify([document, pending, changes])}`);
};

const simulating = (tape: Tape): void => {
  const { server, replicas } = simulate(tape);
  for (const replica of replicas) {
    same(replica.visible, server.value, `replica ${replica.id[0]}, visible`);
    same(replica.confirmed, server.value, `replica ${replica.id[0]}, confirmed`);
  }
  same(plainApply(server.start, ...server.log.map(({ patch }) => patch)), server.value, 'the log replayed');
};

/** What a round tries, by its number: the cheap ones more often. */
const trials: readonly (readonly [name: string, weight: number, trial: (tape: Tape) => void])[] = [
  ['1 x 1', 40, diamonds(1)],
  ['3 x 3', 40, diamonds(3)],
  ['12 x 12', 8, diamonds(12)],
  ['60 x 60', 1, diamonds(60)],
  ['squash', 4, squashing],
  ['invert', 4, inverting],
  ['batching', 4, batching],
  ['simulated replicas', 3, simulating],
];
const bag = trials.flatMap((trial) => Array.from({ length: trial[1] }, () => trial));

let failures = 0;
const round = (seed: number): void => {
  const tape = seededTape(seed);
  const [name, , trial] = bag[tape.draw(bag.length)] as (typeof bag)[number];
  counts.set(name, (counts.get(name) ?? 0) + 1);
  try {
    trial(tape);
  } catch (error) {
    failures++;
    print(`\nFAILED ${name}: ${error instanceof Error ? error.message : String(error)}\nrepeat: npm run fuzz -- --only ${seed}`);
    if (!(error instanceof BrokenDiamond)) return;
    const smallest = shrink(error.broken, (smaller) => {
      try {
        diamond(smaller.document, smaller.earlier, smaller.later);
        return false;
      } catch {
        return true;
      }
    });
    const folder = new URL('../../fixtures/found/', import.meta.url);
    mkdirSync(folder, { recursive: true });
    writeFileSync(new URL(`seed-${seed}.json`, folder), `${JSON.stringify(smallest, undefined, 1)}\n`);
    print(`saved as fixtures/found/seed-${seed}.json: ${JSON.stringify(smallest)}`);
  }
};

if (Number.isNaN(options.only)) {
  print(`seed ${options.seed}, ${options.minutes} min`);
  const start = Date.now();
  const end = start + options.minutes * 60_000;
  let rounds = 0;
  // A round's number has the seed above and the count below 2^32, and stays an exact integer.
  const first = (options.seed % 2 ** 21) * 2 ** 32;
  for (; Date.now() < end && failures < 20; rounds++) round(first + rounds);
  const seconds = (Date.now() - start) / 1000;
  print(`${rounds} rounds in ${seconds.toFixed(0)} s, ${Math.round(rounds / seconds)}/s, ${failures} failures`);
  print([...counts].map(([name, count]) => `${name}: ${count}`).join(', '));
  const every: readonly Row[] = [...harmlessRows, ...conflictRows];
  print(`rows of the table: ${every.map((row) => `${row} ${rows.get(row) ?? 0}`).join(', ')}`);
} else {
  round(options.only);
  if (failures === 0) print(`round ${options.only} holds`);
}
process.exitCode = failures === 0 ? 0 : 1;
