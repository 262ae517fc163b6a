import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Edit } from '@concord/schema';
import { atHead, committed, create, documentId, edit, openWorld, patch, told, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';

let world: World;
beforeAll(async () => {
  world = await openWorld(postgresUrl());
});
afterAll(() => world.close());

const set = (path: string, value: string) => patch({ op: 'add', path, value });

describe('what an edit may cost to merge', () => {
  it('is bounded in bytes of the log that is read for it, also where patches are stored compressed', async () => {
    const before = await world.node();
    await before.commit.push(world.editor, world.workspaceId, [edit('heavy', 'A', 1, 0, create({}))]);
    for (let counter = 2; counter <= 12; counter++) {
      await before.commit.push(world.editor, world.workspaceId, [edit('heavy', 'A', counter, counter - 1, set('/a', 'x'.repeat(20_000)))]);
    }
    await before.close();
    const node = await world.node({ reachBytes: 100_000 });
    const push = (by: string, counter: number, base: number) =>
      node.commit.push(world.editor, world.workspaceId, [edit('heavy', by, counter, base, set(`/${by}`, 'y'))]).then((verdicts) => verdicts.map(told));
    expect(await push('B', 1, 2)).toEqual(['CLOCK_STALE']);
    expect(await push('B', 1, 10)).toEqual(['ok 13']);
    expect(await push('C', 1, 2)).toEqual(['CLOCK_STALE']);
    expect(await push('B', 2, 13)).toEqual(['ok 14']);
    expect(await push('D', 1, 9)).toEqual(['ok 15']);
    await node.close();
  });

  it('is bounded in what is replayed for an old base: a snapshot comes after a megabyte of patches at the latest', async () => {
    const node = await world.node();
    await node.commit.push(world.editor, world.workspaceId, [atHead('replayed', create({}))]);
    for (let index = 0; index < 12; index++) await node.commit.push(world.editor, world.workspaceId, [atHead('replayed', set('/text', String(index).repeat(200_000).slice(0, 200_000)))]);
    await node.close();
    expect((await world.sql.query(`SELECT revision::int FROM snapshots WHERE document_id = 'replayed' ORDER BY revision`)).rows).toEqual([{ revision: 7 }, { revision: 13 }]);
  });

  it('is bounded in pairs of operations, and after a pull the same edit is taken', async () => {
    const node = await world.node();
    const push = (...edits: ReturnType<typeof edit>[]) => node.commit.push(world.editor, world.workspaceId, edits).then((verdicts) => verdicts.map(told));
    const counts = (many: number) => patch(...Array.from({ length: many }, () => ({ op: 'inc', path: '/n', value: 1 })));
    await push(edit('pairs', 'A', 1, 0, create({ n: 0 })));
    await push(...Array.from({ length: 11 }, (_, index) => edit('pairs', 'A', index + 2, 1, counts(1000))));
    expect(await push(edit('pairs', 'B', 1, 1, counts(1000)))).toEqual(['CLOCK_STALE']);
    expect(await push(edit('pairs', 'B', 1, 11, counts(1000)))).toEqual(['ok 13']);
    expect((await node.read.document(world.editor, world.workspaceId, documentId('pairs')))?.value).toEqual({ n: 12_000 });
    await node.close();
  });

  it('is bounded in what it reports: a large replacement past many edits is not multiplied by them', async () => {
    const node = await world.node();
    const push = (...edits: ReturnType<typeof edit>[]) => node.commit.push(world.editor, world.workspaceId, edits);
    await push(edit('report', 'A', 1, 0, create({ n: 0 })));
    await push(edit('report', 'A', 2, 1, patch(...Array.from({ length: 500 }, () => ({ op: 'inc', path: '/n', value: 1 })))));
    const whole = (kilobytes: number) => patch({ op: 'replace', path: '', value: 'x'.repeat(kilobytes * 1024) });
    expect((await push(edit('report', 'B', 1, 1, whole(100)))).map(told)).toEqual(['CLOCK_STALE']);
    expect(committed((await push(edit('report', 'B', 1, 1, whole(1))))[0]).conflicts).toHaveLength(500);
    await node.close();
  });
});

describe('what a push of large documents takes', () => {
  const documents = 64;
  /** Of a value of about a mebibyte as text, which PostgreSQL stores in a tenth of it. */
  const large = `SELECT jsonb_build_object('n', 0, 'rows', jsonb_agg(jsonb_build_object('row', i, 'text', repeat('abc ', 8)))) FROM generate_series(1, 17000) i`;

  it('is bounded in memory: documents that do not fit are merged after the others', { timeout: 60_000 }, async () => {
    await world.sql.query(
      `INSERT INTO documents (workspace_id, id, collection, title, value, revision, position, deleted, created_at, updated_at)
       SELECT 'w1', 'large-' || d, 'things', '', large.value, 1, 0, false, now(), now() FROM generate_series(1, ${documents}) d, (${large}) large(value)`,
    );
    const { rows: [size] } = await world.sql.query<{ bytes: number }>(`SELECT octet_length(value::text) AS bytes FROM documents WHERE id = 'large-1'`);
    expect(size!.bytes).toBeGreaterThan(900_000);
    const child = fileURLToPath(new URL('./push-large.ts', import.meta.url));
    // Held at once, the documents do not fit into this heap.
    const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=112', '--conditions=@concord/source', '--import', 'tsx', child, world.databaseUrl, String(documents)], { timeout: 60_000, killSignal: 'SIGKILL' });
    const { revisions, grownMiB } = JSON.parse(stdout) as { readonly revisions: readonly number[]; readonly grownMiB: number };
    expect(revisions).toEqual(Array.from({ length: documents }, () => 2));
    expect(grownMiB).toBeLessThan(200);
    const { rows } = await world.sql.query<{ n: number }>(`SELECT (value ->> 'n')::int AS n FROM documents WHERE id LIKE 'large-%'`);
    expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: documents }, () => 7));
  });

  it('changes no verdict: with room for one document or one log at a time, all are merged', async () => {
    const before = await world.node();
    const ids = Array.from({ length: 6 }, (_, index) => `slow-${index}`);
    await before.commit.push(world.editor, world.workspaceId, ids.map((id) => edit(id, 'A', 1, 0, create({}))));
    for (let counter = 2; counter <= 12; counter++) {
      await before.commit.push(world.editor, world.workspaceId, ids.map((id) => edit(id, 'A', counter, counter - 1, set('/a', 'x'.repeat(5_000)))));
    }
    await before.close();
    const chained = (by: string, base: number) => ids.flatMap((id) => [edit(id, by, 1, base, set(`/${by}`, '1')), edit(id, by, 2, base, set(`/${by}2`, '2'))]);
    const node = await world.node({ loadBytes: 1 });
    const push = (edits: readonly Edit[]) => node.commit.push(world.editor, world.workspaceId, edits).then((verdicts) => verdicts.map(told));
    expect(await push(chained('B', 2))).toEqual(ids.flatMap(() => ['ok 13', 'ok 14']));
    await node.close();
    // Known at the head, and the log is read when an edit asks for it.
    const another = await world.node({ loadBytes: 1 });
    const pushThere = (edits: readonly Edit[]) => another.commit.push(world.editor, world.workspaceId, edits).then((verdicts) => verdicts.map(told));
    expect(await pushThere(ids.map((id) => atHead(id, set('/c', '3'))))).toEqual(ids.map(() => 'ok 15'));
    expect(await pushThere(chained('D', 3))).toEqual(ids.flatMap(() => ['ok 16', 'ok 17']));
    // Refused only after the document was read anew.
    expect(await pushThere(ids.map((id) => edit(id, 'E', 1, 2, patch({ op: 'test', path: '/a', value: 'y' }))))).toEqual(ids.map(() => 'TEST_FAILED'));
    await another.close();
  });

  it('writes a refusal into the audit once, though later edits of its document had to wait for room', async () => {
    const before = await world.node();
    for (const id of ['roomy', 'refusing']) {
      await before.commit.push(world.editor, world.workspaceId, [edit(id, 'A', 1, 0, create({ a: '' }))]);
      for (let counter = 2; counter <= 12; counter++) await before.commit.push(world.editor, world.workspaceId, [edit(id, 'A', counter, counter - 1, set('/a', 'x'.repeat(5_000)))]);
    }
    await before.close();
    const node = await world.node({ loadBytes: 1 });
    const push = async (...edits: readonly Edit[]) => (await node.commit.push(world.editor, world.workspaceId, edits)).map(told);
    expect(await push(atHead('roomy', set('/b', '1')), atHead('refusing', set('/b', '1')))).toEqual(['ok 13', 'ok 13']);
    const verdicts = await push(edit('roomy', 'B', 1, 2, set('/c', '2')), atHead('refusing', patch({ op: 'test', path: '/a', value: 'y' })), edit('refusing', 'B', 1, 2, set('/c', '2')));
    expect(verdicts).toEqual(['ok 14', 'TEST_FAILED', 'ok 14']);
    await node.close();
    const { rows } = await world.sql.query<{ outcome: string }>(`SELECT outcome FROM audit_entries WHERE document_id = 'refusing'`);
    expect(rows).toEqual([{ outcome: 'TEST_FAILED' }]);
  });
});
