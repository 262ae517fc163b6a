import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { Logger } from 'pino';
import { withSchemaEngine } from './schema-engine.js';

/** Any number will do, as long as every node takes the same one. */
export const migrationLock = 0x636f6e63;

/** prisma/ of the installation, from source as well as from dist. */
export async function findPrismaFolder(): Promise<string> {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const candidate = path.join(folder, 'prisma');
    const names = await readdir(candidate).catch((): string[] => []);
    if (names.includes('migrations') && names.includes('schema.prisma')) return candidate;
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error(`There is no prisma/migrations in any folder above ${fileURLToPath(import.meta.url)}; the installation is incomplete.`);
    folder = parent;
  }
}

export interface MigrationScript {
  readonly name: string;
  readonly sql: string;
}

/** The scripts by name, which is their order. */
export async function readMigrations(prismaFolder: string): Promise<readonly MigrationScript[]> {
  const folder = path.join(prismaFolder, 'migrations');
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort();
  return Promise.all(names.map(async (name) => ({ name, sql: await readFile(path.join(folder, name, 'migration.sql'), 'utf8') })));
}

export interface MigrateOptions {
  /** Names of those to apply. Default: all. */
  readonly only?: readonly string[];
  /** True: the caller holds `migrationLock` on a connection of its own. */
  readonly lockIsHeld?: boolean;
}

/**
 * Brings the database to the newest migration, as `prisma migrate deploy` would, and returns the names it applied. One node
 * does it at a time, under an advisory lock; a database that is up to date costs two small queries.
 * @throws Error when a migration fails, or an earlier one is recorded as failed: the message names it.
 */
export async function migrate(connectionString: string, log: Logger, { only, lockIsHeld = false }: MigrateOptions = {}): Promise<readonly string[]> {
  const prismaFolder = await findPrismaFolder();
  const scripts = (await readMigrations(prismaFolder)).filter(({ name }) => only === undefined || only.includes(name));
  const client = new pg.Client({ connectionString, application_name: 'concord-migrate' });
  await client.connect();
  try {
    if (!lockIsHeld) await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    if (await isUpToDate(client, scripts)) return [];
    try {
      const { appliedMigrationNames } = await withSchemaEngine({ connectionString }, (engine) =>
        engine.applyMigrations({ migrationsList: migrationsList(prismaFolder, scripts), filters: { externalTables: [], externalEnums: [] } }),
      );
      log.info({ migrations: appliedMigrationNames }, 'Migrations applied.');
      return appliedMigrationNames;
    } catch (error) {
      throw new Error(`The database could not be migrated: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  } finally {
    await client.end();
  }
}

export function migrationsList(prismaFolder: string, scripts: readonly MigrationScript[]) {
  return {
    baseDir: path.join(prismaFolder, 'migrations'),
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: scripts.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: sql } },
    })),
  };
}

/** True when every script is recorded as finished with its own checksum; then the engine need not be loaded (300 ms). */
async function isUpToDate(client: pg.Client, scripts: readonly MigrationScript[]): Promise<boolean> {
  const table = await client.query<{ found: string | null }>(`SELECT to_regclass('_prisma_migrations')::text AS found`);
  if (table.rows[0]?.found == null) return false;
  const { rows } = await client.query<{ migration_name: string; checksum: string }>(
    'SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  );
  const applied = new Map(rows.map((row) => [row.migration_name, row.checksum]));
  return scripts.every(({ name, sql }) => applied.get(name) === createHash('sha256').update(sql).digest('hex'));
}

/** False: a server has never started on this database. Changes nothing. */
export async function isConcords(connectionString: string): Promise<boolean> {
  const names = (await readMigrations(await findPrismaFolder())).map(({ name }) => name);
  const client = new pg.Client({ connectionString, application_name: 'concord-migrate' });
  await client.connect();
  try {
    const table = await client.query<{ found: string | null }>(`SELECT to_regclass('_prisma_migrations')::text AS found`);
    if (table.rows[0]?.found == null) return false;
    const { rowCount } = await client.query('SELECT FROM _prisma_migrations WHERE migration_name = ANY($1) AND finished_at IS NOT NULL LIMIT 1', [names]);
    return rowCount === 1;
  } finally {
    await client.end();
  }
}

/** How many migrations the database still lacks; readiness asks it. */
export async function pendingMigrations(client: pg.ClientBase, scripts: readonly MigrationScript[]): Promise<number> {
  const { rows } = await client.query<{ migration_name: string }>(
    'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  );
  const applied = new Set(rows.map((row) => row.migration_name));
  return scripts.filter(({ name }) => !applied.has(name)).length;
}
