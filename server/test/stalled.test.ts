import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ended, startServerProcess, type ServerProcess } from '../../test/server-process.js';
import { dropDatabase, newDatabase, startTestServer } from './harness.js';
import { openStallingReader, openStallingStream, type StallingReader } from './stalling-reader.js';

/** The kernel takes some 4 MB for each socket before the server notices that nobody reads: these get more than that. */
const stalled = 25;
/** These stay within what the kernel takes, so that the test does not need gigabytes of it. */
const idle = 970;
/** The same as event streams over HTTP. */
const streaming = 5;
const text = 'x'.repeat(250_000);

/** What 1,000 sockets that stop reading may take beyond what they took before, code and garbage of the commits included. */
const mostMiB = 64;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

describe('Readers that stop reading', { timeout: 60_000 }, () => {
  let databaseUrl: string;
  let server: ServerProcess;
  const readers: StallingReader[] = [];
  beforeAll(async () => {
    databaseUrl = await newDatabase();
    server = await startServerProcess({
      from: 'source',
      environment: { DATABASE_URL: databaseUrl, NODE_ENV: 'test', RATE_OPERATIONS: '0', RATE_EDITS: '0', CONNECTIONS_PER_ADDRESS: '0', CONNECTIONS_PER_PRINCIPAL: '0', STOP_GRACE_MS: '1000', CACHE_BYTES: String(2 ** 20), LOG_LEVEL: 'warn' },
      nodeOptions: ['--expose-gc', '--import', `data:text/javascript,process.on('SIGUSR2',()=>{gc();gc();console.error('memory',JSON.stringify(process.memoryUsage()))})`],
      errors: 'kept',
    });
  });
  afterAll(async () => {
    for (const reader of readers) reader.close();
    await ended(server.process);
    await dropDatabase(databaseUrl);
  });

  /** The least of several readings after garbage was collected, in MiB. */
  async function heldMiB(): Promise<{ readonly rss: number; readonly heap: number; readonly external: number }> {
    const seen = server.errors().length;
    const readings = () => [...server.errors().slice(seen).matchAll(/^memory (.*)$/gm)].map(([, json]) => JSON.parse(json!) as NodeJS.MemoryUsage);
    for (let n = 1; n <= 3; n++) {
      process.kill(server.pid, 'SIGUSR2');
      while (readings().length < n) await new Promise((resolve) => server.process.stderr!.once('data', resolve));
    }
    const least = (what: 'rss' | 'heapUsed' | 'external') => Math.min(...readings().map((reading) => reading[what])) / 2 ** 20;
    return { rss: least('rss'), heap: least('heapUsed'), external: least('external') };
  }

  async function graphql(query: string, variables: Record<string, unknown> = {}): Promise<void> {
    const response = await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { errors } = (await response.json()) as { readonly errors?: unknown };
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
  }
  const create = (id: string) => graphql('mutation ($id: ID!) { createDocument(id: $id, value: { n: 0 }) { __typename } }', { id });
  const write = (id: string, value: string) => graphql('mutation ($id: ID!, $patch: JSON!) { patchDocument(id: $id, patch: $patch) { __typename ... on Refused { message } } }', { id, patch: [{ op: 'add', path: '/text', value }] });

  it('do not move the memory of the server nor hold up others, and miss nothing when they read again', async () => {
    const url = server.url.replace(/^http/, 'ws');
    const open = (id: string) => openStallingReader(url, server.token!, id);
    await create('busy');
    await create('calm');
    const healthy = await open('busy');
    readers.push(healthy);
    for (let n = 0; n < stalled + idle; n += 50) {
      readers.push(...(await Promise.all(Array.from({ length: 50 }, (_, index) => open(n + index < stalled ? 'busy' : 'calm')))));
    }
    const streams = await Promise.all(Array.from({ length: streaming }, () => openStallingStream(server.url, server.token!, 'busy')));
    readers.push(...streams);
    const stopped = readers.slice(1);
    const writeMany = async (count: number): Promise<readonly number[]> => {
      const waits: number[] = [];
      for (let n = 0; n < count; n++) {
        const start = performance.now();
        const position = (healthy.positions.at(-1) ?? 0) + 1;
        await Promise.all([write('busy', text), healthy.has(position)]);
        waits.push(performance.now() - start);
      }
      return waits;
    };
    const waitedBefore = median(await writeMany(6));
    await write('calm', text.slice(0, 1_000));
    const before = await heldMiB();
    for (const reader of stopped) reader.stop();

    await writeMany(18);
    await write('calm', text.slice(0, 100_000));
    const [first, ...others] = stopped.slice(0, stalled);
    // Within what is kept in memory for slow readers.
    first!.goOn();
    await first!.has(healthy.positions.at(-1)!);
    const waited = median(await writeMany(46));
    const after = await heldMiB();
    const grown = `rss ${(after.rss - before.rss).toFixed(1)}, heap ${(after.heap - before.heap).toFixed(1)}, external ${(after.external - before.external).toFixed(1)} MiB for ${stalled + streaming} stalled sockets and ${idle} idle ones`;
    process.stdout.write(`${grown}; a reader beside them waits ${waited.toFixed(1)} ms, before ${waitedBefore.toFixed(1)}\n`);
    expect(after.rss - before.rss, grown).toBeLessThan(mostMiB);
    expect(after.external - before.external, grown).toBeLessThan(mostMiB / 2);
    // Whatever else the machine does: others do not wait longer because these do not read.
    expect(waited).toBeLessThan(2 * waitedBefore + 100);

    const last = healthy.positions.at(-1)!;
    for (const reader of others) reader.goOn();
    await Promise.all([first!, ...others].map((reader) => reader.has(last)));
    for (const reader of [first!, ...others]) expect(reader.positions).toEqual(healthy.positions);
    expect(first!.lagged).toBe(0);
    expect(others.every(({ lagged }) => lagged > 0)).toBe(true);

    // Over HTTP the error ends the stream: to subscribe again is another request.
    for (const stream of streams) {
      stream.goOn();
      await stream.closed;
      expect(stream.lagged).toBe(1);
      expect(stream.positions).toEqual(healthy.positions.slice(0, stream.positions.length));
    }
  });

  it('are ended when they answer no ping, and who answers stays', async () => {
    const other = await startTestServer({ config: { pingMs: 150 } });
    await other.graphql('mutation { createDocument(id: "quiet", value: 1) { __typename } }');
    const silent = await openStallingReader(other.wsUrl, other.token, 'quiet', { autoPong: false });
    const answering = [await openStallingReader(other.wsUrl, other.token, 'quiet'), await openStallingStream(other.url, other.token, 'quiet')];
    expect(await silent.closed).toBe(1006);
    await other.graphql('mutation { patchDocument(id: "quiet", patch: [{ op: "replace", path: "", value: 2 }]) { __typename } }');
    for (const reader of answering) {
      await reader.has(2);
      reader.close();
    }
    await other.close();
  });
});
