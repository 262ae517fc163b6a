import type pg from 'pg';
import type { BackedUpSequence } from './format.js';

/** Prisma's own record of what was applied; it is told in the header and made anew by the migrations. */
export const migrationsTable = '_prisma_migrations';

export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
}

/** All tables of ours, those before that others refer to. From the database itself, so that no table is ever forgotten. */
export async function readTables(client: pg.ClientBase): Promise<readonly Table[]> {
  const { rows: tables } = await client.query<Table>(
    `SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> $1
    GROUP BY c.relname ORDER BY c.relname`,
    [migrationsTable],
  );
  const { rows: references } = await client.query<{ from: string; to: string }>(
    `SELECT conrelid::regclass::text AS from, confrelid::regclass::text AS to FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conrelid <> confrelid`,
  );
  const ordered: Table[] = [];
  const add = (table: Table): void => {
    if (ordered.includes(table)) return;
    for (const { from, to } of references) {
      const referred = from === table.name ? tables.find(({ name }) => name === to) : undefined;
      if (referred !== undefined) add(referred);
    }
    ordered.push(table);
  };
  tables.forEach(add);
  return ordered;
}

export async function readSequences(client: pg.ClientBase): Promise<readonly BackedUpSequence[]> {
  const { rows: names } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S' ORDER BY relname`,
  );
  const sequences: BackedUpSequence[] = [];
  for (const { name } of names) {
    const { rows } = await client.query<{ last_value: string; is_called: boolean }>(`SELECT last_value::text, is_called FROM ${client.escapeIdentifier(name)}`);
    if (rows[0] !== undefined) sequences.push({ name, lastValue: rows[0].last_value, isCalled: rows[0].is_called });
  }
  return sequences;
}

export async function countRows(client: pg.ClientBase, table: string): Promise<number> {
  const { rows } = await client.query<{ rows: string }>(`SELECT count(*) AS rows FROM ${client.escapeIdentifier(table)}`);
  return Number(rows[0]?.rows);
}

/** Names of the migrations that were applied, in their order; empty: none. */
export async function readMigrationNames(client: pg.ClientBase): Promise<readonly string[]> {
  const { rows: found } = await client.query<{ found: string | null }>('SELECT to_regclass($1)::text AS found', [migrationsTable]);
  if (found[0]?.found == null) return [];
  const { rows } = await client.query<{ name: string }>(
    `SELECT migration_name AS name FROM ${migrationsTable} WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name`,
  );
  return rows.map(({ name }) => name);
}

/** `table (column, …)` for a COPY. */
export const copyTarget = (client: pg.ClientBase, { name, columns }: Table): string =>
  `${client.escapeIdentifier(name)} (${columns.map((column) => client.escapeIdentifier(column)).join(', ')})`;
