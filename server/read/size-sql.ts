import type { Page } from '@concord/schema';
import type { Queryable } from '../postgres/queryable.js';

/** A page of rows ends at about this size, so that a page of large values is not held in memory at once. */
export const pageBytes = 4 * 1024 * 1024;

/**
 * Bytes of a jsonb column about as text. What is stored compressed is unpacked for it: a value of a megabyte may take a
 * hundredth of it on disk. What is not is measured without being read.
 */
export const sizeSql = (column: string): string =>
  `(CASE WHEN pg_column_compression(${column}) IS NULL THEN pg_column_size(${column}) ELSE octet_length(${column}::text) END)`;

/** A page and about how many bytes its values have as text. */
export interface SizedPage<Row> extends Page<Row> {
  readonly bytes: number;
}

/** How many rows of a page there is room for, at least one, and their bytes. `rows` selects them in order with their `size` in bytes. */
export async function fitting(db: Queryable, rows: string, values: unknown[]): Promise<{ readonly first: number; readonly bytes: number }> {
  const result = await db.query<{ fit: number; bytes: number }>({
    text: `SELECT count(*)::int AS fit, coalesce(sum(size), 0)::float8 AS bytes FROM (SELECT size, sum(size) OVER (ROWS UNBOUNDED PRECEDING) - size AS before FROM (${rows}) page) sized WHERE before < ${pageBytes}`,
    values,
  });
  return { first: Math.max(1, result.rows[0]?.fit ?? 1), bytes: result.rows[0]?.bytes ?? 0 };
}
