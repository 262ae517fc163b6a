import { check, until, type Workload } from '../workload.js';

export const workload: Workload = {
  name: 'W6',
  title: 'resume with many documents in the local store after some were changed by another client',
  seedEachRound: false,
  documents: ({ documents }) => Array.from({ length: documents }, (_, index) => `kb-${index}`),
  async run({ system, endpoint, sizes, round, folder }) {
    if (system.replica === undefined) throw new Error('this system has no replica here');
    const ids = workload.documents(sizes, 0);
    const replica = await system.replica(endpoint, { folder, ids, purpose: 'resume' });
    await replica.synced();
    await replica.goOffline();
    const step = Math.floor(ids.length / sizes.changed);
    const changed = Array.from({ length: sizes.changed }, (_, index) => ids[index * step]!);
    for (const id of changed) {
      const writer = await system.writer(endpoint, id);
      await writer.edit({ kind: 'views', n: round + 1 });
      await writer.close();
    }
    const started = performance.now();
    let elapsed = 0;
    let waited = true;
    replica.goOnline();
    // The last to be changed first: most come in order, so that reading the others is not measured, only seeing them.
    const missing = [...changed];
    await until(
      async () => {
        while (missing.length > 0 && (await replica.value(missing.at(-1)!))?.['views'] === round + 1) {
          if (waited) elapsed = performance.now() - started;
          waited = false;
          missing.pop();
        }
        waited = true;
        return missing.length === 0;
      },
      'that the replica sees every change',
      { everyMs: 1, timeoutMs: 60_000 },
    );
    const { sent, received } = replica.bytes();
    const untouched = await replica.value(ids[1]!);
    check(untouched?.['title'] === `A document named ${ids[1]!}`, () => `${ids[1]!} was lost`);
    await replica.close();
    return {
      metrics: [
        { name: 'time', unit: 'ms', value: elapsed, better: 'less' },
        { name: 'bytes', unit: 'kB', value: (sent + received) / 1000, better: 'less' },
      ],
      verified: `${changed.length} changed documents of ${ids.length} are in the local store`,
    };
  },
};
