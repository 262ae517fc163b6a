import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toWire, type DocumentId, type ReplicaId } from '@concord/core';
import { seededTape } from '../../core/test/generate.js';
import type { RemoteChange } from '../change-row.js';
import { LocalEdits } from '../edit.js';
import { Live, LiveSelection } from '../live.js';
import { Pull, turn } from '../pull.js';
import { chooseBatch } from '../push-batch.js';
import { Queries } from '../query.js';
import { openDatabase } from '../store/open.js';
import { migrations } from '../store/schema.js';
import { Store } from '../store/store.js';

const ids = ['a', 'b', 'c'] as DocumentId[];

const undamaged = { timestamp: () => '2026-01-01T00:00:00.000Z', damaged: () => undefined };

describe('the documents in the file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'concord-shown-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const open = (file: string): Store => new Store(openDatabase(file, 'normal'), () => 'a'.repeat(32) as ReplicaId, () => undefined, undamaged);

  it.each(Array.from({ length: 12 }, (_, seed) => seed + 1))('read with the outbox, are at every moment what the app sees (seed %i)', async (seed) => {
    const tape = seededTape(seed);
    const random = (below: number): number => tape.draw(below);
    const file = join(folder, 'r.db');
    let store = open(file);
    let clock = Date.UTC(2026, 0, 1);
    let made = 0;
    let position = 0;
    const edits = () => new LocalEdits(store, { now: () => (clock += 1000), newId: () => `p${made++}` }, () => undefined);
    const pull = () => new Pull(store, { now: () => clock, heads: () => Promise.reject(new Error('a change did not join on')), returned: () => undefined, leftWithPending: () => undefined });
    const arrive = (change: Pick<RemoteChange, 'documentId' | 'kind' | 'patch' | 'patchId' | 'counter'>) =>
      pull().apply({
        changes: [{ ...change, revision: ((store.read(change.documentId as DocumentId)?.revision ?? 0) + 1) as never, position: ++position as never, committedAt: new Date((clock += 1000)).toISOString(), collection: 'c', title: '' }],
        left: [],
        cursor: `1.${position}` as never,
      });
    const choose = (squashFrom: number) => chooseBatch(store, { mostEdits: 1 + random(30), squashFrom, waits: () => random(3) === 0, isAcknowledged: () => false });

    const steps: (() => void | Promise<void>)[] = [
      ...Array.from({ length: 6 }, () => () => void edits().edit(ids[random(3)]!, [{ op: 'inc', path: '/n', value: 1 }, { op: 'str_ins', path: '/text', pos: 0, str: String(random(10)) }])),
      () => {
        const state = store.read(ids[random(3)]!)!;
        edits().edit(state.id, [{ op: 'test', path: '/n', value: (state.value as { readonly n: number }).n }, { op: 'add', path: `/list/${random(2)}`, value: made }]);
      },
      () => void edits().delete(ids[random(3)]!),
      () => void edits().restore(ids[random(3)]!),
      () => store.show(),
      () => void choose(0),
      () => void choose(2),
      // The oldest edit of a document comes back, where it was sent.
      async () => {
        const state = store.read(ids[random(3)]!);
        const own = state?.pending[0];
        if (state === undefined || own?.counter == null) return;
        await arrive({ documentId: state.id, kind: own.kind, patch: toWire(own.patch), patchId: own.patchId, counter: own.counter });
      },
      async () => {
        const state = store.read(ids[random(3)]!);
        if (state === undefined || state.revision === 0 || state.confirmedDeleted) return;
        await arrive({ documentId: state.id, kind: 'PATCH', patch: [{ op: 'inc', path: '/n', value: 100 }, { op: 'str_ins', path: '/text', pos: 0, str: 'x' }], patchId: `o${made++}`, counter: 1 as never });
      },
      () => {
        store.close();
        store = open(file);
      },
    ];
    for (const id of ids) edits().create('c', { n: 0, text: '', list: [0, 0] }, { id });
    for (let step = 0; step < 150; step++) {
      try {
        await steps[random(steps.length)]!();
      } catch (error) {
        // An edit of a deleted document.
        if ((error as { code?: string }).code !== 'DOCUMENT_DELETED') throw error;
      }
      for (const id of ids) {
        const { state, bytes } = store.documents.read(id, store.outbox.pendingOf)!;
        expect(state).toEqual(store.read(id));
        expect(bytes).toBeGreaterThanOrEqual(Buffer.byteLength(JSON.stringify(state.value)));
        expect(store.bytesAtMost(id)).toBeGreaterThanOrEqual(Buffer.byteLength(JSON.stringify(state.value)));
      }
    }
    const queries = new Queries(store);
    for (const id of ids) {
      const { value, deleted } = store.read(id)!;
      const where = [{ path: ['n'], operator: 'EQUALS' as const, value: (value as { readonly n: number }).n }];
      expect(queries.select({ ids: [id], where }).length).toBe(deleted ? 0 : 1);
    }
    const rows = store.database.prepare<[], { id: string; value: string; seq: number | null; shown: number }>('SELECT id, value, shown, (SELECT max(seq) FROM outbox WHERE document = id) AS seq FROM documents').all();
    for (const { id, value, seq, shown } of rows) {
      expect(JSON.parse(value)).toEqual(store.read(id as DocumentId)!.value);
      expect(shown).toBe(seq ?? 0);
    }
    store.close();
  });

  it('cost an edit the same, however large they are', () => {
    const store = open(join(folder, 'large.db'));
    const edits = new LocalEdits(store, { now: Date.now, newId: () => String(Math.random()) }, () => undefined);
    edits.create('c', { n: 0, text: 'x'.repeat(500_000) }, { id: 'a' });
    const pages = (): number => (store.database.pragma('wal_checkpoint(NOOP)') as { readonly log: number }[])[0]!.log;
    const before = pages();
    for (let n = 0; n < 100; n++) edits.edit('a', [{ op: 'inc', path: '/n', value: 1 }]);
    expect(pages() - before).toBeLessThan(300);
    expect(new Queries(store).select({ where: [{ path: ['n'], operator: 'EQUALS', value: 100 }] })).toHaveLength(1);
    store.close();
  });

  it('leave a query little to write, however much was edited before', async () => {
    const file = join(folder, 'many.db');
    let store = open(file);
    const pull = new Pull(store, { now: Date.now, heads: () => Promise.resolve([]), returned: () => undefined, leftWithPending: () => undefined });
    const value = { n: 0, text: 'x'.repeat(500_000) };
    const changes = Array.from({ length: 40 }, (_, n) => ({ documentId: `d${n}`, kind: 'CREATE', patch: [{ op: 'add', path: '', value }], patchId: `o${n}`, counter: 1, revision: 1, position: 1, committedAt: '', collection: 'c', title: '' }) as unknown as RemoteChange);
    await pull.apply({ changes, left: [], cursor: '1.1' as never });
    let edits = new LocalEdits(store, { now: Date.now, newId: () => String(Math.random()) }, () => undefined);
    for (const { documentId } of changes) edits.edit(documentId, [{ op: 'inc', path: '/n', value: 1 }]);
    const behind = (): number => store.documents.unshown().length * 500_000;
    expect(behind()).toBeGreaterThan(4 * 1024 * 1024);
    expect(behind()).toBeLessThan(10 * 1024 * 1024);
    // The one that lags the longest is written, and not the one that is being edited.
    edits.edit('d39', [{ op: 'inc', path: '/n', value: 1 }]);
    const before = behind();
    expect(store.documents.unshown().map(({ id }) => id)).not.toContain('d20');
    for (let n = 0; n < 9; n++) edits.edit('d39', [{ op: 'inc', path: '/n', value: 1 }]);
    expect(behind()).toBe(before);
    store.close();
    store = open(file);
    edits = new LocalEdits(store, { now: Date.now, newId: () => String(Math.random()) }, () => undefined);
    for (const { documentId } of changes) edits.edit(documentId, [{ op: 'inc', path: '/n', value: 1 }]);
    expect(behind()).toBeLessThan(10 * 1024 * 1024);
    const queries = new Queries(store);
    expect(queries.select({ where: [{ path: ['n'], operator: 'EQUALS', value: 2 }] })).toHaveLength(39);
    expect(queries.select({ where: [{ path: ['n'], operator: 'EQUALS', value: 12 }] })).toHaveLength(1);
    expect(behind()).toBe(0);
    store.close();
  });

  it('that the disk has no room for leave a live query as it was, until the next change', async () => {
    const live = new Live();
    const store = new Store(openDatabase(join(folder, 'full.db'), 'normal'), () => 'a'.repeat(32) as ReplicaId, (commit) => live.committed(commit), undamaged);
    const pull = new Pull(store, { now: Date.now, heads: () => Promise.resolve([]), returned: () => undefined, leftWithPending: () => undefined });
    const created = { kind: 'CREATE', patch: [{ op: 'add', path: '', value: { n: 0, text: 'x'.repeat(500_000) } }], patchId: 'o1', counter: 1, revision: 1, position: 1, committedAt: '', collection: 'c', title: '' };
    await pull.apply({ changes: [{ ...created, documentId: 'a' } as unknown as RemoteChange], left: [], cursor: '1.1' as never });
    const edits = new LocalEdits(store, { now: Date.now, newId: () => String(Math.random()) }, () => undefined);
    const queries = new Queries(store);
    const told: number[] = [];
    const stop = new LiveSelection(live, queries, { collection: 'c' }).subscribe(() => told.push((store.read('a' as DocumentId)!.value as { readonly n: number }).n));
    const increment = async (): Promise<void> => {
      edits.edit('a', [{ op: 'inc', path: '/n', value: 1 }]);
      await turn();
    };
    store.database.pragma('max_page_count = 1');
    await increment();
    expect(told).toEqual([0]);
    expect(() => queries.select({ collection: 'c' })).toThrow(/could not be written/);
    store.database.pragma('max_page_count = 1000000');
    await increment();
    expect(told).toEqual([0, 2]);
    stop();
    store.close();
  });

  it('of the first format are taken over with what was pending', () => {
    const file = join(folder, 'old.db');
    const old = new Database(file);
    old.exec(migrations[0]!);
    old.pragma(`application_id = ${0x434e5244}`);
    old.pragma('user_version = 1');
    const document = old.prepare(`INSERT INTO documents (id, collection, title, value, deleted, confirmed, confirmed_deleted, revision, position, counter, created_at, updated_at) VALUES (?, 'c', '', ?, 0, ?, 0, ?, 5, 0, 't', 't')`);
    const pending = old.prepare(`INSERT INTO outbox (document, seq, patch_id, kind, patch, collection, title, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, 't')`);
    const increment = JSON.stringify([{ op: 'inc', path: ['n'], value: 1 }]);
    document.run('a', '{"n":2}', '{"n":0}', 3);
    pending.run('a', 4, 'p1', 'PATCH', increment, null, null);
    pending.run('a', 6, 'p2', 'PATCH', increment, null, null);
    document.run('b', '{"n":7}', null, 3);
    document.run('c', '{"n":1}', null, 0);
    pending.run('c', 5, 'p3', 'CREATE', JSON.stringify([{ op: 'replace', path: [], value: { n: 1 } }]), 'c', '');
    old.close();

    let store = open(file);
    const seen = (id: string) => store.read(id as DocumentId)!;
    const check = (more: number): void => {
      expect([seen('a').value, seen('a').confirmed, seen('b').value, seen('c').value, seen('c').confirmed]).toEqual([{ n: 2 + more }, { n: 0 }, { n: 7 + more }, { n: 1 + more }, undefined]);
      expect(seen('b').confirmed).toEqual({ n: 7 });
    };
    check(0);
    const edits = new LocalEdits(store, { now: Date.now, newId: () => String(Math.random()) }, () => undefined);
    for (const id of ids) edits.edit(id, [{ op: 'inc', path: '/n', value: 10 }]);
    check(10);
    store.close();
    store = open(file);
    check(10);
    store.show();
    store.close();
    store = open(file);
    check(10);
    store.close();
  });
});
