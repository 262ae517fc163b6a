import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Logger } from 'pino';
import { PrismaClient } from './generated/prisma/client.js';
import { WriteWatch } from './postgres/write-watch.js';

export interface Database {
  readonly connectionString: string;
  readonly pool: pg.Pool;
  /** Over the same pool. */
  readonly prisma: PrismaClient;
  /** Of all connections of the pool. */
  readonly writes: WriteWatch;
  close(): Promise<void>;
}

const connectTimeoutMs = 10_000;

export function openDatabase(options: { readonly connectionString: string; readonly poolSize: number; readonly log: Logger }): Database {
  const { connectionString, log } = options;
  const pool = new pg.Pool({
    connectionString,
    max: options.poolSize,
    application_name: 'concord',
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => log.warn({ err: error }, 'A database connection broke.'));
  const writes = new WriteWatch(() => performance.now());
  writes.watch(pool);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    connectionString,
    pool,
    prisma,
    writes,
    async close() {
      await prisma.$disconnect();
      if (!pool.ended) await pool.end();
    },
  };
}

const oldestVersion = 150_000;

/** @throws Error that says what to do when the database is too old or does not hold text as UTF-8. */
export async function checkDatabase(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ version: number; encoding: string }>(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding`,
  );
  const { version, encoding } = rows[0] ?? { version: 0, encoding: 'unknown' };
  if (version < oldestVersion) throw new Error(`DATABASE_URL is a PostgreSQL ${Math.floor(version / 10_000)}; Concord needs 15 or newer.`);
  if (encoding !== 'UTF8') throw new Error(`The database of DATABASE_URL has the encoding ${encoding}; make one with ENCODING 'UTF8'.`);
}
