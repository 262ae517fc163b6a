import { ConcordError, type Condition, type DocumentId, type Pointer } from '@concord/core';
import Sqlite from 'better-sqlite3';
import { addFunctions, conditionSql, orderSql, type Sql } from './condition-sql.js';
import { notRead, type Store } from './store/store.js';

/** Which documents, in which order. */
export interface Selection {
  readonly collection?: string;
  readonly ids?: readonly string[];
  readonly where?: readonly Condition[];
  readonly includeDeleted?: boolean;
  readonly order?: { readonly field: 'ID' | 'TITLE' | 'CREATED_AT' | 'UPDATED_AT' | 'VALUE'; readonly path?: Pointer; readonly descending?: boolean };
  readonly limit?: number;
  /** Key of the row to go on behind, from an earlier result with the same order. */
  readonly after?: string;
}

export interface Selected {
  readonly id: DocumentId;
  /** Give it as `after` to go on behind this row. */
  readonly key: string;
}

const columns = { ID: 'id', TITLE: 'title', CREATED_AT: 'created_at', UPDATED_AT: 'updated_at' } as const;

/** Finds documents by SQL over what the app sees. Ties of an order are broken by id. */
export class Queries {
  constructor(private readonly store: Store) {
    addFunctions(store.database);
  }

  /** @throws ConcordError UNAVAILABLE when the replica is closed or its file cannot be read or written, CURSOR_INVALID. */
  select(selection: Selection): Selected[] {
    try {
      return this.run(selection);
    } catch (error) {
      if (!(error instanceof Sqlite.SqliteError) && !(error instanceof SyntaxError)) throw error;
      // A row whose value is damaged stops every query that looks into values: it is set aside, and the query asked again.
      try {
        this.store.readUnreadable();
        return this.run(selection);
      } catch (again) {
        throw again instanceof Sqlite.SqliteError ? notRead(again) : again;
      }
    }
  }

  private run(selection: Selection): Selected[] {
    const orderBy = orderOf(selection);
    const conditions: Sql[] = [];
    if (selection.includeDeleted !== true) conditions.push({ text: 'deleted = 0', parameters: [] });
    if (selection.collection !== undefined) conditions.push({ text: 'collection = ?', parameters: [selection.collection] });
    if (selection.ids !== undefined) conditions.push({ text: 'id IN (SELECT value FROM json_each(?))', parameters: [JSON.stringify(selection.ids)] });
    for (const condition of selection.where ?? []) conditions.push(conditionSql(condition));
    if (selection.after !== undefined) conditions.push(behind(orderBy, readKey(selection.after, orderBy.length)));

    const keys = list(orderBy.map(({ sql }, index) => ({ text: `${sql.text} AS k${index}`, parameters: sql.parameters })), ', ');
    const where: Sql = conditions.length === 0 ? { text: '1', parameters: [] } : all(conditions);
    const order = orderBy.map(({ descending }, index) => `k${index}${descending ? ' DESC' : ''}`).join(', ');
    const limit = selection.limit === undefined ? -1 : selection.limit;
    // `matches` may be called for a row, so the statement must be read to its end before anything else runs: `all` does.
    this.store.show();
    return this.store.database
      .prepare<unknown[], Record<string, string | number>>(`SELECT ${keys.text} FROM documents WHERE ${where.text} ORDER BY ${order} LIMIT ?`)
      .all(...keys.parameters, ...where.parameters, limit)
      .map((row) => {
        const key = orderBy.map((_, index) => row[`k${index}`]!);
        return { id: key.at(-1) as DocumentId, key: Buffer.from(JSON.stringify(key)).toString('base64url') };
      });
  }
}

interface OrderTerm {
  readonly sql: Sql;
  readonly descending: boolean;
}

function orderOf({ order }: Selection): OrderTerm[] {
  const descending = order?.descending ?? false;
  const id: OrderTerm = { sql: { text: 'id', parameters: [] }, descending };
  if (order === undefined || order.field === 'ID') return [id];
  if (order.field !== 'VALUE') return [{ sql: { text: columns[order.field], parameters: [] }, descending }, id];
  const { missing, kind, number, text } = orderSql(order.path ?? []);
  return [{ sql: missing, descending: false }, { sql: kind, descending }, { sql: number, descending }, { sql: text, descending }, id];
}

function behind(terms: readonly OrderTerm[], key: readonly (string | number)[]): Sql {
  const alternatives = terms.map((_, last) =>
    all(
      terms.slice(0, last + 1).map(({ sql, descending }, index) => ({
        text: `${sql.text} ${index < last ? '=' : descending ? '<' : '>'} ?`,
        parameters: [...sql.parameters, key[index]!],
      })),
    ),
  );
  return any(alternatives);
}

function readKey(text: string, length: number): (string | number)[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(key) && key.length === length && key.every((part) => typeof part === 'string' || typeof part === 'number')) return key;
  } catch {
    // Told below.
  }
  throw new ConcordError('CURSOR_INVALID', 'after is not a cursor that this replica made for this order. Start from the first page.', { path: '/after' });
}

const list = (parts: readonly Sql[], separator: string): Sql => ({
  text: parts.map(({ text }) => text).join(separator),
  parameters: parts.flatMap(({ parameters }) => parameters),
});

const all = (parts: readonly Sql[]): Sql => enclosed(list(parts, ' AND '));
const any = (parts: readonly Sql[]): Sql => enclosed(list(parts, ' OR '));
const enclosed = ({ text, parameters }: Sql): Sql => ({ text: `(${text})`, parameters });
