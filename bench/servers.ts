import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { startEmbedded, type EmbeddedPostgres } from '../server/postgres/embedded.js';
import type { Endpoint, System, SystemName } from './system.js';

const concordMain = fileURLToPath(new URL('../server/dist/main.js', import.meta.url));
const serve = fileURLToPath(new URL('./serve.ts', import.meta.url));
const startTimeoutMs = 60_000;

/** A server process, and the PostgreSQL beside it, that run until they are stopped. */
export interface RunningServer {
  readonly endpoint: Endpoint;
  readonly stop: () => Promise<void>;
}

/** Starts a system's server in an empty folder. `profile`: where node writes a CPU profile at the end. */
export async function startServer(name: SystemName, system: System, folder: string, profile: string | null): Promise<RunningServer> {
  const nodeOptions = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${name}-server.cpuprofile`];
  if (system.serve === undefined) return await startConcord(folder, nodeOptions);
  let postgres: EmbeddedPostgres | undefined;
  if (system.postgres) {
    mkdirSync(join(folder, 'postgres'), { recursive: true });
    postgres = await startEmbedded({ dataFolder: join(folder, 'postgres'), log: pino({ level: 'silent' }) });
  }
  const child = fork(serve, [name, folder, ...(postgres === undefined ? [] : [postgres.connectionString])], {
    execArgv: ['--import', 'tsx', ...nodeOptions],
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
  const child = spawn(process.execPath, [...nodeOptions, concordMain], {
    // The peers have no rate limit.
    env: { ...process.env, CONCORD_DATA: folder, PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'error', DATABASE_URL: '', NODE_ENV: 'development', RATE_OPERATIONS: '0', RATE_EDITS: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
    // Ctrl-C is for the runner, which then stops its children.
    detached: true,
  });
  let url: string | undefined;
  let token: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    url ??= /^GraphiQL:\s+(\S+)/.exec(line)?.[1];
    token ??= /^Token:\s+(\S+\.\S+)/.exec(line)?.[1];
    if (line.startsWith('Ctrl-C')) break;
  }
  child.stdout.resume();
  if (url === undefined || token === undefined) throw new Error(`Concord did not start (exit status ${child.exitCode ?? 'none'}); what it said is above. Was it built? (npm run build)`);
  return { endpoint: { url, token, serverPid: child.pid!, databasePid: null }, stop: () => ended(child) };
}

/** Ends a child by its own process: asked first, then killed. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await exit;
  clearTimeout(timer);
}
