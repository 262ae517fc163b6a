import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DocumentId, PatchId, ReplicaId, Revision } from '@concord/core';
import type { Head } from '../adopt.js';
import type { RemoteBatch, RemoteChange } from '../change-row.js';
import { Pull } from '../pull.js';
import { openDatabase } from '../store/open.js';
import { Store } from '../store/store.js';

const id = 'd' as DocumentId;

const change = (documentId: string, revision: number, value: number): RemoteChange => ({
  documentId: documentId,
  revision: revision as Revision,
  position: revision as RemoteChange['position'],
  kind: revision === 1 ? 'CREATE' : 'PATCH',
  patch: [{ op: 'replace', path: '', value: { value } }],
  collection: 'c',
  title: '',
  counter: revision as RemoteChange['counter'],
  patchId: `${documentId}-${revision}`,
  committedAt: 'then',
});

const batch = (...changes: RemoteChange[]): RemoteBatch => ({ changes, left: [], cursor: `c${changes.length}` as RemoteBatch['cursor'] });

const head = (revision: number, value: number): Head =>
  ({ id, collection: 'c', title: '', value: { value }, revision: revision as Revision, position: revision as Head['position'], deleted: false, createdAt: '', updatedAt: '', counter: 0, patchId: null });

describe('the pull', () => {
  let folder: string;
  let store: Store;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'concord-pull-'));
    store = new Store(openDatabase(join(folder, 'r.db'), 'normal'), () => 'a'.repeat(32) as ReplicaId, () => undefined, { timestamp: () => '2026-01-01T00:00:00.000Z', damaged: () => undefined });
  });
  afterEach(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });

  it('keeps what the feed brought while an older state of the document was being fetched', async () => {
    let answer!: (heads: readonly Head[]) => void;
    const pull = new Pull(store, { now: Date.now, heads: () => new Promise((resolve) => (answer = resolve)), returned: () => undefined, leftWithPending: () => undefined });
    await pull.apply(batch(change('d', 1, 1)));
    const fetched = pull.fetch([id]);
    await pull.apply(batch(change('d', 2, 2)));
    answer([head(1, 1)]);
    await fetched;
    expect(store.read(id)).toMatchObject({ revision: 2, value: { value: 2 } });
  });

  it('takes a state of an older revision in a snapshot, because the history may have been rewritten', async () => {
    const pull = new Pull(store, { now: Date.now, heads: () => Promise.resolve([head(1, 1)]), returned: () => undefined, leftWithPending: () => undefined });
    await pull.apply(batch(change('d', 1, 1), change('d', 2, 2)));
    await pull.fetch([id], 1);
    expect(store.read(id)).toMatchObject({ revision: 1, value: { value: 1 } });
  });

  it('tells that an edit has returned only when the outbox is without it', async () => {
    const seen: [string, boolean][] = [];
    const pull = new Pull(store, {
      now: Date.now,
      heads: () => Promise.resolve([head(3, 3)]),
      returned: (patchId: PatchId) => seen.push([patchId, (store.read(patchId.split('-')[0] as DocumentId)?.revision ?? 0) >= Number(patchId.split('-')[1])]),
      leftWithPending: () => undefined,
    });
    // More documents than one transaction takes, and one whose changes do not join on.
    const many = Array.from({ length: 3000 }, (_, index) => change(`m${index}`, 1, index));
    await pull.apply(batch(change('d', 3, 3), ...many));
    expect(seen).toHaveLength(3001);
    expect(seen.filter(([, applied]) => !applied)).toEqual([]);
  });
});
