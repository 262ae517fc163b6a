import { cpuSeconds, heldKiB } from '../processes.js';
import { ascending, check, percentile, until, type Workload } from '../workload.js';

/** So many subscribers come and go before memory is measured: the code they run is compiled, as in any server that has run for a while. */
const earlier = 250;

async function comeAndGo(subscribe: () => Promise<{ close(): void }>): Promise<void> {
  for (let n = 0; n < earlier; n++) (await subscribe()).close();
}

export const workload: Workload = {
  name: 'W3',
  title: 'one writer at a steady pace, many subscribers of its document',
  seedEachRound: true,
  documents: (_sizes, round) => [`fan-${round}`],
  async run({ system, endpoint, sizes, round }) {
    if (system.subscribe === undefined) throw new Error('this system has no subscriber here');
    const id = `fan-${round}`;
    const sentAt: number[] = [];
    const latencies: number[] = [];
    const counts = new Int32Array(sizes.subscribers);
    const writer = await system.writer(endpoint, id);
    // Later rounds find the memory of the first one free.
    const measuring = round === 0;
    if (measuring) await comeAndGo(() => system.subscribe!(endpoint, id, () => undefined));
    const memoryBefore = measuring ? await heldKiB(endpoint.serverPid) : NaN;
    const subscribers: { close(): void }[] = [];
    for (let index = 0; index < sizes.subscribers; index++) {
      subscribers.push(
        await system.subscribe(endpoint, id, (count) => {
          const now = performance.now();
          // One writer and one order: the nth change that comes is the nth that was made.
          for (let n = 0; n < count; n++) latencies.push(now - sentAt[counts[index]!++]!);
        }),
      );
    }
    const memoryAfter = measuring ? await heldKiB(endpoint.serverPid) : NaN;
    const edits = sizes.seconds * sizes.editsPerSecond;
    const cpuBefore = cpuSeconds(endpoint.serverPid, { below: false });
    const acknowledgements: Promise<void>[] = [];
    const start = performance.now();
    for (let n = 1; n <= edits; n++) {
      const due = start + ((n - 1) * 1000) / sizes.editsPerSecond;
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      sentAt.push(performance.now());
      acknowledgements.push(writer.edit({ kind: 'views', n }));
    }
    await Promise.all(acknowledgements);
    await until(() => counts.every((count) => count >= edits), 'that every subscriber gets every change');
    const elapsed = (performance.now() - start) / 1000;
    const cpu = cpuSeconds(endpoint.serverPid, { below: false }) - cpuBefore;
    check(counts.every((count) => count === edits), () => `changes came more than once: ${Math.max(...counts)} for ${edits}`);
    const { views } = await writer.value();
    check(views === edits, () => `views is ${JSON.stringify(views)} after ${edits} edits`);
    for (const subscriber of subscribers) subscriber.close();
    await writer.close();
    const sorted = ascending(latencies);
    return {
      metrics: [
        { name: 'deliveries', unit: '/s', value: latencies.length / elapsed, better: 'more' },
        { name: 'p50', unit: 'ms', value: percentile(sorted, 0.5), better: 'less' },
        { name: 'p99', unit: 'ms', value: percentile(sorted, 0.99), better: 'less' },
        { name: 'server', unit: 's CPU/1,000 deliveries', value: (cpu * 1000) / latencies.length, better: 'less' },
        { name: 'memory', unit: 'KiB/subscriber', value: (memoryAfter - memoryBefore) / sizes.subscribers, better: 'less' },
      ],
      verified: `${sizes.subscribers} subscribers got each of ${edits} changes once`,
    };
  },
};
