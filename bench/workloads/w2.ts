import { canonicalJson, type JsonValue } from '@concord/core';
import { closeAll, timed } from '../acknowledged-edits.js';
import { check, until, type Workload } from '../workload.js';

export const workload: Workload = {
  name: 'W2',
  title: 'writers on one document, sequential acknowledged edits, each seeing the edits of all',
  seedEachRound: true,
  documents: (_sizes, round) => [`hot-${round}`],
  async run({ system, endpoint, sizes, round }) {
    const id = `hot-${round}`;
    const writers = await Promise.all(Array.from({ length: sizes.clients }, () => system.writer(endpoint, id)));
    const counts = writers.map(() => 0);
    const random = generator(round + 1);
    const metrics = await timed(endpoint, sizes, writers.map((writer, index) => () =>
      writer.edit({ kind: 'hot', writer: `w${index}`, n: ++counts[index]!, place: random() })));
    const expected = canonicalJson(Object.fromEntries(counts.map((count, index) => [`w${index}`, count])));
    const texts = async () => await Promise.all(writers.map(async (writer) => await writer.value()));
    await until(async () => (await texts()).every((value) => canonicalJson(value['counts'] as JsonValue) === expected), 'that every client sees the last edit of each');
    const values = await texts();
    const first = canonicalJson(values[0]!);
    check(values.every((value) => canonicalJson(value) === first), () => 'the clients differ');
    // RxDB lets no more than 16 be open.
    await closeAll(writers);
    const reader = await system.writer(endpoint, id);
    const onServer = canonicalJson(await reader.value());
    await reader.close();
    check(onServer === first, () => 'the server differs from the clients');
    const total = counts.reduce((sum, count) => sum + count, 0);
    return { metrics, verified: `${total} acknowledged edits; ${writers.length} clients and the server hold the same document` };
  },
};

/** Numbers from 0 to 1, the same for each system (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
