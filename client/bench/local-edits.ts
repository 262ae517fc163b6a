import { openReplica } from '../index.js';

// What an edit and a reading cost without a server, beside 10,000 items that stay as they are. Run: npx tsx --conditions=@concord/source client/bench/local-edits.ts
const replica = await openReplica({ url: 'http://127.0.0.1:1/graphql', token: 'a.b', database: ':memory:', online: false });
const documents = replica.collection('bench');
documents.create({ n: 0, items: Array.from({ length: 10_000 }, (_, n) => ({ n, title: `Item ${n}` })) }, { id: 'large' });
documents.create({ n: 0, title: 'x', tags: ['a'] }, { id: 'small' });

for (const [what, id, path] of [
  ['one item among 10,000', 'large', '/items/5000/n'],
  ['a member beside 10,000 items', 'large', '/n'],
  ['a small document', 'small', '/n'],
] as const) {
  for (const reads of [false, true]) {
    const times: number[] = [];
    for (let n = 0; n < 1500; n++) {
      const start = performance.now();
      documents.increment(id, path);
      if (reads) documents.get(id);
      times.push(performance.now() - start);
    }
    const median = times.sort((a, b) => a - b)[750]!;
    process.stdout.write(`${what}, edit${reads ? ' and get' : ''}: median ${(median * 1000).toFixed(0)} µs\n`);
  }
}
await replica.close();
