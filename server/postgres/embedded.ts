import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, open, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { commandOf, findInstallation, type Installation } from './binaries.js';
import { openDataFolder } from './data-folder.js';
import { withStartLock } from './start-lock.js';

/** A PostgreSQL of our own, in the data folder. */
export interface EmbeddedPostgres {
  /** Of the database `concord`. Over its Unix socket (`?host=/folder`) where that can be, else over TCP. */
  readonly connectionString: string;
  /** True: it was still running, left by a process that was killed (or started by a neighbour on the same folder). */
  readonly adopted: boolean;
  readonly pid: number;
  readonly port: number;
  /** False: its postmaster is gone. */
  isRunning(): Promise<boolean>;
  /** Stops it, unless another process still uses it. */
  stop(): Promise<void>;
}

/** Kept beside the cluster, so that the next start finds the same port and can log in. Readable by the owner only. */
interface Remembered {
  readonly port: number;
  readonly password: string;
}

const memoryFile = 'postgres.json';
const role = 'concord';
const database = 'concord';
const startTimeoutMs = 60_000;
const initTimeoutMs = 120_000;
const portTimeoutMs = 5_000;

/** The address of a Unix socket has room for 104 bytes on macOS, 108 on Linux, with the zero at its end. */
const longestSocketPath = 103;

/** Durable, and sized for one machine that has other work to do too. */
const settings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  max_connections: '120',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  jit: 'off',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] ',
};

/**
 * Starts the embedded PostgreSQL, making its cluster the first time, or adopts it when it is still running. It is a process
 * group of its own: Ctrl-C in a terminal reaches the server only, which then finishes its commits before it stops the database.
 * @throws Error that says what to do when the data folder cannot be used; with the end of PostgreSQL's own log when it does not start.
 */
export async function startEmbedded(options: {
  readonly dataFolder: string;
  readonly log: Logger;
  /** On top of ours, for tests. */
  readonly settings?: Readonly<Record<string, string>>;
  /** It runs on this port or not at all: there are connections to it already. */
  readonly port?: number;
}): Promise<EmbeddedPostgres> {
  const dataFolder = path.resolve(options.dataFolder);
  await openDataFolder(dataFolder);
  // Two servers on one folder may find at the same moment that it does not run.
  return withStartLock(path.join(dataFolder, 'postgres.lock'), () => startOrAdopt({ ...options, dataFolder }));
}

async function startOrAdopt({ dataFolder, log, ...options }: Parameters<typeof startEmbedded>[0]): Promise<EmbeddedPostgres> {
  const installation = await findInstallation(dataFolder);
  for (const note of installation.notes) log.info(note);
  const memory = new Memory(path.join(dataFolder, memoryFile));

  let remembered = await memory.read();
  if (!(await hasCluster(installation))) {
    log.info({ folder: installation.clusterFolder }, 'Making a new PostgreSQL cluster.');
    const made: Remembered = { port: await freePort(), password: randomBytes(24).toString('base64url') };
    await makeCluster(installation, made.password, () => memory.write(made));
    remembered = made;
  } else if (remembered === null) {
    throw new Error(
      `There is a database in ${installation.clusterFolder}, but ${memory.file} with its password is missing or damaged. Put the file back from a backup, or move the database away to begin with an empty one.`,
    );
  }

  const running = await runningPid(installation);
  let adopted = false;
  if (running !== null) {
    adopted = await isReady(installation, running.pid, startTimeoutMs);
    if (adopted) remembered = { ...remembered, port: running.port };
  }
  if (!adopted) {
    await removeLocks(installation);
    if (options.port !== undefined) await waitUntilFree(options.port);
    if (!(await isFree(remembered.port))) remembered = { ...remembered, port: await freePort() };
    await run(installation, remembered.port, path.join(dataFolder, 'postgres.log'), { ...settings, unix_socket_directories: socketFolderOf(installation, remembered.port), ...options.settings });
    await memory.write(remembered);
  }
  const postmaster = await runningPid(installation);
  if (postmaster === null) throw new Error('PostgreSQL stopped right after its start; see postgres.log in the data folder.');
  const { pid, socketFolder } = postmaster;
  log.info({ pid, port: remembered.port, adopted }, adopted ? 'PostgreSQL was still running; adopted.' : 'PostgreSQL is running.');

  const overTcp = (name: string) => `postgresql://${role}:${remembered.password}@127.0.0.1:${remembered.port}/${name}`;
  const overSocket = (name: string) => `${overTcp(name)}?host=${encodeURIComponent(socketFolder)}`;
  const connectionString = socketFolder !== '' && (await answers(overSocket('postgres'), log)) ? overSocket : overTcp;
  await ensureDatabase(connectionString('postgres'));
  const isRunning = async () => (await runningPid(installation))?.pid === pid;
  return { connectionString: connectionString(database), adopted, pid, port: remembered.port, isRunning, stop: () => stop(pid, connectionString('postgres'), log) };
}

/**
 * A round trip over a Unix socket costs a fifth less than over TCP, and a third less of our own CPU. It lies in the cluster's own folder, which only its user may enter. Empty: the
 * path is too long for it, or PostgreSQL would take it for a list.
 */
function socketFolderOf({ clusterFolder }: Installation, port: number): string {
  const fits = Buffer.byteLength(path.join(clusterFolder, `.s.PGSQL.${port}`)) <= longestSocketPath;
  return fits && !/[,"\s]/.test(clusterFolder) ? clusterFolder : '';
}

async function answers(connectionString: string, log: Logger): Promise<boolean> {
  const client = new pg.Client({ connectionString });
  try {
    await client.connect();
    return true;
  } catch (error) {
    log.info({ err: error }, 'PostgreSQL cannot be reached over its Unix socket; going on over TCP.');
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What a postmaster that was killed left behind; whoever has its pid now must not be taken for it. Only while none is running. */
async function removeLocks({ clusterFolder }: Installation): Promise<void> {
  const left = (await readdir(clusterFolder)).filter((name) => name === 'postmaster.pid' || name.startsWith('.s.PGSQL.'));
  for (const name of left) await rm(path.join(clusterFolder, name), { force: true });
}

/** Whether a start has made a database in this data folder, or begun to; looks only. */
export async function hasDatabase(dataFolder: string): Promise<boolean> {
  const isThere = (name: string): Promise<boolean> =>
    stat(path.join(dataFolder, name)).then(
      () => true,
      // Where it cannot be told, the start tells why.
      (error: unknown) => !(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')),
    );
  return (await isThere(memoryFile)) || (await isThere('postgres'));
}

/** The port and the password on disk. Written whole or not at all. */
class Memory {
  constructor(readonly file: string) {}

  async read(): Promise<Remembered | null> {
    const text = await readFile(this.file, 'utf8').catch(() => null);
    if (text === null) return null;
    try {
      const { port, password } = JSON.parse(text) as Partial<Remembered>;
      return typeof port === 'number' && typeof password === 'string' ? { port, password } : null;
    } catch {
      return null;
    }
  }

  async write(remembered: Remembered): Promise<void> {
    const partial = `${this.file}.new`;
    await writeFile(partial, `${JSON.stringify(remembered)}\n`, { mode: 0o600 });
    await rename(partial, this.file);
  }
}

const hasCluster = ({ clusterFolder }: Installation): Promise<boolean> =>
  readFile(path.join(clusterFolder, 'global', 'pg_control')).then(() => true, () => false);

/** Made beside its place and moved there whole, after `remember`: a cluster that is there is complete and its password known. */
async function makeCluster({ initdb, clusterFolder, user }: Installation, password: string, remember: () => Promise<void>): Promise<void> {
  const partial = `${clusterFolder}.new`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  if (user !== null) await chown(partial, user.uid, user.gid);
  const secretFolder = await mkdtemp(path.join(tmpdir(), 'concord-'));
  const passwordFile = path.join(secretFolder, 'password');
  try {
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (user !== null) for (const file of [passwordFile, secretFolder]) await chown(file, user.uid, user.gid);
    const child = spawn(
      initdb,
      ['-D', partial, '-U', role, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-instructions'],
      { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/', timeout: initTimeoutMs, killSignal: 'SIGKILL', ...(user === null ? {} : { uid: user.uid, gid: user.gid }) },
    );
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (code !== 0) throw new Error(`initdb ${code === null ? `was ended (by a signal, or because it took longer than ${initTimeoutMs / 1000} s)` : 'failed'} in ${partial}: ${errors.trim()}`);
    await remember();
    await rmdir(clusterFolder).catch(() => undefined);
    await rename(partial, clusterFolder);
  } finally {
    await rm(secretFolder, { recursive: true, force: true });
  }
}

/** The postmaster of this cluster, if one lives. A stale postmaster.pid, or one whose pid is now another program's, is none. */
async function runningPid({ clusterFolder }: Installation): Promise<{ readonly pid: number; readonly port: number; readonly socketFolder: string } | null> {
  const lines = (await readFile(path.join(clusterFolder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  const socketFolder = lines[4]?.trim() ?? '';
  if (!Number.isInteger(pid) || pid <= 1) return null;
  const command = await commandOf(pid);
  return command !== null && command.includes('postgres') && command.includes(clusterFolder) ? { pid, port, socketFolder } : null;
}

/** Waits while it starts or recovers. False: it is gone (it was stopping). */
async function isReady(installation: Installation, pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const text = await readFile(path.join(installation.clusterFolder, 'postmaster.pid'), 'utf8').catch(() => '');
    const state = text.split('\n')[7]?.trim();
    const alive = (await runningPid(installation))?.pid === pid;
    if (alive && state === 'ready') return true;
    if (!alive && (await commandOf(pid)) === null) return false;
    if (performance.now() > deadline) throw new Error(`PostgreSQL (process ${pid}) is ${state ?? 'silent'} for ${timeoutMs / 1000} s; look at postgres.log in the data folder.`);
    await delay(20);
  }
}

async function run(installation: Installation, port: number, logFile: string, given: Readonly<Record<string, string>>): Promise<void> {
  const output = await open(logFile, 'a', 0o600);
  const { size } = await output.stat();
  const { user } = installation;
  const deadline = performance.now() + startTimeoutMs;
  try {
    for (;;) {
      const args = ['-D', installation.clusterFolder, '-p', String(port), ...Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
      const child = spawn(installation.postgres, args, {
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
        cwd: '/',
        ...(user === null ? {} : { uid: user.uid, gid: user.gid }),
      });
      const exited = new Promise<'exited'>((resolve, reject) => child.once('error', reject).once('exit', () => resolve('exited')));
      child.unref();
      const outcome = await Promise.race([exited, waitForPostmaster(installation, child.pid ?? 0)]);
      if (outcome === 'ready') return;
      const tail = (await readFile(logFile, 'utf8')).slice(size);
      // Backends of a postmaster that was killed die within moments; until then they hold the shared memory.
      if (!tail.includes('shared memory block') || performance.now() > deadline) throw new Error(`PostgreSQL did not start. Its log says:\n${tail.trim()}`);
      await delay(100);
    }
  } finally {
    await output.close();
  }
}

async function waitForPostmaster(installation: Installation, pid: number): Promise<'ready' | 'exited'> {
  return (await isReady(installation, pid, startTimeoutMs)) ? 'ready' : 'exited';
}

async function ensureDatabase(maintenance: string): Promise<void> {
  const client = new pg.Client({ connectionString: maintenance });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${database}`);
  } finally {
    await client.end();
  }
}

async function stop(pid: number, maintenance: string, log: Logger): Promise<void> {
  const client = new pg.Client({ connectionString: maintenance });
  try {
    await client.connect();
    const { rows } = await client.query<{ others: number }>(
      `SELECT count(*)::int AS others FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    if ((rows[0]?.others ?? 0) > 0) {
      log.info('PostgreSQL is left running: another process uses it.');
      return;
    }
  } catch (error) {
    log.warn({ err: error }, 'PostgreSQL did not answer before its stop.');
  } finally {
    await client.end().catch(() => undefined);
  }
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    return;
  }
  while ((await commandOf(pid)) !== null) await delay(10);
  log.info('PostgreSQL is stopped.');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @throws Error when another program keeps it. */
async function waitUntilFree(port: number): Promise<void> {
  const deadline = performance.now() + portTimeoutMs;
  while (!(await isFree(port))) {
    if (performance.now() > deadline) throw new Error(`Another program has taken the port ${port} of PostgreSQL. Stop it, and start the server again.`);
    await delay(50);
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
