import type { Database } from 'better-sqlite3';
import { matches, valueAtPointer, type Condition, type JsonValue, type Pointer } from '@concord/core';

/** A piece of SQL with its parameters. */
export interface Sql {
  readonly text: string;
  readonly parameters: readonly (string | number)[];
}

/** Keys that mean the same as an SQLite path and as a pointer: never an index of an array, nothing to be escaped. */
const plainKey = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** The functions that conditions fall back on where SQLite has no exact word for what `matches` means. */
export function addFunctions(database: Database): void {
  // A query calls it for every row with the same condition.
  let text = '';
  let condition: Condition | undefined;
  database.function('concord_matches', { deterministic: true }, (value: unknown, conditionJson: unknown) => {
    if (conditionJson !== text || condition === undefined) {
      text = conditionJson as string;
      condition = JSON.parse(text) as Condition;
    }
    return matches(JSON.parse(value as string) as JsonValue, condition) ? 1 : 0;
  });
  database.function('concord_at', { deterministic: true }, (value: unknown, pathJson: unknown) => {
    const found = valueAtPointer(JSON.parse(value as string) as JsonValue, JSON.parse(pathJson as string) as Pointer);
    return found === undefined ? null : JSON.stringify(found);
  });
}

/** SQL that holds for a row of `documents` exactly when `matches(value, condition)` does. */
export function conditionSql(condition: Condition): Sql {
  const path = sqlitePath(condition.path);
  const direct = path === undefined ? undefined : directSql(condition, path);
  return direct ?? { text: 'concord_matches(value, ?)', parameters: [JSON.stringify(condition)] };
}

/**
 * What to order by for the value at a pointer, as the server orders: missing places last in either direction; then numbers,
 * texts, false and true, null, arrays, objects; within these numbers and texts by their size. No key is ever null.
 */
export function orderSql(pointer: Pointer): { readonly missing: Sql; readonly kind: Sql; readonly number: Sql; readonly text: Sql } {
  const path = sqlitePath(pointer);
  const [type, value, parameter] =
    path === undefined
      ? ['json_type(concord_at(value, ?))', "json_extract(concord_at(value, ?), '$')", JSON.stringify(pointer)]
      : ['json_type(value, ?)', 'json_extract(value, ?)', path];
  const once = [parameter];
  const twice = [parameter, parameter];
  return {
    missing: { text: `(${type} IS NULL)`, parameters: once },
    kind: {
      text: `(CASE ${type} WHEN 'integer' THEN 1 WHEN 'real' THEN 1 WHEN 'text' THEN 2 WHEN 'false' THEN 3 WHEN 'true' THEN 3 WHEN 'null' THEN 4 WHEN 'array' THEN 5 ELSE 6 END)`,
      parameters: once,
    },
    number: {
      text: `(CASE ${type} WHEN 'integer' THEN CAST(${value} AS REAL) WHEN 'real' THEN ${value} WHEN 'true' THEN 1 ELSE 0 END)`,
      parameters: [...twice, parameter],
    },
    text: { text: `(CASE ${type} WHEN 'text' THEN ${value} ELSE '' END)`, parameters: twice },
  };
}

function sqlitePath(pointer: Pointer): string | undefined {
  if (!pointer.every((token) => plainKey.test(token))) return undefined;
  return `$${pointer.map((token) => `."${token}"`).join('')}`;
}

function directSql({ operator, value }: Condition, path: string): Sql | undefined {
  switch (operator) {
    case 'EXISTS':
      return { text: 'json_type(value, ?) IS NOT NULL', parameters: [path] };
    case 'ABSENT':
      return { text: 'json_type(value, ?) IS NULL', parameters: [path] };
    case 'EQUALS':
      return equalsSql(value, path);
    case 'NOT_EQUALS': {
      const equals = equalsSql(value, path);
      return equals && { text: `NOT coalesce((${equals.text}), 0)`, parameters: equals.parameters };
    }
    case 'LESS':
      return comparedSql('<', value, path);
    case 'LESS_OR_EQUAL':
      return comparedSql('<=', value, path);
    case 'GREATER':
      return comparedSql('>', value, path);
    case 'GREATER_OR_EQUAL':
      return comparedSql('>=', value, path);
    case 'STARTS_WITH':
      if (typeof value !== 'string') return undefined;
      return { text: "(json_type(value, ?) = 'text' AND substr(json_extract(value, ?), 1, length(?)) = ?)", parameters: [path, path, value, value] };
    case 'CONTAINS':
      return undefined;
  }
}

function equalsSql(value: JsonValue, path: string): Sql | undefined {
  if (value === null) return { text: "json_type(value, ?) = 'null'", parameters: [path] };
  switch (typeof value) {
    case 'boolean':
      return { text: 'json_type(value, ?) = ?', parameters: [path, String(value)] };
    case 'number':
    case 'string':
      return comparedSql('=', value, path);
    default:
      return undefined;
  }
}

function comparedSql(comparison: '=' | '<' | '<=' | '>' | '>=', value: JsonValue, path: string): Sql | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  if (typeof value === 'string') return { text: `(json_type(value, ?) = 'text' AND json_extract(value, ?) ${comparison} ?)`, parameters: [path, path, value] };
  // SQLite reads a whole number above 2^53 as an integer of other digits than the double it stands for.
  return { text: `(json_type(value, ?) IN ('integer', 'real') AND CAST(json_extract(value, ?) AS REAL) ${comparison} ?)`, parameters: [path, path, value] };
}
