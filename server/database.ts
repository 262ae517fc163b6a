import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Logger } from 'pino';
import { PrismaClient } from './generated/prisma/client.js';
import { WriteWatch } from './postgres/write-watch.js';

export interface Database {
  readonly connectionString: string;
  /** Authentication, rights, administration, readiness, retention and the feed's own looks at the log. */
  readonly pool: pg.Pool;
  /** Over the same pool. */
  readonly prisma: PrismaClient;
  /** Of all connections. */
  readonly writes: WriteWatch;
  /** Of the two loops that commit: no read keeps them waiting. */
  readonly commits: pg.Pool;
  /** What callers read. A statement that takes too long is stopped. */
  readonly reads: pg.Pool;
  readonly readPrisma: PrismaClient;
  close(): Promise<void>;
}

const connectTimeoutMs = 10_000;

/** Fewest connections that are divided. A program on the command line does with less, and with one pool. */
export const minPoolSize = 4;
const commitLoops = 2;

/** How many of the connections are for what. */
function divided(poolSize: number): { readonly main: number; readonly reads: number } {
  const main = poolSize >= 8 ? 3 : poolSize >= 6 ? 2 : 1;
  return { main, reads: poolSize - commitLoops - main };
}

/** `readStatementMs`: after so long a statement of `reads` is stopped; left out: never. */
export function openDatabase(options: { readonly connectionString: string; readonly poolSize: number; readonly log: Logger; readonly readStatementMs?: number }): Database {
  const { connectionString, log, poolSize, readStatementMs = 0 } = options;
  const opened: pg.Pool[] = [];
  const writes = new WriteWatch(() => performance.now());
  const open = (max: number): pg.Pool => {
    const pool = new pg.Pool({ connectionString, max, application_name: 'concord', connectionTimeoutMillis: connectTimeoutMs, idleTimeoutMillis: 60_000, keepAlive: true });
    // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
    pool.on('error', (error) => log.warn({ err: error }, 'A database connection broke.'));
    writes.watch(pool);
    opened.push(pool);
    return pool;
  };
  const isDivided = poolSize >= minPoolSize;
  const { main, reads: forReads } = divided(poolSize);
  const pool = open(isDivided ? main : poolSize);
  const commits = isDivided ? open(commitLoops) : pool;
  const reads = isDivided ? open(forReads) : pool;
  // Not as parameters of the connection, which a pooler in between may refuse. One read is one process of PostgreSQL, and what to
  // compile a statement of many conditions costs is more than it saves.
  if (isDivided) reads.on('connect', (client) => void client.query(`SET statement_timeout = ${readStatementMs}; SET max_parallel_workers_per_gather = 0; SET jit = off`).catch(() => undefined));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  const readPrisma = isDivided ? new PrismaClient({ adapter: new PrismaPg(reads) }) : prisma;
  return {
    connectionString,
    pool,
    prisma,
    writes,
    commits,
    reads,
    readPrisma,
    async close() {
      await Promise.all([prisma.$disconnect(), readPrisma.$disconnect()]);
      for (const one of opened) if (!one.ended) await one.end();
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
