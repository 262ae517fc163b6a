import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import type { TestProject } from 'vitest/node';
import { startEmbedded } from '../server/postgres/embedded.js';
import { migrate } from '../server/postgres/migrate.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of a database that exists; tests make their own beside it from the template `concord_template`. */
    readonly postgresUrl: string;
  }
}

/** One real PostgreSQL for the whole run, with a migrated template from which every test server takes a fresh database. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join('/tmp', 'concord-test-'));
  const log = pino({ level: 'warn' }, pino.destination(2));
  // A test does not outlive a power failure; commits are durable against everything else. Over TCP, because some tests cut it.
  const postgres = await startEmbedded({ dataFolder: folder, log, settings: { fsync: 'off', full_page_writes: 'off', max_connections: '300', unix_socket_directories: '' } });
  // It is a process group of its own and would outlive a run that is killed.
  const watchdog = spawn('sh', ['-c', `while kill -0 ${process.pid} 2>/dev/null; do sleep 1; done; kill -INT ${postgres.pid} 2>/dev/null; sleep 2; rm -rf '${folder}'`], { detached: true, stdio: 'ignore' });
  watchdog.unref();
  const client = new pg.Client({ connectionString: postgres.connectionString });
  await client.connect();
  await client.query('CREATE DATABASE concord_template');
  await client.end();
  await migrate(withDatabase(postgres.connectionString, 'concord_template'), log);
  project.provide('postgresUrl', postgres.connectionString);
  process.env['CONCORD_TEST_POSTGRES'] = postgres.connectionString;
  return async () => {
    watchdog.kill();
    await endOthers(postgres.connectionString);
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

function withDatabase(connectionString: string, database: string): string {
  const url = new URL(connectionString);
  url.pathname = `/${database}`;
  return url.href;
}

/** A test that failed may have left a server behind, which would keep the PostgreSQL running. */
async function endOthers(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`);
  await client.end();
}
