import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startEmbedded } from '../../server/postgres/embedded.js';
import { startTestServer } from '../../server/test/harness.js';
import { openReplica, type Replica } from '../index.js';

// What a replica costs, against a real server in the same process. Run: npx tsx --conditions=@concord/source client/bench/replica.ts
const folder = mkdtempSync(join(tmpdir(), 'concord-bench-'));
const postgres = await startEmbedded({ dataFolder: join(folder, 'postgres'), log: pino({ level: 'silent' }), settings: { max_connections: '100' } });
process.env['CONCORD_TEST_POSTGRES'] = postgres.connectionString;
const server = await startTestServer();
let files = 0;
const open = (online = true): Promise<Replica> =>
  openReplica({ url: server.url, token: server.token, database: join(folder, `${files++}.db`), online });

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
async function timed(work: () => void | Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
const document = (n: number) => ({ n, title: `Document ${n}`, text: 'lorem ipsum '.repeat(70), tags: ['a', 'b', 'c'], at: { x: n, y: -n } });

const a = await open();
const docs = a.collection<ReturnType<typeof document>>('bench');
for (const [count, from] of [[1000, 0], [9000, 1000]] as const) {
  const local = await timed(() => {
    for (let n = from; n < from + count; n++) docs.create(document(n), { id: `d${n}` });
  });
  const pushed = await timed(() => a.settled());
  say(`create ${count} documents of 1 kB: ${local.toFixed(0)} ms locally, then ${pushed.toFixed(0)} ms to the server and back`);
  const b = await open(false);
  const synced = await timed(async () => {
    b.goOnline();
    await b.settled();
  });
  say(`first sync of ${from + count} documents: ${synced.toFixed(0)} ms, ${(b.bytes().received / 1024).toFixed(0)} KiB received`);
  await b.close();
}

docs.create({ ...document(0), text: 'x'.repeat(500_000) }, { id: 'large' });
for (const [size, ids] of [['1 kB', Array.from({ length: 100 }, (_, n) => `d${n}`)], ['500 kB', ['large']]] as const) {
  const times: number[] = [];
  for (let n = 0; n < 3000; n++) {
    const start = performance.now();
    docs.increment(ids[n % ids.length]!, '/n');
    times.push(performance.now() - start);
  }
  const total = times.reduce((sum, time) => sum + time, 0);
  say(`local edit, ${size} document: median ${(median(times) * 1000).toFixed(0)} µs, ${((3000 / total) * 1000).toFixed(0)}/s`);
  await a.settled();
}

{
  const b = await open();
  await b.settled();
  const times: number[] = [];
  for (let n = 0; n < 200; n++) {
    const start = performance.now();
    const arrived = new Promise<void>((resolve) => {
      const stop = b.watch<{ n: number }>('d500', (held) => {
        if (held?.value.n !== 500 + n + 1) return;
        resolve();
        queueMicrotask(() => stop());
      });
    });
    docs.increment('d500', '/n');
    await arrived;
    times.push(performance.now() - start);
  }
  say(`an edit on the other replica's screen: median ${median(times).toFixed(1)} ms`);
  await b.close();
}

for (const squashFrom of [0, 32]) {
  const c = await openReplica({ url: server.url, token: server.token, database: join(folder, `${files++}.db`), squashFrom });
  await c.settled();
  await c.goOffline();
  const edits = c.collection<ReturnType<typeof document>>('bench');
  const local = await timed(() => {
    for (let n = 0; n < 5000; n++) edits.edit(`d${n % 100}`, [{ op: 'replace', path: '/at/x', value: n }]);
  });
  const before = a.status;
  const flushed = await timed(async () => {
    c.goOnline();
    await c.settled();
  });
  say(`5000 offline edits on 100 documents, squashFrom ${squashFrom}: ${((5000 / local) * 1000).toFixed(0)}/s locally, flushed in ${flushed.toFixed(0)} ms (${before.connection})`);
  await c.close();
}

await a.close();
await server.close();
await postgres.stop();
rmSync(folder, { recursive: true, force: true });
