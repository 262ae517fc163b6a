import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { dropDatabase, newDatabase } from '../server/test/harness.js';
import { Balancer } from './balancer.js';
import { ended, startServerProcess, withoutRates, type ServerProcess } from './server-process.js';

/** Several server processes on one database, behind a balancer. */
export interface Cluster {
  readonly nodes: readonly ServerProcess[];
  readonly balancer: Balancer;
  /** Of the owner of the workspace `main`. */
  readonly token: string;
  /** Of the database's owner; the nodes have a role of their own, without special rights. */
  readonly databaseUrl: string;
  /** For the files of replicas; gone with the cluster. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Starts the nodes at once, as an orchestrator would: one of them prepares the empty database, the others wait for it. */
export async function startCluster({ count, environment = {} }: {
  readonly count: number;
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<Cluster> {
  const databaseUrl = await newDatabase();
  const role = await makeRole(databaseUrl);
  const folder = mkdtempSync(join(tmpdir(), 'concord-cluster-'));
  const nodes: ServerProcess[] = [];
  const close = async () => {
    await Promise.all(nodes.map(({ process: child }) => ended(child)));
    await dropDatabase(databaseUrl);
    await role.drop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const starting = Array.from({ length: count }, async () => {
      const node = await startServerProcess({
        from: 'source',
        environment: { DATABASE_URL: role.url, NODE_ENV: 'test', ...withoutRates, STOP_GRACE_MS: '3000', POOL_SIZE: '6', LOG_LEVEL: 'warn', ...environment },
        errors: 'kept',
      });
      nodes.push(node);
    });
    const failed = (await Promise.allSettled(starting)).find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const token = nodes.find((node) => node.token !== undefined)?.token;
    if (token === undefined) throw new Error('No node printed the first token.');
    const balancer = await Balancer.before(nodes.map(({ url }) => url));
    return {
      nodes,
      balancer,
      token,
      databaseUrl,
      folder,
      async close() {
        await balancer.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A role that may read and write the tables and nothing else. */
async function makeRole(databaseUrl: string): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const url = new URL(databaseUrl);
  url.username = `nodes_${randomBytes(4).toString('hex')}`;
  url.password = randomBytes(12).toString('hex');
  await query(databaseUrl, `CREATE ROLE ${url.username} LOGIN PASSWORD '${url.password}'; GRANT ALL ON ALL TABLES IN SCHEMA public TO ${url.username}; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${url.username}`);
  const maintenance = new URL(databaseUrl);
  maintenance.pathname = '/postgres';
  return { url: url.href, drop: () => query(maintenance.href, `DROP ROLE ${url.username}`) };
}

async function query(connectionString: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
