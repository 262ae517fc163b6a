import type pg from 'pg';
import { pendingMigrations, type MigrationScript } from './postgres/migrate.js';

/** The answer of /ready. */
export interface Readiness {
  readonly ready: boolean;
  readonly reason: 'OK' | 'STOPPING' | 'DATABASE_UNREACHABLE' | 'MIGRATIONS_PENDING';
}

const answerTimeoutMs = 2_000;

/** Ready: the database answers, has every migration this server knows, and the server is not stopping. */
export function createReadiness(options: {
  readonly pool: pg.Pool;
  readonly migrations: readonly MigrationScript[];
  readonly isStopping: () => boolean;
}): () => Promise<Readiness> {
  return async () => {
    if (options.isStopping()) return { ready: false, reason: 'STOPPING' };
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<never>((_resolve, reject) => (timer = setTimeout(() => reject(new Error('The database is silent.')), answerTimeoutMs)));
      const pending = await Promise.race([pendingMigrations(options.pool, options.migrations), late]);
      return pending === 0 ? { ready: true, reason: 'OK' } : { ready: false, reason: 'MIGRATIONS_PENDING' };
    } catch {
      return { ready: false, reason: 'DATABASE_UNREACHABLE' };
    } finally {
      clearTimeout(timer);
    }
  };
}
