import { readFileSync } from 'node:fs';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../config.js';
import { Metrics } from '../metrics/metrics.js';
import { scheduleRetention } from '../retention/schedule.js';
import { startServer } from '../server.js';
import { atHead, create, edit, openWorld, patch } from './engine-world.js';
import { startTestServer, type TestServer } from './harness.js';
import { postgresUrl } from './postgres-url.js';

const token = 'm'.repeat(32);
const createDocument = 'mutation ($id: ID!) { createDocument(workspaceId: "main", id: $id, value: {}) { __typename } }';

describe('The figures of a server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { metrics: { port: null, host: '127.0.0.1', token }, feedPollMs: 50 } });
  });
  afterAll(() => server.close());

  const ask = (authorization?: string, method = 'GET') => fetch(new URL('/metrics', server.url), { method, headers: authorization === undefined ? {} : { authorization } });
  const page = async () => (await ask(`Bearer ${token}`)).text();
  const figure = async (name: string) => figureOf(await page(), name);

  it('are for the bearer of their own token only', async () => {
    for (const wrong of [undefined, `Bearer ${token}x`, `Bearer ${server.adminToken}`, token]) {
      const answer = await ask(wrong);
      expect(answer.status).toBe(401);
      expect(await answer.text()).not.toContain('concord_');
    }
    expect((await ask(`Bearer ${token}`)).headers.get('content-type')).toMatch(/^text\/plain; version=/);
    expect((await ask(`Bearer ${token}`, 'POST')).status).toBe(405);
  });

  it('count pushes, and edits by their verdict', async () => {
    const before = await page();
    expect((await server.graphql(createDocument, { id: 'counted' })).errors).toEqual([]);
    await server.graphql(createDocument, { id: 'counted' });
    const after = await page();
    const grown = (name: string) => (figureOf(after, name) ?? 0) - (figureOf(before, name) ?? 0);
    expect(grown('concord_pushes_total{outcome="ANSWERED"}')).toBe(2);
    expect(grown('concord_verdicts_total{code="COMMITTED"}')).toBe(1);
    expect(grown('concord_verdicts_total{code="DOCUMENT_EXISTS"}')).toBe(1);
    expect(grown('concord_commit_batch_edits_sum')).toBe(2);
    expect(grown('concord_push_seconds_count')).toBe(2);
    expect(grown('concord_cache_documents')).toBe(1);
  });

  it('count a push that is refused as a whole by its code', async () => {
    const viewer = await server.newToken('VIEWER');
    await server.graphql(createDocument, { id: 'forbidden' }, viewer);
    expect(await figure('concord_pushes_total{outcome="FORBIDDEN"}')).toBe(1);
  });

  it('show a subscriber while it is there', async () => {
    expect(await figure('concord_subscribers')).toBe(0);
    const leaving = new AbortController();
    const stream = await fetch(server.url, {
      method: 'POST',
      signal: leaving.signal,
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${server.token}` },
      body: JSON.stringify({ query: 'subscription { document(workspaceId: "main", id: "counted") { id } }' }),
    });
    const reader = stream.body!.getReader();
    await reader.read();
    await expect.poll(() => figure('concord_subscribers')).toBe(1);
    leaving.abort();
    await expect.poll(() => figure('concord_subscribers')).toBe(0);
  });

  it('name no principal, no workspace, no document', async () => {
    const text = await page();
    for (const secret of ['counted', 'forbidden"', 'owner', 'test-']) expect(text).not.toContain(secret);
  });

  it('are each described in docs/OPERATIONS.md, which describes no others', async () => {
    const documented = new Set(readFileSync(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8').match(/`(concord|process)_[a-z_]+/g)?.map((name) => name.slice(1)));
    documented.delete('concord_redis_up'); // This server has no Redis.
    const exported = new Set([...(await page()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    expect([...exported].sort()).toEqual([...documented].sort());
  });

  it('are all drawn by docs/grafana/concord.json, which asks for no others', async () => {
    const text = await page();
    const dashboard = JSON.parse(readFileSync(new URL('../../docs/grafana/concord.json', import.meta.url), 'utf8')) as { readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[] };
    const drawn = new Set(dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(/(concord|process)_[a-z_]+/g) ?? [])));
    drawn.delete('concord_redis_up'); // This server has no Redis.
    // A histogram has lines of three names; a counter may have no line yet, but is announced.
    const announced = [...text.matchAll(/^# TYPE (\S+) (\S+)/gm)].map(([, name = '', kind]) => ({ name, names: kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name] }));
    expect([...drawn].filter((name) => !announced.some(({ names }) => names.includes(name)))).toEqual([]);
    expect(announced.filter(({ names }) => !names.some((name) => drawn.has(name))).map(({ name }) => name)).toEqual([]);
  });
});

describe('The page of figures', () => {
  it('has a port of its own if one is configured, and is not on the other', async () => {
    const beside = await startTestServer();
    const server = await startServer(readConfig({ NODE_ENV: 'test', PORT: '0', DATABASE_URL: beside.databaseUrl, POOL_SIZE: '6', METRICS_PORT: '0' }), pino({ level: 'silent' }));
    try {
      expect((await fetch(new URL('/metrics', server.url))).status).toBe(404);
      expect(figureOf(await (await fetch(server.metricsUrl!)).text(), 'concord_pool_connections{pool="main"}')).toBeGreaterThan(0);
      expect((await fetch(new URL('/graphql', server.metricsUrl!))).status).toBe(404);
    } finally {
      await server.close();
    }
    await expect(fetch(server.metricsUrl!)).rejects.toThrow();
    // The other has none.
    expect((await fetch(new URL('/metrics', beside.url))).status).toBe(404);
    await beside.close();
  });

  it('is off unless asked for, and takes no token that can be guessed', () => {
    expect(readConfig({}).metrics).toBeNull();
    expect(() => readConfig({ METRICS_TOKEN: 'short' })).toThrow(/METRICS_TOKEN .* has 5 characters/);
  });
});

describe('The retention', () => {
  it('is counted by how it ended, with the rows it took away', async () => {
    const metrics = new Metrics();
    const gone = new pg.Pool({ connectionString: 'postgresql://127.0.0.1:1/none' });
    await new Promise<void>((resolve) => {
      const schedule = scheduleRetention({
        pool: gone,
        log: pino({ level: 'silent' }),
        now: () => new Date(),
        random: () => 0,
        policy: { changesDays: 1, auditDays: 1 },
        ran: (outcome) => {
          metrics.retention(outcome);
          resolve(schedule.close());
        },
      });
    });
    await gone.end();
    metrics.retention({ changes: 3, auditRows: 2 });
    const page = await metrics.registry.metrics();
    expect(figureOf(page, 'concord_retention_runs_total{outcome="FAILED"}')).toBe(1);
    expect(figureOf(page, 'concord_retention_runs_total{outcome="DONE"}')).toBe(1);
    expect(figureOf(page, 'concord_retention_rows_total{table="changes"}')).toBe(3);
    expect(figureOf(page, 'concord_retention_rows_total{table="audit"}')).toBe(2);
  });
});

describe('The log', () => {
  it('names the patches that were not committed, twenty at most', async () => {
    const lines: { readonly msg: string; readonly edits: number; readonly patchIds: readonly string[] }[] = [];
    const world = await openWorld(postgresUrl());
    const node = await world.node({ log: pino({ level: 'error' }, { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) }) });
    await world.sql.query('ALTER TABLE changes ADD CONSTRAINT nothing_is_taken CHECK (position < 0) NOT VALID');
    const edits = Array.from({ length: 25 }, (_, n) => edit('d', 'A', n + 1, n, n === 0 ? create({ n: 0 }) : patch({ op: 'inc', path: '/n', value: 1 })));
    await node.commit.push(world.editor, world.workspaceId, edits).catch(() => undefined);
    const line = lines.find(({ msg }) => msg === 'Edits were not committed.');
    expect(line?.edits).toBe(25);
    expect(line?.patchIds).toEqual(edits.slice(0, 20).map(({ stamp }) => stamp?.patchId));
    await world.close();
  });
});

describe('A reader that is too slow', () => {
  it('is counted once it is dropped', async () => {
    const metrics = new Metrics();
    const world = await openWorld(postgresUrl());
    const node = await world.node({ feedRingBytes: 10_000, dropped: () => metrics.dropped() });
    await node.commit.push(world.editor, world.workspaceId, [atHead('d', create({ text: '' }))]);
    const stream = node.feed.follow(world.reader, world.workspaceId, { after: null, filter: {} })[Symbol.asyncIterator]();
    await stream.next();
    for (let n = 0; n < 6; n++) await node.commit.push(world.editor, world.workspaceId, [atHead('d', patch({ op: 'replace', path: '/text', value: `${n}${'x'.repeat(5_000)}` }))]);
    await expect(stream.next()).rejects.toMatchObject({ code: 'LAGGED' });
    expect(figureOf(await metrics.registry.metrics(), 'concord_readers_dropped_total')).toBe(1);
    await world.close();
  });
});

function figureOf(page: string, name: string): number | undefined {
  const line = page.split('\n').find((line) => line.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}
