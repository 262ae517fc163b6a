import type { Condition } from './condition.js';
import type { JsonValue } from './json.js';
import type { Pointer } from './operation.js';
import { scanText } from './text.js';
import { equalValues } from './value.js';

/**
 * Whether a condition holds for a document's value, exactly as the database would say. Pure; never fails. A text that no
 * document can hold (U+0000, a lone surrogate) is not in any, does not begin any and has no order.
 */
export function matches(value: JsonValue, { path, operator, value: wanted }: Condition): boolean {
  const found = valueAtPointer(value, path);
  switch (operator) {
    case 'EXISTS':
      return found !== undefined;
    case 'ABSENT':
      return found === undefined;
    case 'EQUALS':
      return found !== undefined && equalValues(found, wanted);
    case 'NOT_EQUALS':
      return found === undefined || !equalValues(found, wanted);
    case 'LESS':
      return compared(found, wanted, (order) => order < 0);
    case 'LESS_OR_EQUAL':
      return compared(found, wanted, (order) => order <= 0);
    case 'GREATER':
      return compared(found, wanted, (order) => order > 0);
    case 'GREATER_OR_EQUAL':
      return compared(found, wanted, (order) => order >= 0);
    case 'STARTS_WITH':
      return typeof found === 'string' && isText(wanted) && found.startsWith(wanted);
    case 'CONTAINS':
      if (typeof found === 'string') return isText(wanted) && found.includes(wanted);
      return Array.isArray(found) && (found as readonly JsonValue[]).some((item) => equalValues(item, wanted));
  }
}

/** Whether all conditions hold. */
export const matchesAll = (value: JsonValue, conditions: readonly Condition[]): boolean => conditions.every((condition) => matches(value, condition));

/** The value at a pointer, by own properties and exact indices only (`01`, `-1` and `-` name nothing in an array); undefined if there is none. */
export function valueAtPointer(value: JsonValue, path: Pointer): JsonValue | undefined {
  let found: JsonValue | undefined = value;
  for (const token of path) {
    if (found === null || typeof found !== 'object') return undefined;
    if (Array.isArray(found)) {
      const items = found as readonly JsonValue[];
      if (!/^(0|[1-9]\d*)$/.test(token)) return undefined;
      found = items[Number(token)];
    } else {
      found = Object.hasOwn(found, token) ? (found as Readonly<Record<string, JsonValue>>)[token] : undefined;
    }
    if (found === undefined) return undefined;
  }
  return found;
}

function compared(found: JsonValue | undefined, wanted: JsonValue, holds: (order: number) => boolean): boolean {
  if (typeof found === 'number' && typeof wanted === 'number') return holds(found - wanted);
  if (typeof found === 'string' && isText(wanted)) return holds(compareTexts(found, wanted));
  return false;
}

const isText = (value: JsonValue): value is string => typeof value === 'string' && scanText(value) >= 0;

/**
 * Order of two well-formed strings by code points, which is the order of their UTF-8 bytes. Not that of `<`, which compares
 * UTF-16 units and puts astral characters before U+E000.
 */
export function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left === right) continue;
    const leftAstral = left >= 0xd800 && left <= 0xdfff;
    const rightAstral = right >= 0xd800 && right <= 0xdfff;
    return leftAstral === rightAstral ? left - right : leftAstral ? 1 : -1;
  }
  return a.length - b.length;
}
