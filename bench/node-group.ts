import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { startEmbedded, type EmbeddedPostgres } from '../server/postgres/embedded.js';
import { ended, startServerProcess, type ServerProcess, withoutRates } from '../test/server-process.js';
import { ConcordConnection } from './concord-connection.js';
import { documentOf } from './documents.js';
import { collectsOnSignal, cpuSeconds } from './processes.js';
import type { Endpoint } from './system.js';

/** A durable PostgreSQL in a folder that is gone with it. */
export interface Postgres {
  readonly pid: number;
  /** A new, empty database. */
  readonly newDatabase: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

export async function startPostgres(): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'concord-nodes-'));
  mkdirSync(join(folder, 'data'));
  const postgres: EmbeddedPostgres = await startEmbedded({ dataFolder: join(folder, 'data'), log: pino({ level: 'silent' }) });
  let made = 0;
  return {
    pid: postgres.pid,
    async newDatabase() {
      const name = `nodes_${++made}`;
      await statement(postgres.connectionString, `CREATE DATABASE ${name}`);
      const url = new URL(postgres.connectionString);
      url.pathname = `/${name}`;
      return url.href;
    },
    async stop() {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Server processes that share a database. */
export interface NodeGroup {
  readonly endpoints: readonly Endpoint[];
  readonly databaseUrl: string;
  /** Processor seconds so far of the servers, of PostgreSQL, and of this process, which makes the load. */
  readonly cpu: () => Cpu;
  readonly seed: (ids: readonly string[], workspaceId?: string) => Promise<void>;
  readonly newWorkspace: (name: string) => Promise<string>;
  readonly stop: () => Promise<void>;
}

export interface Cpu {
  readonly servers: number;
  readonly database: number;
  readonly driver: number;
}

const seedEdits = 500;

export async function startNodes(postgres: Postgres, count: number, environment: Readonly<Record<string, string>> = {}): Promise<NodeGroup> {
  const databaseUrl = await postgres.newDatabase();
  const nodes: ServerProcess[] = [];
  const stop = async () => void (await Promise.all(nodes.map(({ process: child }) => ended(child))));
  try {
    // One after the other: the first makes the tables. As in production, behind a proxy that ends TLS; without rate limits.
    for (let index = 0; index < count; index++) {
      nodes.push(await startServerProcess({ from: 'dist', nodeOptions: collectsOnSignal, environment: { DATABASE_URL: databaseUrl, ...withoutRates, NODE_ENV: 'production', TRUST_PROXY: '1', ...environment }, detached: true }));
    }
    const token = nodes[0]?.token;
    if (token === undefined) throw new Error('The first node printed no token.');
    const endpoints = nodes.map(({ url, pid }): Endpoint => ({ url, token, serverPid: pid, databasePid: postgres.pid }));
    return {
      endpoints,
      databaseUrl,
      cpu: () => ({
        servers: endpoints.reduce((sum, { serverPid }) => sum + cpuSeconds(serverPid, { below: false }), 0),
        database: cpuSeconds(postgres.pid),
        driver: cpuSeconds(process.pid, { below: false }),
      }),
      async seed(ids, workspaceId) {
        const connection = new ConcordConnection(endpoints[0]!, workspaceId === undefined ? {} : { workspaceId });
        for (let start = 0; start < ids.length; start += seedEdits) {
          await connection.push(ids.slice(start, start + seedEdits).map((id) => ({ documentId: id, counter: 1, base: 0, action: { create: { collection: 'bench', title: id, value: documentOf(id) } } })));
        }
        connection.close();
      },
      async newWorkspace(name) {
        const response = await fetch(endpoints[0]!.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify({ query: 'mutation ($name: String!) { createWorkspace(name: $name) { id } }', variables: { name } }),
        });
        return ((await response.json()) as { readonly data: { readonly createWorkspace: { readonly id: string } } }).data.createWorkspace.id;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function statement(connectionString: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
