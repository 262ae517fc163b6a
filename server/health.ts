import type pg from 'pg';
import { outageOf, type Outage } from './postgres/failure.js';
import { pendingMigrations, type MigrationScript } from './postgres/migrate.js';
import type { WriteWatch } from './postgres/write-watch.js';

/** The answer of /ready. */
export interface Readiness {
  readonly ready: boolean;
  readonly reason: 'OK' | 'STOPPING' | 'MIGRATIONS_PENDING' | `DATABASE_${Outage}`;
}

const answerTimeoutMs = 2_000;

/** Ready: the database answers and takes changes, has every migration this server knows, and the server is not stopping. */
export function createReadiness(options: {
  readonly pool: pg.Pool;
  readonly migrations: readonly MigrationScript[];
  readonly writes: WriteWatch;
  readonly isStopping: () => boolean;
}): () => Promise<Readiness> {
  const { pool, migrations, writes } = options;

  async function look(): Promise<Readiness> {
    const client = await pool.connect();
    let unusable = true;
    try {
      const pending = await pendingMigrations(client, migrations);
      if (pending > 0) return { ready: false, reason: 'MIGRATIONS_PENDING' };
      // A standby is read-only too. A session that began so stays so: the next look takes another.
      if (await isReadOnly(client)) return { ready: false, reason: 'DATABASE_READ_ONLY' };
      const outage = await writes.outage(client);
      unusable = false;
      return outage === null ? { ready: true, reason: 'OK' } : { ready: false, reason: `DATABASE_${outage}` };
    } finally {
      client.release(unusable);
    }
  }

  return async () => {
    if (options.isStopping()) return { ready: false, reason: 'STOPPING' };
    let timer: NodeJS.Timeout | undefined;
    try {
      const looking = look();
      const late = new Promise<never>((_resolve, reject) => (timer = setTimeout(() => reject(new Error('The database is silent.')), answerTimeoutMs)));
      looking.catch(() => undefined);
      return await Promise.race([looking, late]);
    } catch (error) {
      return { ready: false, reason: `DATABASE_${outageOf(error) ?? 'UNREACHABLE'}` };
    } finally {
      clearTimeout(timer);
    }
  };
}

async function isReadOnly(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ readonly: string }>(`SELECT current_setting('transaction_read_only') AS readonly`);
  return rows[0]?.readonly === 'on';
}
