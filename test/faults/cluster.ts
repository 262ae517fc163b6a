import { spawnSync } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { chmod, mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { Balancer } from '../balancer.js';
import { ended, startServerProcess, type ServerProcess } from '../server-process.js';

/** Enough for a cluster and some log; little enough that it can be filled. */
const diskMegabytes = 600;

/**
 * Two nodes on one embedded PostgreSQL, which both supervise, behind a balancer; the data folder is a small disk of its own where this
 * machine lets us mount one. A node that has ended is started again, as a supervisor of processes would.
 */
export class FaultedCluster {
  private readonly nodes: (ServerProcess | null)[] = [null, null];
  private readonly starting: (Promise<void> | null)[] = [null, null];
  private closing = false;
  private failure: unknown;
  /** Times a node ended without having been asked to. */
  endedByThemselves = 0;

  private constructor(
    private readonly from: 'dist' | 'source',
    readonly folder: string,
    readonly hasOwnDisk: boolean,
    private readonly ports: readonly number[],
    readonly balancer: Balancer,
  ) {}

  token = '';

  static async start(from: 'dist' | 'source'): Promise<FaultedCluster> {
    const folder = await mkdtemp(path.join(tmpdir(), 'concord-faults-'));
    // Else the user of PostgreSQL could not pass, and the cluster would lie elsewhere than on the small disk.
    await chmod(folder, 0o755);
    const data = path.join(folder, 'data');
    spawnSync('mkdir', [data]);
    const mounted = process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMegabytes}m,mode=0755`, 'tmpfs', data]).status === 0;
    const ports = [await freePort(), await freePort()];
    const balancer = await Balancer.before(ports.map((port) => `http://127.0.0.1:${port}/graphql`));
    const cluster = new FaultedCluster(from, folder, mounted, ports, balancer);
    for (const index of [0, 1]) await cluster.startNode(index);
    return cluster;
  }

  get dataFolder(): string {
    return path.join(this.folder, 'data');
  }

  url(index: number): string {
    return `http://127.0.0.1:${this.ports[index]!}/graphql`;
  }

  node(index: number): ServerProcess | null {
    return this.nodes[index] ?? null;
  }

  /** Ends a node by a signal and begins to start it again: the other one serves meanwhile. */
  async restartNode(index: number, signal: NodeJS.Signals): Promise<void> {
    const node = this.nodes[index];
    this.nodes[index] = null;
    if (node != null) await ended(node.process, signal);
    this.startNode(index).catch((error: unknown) => (this.failure ??= error));
  }

  /** Resolves when both nodes run. @throws what kept one from starting. */
  async ready(): Promise<void> {
    for (const starting of this.starting) await starting;
    if (this.failure !== undefined) throw new Error('A node could not be started again.', { cause: this.failure });
  }

  private startNode(index: number): Promise<void> {
    return (this.starting[index] ??= this.tryToStart(index).finally(() => (this.starting[index] = null)));
  }

  private async tryToStart(index: number): Promise<void> {
    for (let attempt = 1; !this.closing; attempt++) {
      try {
        const node = await startServerProcess({
          from: this.from,
          environment: { CONCORD_DATA: this.dataFolder, PORT: String(this.ports[index]), NODE_ENV: 'test', RATE_OPERATIONS: '0', RATE_EDITS: '0', STOP_GRACE_MS: '3000', POOL_SIZE: '6', FEED_POLL_MS: '500', LOG_LEVEL: 'fatal' },
          errors: 'kept',
          detached: true,
        });
        this.nodes[index] = node;
        this.token ||= node.token ?? '';
        node.process.once('exit', () => {
          if (this.nodes[index] !== node || this.closing) return;
          this.endedByThemselves += 1;
          this.nodes[index] = null;
          this.startNode(index).catch((error: unknown) => (this.failure ??= error));
        });
        return;
      } catch (error) {
        // The database cannot start either, for as long as the fault lasts.
        if (attempt >= 60) throw error;
        await delay(500);
      }
    }
  }

  /** Of the superuser. Throws while PostgreSQL is away. */
  async sql<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const client = await this.connect();
    try {
      return (await client.query<Row>(text, [...values])).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async connectionString(): Promise<string> {
    const { port, password } = JSON.parse(await readFile(path.join(this.dataFolder, 'postgres.json'), 'utf8')) as { readonly port: number; readonly password: string };
    return `postgresql://concord:${password}@127.0.0.1:${port}/concord`;
  }

  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: await this.connectionString(), application_name: 'faults', connectionTimeoutMillis: 5_000, query_timeout: 30_000 });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async postmaster(): Promise<number> {
    return Number((await readFile(path.join(this.dataFolder, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
  }

  /** Fills the disk up to its last byte. */
  async fillDisk(): Promise<void> {
    const { bavail, bsize } = await statfs(this.dataFolder);
    await writeFile(path.join(this.dataFolder, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - 256 * 1024))).catch(() => undefined);
  }

  makeRoom(): Promise<void> {
    return rm(path.join(this.dataFolder, 'filler'), { force: true });
  }

  /** The end of PostgreSQL's own log, for whoever looks for the cause of a failure. */
  async postgresLog(): Promise<string> {
    const text = await readFile(path.join(this.dataFolder, 'postgres.log'), 'utf8').catch(() => '');
    return text.split('\n').slice(-60).join('\n');
  }

  async close(): Promise<void> {
    this.closing = true;
    await this.balancer.close();
    for (const starting of this.starting) await starting?.catch(() => undefined);
    for (const node of this.nodes) if (node != null) await ended(node.process);
    if (this.hasOwnDisk) spawnSync('umount', ['-l', this.dataFolder]);
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
