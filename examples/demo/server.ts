import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Where the demo's documents are kept while it runs. */
export interface DemoServer {
  /** GraphQL endpoint. */
  readonly url: string;
  readonly token: string;
  /** Kills the server with SIGKILL and starts it again on the same port. Absent for a server that is not the demo's own. */
  crash?(): Promise<void>;
  close(): Promise<void>;
}

/** The server named by CONCORD_URL and CONCORD_TOKEN, or one of its own with an empty database. */
export async function demoServer(environment: NodeJS.ProcessEnv): Promise<DemoServer> {
  const url = environment['CONCORD_URL'];
  if (url !== undefined && url !== '') {
    const token = environment['CONCORD_TOKEN'];
    if (!token) throw new Error('CONCORD_URL is set but CONCORD_TOKEN is not. Set it to a token of an owner, as printed at the first start of the server.');
    return { url, token, close: () => Promise.resolve() };
  }
  return ownServer();
}

const main = fileURLToPath(new URL('../../server/dist/main.js', import.meta.url));

async function ownServer(): Promise<DemoServer> {
  const data = mkdtempSync(join(tmpdir(), 'concord-demo-'));
  let running = await launch(data, 0);
  const { token } = running;
  if (token === undefined) throw new Error('The new server printed no token.');
  const port = Number(new URL(running.url).port);
  return {
    url: running.url,
    token,
    crash: async () => {
      await ended(running.process, 'SIGKILL');
      running = await launch(data, port);
    },
    close: async () => {
      await ended(running.process, 'SIGTERM');
      rmSync(data, { recursive: true, force: true });
    },
  };
}

interface Launched {
  readonly process: ChildProcess;
  readonly url: string;
  readonly token: string | undefined;
}

/** Starts the server as `npm start` does and reads the address and the token from what it prints. */
async function launch(data: string, port: number): Promise<Launched> {
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, CONCORD_DATA: data, PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'error', DATABASE_URL: '', NODE_ENV: 'development' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let url: string | undefined;
  let token: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    url ??= /^GraphiQL:\s+(\S+)/.exec(line)?.[1];
    token ??= /^Token:\s+(\S+\.\S+)/.exec(line)?.[1];
    if (line.startsWith('Ctrl-C')) break;
  }
  child.stdout.resume();
  if (url === undefined) throw new Error(`The server did not start (exit status ${child.exitCode ?? 'none'}); what it said is above.`);
  return { process: child, url, token };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}
