import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ended, startServerProcess, type ServerProcess } from '../../test/server-process.js';
import type { GraphQLAnswer } from './harness.js';

describe('The embedded PostgreSQL of a server', { timeout: 90_000 }, () => {
  let folder: string;
  let server: ServerProcess;
  beforeAll(async () => {
    folder = await mkdtemp('/tmp/concord-supervised-');
    server = await startServerProcess({ from: 'source', environment: { CONCORD_DATA: folder, RATE_OPERATIONS: '0', STOP_GRACE_MS: '2000' }, errors: 'kept' });
  });
  afterAll(async () => {
    await ended(server.process);
    await rm(folder, { recursive: true, force: true });
  });

  const postmaster = async (): Promise<number> => Number((await readFile(path.join(folder, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0]);

  async function ask(query: string, variables: object = {}, to = server): Promise<Partial<GraphQLAnswer>> {
    const response = await fetch(to.url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token}` }, body: JSON.stringify({ query, variables }) });
    return (await response.json()) as Partial<GraphQLAnswer>;
  }
  const create = (id: string, to = server) => ask('mutation ($id: ID!) { createDocument(id: $id, value: {}) { __typename } }', { id }, to);
  const code = ({ errors }: Partial<GraphQLAnswer>): unknown => errors?.[0]?.extensions['code'] ?? 'OK';
  const alive = async () => (await fetch(new URL('/health', server.url))).status;

  /** Writes all the time while `fault` happens; resolves when writing goes on after it. The ids that were acknowledged. */
  async function writingThrough(name: string, fault: () => Promise<unknown>): Promise<{ readonly acknowledged: readonly string[]; readonly codes: ReadonlySet<unknown> }> {
    const acknowledged: string[] = [];
    const codes = new Set<unknown>();
    let over = false;
    const happening = fault().then(() => (over = true));
    for (let n = 0, after = 0; after < 5; n++) {
      const outcome = code(await create(`${name}-${n}`));
      codes.add(outcome);
      if (outcome === 'OK') acknowledged.push(`${name}-${n}`);
      after = over && outcome === 'OK' ? after + 1 : 0;
    }
    await happening;
    return { acknowledged, codes };
  }
  async function lost(ids: readonly string[]): Promise<readonly string[]> {
    const found = new Set<string>();
    for (let from = 0; from < ids.length; from += 500) {
      const { data } = await ask('query ($ids: [ID!]) { documents(ids: $ids, first: 500) { nodes { id } } }', { ids: ids.slice(from, from + 500) });
      for (const { id } of (data?.['documents'] as { nodes: { id: string }[] }).nodes) found.add(id);
    }
    return ids.filter((id) => !found.has(id));
  }

  it('is started again when it is killed: clients are told UNAVAILABLE meanwhile, and nothing acknowledged is lost', async () => {
    const before = await postmaster();
    const { acknowledged, codes } = await writingThrough('killed', async () => {
      process.kill(before, 'SIGKILL');
      await expect.poll(postmaster, { timeout: 30_000 }).not.toBe(before);
      await expect.poll(postmaster).toBeGreaterThan(0);
    });
    expect([...codes].filter((one) => one !== 'OK' && one !== 'UNAVAILABLE')).toEqual([]);
    expect(await lost(acknowledged)).toEqual([]);
    expect(await alive()).toBe(200);
  });

  it('goes on by itself when one of its backends is killed', async () => {
    const before = await postmaster();
    const { acknowledged, codes } = await writingThrough('backend', async () => {
      const { port, password } = JSON.parse(await readFile(path.join(folder, 'postgres.json'), 'utf8')) as { port: number; password: string };
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'concord', password, database: 'concord' });
      client.on('error', () => undefined);
      await client.connect();
      const { rows } = await client.query<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE application_name = 'concord' LIMIT 1`);
      await client.end();
      process.kill(rows[0]!.pid, 'SIGKILL');
    });
    expect([...codes].filter((one) => one !== 'OK' && one !== 'UNAVAILABLE')).toEqual([]);
    expect(await lost(acknowledged)).toEqual([]);
    expect(await postmaster()).toBe(before);
  });

  it('is started once when two servers on its folder find it gone', async () => {
    const second = await startServerProcess({ from: 'source', environment: { CONCORD_DATA: folder, RATE_OPERATIONS: '0', STOP_GRACE_MS: '2000' }, errors: 'kept' });
    for (let round = 0; round < 3; round++) {
      const before = await postmaster();
      process.kill(before, 'SIGKILL');
      for (const node of [server, second]) await expect.poll(async () => code(await create(`two-${round}-${node.pid}`, node)), { timeout: 30_000 }).toBe('OK');
    }
    expect(await ended(second.process)).toBe(0);
    expect(code(await create('after-the-second'))).toBe('OK');
  });

  it('ends the process with the reason when it cannot be started again', async () => {
    const before = await postmaster();
    const cluster = path.join(folder, 'postgres');
    const exit = new Promise<number | null>((resolve) => server.process.once('exit', resolve));
    await rename(path.join(cluster, 'global', 'pg_control'), path.join(folder, 'pg_control.away'));
    await rename(path.join(cluster, 'PG_VERSION'), path.join(folder, 'PG_VERSION.away'));
    process.kill(before, 'SIGKILL');
    expect(await exit).toBe(1);
    expect(server.errors()).toMatch(/Concord ends: its PostgreSQL has ended and cannot be started again: \S/);
    expect(await readdir(folder)).not.toContain('postgres.lock');
  });
});
