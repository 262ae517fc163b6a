import type { Condition, JsonValue, Pointer } from '@concord/core';

/**
 * The conditions as one SQL expression over a jsonb column, true exactly where `matchesAll` of core is. Every value becomes a
 * parameter pushed onto `values`; nothing of the caller's is ever part of the text.
 */
export function conditionsSql(column: string, conditions: readonly Condition[], values: unknown[]): string {
  return conditions.length === 0 ? 'true' : conditions.map((condition) => conditionSql(column, condition, values)).join(' AND ');
}

function conditionSql(column: string, { path, operator, value }: Condition, values: unknown[]): string {
  const parameter = (text: unknown, type: string): string => `$${values.push(text)}::${type}`;
  // PostgreSQL holds neither U+0000 nor lone surrogates, and so does no document.
  const nowhere = !path.every(isStorable);
  const unmatched = !isStorableValue(value);
  // Made only when it is used: a parameter that the text does not name would be refused.
  let made: string | undefined;
  const place = () => (made ??= nowhere ? 'NULL::jsonb' : placeSql(column, path, parameter));
  const json = () => parameter(JSON.stringify(value), 'jsonb');
  switch (operator) {
    case 'EXISTS':
      return `(${place()} IS NOT NULL)`;
    case 'ABSENT':
      return `(${place()} IS NULL)`;
    case 'EQUALS':
      return unmatched ? 'false' : `coalesce(${place()} = ${json()}, false)`;
    case 'NOT_EQUALS':
      return unmatched ? 'true' : `coalesce(${place()} <> ${json()}, true)`;
    case 'LESS':
      return compareSql(place, '<', value, unmatched, parameter);
    case 'LESS_OR_EQUAL':
      return compareSql(place, '<=', value, unmatched, parameter);
    case 'GREATER':
      return compareSql(place, '>', value, unmatched, parameter);
    case 'GREATER_OR_EQUAL':
      return compareSql(place, '>=', value, unmatched, parameter);
    case 'STARTS_WITH':
      return typeof value !== 'string' || unmatched ? 'false' : ofType(place(), 'string', (text) => `starts_with(${text}, ${parameter(value, 'text')})`);
    case 'CONTAINS': {
      if (unmatched) return 'false';
      const member = `EXISTS (SELECT 1 FROM jsonb_array_elements(CASE WHEN jsonb_typeof(${place()}) = 'array' THEN ${place()} ELSE '[]'::jsonb END) item WHERE item = ${json()})`;
      if (typeof value !== 'string') return `(${member})`;
      return `(${member} OR ${ofType(place(), 'string', (text) => `strpos(${text}, ${parameter(value, 'text')}) > 0`)})`;
    }
  }
}

/**
 * The place as jsonb, SQL null where there is none. `#>` reads a token as an index of an array more generously than RFC 6901
 * (`-1`, `01`, ` 1`); such tokens can only name keys, which `->` looks up in objects alone.
 */
export function placeSql(column: string, path: Pointer, parameter: (text: unknown, type: string) => string): string {
  let sql = column;
  let run: string[] = [];
  const flush = () => {
    if (run.length > 0) sql = `(${sql} #> ${parameter(run, 'text[]')})`;
    run = [];
  };
  for (const token of path) {
    if (/^\s*[+-]?\d+$/.test(token) && !/^(0|[1-9]\d*)$/.test(token)) {
      flush();
      sql = `(${sql} -> ${parameter(token, 'text')})`;
    } else {
      run.push(token);
    }
  }
  flush();
  return sql;
}

function compareSql(place: () => string, sign: string, value: JsonValue, unmatched: boolean, parameter: (text: unknown, type: string) => string): string {
  if (unmatched) return 'false';
  if (typeof value === 'number') return ofType(place(), 'number', (text) => `${text}::numeric ${sign} ${parameter(String(value), 'numeric')}`);
  if (typeof value === 'string') return ofType(place(), 'string', (text) => `${text} COLLATE "C" ${sign} ${parameter(value, 'text')} COLLATE "C"`);
  return 'false';
}

/** CASE, because AND promises no order: the cast must not see a value of another type. */
const ofType = (place: string, type: 'number' | 'string', test: (text: string) => string): string =>
  `(CASE WHEN jsonb_typeof(${place}) = '${type}' THEN ${test(`(${place} #>> '{}')`)} ELSE false END)`;

export const isStorable = (text: string): boolean => !text.includes('\u0000') && !/\p{Surrogate}/u.test(text);

function isStorableValue(value: JsonValue): boolean {
  if (typeof value === 'string') return isStorable(value);
  if (value === null || typeof value !== 'object') return true;
  return Object.entries(value).every(([key, member]) => isStorable(key) && isStorableValue(member));
}
