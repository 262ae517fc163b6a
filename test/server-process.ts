import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A Concord server that runs as a process of its own, as `npm start` makes it. */
export interface ServerProcess {
  /** Of the GraphQL endpoint. */
  readonly url: string;
  /** The owner's token, from a server that was the first on an empty database. */
  readonly token: string | undefined;
  readonly pid: number;
  readonly process: ChildProcess;
  /** What it has said on standard error, where that is kept. */
  errors(): string;
}

export interface ServerProcessOptions {
  /** `dist`: as it was built. `source`: as the files are now. */
  readonly from: 'dist' | 'source';
  /** On top of this process's own. It listens on a free port of this machine unless PORT or HOST say otherwise. */
  readonly environment: Readonly<Record<string, string>>;
  readonly nodeOptions?: readonly string[];
  /** A group of its own, which Ctrl-C in a terminal does not reach. */
  readonly detached?: boolean;
  /** What it says on standard error. Default: shown here. */
  readonly errors?: 'shown' | 'kept';
}

/** For one caller that stands for many. */
export const withoutRates = { RATE_OPERATIONS: '0', RATE_EDITS: '0', RATE_READ_MS: '0', CONNECTIONS_PER_ADDRESS: '0', CONNECTIONS_PER_PRINCIPAL: '0' } as const;

const longestStartMs = 60_000;

const mains = {
  dist: [fileURLToPath(new URL('../server/dist/main.js', import.meta.url))],
  source: ['--conditions=@concord/source', '--import', import.meta.resolve('tsx'), fileURLToPath(new URL('../server/main.ts', import.meta.url))],
} as const;

/**
 * Starts a server and returns when it answers; the address and the token are read from what it prints.
 * @throws Error when it ends before that, or does not answer within a minute.
 */
export async function startServerProcess({ from, environment, nodeOptions = [], detached = false, errors = 'shown' }: ServerProcessOptions): Promise<ServerProcess> {
  const child = spawn(process.execPath, [...nodeOptions, ...mains[from]], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'error', NODE_ENV: 'development', DATABASE_URL: '', REDIS_URL: '', ...environment },
    stdio: ['ignore', 'pipe', errors === 'shown' ? 'inherit' : 'pipe'],
    detached,
  });
  let tooLate = '';
  const late = setTimeout(() => {
    tooLate = ` within ${longestStartMs / 1000} s`;
    child.kill('SIGKILL');
  }, longestStartMs);
  let kept = '';
  child.stderr?.on('data', (chunk: Buffer) => (kept += chunk.toString()));
  let url: string | undefined;
  let token: string | undefined;
  for await (const line of createInterface({ input: child.stdout! })) {
    url ??= /^(?:GraphiQL|API):\s+(\S+)/.exec(line)?.[1];
    token ??= /^Token:\s+(\S+\.\S+)/.exec(line)?.[1];
    if (line.startsWith('Ctrl-C')) break;
  }
  child.stdout!.resume();
  if (url === undefined && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  clearTimeout(late);
  if (url === undefined) {
    throw new Error(`The server did not start${tooLate} (exit status ${child.exitCode ?? child.signalCode ?? 'none'}); what it said${errors === 'kept' ? `:\n${kept}` : ' is above.'}${from === 'dist' ? ' Was it built? (npm run build)' : ''}`);
  }
  return { url, token, pid: child.pid!, process: child, errors: () => kept };
}

/** Ends a child by a signal, after 15 seconds by SIGKILL, and returns its exit status; null: the signal ended it. */
export async function ended(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await exit;
  clearTimeout(timer);
  return child.exitCode;
}
