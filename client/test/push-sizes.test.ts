import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Replica } from '../index.js';
import { World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

interface Item {
  n: number;
  list: string[];
}

const items = (replica: Replica) => replica.collection<Item>('items');

describe('a push', () => {
  it('stays below the size that the server takes, also where characters have several bytes', async () => {
    const replica = await world.open({ online: false });
    const text = '語'.repeat(300_000);
    for (let index = 0; index < 8; index++) replica.collection('texts').create({ text }, { id: `wide-${index}` });
    replica.goOnline();
    await world.settle(replica);
    for (let index = 0; index < 8; index++) expect(await world.log(`wide-${index}`)).toHaveLength(1);
  });

  it('reports the conflicts of edits that were folded together before they were sent', async () => {
    const [a, b] = [await world.open({ squashFrom: 2 }), await world.open()];
    items(a).create({ n: 0, list: ['x'] }, { id: 'folded' });
    await world.settle(a, b);
    await a.goOffline();
    items(a).increment('folded', '/n');
    items(a).edit('folded', [{ op: 'replace', path: '/list/0', value: 'mine' }]);
    items(b).edit('folded', [{ op: 'remove', path: '/n' }, { op: 'replace', path: '/list/0', value: 'theirs' }]);
    await world.settle(b);
    a.goOnline();
    await world.settle(a);
    const { data } = await world.server.graphql('{ conflicts(first: 10) { nodes { documentId rule path } } }');
    const { nodes } = data!['conflicts'] as { nodes: { documentId: string; path: string }[] };
    expect(nodes.map(({ path }) => path).sort()).toEqual(['/list/0', '/n']);
  });
});

describe('a local edit', () => {
  it('is refused at once when its patch is more than the server takes, instead of being lost to quarantine later', async () => {
    const replica = await world.open();
    items(replica).create({ n: 0, list: [] }, { id: 'many' });
    const values = Array.from({ length: 1500 }, (_, index) => `item ${index}`);
    let code: unknown;
    try {
      items(replica).edit('many', (draft) => void draft.list.push(...values));
    } catch (error) {
      ({ code } = error as { code: unknown });
    }
    await world.settle(replica);
    expect(replica.quarantined()).toEqual([]);
    if (code === undefined) expect((await world.serverDocuments())['many']).toEqual({ n: 0, list: values });
    else expect(code).toBe('LIMIT_EXCEEDED');
  });
});
