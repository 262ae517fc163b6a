import { check, type Workload } from '../workload.js';

export const workload: Workload = {
  name: 'W5',
  title: 'edits while offline, then their flush',
  seedEachRound: true,
  documents: ({ offlineDocuments }, round) => Array.from({ length: offlineDocuments }, (_, index) => `kb-offline-${round}-${index}`),
  async run({ system, endpoint, sizes, round, folder }) {
    if (system.replica === undefined) throw new Error('this system has no replica here');
    const ids = workload.documents(sizes, round);
    const replica = await system.replica(endpoint, { folder, ids, purpose: 'offline edits' });
    await replica.synced();
    await replica.goOffline();
    const started = performance.now();
    for (let n = 0; n < sizes.offlineEdits; n++) {
      const edit = replica.edit(ids[n % ids.length]!, n + 1);
      if (edit !== undefined) await edit;
    }
    const edited = performance.now();
    replica.goOnline();
    await replica.flushed();
    const flushed = performance.now();
    await replica.close();
    for (const [index, id] of ids.entries()) {
      const reader = await system.writer(endpoint, id);
      const { views } = await reader.value();
      await reader.close();
      const last = index + 1 + Math.floor((sizes.offlineEdits - 1 - index) / ids.length) * ids.length;
      check(views === last, () => `${id}: views is ${JSON.stringify(views)} on the server, the last edit made it ${last}`);
    }
    return {
      metrics: [
        { name: 'local edits', unit: 'edits/s', value: (sizes.offlineEdits * 1000) / (edited - started), better: 'more' },
        { name: 'flush', unit: 's', value: (flushed - edited) / 1000, better: 'less' },
      ],
      verified: `${sizes.offlineEdits} edits of ${ids.length} documents are on the server`,
    };
  },
};
