import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConcordError } from '@concord/core';
import { DocumentDocument } from '../index.js';
import { World } from './world.js';

const cases = JSON.parse(readFileSync(new URL('../../fixtures/ids.json', import.meta.url), 'utf8')) as { id: string; valid: boolean }[];
const ids = cases.filter(({ valid }) => valid).map(({ id }) => id);

describe('ids as people have them', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  it('name the same document in two replicas, their files, queries and the server, through conflicts and snapshots', async () => {
    const database = world.newFile();
    const [a, b] = [await world.open({ database, squashFrom: 0 }), await world.open()];
    const notes = a.collection<{ text: string; n: number }>('notes');
    for (const id of ids) notes.create({ text: id, n: 0 }, { id });
    await world.settle(a, b);
    await Promise.all([a.goOffline(), b.goOffline()]);
    // What is lost is written as a conflict, and so many edits make the server keep a snapshot.
    for (const id of ids) {
      notes.edit(id, [{ op: 'replace', path: '/text', value: 'a' }]);
      b.collection('notes').edit(id, [{ op: 'replace', path: '/text', value: 'b' }]);
    }
    const quoted = ids.find((id) => id.includes('"'))!;
    for (let n = 0; n < 150; n++) notes.increment(quoted, '/n');
    a.goOnline();
    await a.settled({ timeoutMs: 15_000 });
    b.goOnline();
    await world.settle(b, a);
    const onServer = await world.serverDocuments();
    for (const id of ids) {
      const expected = { text: 'b', n: id === quoted ? 150 : 0 };
      expect([id, onServer[id], a.get(id)?.value, b.get(id)?.value]).toEqual([id, expected, expected, expected]);
    }
    const { data } = await world.server.graphql('{ conflicts(first: 1000) { nodes { documentId } } }');
    const { nodes } = data!['conflicts'] as { nodes: { documentId: string }[] };
    expect(new Set(nodes.map(({ documentId }) => documentId))).toEqual(new Set(ids));
    expect((await a.client.query(DocumentDocument, { id: quoted }).toPromise()).data?.document?.id).toBe(quoted);

    await a.close();
    const reopened = await world.open({ database, online: false });
    expect(ids.filter((id) => reopened.get(id)?.value === undefined)).toEqual([]);
    const part = await world.open({ filter: { ids } });
    await part.settled({ timeoutMs: 15_000 });
    expect(part.collection('notes').query().all().map(({ id }) => id).sort()).toEqual([...ids].sort());
  });

  it('are refused with code and reason where they cannot be ids', async () => {
    const replica = await world.open({ online: false });
    for (const { id, valid } of cases) {
      if (valid) continue;
      let refused: unknown;
      try {
        replica.collection('notes').create({}, { id });
      } catch (error) {
        refused = error;
      }
      expect([id, (refused as ConcordError).code]).toEqual([id, 'INPUT_INVALID']);
      const { data, errors } = await world.server.graphql('mutation ($id: ID!) { createDocument(id: $id, value: {}) { ... on Refused { code } } }', { id });
      expect([id, (data?.['createDocument'] as { code?: string } | undefined)?.code ?? errors[0]?.extensions['code']]).toEqual([id, 'INPUT_INVALID']);
    }
  });
});
