import { canonicalJson } from '@concord/core';
import { documentOf } from '../documents.js';
import { check, type Workload } from '../workload.js';

export const workload: Workload = {
  name: 'W4',
  title: 'cold sync of many documents of 1 kB into the local store',
  seedEachRound: false,
  documents: ({ documents }) => Array.from({ length: documents }, (_, index) => `kb-${index}`),
  async run({ system, endpoint, sizes, folder }) {
    if (system.replica === undefined) throw new Error('this system has no replica here');
    const ids = workload.documents(sizes, 0);
    const start = performance.now();
    const replica = await system.replica(endpoint, { folder, ids, purpose: 'cold sync' });
    await replica.synced();
    const elapsed = (performance.now() - start) / 1000;
    const { sent, received } = replica.bytes();
    for (const id of ids) {
      const value = await replica.value(id);
      check(value !== undefined && canonicalJson(value) === canonicalJson(documentOf(id)), () => `${id} is ${JSON.stringify(value)}`);
    }
    await replica.close();
    return {
      metrics: [
        { name: 'time', unit: 's', value: elapsed, better: 'less' },
        { name: 'bytes', unit: 'kB', value: (sent + received) / 1000, better: 'less' },
      ],
      verified: `${ids.length} documents are in the local store as they were made`,
    };
  },
};
