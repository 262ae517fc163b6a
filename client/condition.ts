import { ConcordError, conditionOperators, parsePointer, takeValue, type Condition, type ConditionOperator, type JsonValue, type Pointer } from '@concord/core';

/** A test of the value at a JSON pointer, for example `{ path: '/done', value: false }`. */
export interface Where {
  readonly path: string;
  /** Default: EQUALS. */
  readonly operator?: ConditionOperator;
  /** Not with EXISTS and ABSENT. */
  readonly value?: JsonValue;
}

/** At most so many in one filter or query, as on the server. */
const maxConditions = 100;

/** Conditions as the app writes them, copied and checked. @throws ConcordError with the place, which begins with `place`. */
export function conditionsOf(where: unknown, place: string): readonly Condition[] {
  if (!Array.isArray(where)) throw new ConcordError('INPUT_INVALID', `${place.slice(1)} must be an array of conditions like { path: '/done', value: false }.`, { path: place });
  if (where.length > maxConditions) {
    throw new ConcordError('LIMIT_EXCEEDED', `${place.slice(1)} has ${where.length} conditions; at most ${maxConditions} are allowed.`, { path: place, limit: maxConditions, actual: where.length });
  }
  return where.map((condition, index) => conditionOf(condition, `${place}/${index}`));
}

function conditionOf(where: unknown, place: string): Condition {
  if (typeof where !== 'object' || where === null) throw new ConcordError('INPUT_INVALID', `The condition ${place} must be an object like { path: '/done', value: false }.`, { path: place });
  const { path, operator = 'EQUALS', value } = where as Partial<Record<keyof Where, unknown>>;
  if (!isOperator(operator)) {
    throw new ConcordError('INPUT_INVALID', `There is no operator ${shown(operator)}; ${conditionOperators.join(', ')} are.`, { path: `${place}/operator` });
  }
  const pointer = pointerOf(path, `${place}/path`);
  if (operator === 'EXISTS' || operator === 'ABSENT') return { path: pointer, operator, value: null };
  if (value === undefined) throw new ConcordError('INPUT_INVALID', `The condition ${place} compares with ${operator} but has no value.`, { path: `${place}/value` });
  const taken = takeValue(value);
  if (!taken.ok) throw ConcordError.from({ ...taken.error, path: `${place}/value${taken.error.path ?? ''}` });
  return { path: pointer, operator, value: taken.value };
}

/** A place in a document, given as a JSON pointer. `place` tells where it was given. */
export function pointerOf(path: unknown, place: string): Pointer {
  if (typeof path !== 'string') throw new ConcordError('INPUT_INVALID', `${place.slice(1)} must be a JSON pointer, a text like "/done"; got ${shown(path)}.`, { path: place });
  const parsed = parsePointer(path);
  if (!parsed.ok) throw ConcordError.from({ ...parsed.error, path: place });
  return parsed.value;
}

/** What came instead, for a message. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}

const isOperator = (value: unknown): value is ConditionOperator => (conditionOperators as readonly unknown[]).includes(value);
