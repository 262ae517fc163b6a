import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbedded } from '../postgres/embedded.js';

describe('The embedded PostgreSQL', { timeout: 60_000 }, () => {
  const log = pino({ level: 'silent' });
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join('/tmp', 'concord-embedded-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function addressOf(connectionString: string): Promise<string | null> {
    const client = new pg.Client({ connectionString });
    await client.connect();
    const { rows } = await client.query<{ address: string | null }>('SELECT host(inet_server_addr()) AS address');
    await client.end();
    return rows[0]?.address ?? null;
  }

  it('talks over a Unix socket in its own folder, and is adopted over it', async () => {
    const postgres = await startEmbedded({ dataFolder: folder, log });
    expect(await addressOf(postgres.connectionString)).toBeNull();
    const neighbour = await startEmbedded({ dataFolder: folder, log });
    expect(neighbour.adopted).toBe(true);
    expect(await addressOf(neighbour.connectionString)).toBeNull();
    // What does not know Unix sockets finds it over TCP.
    expect(await addressOf(postgres.connectionString.replace(/\?.*/, ''))).toBe('127.0.0.1');
    await postgres.stop();
  });

  it('talks over TCP where the path of a socket would be too long', async () => {
    const deep = path.join(folder, 'd'.repeat(100));
    await mkdir(deep, { mode: 0o755 });
    const postgres = await startEmbedded({ dataFolder: deep, log });
    expect(await addressOf(postgres.connectionString)).toBe('127.0.0.1');
    await postgres.stop();
  });
});
