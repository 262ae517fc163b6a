import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Logger } from 'pino';
import { findPrismaFolder, migrate, migrationLock, readMigrations } from '../postgres/migrate.js';
import { migrationsTable, copyTarget, countRows, readMigrationNames, readTables } from './tables.js';
import { openBackup, type BackupHeader, type OpenBackup } from './format.js';

export interface Restored {
  readonly header: BackupHeader;
  readonly workspaces: number;
}

/**
 * Restores a backup into an empty database. Nothing is written before the whole file has been checked; the rows come in one
 * transaction. Every workspace gets the next epoch: a replica that has seen more than the backup resyncs instead of waiting for ever. A
 * server that is started meanwhile waits until this is done.
 * @throws BackupFileError; Error that says what to do when the database is not empty or the backup is of a newer Concord.
 */
export async function restoreBackup(options: { readonly connectionString: string; readonly file: string; readonly withTokens: boolean; readonly log: Logger }): Promise<Restored> {
  const { connectionString, file, log } = options;
  const backup = await openBackup(file);
  await checkMigrations(backup.header, file);
  const client = new pg.Client({ connectionString, application_name: 'concord-restore', keepAlive: true });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [migrationLock]);
    if (rows[0]?.taken !== true) throw new Error('A server or another restore is at work on this database. Stop it, and restore into a new database.');
    await refuseUnlessEmpty(client, backup.header);
    await migrate(connectionString, log, { only: backup.header.migrations, lockIsHeld: true });
    const workspaces = await takeRows(client, backup, options.withTokens);
    await migrate(connectionString, log, { lockIsHeld: true });
    await client.query('ANALYZE');
    return { header: backup.header, workspaces };
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function checkMigrations({ migrations }: BackupHeader, file: string): Promise<void> {
  const known = new Set((await readMigrations(await findPrismaFolder())).map(({ name }) => name));
  const unknown = migrations.find((name) => !known.has(name));
  if (unknown === undefined) return;
  throw new Error(`${file} was made by a newer Concord (it has the migration ${unknown}). Restore it with that version or a newer one. Nothing was restored.`);
}

/** What an earlier restore that did not end has left is empty too. */
async function refuseUnlessEmpty(client: pg.Client, { migrations }: BackupHeader): Promise<void> {
  const cure = 'Restore into a new one: CREATE DATABASE, or another folder in CONCORD_DATA. Nothing was restored.';
  for (const { name } of await readTables(client)) {
    const { rowCount } = await client.query(`SELECT FROM ${client.escapeIdentifier(name)} LIMIT 1`);
    if (rowCount !== 0) throw new Error(`The database is not empty: its table ${name} has rows. ${cure}`);
  }
  const applied = await readMigrationNames(client);
  if (applied.length === 0 && (await readTables(client)).length > 0) throw new Error(`The database has tables of another program. ${cure}`);
  if (applied.some((name) => !migrations.includes(name))) throw new Error(`The database has migrations that the backup does not have. ${cure}`);
}

async function takeRows(client: pg.Client, backup: OpenBackup, withTokens: boolean): Promise<number> {
  const { tables, sequences } = backup.header;
  const present = new Map((await readTables(client)).map(({ name, columns }) => [name, new Set(columns)]));
  const rows = backup.rows();
  await client.query('BEGIN');
  try {
    await client.query('SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0');
    for (const table of tables) {
      const columns = present.get(table.name);
      if (columns === undefined || table.name === migrationsTable || table.columns.some((column) => !columns.has(column))) {
        throw new Error(`The backup has a table ${table.name} that this version of Concord does not make. Restore it with the version that made it. Nothing was restored.`);
      }
      await pipeline(rows.next(), client.query(copyFrom(`COPY ${copyTarget(client, table)} FROM STDIN`)));
      const counted = await countRows(client, table.name);
      if (counted !== table.rows) throw new Error(`The table ${table.name} has ${counted} rows instead of the ${table.rows} of the backup. Nothing was restored.`);
    }
    for (const { name, lastValue, isCalled } of sequences) {
      await client.query('SELECT setval($1::regclass, $2, $3)', [client.escapeIdentifier(name), lastValue, isCalled]);
    }
    const { rowCount } = await client.query('UPDATE workspaces SET epoch = epoch + 1');
    if (!withTokens) for (const table of ['tokens', 'invitations']) if (present.has(table)) await client.query(`DELETE FROM ${table}`);
    await client.query('COMMIT');
    return rowCount ?? 0;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    rows.close();
  }
}
