import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openReplica, type Replica } from '@concord/client';
import { startTestServer, type TestServer } from '../server/test/harness.js';

let server: TestServer;
let folder: string;

beforeAll(async () => {
  server = await startTestServer();
  folder = mkdtempSync(join(tmpdir(), 'concord-conflicts-'));
});

afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = (name: string): Promise<Replica> => openReplica({ url: server.url, token: server.token, database: join(folder, `${name}.db`) });

describe('a conflict that a replica finds while it rebases', () => {
  it('is known to the server with what was lost, and can be put back from there', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const { documentId: id } = a.collection('notes').create({ title: 'first', likes: 0 });
    await a.settled();
    await b.settled();
    await b.goOffline();

    a.collection('notes').edit(id, [{ op: 'replace', path: '/title', value: 'by A' }]);
    await a.settled();
    b.collection('notes').edit(id, [{ op: 'replace', path: '/title', value: 'by B' }]);
    b.goOnline();
    await b.settled();

    const { data } = await server.graphql(`{ document(id: "${id}") { value conflicts { nodes { rule loser revision path lost restore } } } }`);
    expect(data).toEqual({
      document: {
        value: { title: 'by B', likes: 0 },
        conflicts: {
          nodes: [{ rule: 'replaceReplace', loser: 'EARLIER', revision: 2, path: '/title', lost: 'by A', restore: [{ op: 'replace', path: '/title', value: 'by A' }] }],
        },
      },
    });
    const [conflict] = (data as { document: { conflicts: { nodes: { restore: never }[] } } }).document.conflicts.nodes;
    const restored = await server.graphql('mutation ($id: ID!, $patch: JSON!) { patchDocument(id: $id, patch: $patch) { ... on Edited { document { value } } } }', { id, patch: conflict?.restore });
    expect(restored.data).toEqual({ patchDocument: { document: { value: { title: 'by A', likes: 0 } } } });
    await a.settled();
    expect(a.get(id)?.value).toEqual({ title: 'by A', likes: 0 });
    await Promise.all([a.close(), b.close()]);
  });
});
