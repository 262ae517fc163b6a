import { ConcordError, type DocumentId, type JsonValue, type Position, type Revision, type WorkspaceId } from '@concord/core';
import type { DocumentFilter, DocumentOrder, DocumentRecord } from '@concord/schema';
import type { Queryable } from '../postgres/queryable.js';
import { pageBytes, sizeSql, type SizedPage } from './size-sql.js';
import { conditionsSql, isStorable, placeSql } from './conditions-sql.js';

export const documentColumns = 'id, collection, title, value, revision::float8 AS revision, position::float8 AS position, deleted, created_at, updated_at';

export interface DocumentRow {
  readonly id: DocumentId;
  readonly collection: string;
  readonly title: string;
  readonly value: JsonValue;
  readonly revision: Revision;
  readonly position: Position;
  readonly deleted: boolean;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const documentRecord = (workspaceId: WorkspaceId, row: DocumentRow): DocumentRecord => ({
  workspaceId,
  id: row.id,
  collection: row.collection,
  title: row.title,
  value: row.value,
  revision: row.revision,
  position: row.position,
  deleted: row.deleted,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export async function readDocument(db: Queryable, workspaceId: WorkspaceId, id: DocumentId): Promise<DocumentRecord | null> {
  const { rows } = await db.query<DocumentRow>({
    name: 'concord-read-document',
    text: `SELECT ${documentColumns} FROM documents WHERE workspace_id = $1 AND id = $2`,
    values: [workspaceId, id],
  });
  return rows[0] === undefined ? null : documentRecord(workspaceId, rows[0]);
}

export interface DocumentsRequest {
  readonly filter: DocumentFilter;
  readonly order: DocumentOrder;
  readonly first: number;
  readonly after: string | null;
  readonly includeDeleted: boolean;
}

/** One expression of an order, with the way its value is written into a row key and read back. Never null. */
interface SortKey {
  readonly sql: string;
  readonly type: 'text' | 'numeric' | 'int';
  readonly descending: boolean;
}

/** A page of documents, which also ends at about 4 MiB. The row key holds the sort values of its row, so a page continues exactly there whatever has changed. */
export async function readDocuments(db: Queryable, workspaceId: WorkspaceId, { filter, order, first, after, includeDeleted }: DocumentsRequest): Promise<SizedPage<DocumentRecord>> {
  const values: unknown[] = [workspaceId];
  const parts = ['workspace_id = $1'];
  if (!includeDeleted) parts.push('NOT deleted');
  if (filter.collection !== undefined) parts.push(`collection = $${values.push(filter.collection)}`);
  if (filter.ids !== undefined) parts.push(`id = ANY($${values.push(filter.ids)}::text[])`);
  parts.push(conditionsSql('value', filter.where ?? [], values));

  const keys = sortKeys(order, values);
  if (after !== null) parts.push(afterSql(keys, parseRowKey(after, keys), values));
  const orderSql = keys.map(({ sql, descending }) => `${sql}${descending ? ' DESC' : ''}`).join(', ');
  const { rows } = await db.query<DocumentRow & { readonly key: readonly string[]; readonly cut: boolean; readonly upto: string }>({
    text: `
SELECT *, upto >= ${pageBytes} AS cut FROM (
  SELECT page.*, sum(size) OVER (ORDER BY place) AS upto FROM (
    SELECT ${documentColumns}, ARRAY[${keys.map(({ sql }) => `(${sql})::text`).join(', ')}] AS key,
      row_number() OVER (ORDER BY ${orderSql}) AS place, ${sizeSql('value')} AS size
    FROM documents WHERE ${parts.join(' AND ')}
    ORDER BY ${orderSql} LIMIT $${values.push(first + 1)}
  ) page
) sized WHERE upto - size < ${pageBytes} ORDER BY place`,
    values,
  });
  return {
    rows: rows.slice(0, first).map((row) => ({ row: documentRecord(workspaceId, row), key: Buffer.from(JSON.stringify(row.key)).toString('base64url') })),
    // A page that was cut by its size is followed by another, which may be empty.
    hasNextPage: rows.length > first || rows.at(-1)?.cut === true,
    bytes: Number(rows.at(-1)?.upto ?? 0),
  };
}

/** The id ends every order, so that no two rows are equal. */
function sortKeys({ field, path, descending }: DocumentOrder, values: unknown[]): SortKey[] {
  const id: SortKey = { sql: 'id COLLATE "C"', type: 'text', descending };
  switch (field) {
    case 'ID':
      return [id];
    case 'TITLE':
      return [{ sql: 'title COLLATE "C"', type: 'text', descending }, id];
    case 'CREATED_AT':
      return [{ sql: momentSql('created_at'), type: 'numeric', descending }, id];
    case 'UPDATED_AT':
      return [{ sql: momentSql('updated_at'), type: 'numeric', descending }, id];
    case 'VALUE':
      return [...valueKeys(path ?? [], descending, values), id];
  }
}

/** A moment as a number: its text needs no time zone, and any number can be read back. */
const momentSql = (column: string): string => `extract(epoch FROM ${column})`;

/**
 * Numbers, then strings by UTF-8 bytes, then false and true, then null, arrays and objects; missing places last, descending or not.
 */
function valueKeys(path: readonly string[], descending: boolean, values: unknown[]): SortKey[] {
  const place = path.every(isStorable) ? placeSql('value', path, (text, type) => `$${values.push(text)}::${type}`) : 'NULL::jsonb';
  const type = `jsonb_typeof(${place})`;
  return [
    { sql: `(${place} IS NULL)::int`, type: 'int', descending: false },
    {
      sql: `CASE ${type} WHEN 'number' THEN 1 WHEN 'string' THEN 2 WHEN 'boolean' THEN 3 WHEN 'null' THEN 4 WHEN 'array' THEN 5 ELSE 6 END`,
      type: 'int',
      descending,
    },
    { sql: `CASE ${type} WHEN 'number' THEN (${place} #>> '{}')::numeric WHEN 'boolean' THEN (${place} = 'true'::jsonb)::int ELSE 0 END`, type: 'numeric', descending },
    { sql: `(CASE ${type} WHEN 'string' THEN ${place} #>> '{}' ELSE '' END) COLLATE "C"`, type: 'text', descending },
  ];
}

/** Rows after a key in an order with mixed directions: equal so far, and further in the next. */
function afterSql(keys: readonly SortKey[], after: readonly string[], values: unknown[]): string {
  const parameters = keys.map(({ type }, index) => `$${values.push(after[index])}::text::${type}`);
  const ways = keys.map(({ sql, descending }, index) => {
    const equal = keys.slice(0, index).map((key, before) => `${key.sql} = ${parameters[before]}`);
    return `(${[...equal, `${sql} ${descending ? '<' : '>'} ${parameters[index]}`].join(' AND ')})`;
  });
  return `(${ways.join(' OR ')})`;
}

function parseRowKey(key: string, keys: readonly SortKey[]): string[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(key, 'base64url').toString('utf8'));
    if (Array.isArray(parsed) && parsed.length === keys.length && parsed.every((part, index) => typeof part === 'string' && fits(part, keys[index]!.type))) {
      return parsed as string[];
    }
  } catch {
    // Falls through: whatever it was, this order did not make it.
  }
  throw new ConcordError('CURSOR_INVALID', 'The row key given as `after` is not one of a page in this order; give an `endCursor` of the same query');
}

/** So that a forged key is refused here and not by the database. */
function fits(text: string, type: SortKey['type']): boolean {
  switch (type) {
    case 'text':
      return isStorable(text);
    case 'int':
      return /^-?\d{1,9}$/.test(text);
    case 'numeric':
      return text.length < 1000 && /^-?\d+(\.\d+)?$/.test(text);
  }
}
