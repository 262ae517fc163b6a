import { fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { startEmbedded, type EmbeddedPostgres } from '../server/postgres/embedded.js';
import { ended, startServerProcess, withoutRates } from '../test/server-process.js';
import { collectsOnSignal } from './processes.js';
import type { Endpoint, System, SystemName } from './system.js';

const serve = fileURLToPath(new URL('./serve.ts', import.meta.url));
const startTimeoutMs = 60_000;

/** A server process, and the PostgreSQL beside it, that run until they are stopped. */
export interface RunningServer {
  readonly endpoint: Endpoint;
  readonly stop: () => Promise<void>;
}

/** Starts a system's server in an empty folder. `profile`: where node writes a CPU profile at the end. */
export async function startServer(name: SystemName, system: System, folder: string, profile: string | null): Promise<RunningServer> {
  const nodeOptions = [...collectsOnSignal, ...(profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profile, `${name}-server`)}`])];
  if (system.serve === undefined) return await startConcord(folder, nodeOptions);
  let postgres: EmbeddedPostgres | undefined;
  if (system.postgres) {
    mkdirSync(join(folder, 'postgres'), { recursive: true });
    postgres = await startEmbedded({ dataFolder: join(folder, 'postgres'), log: pino({ level: 'silent' }) });
  }
  const child = fork(serve, [name, folder, ...(postgres === undefined ? [] : [postgres.connectionString])], {
    execArgv: ['--import', 'tsx', ...nodeOptions],
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const stop = async () => {
    await ended(child);
    await postgres?.stop();
  };
  try {
    const url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the server of ${name} was not ready after ${startTimeoutMs / 1000} s`)), startTimeoutMs);
      child.once('exit', (code) => reject(new Error(`the server of ${name} ended with ${code ?? 'a signal'}`)));
      child.once('message', (message) => {
        clearTimeout(timer);
        resolve((message as { readonly url: string }).url);
      });
    });
    return { endpoint: { url, token: '', serverPid: child.pid!, databasePid: postgres?.pid ?? null }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startConcord(folder: string, nodeOptions: readonly string[]): Promise<RunningServer> {
  // As in production, behind a proxy that ends TLS; without rate limits, because the peers have none. Ctrl-C is for the runner, which then stops its children.
  const { url, token, pid, process: child } = await startServerProcess({
    from: 'dist',
    environment: { CONCORD_DATA: folder, ...withoutRates, NODE_ENV: 'production', TRUST_PROXY: '1' },
    nodeOptions,
    detached: true,
  });
  if (token === undefined) throw new Error('The new server printed no token.');
  return { endpoint: { url, token, serverPid: pid, databasePid: null }, stop: async () => void (await ended(child)) };
}
