import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { check, type Run, type Workload } from '../workload.js';

/** The same is done twice, on documents and replicas of its own: what processes that have just started take is measured, and is not what they take later. */
const passes = ['cold', 'warm'] as const;

interface Pass {
  readonly editedMs: number;
  readonly flushedMs: number;
}

const idsOf = (pass: (typeof passes)[number], count: number, round: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `kb-offline-${pass}-${round}-${index}`);

export const workload: Workload = {
  name: 'W5',
  title: 'edits while offline, then their flush; the first flush is that of processes that have just started',
  seedEachRound: true,
  documents: ({ offlineDocuments }, round) => passes.flatMap((pass) => idsOf(pass, offlineDocuments, round)),
  async run(run) {
    const [cold, warm] = [await measure(run, 'cold'), await measure(run, 'warm')];
    const { offlineEdits, offlineDocuments } = run.sizes;
    return {
      metrics: [
        { name: 'local edits', unit: 'edits/s', value: (offlineEdits * 1000) / warm.editedMs, better: 'more' },
        { name: 'flush', unit: 's', value: warm.flushedMs / 1000, better: 'less' },
        { name: 'first flush', unit: 's', value: cold.flushedMs / 1000, better: 'less' },
      ],
      verified: `twice, ${offlineEdits} edits of ${offlineDocuments} documents are on the server`,
    };
  },
};

async function measure({ system, endpoint, sizes: { offlineDocuments, offlineEdits }, round, folder }: Run, pass: (typeof passes)[number]): Promise<Pass> {
  if (system.replica === undefined) throw new Error('this system has no replica here');
  const ids = idsOf(pass, offlineDocuments, round);
  const own = join(folder, pass);
  mkdirSync(own);
  const replica = await system.replica(endpoint, { folder: own, ids, purpose: 'offline edits' });
  await replica.synced();
  await replica.goOffline();
  const started = performance.now();
  for (let n = 0; n < offlineEdits; n++) {
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
    const last = index + 1 + Math.floor((offlineEdits - 1 - index) / ids.length) * ids.length;
    check(views === last, () => `${id}: views is ${JSON.stringify(views)} on the server, the last edit made it ${last}`);
  }
  return { editedMs: edited - started, flushedMs: flushed - edited };
}
