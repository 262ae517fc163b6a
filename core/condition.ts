import type { JsonValue } from './json.js';
import type { Pointer } from './operation.js';

export const conditionOperators = [
  'EQUALS',
  'NOT_EQUALS',
  'LESS',
  'LESS_OR_EQUAL',
  'GREATER',
  'GREATER_OR_EQUAL',
  'STARTS_WITH',
  'CONTAINS',
  'EXISTS',
  'ABSENT',
] as const;
export type ConditionOperator = (typeof conditionOperators)[number];

/**
 * One test of a document's value. It holds the same in PostgreSQL, in SQLite and here.
 * Order compares numbers with numbers and strings with strings by UTF-8 bytes; other pairs never hold.
 * `CONTAINS` means substring of a string, or membership in an array (by value). `EXISTS` and `ABSENT` take no value.
 * A missing place satisfies only `ABSENT` and `NOT_EQUALS`.
 */
export interface Condition {
  readonly path: Pointer;
  readonly operator: ConditionOperator;
  readonly value: JsonValue;
}
