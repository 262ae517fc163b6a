import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';

/** A real redis-server on a free port of 127.0.0.1 that keeps nothing on disk. */
export interface RedisServer {
  /** The same before and after a restart. */
  readonly url: string;
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>;
  /** After `kill`: an empty one on the same port. */
  restart(): Promise<void>;
  /** Connections stay open, and nothing answers. */
  stall(): void;
  goOn(): void;
  close(): Promise<void>;
}

/** Installing waits for the package manager's lock and for the network. */
const longestInstallMs = 5 * 60_000;
const longestStartMs = 30_000;

const has = (program: string, args: readonly string[]) => spawnSync(program, args, { stdio: 'ignore', timeout: 30_000 }).status === 0;
const installed = () => has('redis-server', ['--version']);

/** Finds redis-server on PATH; as root on Debian or Ubuntu it installs it. @throws Error that says what to install. */
export function requireRedisServer(): void {
  if (installed()) return;
  const line = `apt-get install -y --no-install-recommends redis-server`;
  if (process.getuid?.() === 0 && has('apt-get', ['--version'])) {
    process.stdout.write(`Installing what the tests with Redis need: ${line}\n`);
    const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, encoding: 'utf8', timeout: longestInstallMs, killSignal: 'SIGKILL' } as const;
    spawnSync('apt-get', ['update', '-qq'], options);
    const { status, stdout, stderr, error } = spawnSync('apt-get', line.split(' ').slice(1), options);
    if (status !== 0) process.stdout.write(`${stdout}${stderr}${error === undefined ? '' : `${error.message}\n`}`);
    // The package may start a service on the default port, for which nobody has asked.
    if (status === 0 && has('systemctl', ['is-active', 'redis-server'])) spawnSync('systemctl', ['disable', '--now', 'redis-server'], { timeout: 60_000 });
    if (installed()) return;
  }
  throw new Error(`The tests need redis-server, which is not on the PATH. On Debian or Ubuntu run:\n\n  sudo ${line}\n`);
}

/** `tls`: it speaks nothing else, and asks for no certificate of who connects. */
export async function startRedisServer({ tls }: { readonly tls?: { readonly certFile: string; readonly keyFile: string } } = {}): Promise<RedisServer> {
  const port = await freePort();
  const listening = tls === undefined ? ['--port', String(port)] : ['--port', '0', '--tls-port', String(port), '--tls-cert-file', tls.certFile, '--tls-key-file', tls.keyFile, '--tls-ca-cert-file', tls.certFile, '--tls-auth-clients', 'no'];
  let running = await start(listening);
  return {
    url: `${tls === undefined ? 'redis' : 'rediss'}://127.0.0.1:${port}`,
    kill: () => end(running),
    async restart() {
      running = await start(listening);
    },
    stall: () => void running.kill('SIGSTOP'),
    goOn: () => void running.kill('SIGCONT'),
    close: () => end(running),
  };
}

async function start(listening: readonly string[]): Promise<ChildProcess> {
  const server = spawn('redis-server', [...listening, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no', '--dir', '/tmp'], { stdio: ['ignore', 'pipe', 'ignore'] });
  // It would outlive a run that is killed.
  const watchdog = spawn('sh', ['-c', `while kill -0 ${process.pid} 2>/dev/null && kill -0 ${server.pid} 2>/dev/null; do sleep 1; done; kill -KILL ${server.pid} 2>/dev/null`], { detached: true, stdio: 'ignore' });
  watchdog.unref();
  server.once('exit', () => watchdog.kill());
  const late = setTimeout(() => server.kill('SIGKILL'), longestStartMs);
  await new Promise<void>((resolve, reject) => {
    let said = '';
    server.stdout.on('data', (part: Buffer) => {
      said += part.toString();
      if (said.includes('Ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`redis-server ${listening.join(' ')} did not start:\n${said}`)));
  }).finally(() => clearTimeout(late));
  return server;
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'exit');
  server.kill('SIGKILL');
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
