import { cpuSeconds } from './processes.js';
import type { Endpoint, Writer } from './system.js';
import { ascending, check, percentile, type Metric, type Outcome, type Run, type Sizes } from './workload.js';

/** Each writer keeps `inFlight` edits under way for the given time. Verified by reading every document with a new client. */
export async function acknowledgedEdits({ system, endpoint, sizes }: Run, ids: readonly string[], inFlight: number): Promise<Outcome> {
  const writers = await Promise.all(ids.map((id) => system.writer(endpoint, id)));
  const counts = ids.map(() => 0);
  const acknowledged = ids.map(() => 0);
  const measured = await timed(endpoint, sizes, writers.flatMap((writer, index) => Array.from({ length: inFlight }, () => async () => {
    await writer.edit({ kind: 'views', n: ++counts[index]! });
    acknowledged[index]!++;
  })));
  await closeAll(writers);
  for (const [index, id] of ids.entries()) {
    check(acknowledged[index] === counts[index], () => `${id}: ${counts[index]} edits, ${acknowledged[index]} acknowledged`);
    const reader = await system.writer(endpoint, id);
    const { views } = await reader.value();
    await reader.close();
    check(views === counts[index], () => `${id}: views is ${JSON.stringify(views)} on the server after ${counts[index]} acknowledged edits`);
  }
  const total = acknowledged.reduce((sum, count) => sum + count, 0);
  return { metrics: measured, verified: `${total} acknowledged edits; ${ids.length} documents read anew hold the last of each` };
}

/** Runs each worker again and again, first to warm up, then for the given time: rate, latency and CPU of the server's processes. */
export async function timed(endpoint: Endpoint, { warmUpSeconds, seconds }: Sizes, workers: readonly (() => Promise<void>)[]): Promise<readonly Metric[]> {
  await repeat(warmUpSeconds, workers);
  const cpuBefore = cpuSeconds(endpoint.serverPid) + (endpoint.databasePid === null ? 0 : cpuSeconds(endpoint.databasePid));
  const nodeBefore = cpuSeconds(endpoint.serverPid, { below: false });
  const start = performance.now();
  const latencies = await repeat(seconds, workers);
  const elapsedMs = performance.now() - start;
  const nodeSeconds = cpuSeconds(endpoint.serverPid, { below: false }) - nodeBefore;
  const cpu = cpuSeconds(endpoint.serverPid) + (endpoint.databasePid === null ? 0 : cpuSeconds(endpoint.databasePid)) - cpuBefore;
  const sorted = ascending(latencies);
  return [
    { name: 'rate', unit: 'edits/s', value: (latencies.length * 1000) / elapsedMs, better: 'more' },
    { name: 'p50', unit: 'ms', value: percentile(sorted, 0.5), better: 'less' },
    { name: 'p99', unit: 'ms', value: percentile(sorted, 0.99), better: 'less' },
    { name: 'server', unit: 'µs CPU/edit', value: (nodeSeconds * 1e6) / latencies.length, better: 'less' },
    { name: 'server and database', unit: 'µs CPU/edit', value: (cpu * 1e6) / latencies.length, better: 'less' },
  ];
}

/** Runs each worker again and again for so long. Milliseconds of each run. */
export async function repeat(seconds: number, workers: readonly (() => Promise<void>)[]): Promise<readonly number[]> {
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1000;
  await Promise.all(
    workers.map(async (work) => {
      for (let before = performance.now(); before < end; ) {
        await work();
        const now = performance.now();
        latencies.push(now - before);
        before = now;
      }
    }),
  );
  return latencies;
}

export function closeAll(writers: readonly Writer[]): Promise<unknown> {
  return Promise.all(writers.map(async (writer) => await writer.close()));
}
