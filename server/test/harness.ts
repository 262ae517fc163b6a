import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { pino, type Logger } from 'pino';
import type { WorkspaceId } from '@concord/core';
import type { Role } from '@concord/schema';
import { newCredential } from '../auth/credentials.js';
import { readConfig, type Config } from '../config.js';
import { startServer, type RunningServer } from '../server.js';

/** A real server on a database of its own. Everything goes over the wire. */
export interface TestServer {
  /** GraphQL over HTTP. The same before and after a restart. */
  readonly url: string;
  /** GraphQL over WebSocket. */
  readonly wsUrl: string;
  /** Of an EDITOR of the workspace `main`. */
  readonly token: string;
  /** Of the OWNER of `main`, made at the first start. */
  readonly adminToken: string;
  readonly databaseUrl: string;
  /** A workspace that nobody but the owner is in. */
  newWorkspace(): Promise<WorkspaceId>;
  /** A new principal with this role. Default: in `main`. */
  newToken(role: Role, workspaceId?: string): Promise<string>;
  /** Another token of the principal that has this one. */
  anotherToken(token: string): Promise<string>;
  /** One GraphQL operation over HTTP. Default: with `token`; null sends none. */
  graphql(query: string, variables?: Record<string, unknown>, token?: string | null): Promise<GraphQLAnswer>;
  /** Stops the server and starts it again on the same database and port; with `change` under another configuration. */
  restart(change?: Partial<Config>): Promise<void>;
  /** Only stops it; `restart` starts it again. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export interface GraphQLAnswer {
  readonly status: number;
  // The shape is the query's; a test states what it expects of it.
  readonly data: Record<string, unknown> | null;
  readonly errors: readonly { readonly message: string; readonly path?: readonly (string | number)[]; readonly extensions: Readonly<Record<string, unknown>> }[];
}

export interface TestServerOptions {
  readonly config?: Partial<Config>;
  /** A second node on the database of another test server. Its tokens are not made anew: `token` and `adminToken` are given on. */
  readonly beside?: TestServer;
  readonly log?: Logger;
}

/**
 * Needs the PostgreSQL of test/postgres.global.ts, which `npx vitest` starts. A program outside vitest sets
 * CONCORD_TEST_POSTGRES to the URL of a PostgreSQL in which it may create databases.
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const databaseUrl = options.beside?.databaseUrl ?? (await newDatabase());
  const log = options.log ?? pino({ level: process.env['TEST_LOG'] ?? 'silent' }, pino.destination(2));
  // Kept over restarts, so that clients find the server again.
  const port = await freePort();
  const configOf = (change: Partial<Config> = {}): Config => ({
    ...readConfig({ NODE_ENV: 'test', PORT: String(port), DATABASE_URL: databaseUrl, POOL_SIZE: '6', RATE_OPERATIONS: '0', RATE_EDITS: '0', STOP_GRACE_MS: '3000' }),
    ...options.config,
    ...change,
  });
  let running: RunningServer | null = await startServer(configOf(), log);
  const url = running.url;
  const firstToken = running.firstToken;
  const adminToken = options.beside?.adminToken ?? firstToken ?? '';

  async function withDatabase<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  async function newToken(role: Role, workspaceId = 'main'): Promise<string> {
    const { id, token, hash } = await newCredential();
    const principalId = `test-${randomBytes(6).toString('hex')}`;
    await withDatabase(async (client) => {
      await client.query('INSERT INTO principals (id, name) VALUES ($1, $2)', [principalId, `${role.toLowerCase()} of the tests`]);
      await client.query('INSERT INTO memberships (workspace_id, principal_id, role) VALUES ($1, $2, $3::role)', [workspaceId, principalId, role]);
      await client.query('INSERT INTO tokens (id, principal_id, hash, workspace_id) VALUES ($1, $2, $3, $4)', [id, principalId, hash, workspaceId]);
    });
    return token;
  }

  async function anotherToken(of: string): Promise<string> {
    const { id, token, hash } = await newCredential();
    await withDatabase((client) => client.query('INSERT INTO tokens (id, principal_id, hash, workspace_id) SELECT $1, principal_id, $2, workspace_id FROM tokens WHERE id = $3', [id, hash, of.split('.')[0]]));
    return token;
  }

  async function stop(): Promise<void> {
    const stopped = running;
    running = null;
    await stopped?.close();
  }

  const token = options.beside?.token ?? (await newToken('EDITOR'));

  return {
    url,
    wsUrl: url.replace(/^http/, 'ws'),
    token,
    adminToken,
    databaseUrl,
    newToken,
    anotherToken,
    async newWorkspace() {
      const id = `ws-${randomBytes(6).toString('hex')}` as WorkspaceId;
      await withDatabase(async (client) => {
        await client.query('INSERT INTO workspaces (id, name) VALUES ($1, $1)', [id]);
        await client.query(`INSERT INTO memberships (workspace_id, principal_id, role) VALUES ($1, 'owner', 'OWNER')`, [id]);
      });
      return id;
    },
    async graphql(query, variables = {}, as = token) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(as === null ? {} : { authorization: `Bearer ${as}` }) },
        body: JSON.stringify({ query, variables }),
      });
      const { data = null, errors = [] } = (await response.json()) as Partial<GraphQLAnswer>;
      return { status: response.status, data, errors };
    },
    async restart(change) {
      await stop();
      running = await startServer(configOf(change), log);
    },
    stop,
    async close() {
      await stop();
      if (options.beside === undefined) await dropDatabase(databaseUrl);
    },
  };
}

async function serverUrl(): Promise<string> {
  const fromEnvironment = process.env['CONCORD_TEST_POSTGRES'];
  if (fromEnvironment !== undefined) return fromEnvironment;
  const { inject } = await import('vitest');
  return inject('postgresUrl');
}

export async function newDatabase(): Promise<string> {
  const url = new URL(await serverUrl());
  const name = `test_${randomBytes(8).toString('hex')}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  const template = await client.query(`SELECT FROM pg_database WHERE datname = 'concord_template'`);
  await client.query(`CREATE DATABASE ${name} ${template.rowCount === 1 ? 'TEMPLATE concord_template' : ''}`);
  await client.end();
  url.pathname = `/${name}`;
  return url.href;
}

export async function dropDatabase(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: await serverUrl() });
  await client.connect();
  await client.query(`DROP DATABASE IF EXISTS ${new URL(databaseUrl).pathname.slice(1)} WITH (FORCE)`);
  await client.end();
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A copy of a database as it is now, as a backup would be; its server must be stopped. */
export async function copyDatabase(databaseUrl: string): Promise<string> {
  const url = new URL(databaseUrl);
  const client = new pg.Client({ connectionString: await serverUrl() });
  await client.connect();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await client.query(`CREATE DATABASE ${name} TEMPLATE ${url.pathname.slice(1)}`);
  await client.end();
  url.pathname = `/${name}`;
  return url.href;
}
