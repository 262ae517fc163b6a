import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../config.js';
import { startEmbedded, type EmbeddedPostgres } from '../postgres/embedded.js';
import { startServer, type RunningServer } from '../server.js';
import type { GraphQLAnswer } from './harness.js';

const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' }, pino.destination(2));

describe('A server whose database cannot take changes', { timeout: 60_000 }, () => {
  let folder: string;
  let postgres: EmbeddedPostgres;
  let server: RunningServer;

  // A role without special rights: limits of connections do not hold for others.
  const roleUrl = (): string => {
    const url = new URL(postgres.connectionString);
    [url.username, url.password] = ['app', 'secret'];
    return url.href;
  };

  beforeAll(async () => {
    folder = await mkdtemp('/tmp/concord-outages-');
    postgres = await startEmbedded({ dataFolder: folder, log });
    await administer(`CREATE ROLE app LOGIN PASSWORD 'secret'; GRANT ALL ON SCHEMA public TO app`);
    server = await startServer(readConfig({ NODE_ENV: 'test', PORT: '0', DATABASE_URL: roleUrl(), POOL_SIZE: '6', STOP_GRACE_MS: '3000', RATE_OPERATIONS: '0' }), log);
    expect(await write('before')).toEqual('Edited');
  });
  afterAll(async () => {
    await server?.close();
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function administer(...statements: string[]): Promise<void> {
    const client = new pg.Client({ connectionString: postgres.connectionString });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  }
  const endSessions = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'`;

  async function ask(query: string): Promise<Partial<GraphQLAnswer>> {
    const response = await fetch(server.url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${server.firstToken}` }, body: JSON.stringify({ query }) });
    return (await response.json()) as Partial<GraphQLAnswer>;
  }
  /** What became of a new document: `Edited`, or the refusal. */
  async function write(id: string, value = '{}'): Promise<unknown> {
    const { data, errors } = await ask(`mutation { createDocument(id: "${id}", value: ${value}) { __typename ... on Refused { code message } } }`);
    return (data?.['createDocument'] as { __typename: string } | undefined)?.__typename ?? refusal(errors);
  }
  const refusal = (errors: GraphQLAnswer['errors'] | undefined): unknown => `${String(errors?.[0]?.extensions['code'])}: ${String(errors?.[0]?.message)}`;
  async function ready(): Promise<string> {
    const response = await fetch(new URL('/ready', server.url));
    return `${response.status} ${((await response.json()) as { reason: string }).reason}`;
  }
  async function recovers(id: string): Promise<void> {
    await expect.poll(() => write(id), { timeout: 20_000 }).toBe('Edited');
    await expect.poll(ready, { timeout: 10_000 }).toBe('200 OK');
    // On every connection of the pool, also for what does not go through the commit.
    for (const answer of await Promise.all(Array.from({ length: 8 }, (_, index) => ask(`mutation { createWorkspace(name: "${id} ${index}") { id } }`)))) expect(answer.errors).toBeUndefined();
  }

  it('says UNAVAILABLE while it is set to read-only, still reads, is not ready, and recovers by itself', async () => {
    await administer('ALTER DATABASE concord SET default_transaction_read_only = on', endSessions);
    try {
      await expect.poll(ready).toBe('503 DATABASE_READ_ONLY');
      expect(await write('read-only')).toMatch(/^UNAVAILABLE: .*read-only; reading goes on/);
      // Not by the commit: through Prisma, in a transaction.
      for (let attempt = 0; attempt < 8; attempt++) expect(refusal((await ask('mutation { createWorkspace(name: "x") { id } }')).errors)).toMatch(/^UNAVAILABLE: .*read-only/);
      expect((await ask('{ document(id: "before") { revision } }')).data).toEqual({ document: { revision: 1 } });
      expect(await ready()).toBe('503 DATABASE_READ_ONLY');
    } finally {
      await administer('SET default_transaction_read_only = off', 'ALTER DATABASE concord RESET default_transaction_read_only');
    }
    await recovers('after-read-only');
  });

  it('says so when its primary was demoted to a standby, and goes on when it is promoted', async () => {
    const clusterFolder = await stopPostgres();
    await writeFile(path.join(clusterFolder, 'standby.signal'), '');
    postgres = await startEmbedded({ dataFolder: folder, log });
    await expect.poll(ready, { timeout: 10_000 }).toBe('503 DATABASE_READ_ONLY');
    expect(await write('standby')).toMatch(/^UNAVAILABLE: .*standby/);
    expect((await ask('{ document(id: "before") { revision } }')).data).toEqual({ document: { revision: 1 } });
    await administer('SELECT pg_promote()');
    await recovers('after-promotion');
  });

  it('says so when no more connections are accepted', async () => {
    await administer('ALTER ROLE app CONNECTION LIMIT 0', endSessions);
    try {
      await expect.poll(() => write('crowded')).toMatch(/^UNAVAILABLE: .*no more connections.*max_connections/);
      expect(await ready()).toBe('503 DATABASE_TOO_MANY_CONNECTIONS');
    } finally {
      await administer('ALTER ROLE app CONNECTION LIMIT -1');
    }
    await recovers('after-the-crowd');
  });

  it('says so when the disk is full, is ready again only when it can write, and loses nothing', async () => {
    const disk = await smallDisk();
    const value = () => `{ text: "${randomBytes(40_000).toString('base64')}" }`;
    let written = 0;
    let outcome: unknown;
    for (; written < 500; written++) {
      outcome = await write(`full-${written}`, value());
      if (outcome !== 'Edited') break;
    }
    expect(outcome).toMatch(/^UNAVAILABLE: .*disk is full.*reading goes on/);
    expect(await ready()).toBe('503 DATABASE_DISK_FULL');
    await disk.makeRoom();
    await expect.poll(ready, { timeout: 10_000 }).toBe('200 OK');
    expect(await write(`full-${written}`, value())).toBe('Edited');
    expect((await ask(`{ document(id: "full-${Math.max(0, written - 1)}") { revision } }`)).data).toEqual({ document: { revision: 1 } });
    await disk.close();
  });

  it('says so when it is shut down, and goes on when it is there again', async () => {
    const stopped = stopPostgres();
    const refusals: unknown[] = [];
    await stopped;
    for (let round = 0; round < 3; round++) refusals.push(await write(`down-${round}`));
    expect(refusals.map((text) => String(text).split(':')[0])).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE']);
    expect(await ready()).toBe('503 DATABASE_UNREACHABLE');
    postgres = await startEmbedded({ dataFolder: folder, log });
    await recovers('after-the-shutdown');
  });

  /** At once, with the sessions of the server open. The folder of the cluster. */
  async function stopPostgres(): Promise<string> {
    const client = new pg.Client({ connectionString: postgres.connectionString });
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    await client.end();
    process.kill(postgres.pid, 'SIGINT');
    await expect.poll(() => isAlive(postgres.pid), { timeout: 20_000 }).toBe(false);
    return rows[0]!.data_directory;
  }

  /**
   * The tables on a disk of 24 MiB that fills up. Where this machine does not let us mount one, PostgreSQL says the same to whoever
   * writes.
   */
  async function smallDisk(): Promise<{ makeRoom(): Promise<void>; close(): Promise<void> }> {
    const mountPoint = await mkdtemp('/tmp/concord-disk-');
    const mounted = process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=0777', 'tmpfs', mountPoint]).status === 0;
    if (!mounted) {
      await administer(
        `CREATE FUNCTION full() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION USING ERRCODE = ''53100'', MESSAGE = ''could not extend file: No space left on device''; END'`,
        'CREATE TRIGGER full BEFORE INSERT ON changes EXECUTE FUNCTION full()',
        'CREATE TRIGGER full BEFORE INSERT ON snapshots EXECUTE FUNCTION full()',
      );
      return { makeRoom: () => administer('DROP FUNCTION full CASCADE'), close: () => rm(mountPoint, { recursive: true }) };
    }
    const tablespace = path.join(mountPoint, 'tables');
    await mkdir(tablespace);
    spawnSync('chown', ['--reference', path.join(folder, 'postgres'), tablespace]);
    const tables = ['changes', 'documents', 'snapshots'];
    const filler = path.join(mountPoint, 'filler');
    await administer(`CREATE TABLESPACE small LOCATION '${tablespace}'`, ...tables.map((table) => `ALTER TABLE ${table} SET TABLESPACE small`));
    const { bavail, bsize } = await statfs(mountPoint);
    await writeFile(filler, Buffer.alloc(bavail * bsize - 1024 * 1024));
    return {
      makeRoom: () => rm(filler),
      async close() {
        await administer(...tables.map((table) => `ALTER TABLE ${table} SET TABLESPACE pg_default`), 'DROP TABLESPACE small');
        spawnSync('umount', [mountPoint]);
        await rm(mountPoint, { recursive: true });
      },
    };
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
