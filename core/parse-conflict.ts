import { conflictRules, type Conflict, type ConflictRule, type ConflictSide } from './conflict.js';
import { fail, ok, type Result } from './errors.js';
import type { JsonObject, JsonValue } from './json.js';
import { defaultLimits, type Limits } from './limits.js';
import type { Operation, Path } from './operation.js';
import { checkValue, isObject, jsonBytes } from './value.js';

const members: Readonly<Record<Operation['op'], readonly string[]>> = {
  add: ['path', 'value'],
  insert: ['path', 'value'],
  replace: ['path', 'value'],
  test: ['path', 'value'],
  remove: ['path'],
  move: ['from', 'path'],
  inc: ['path', 'value'],
  str_ins: ['path', 'pos', 'str'],
  str_del: ['path', 'pos', 'len'],
};

/**
 * Reads a conflict that another process found, as its JSON. Promises the shape of `Conflict`; whether it really happened only
 * its author knows. Unknown members are refused, because the conflict is stored and shown as it is.
 * @returns `INPUT_INVALID` with the place of the fault, `LIMIT_EXCEEDED` above `limits.patchBytes`, or what `checkValue` refuses.
 */
export function parseConflict(json: unknown, limits: Limits = defaultLimits): Result<Conflict> {
  const checked = checkValue(json, limits);
  if (!checked.ok) return checked;
  const bytes = jsonBytes(checked.value, limits.patchBytes);
  if (bytes > limits.patchBytes) {
    return fail({ code: 'LIMIT_EXCEEDED', message: `The conflict has more than ${limits.patchBytes} bytes (patchBytes); leave it out`, limitName: 'patchBytes', limit: limits.patchBytes, actual: bytes });
  }
  const value = checked.value;
  if (!isObject(value)) return invalid('', 'an object');
  const { rule, loser, losing, winning, path, place } = value;
  if (typeof rule !== 'string' || !Object.hasOwn(conflictRules, rule)) return invalid('/rule', 'the name of a rule of the merge');
  if (loser !== 'earlier' && loser !== 'later') return invalid('/loser', '"earlier" or "later"');
  if (!isSide(losing)) return invalid('/losing', '{patch, operation, op} with an operation in normal form');
  if (!isSide(winning)) return invalid('/winning', '{patch, operation, op} with an operation in normal form');
  if (!isPath(path)) return invalid('/path', 'a list of keys and indices');
  if (place !== undefined && !isPath(place)) return invalid('/place', 'a list of keys and indices');
  return ok({
    rule: rule as ConflictRule,
    loser,
    losing,
    winning,
    path,
    ...(value['lost'] === undefined ? {} : { lost: value['lost'] }),
    ...(place === undefined ? {} : { place }),
  });
}

const invalid = (path: string, expected: string): Result<never> => fail({ code: 'INPUT_INVALID', message: `The conflict${path === '' ? '' : ` at ${path}`} must be ${expected}`, path });

const isIndex = (value: JsonValue | undefined): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isPath = (value: JsonValue | undefined): value is Path => Array.isArray(value) && value.every((segment) => typeof segment === 'string' || isIndex(segment as JsonValue));

function isSide(value: JsonValue | undefined): value is JsonObject & ConflictSide {
  return isObject(value) && isIndex(value['patch']) && isIndex(value['operation']) && isOperation(value['op']);
}

function isOperation(value: JsonValue | undefined): boolean {
  if (!isObject(value) || typeof value['op'] !== 'string' || !Object.hasOwn(members, value['op'])) return false;
  const expected = members[value['op'] as Operation['op']];
  if (Object.keys(value).some((key) => key !== 'op' && key !== 'restoring' && key !== 'replacing' && !expected.includes(key))) return false;
  if (value['restoring'] !== undefined && value['restoring'] !== true) return false;
  if (value['replacing'] !== undefined && (value['op'] !== 'str_ins' || typeof value['replacing'] !== 'string')) return false;
  return expected.every((member) => {
    const given = value[member];
    switch (member) {
      case 'path':
      case 'from':
        return isPath(given);
      case 'pos':
      case 'len':
        return isIndex(given);
      case 'str':
        return typeof given === 'string';
      default:
        return value['op'] === 'inc' ? Number.isSafeInteger(given) : given !== undefined;
    }
  });
}
