import { apply } from '../apply.js';
import type { Conflict } from '../conflict.js';
import type { JsonValue } from '../json.js';
import { normalize } from '../normalize.js';
import type { NormalPatch, WirePatch } from '../operation.js';
import { parsePatch } from '../parse.js';
import { formatPointer } from '../pointer.js';
import type { Result } from '../errors.js';
import { transformBoth } from '../transform/transform.js';
import { equalValues } from '../value.js';
import { toWire } from '../wire.js';
import type { TransformCase } from './transform-cases.js';

/** What a case comes to when the server takes one side first. Patches are RFC 6902 JSON. */
export interface FixtureOrder {
  readonly result: JsonValue;
  /** The patch of the earlier side, to run after the later one as given. */
  readonly earlier: WirePatch;
  /** The patch of the later side, to run after the earlier one as given. */
  readonly later: WirePatch;
  readonly conflicts: readonly FixtureConflict[];
}

export interface FixtureConflict {
  readonly rule: string;
  readonly loser: 'earlier' | 'later';
  /** Indices into the two patches in normal form (a move onto an existing key counts as two). */
  readonly losing: number;
  readonly winning: number;
  readonly path: string;
  readonly place?: string;
  readonly lost?: JsonValue;
}

export interface TransformFixture {
  readonly comment: string;
  readonly document: JsonValue;
  readonly a: WirePatch;
  readonly b: WirePatch;
  readonly aFirst: FixtureOrder;
  readonly bFirst: FixtureOrder;
}

const must = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
};

const withoutGuards = (patch: NormalPatch): NormalPatch => patch.filter(({ op }) => op !== 'test');

/** Works a case out in both orders; throws where a diamond does not close. */
export const workOut = ([comment, document, a, b]: TransformCase): TransformFixture => {
  const normalA = must(normalize(document, must(parsePatch(a))));
  const normalB = must(normalize(document, must(parsePatch(b))));
  return { comment, document, a, b, aFirst: order(document, normalA, normalB), bFirst: order(document, normalB, normalA) };
};

const order = (document: JsonValue, earlier: NormalPatch, later: NormalPatch): FixtureOrder => {
  const both = must(transformBoth(earlier, later));
  const result = must(apply(must(apply(document, earlier)), withoutGuards(both.later)));
  const other = must(apply(must(apply(document, later)), withoutGuards(both.earlier)));
  if (!equalValues(result, other)) throw new Error(`The diamond does not close: ${JSON.stringify([document, earlier, later])}`);
  return { result, earlier: toWire(both.earlier), later: toWire(both.later), conflicts: both.conflicts.map(brief) };
};

const brief = ({ rule, loser, losing, winning, path, place, lost }: Conflict): FixtureConflict => ({
  rule,
  loser,
  losing: losing.operation,
  winning: winning.operation,
  path: formatPointer(path),
  ...(place === undefined ? {} : { place: formatPointer(place) }),
  ...(lost === undefined ? {} : { lost }),
});
