import type { WorkspaceId } from '@concord/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCuttableProxy } from './cuttable-proxy.js';
import { atHead, committed, create, documentId, edit, openWorld, patch, told, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';

let world: World;
beforeAll(async () => {
  world = await openWorld(postgresUrl());
});
afterAll(() => world.close());

const positions = async (workspaceId: string): Promise<number[]> =>
  (await world.sql.query<{ position: string }>('SELECT position FROM changes WHERE workspace_id = $1 ORDER BY position', [workspaceId])).rows.map(({ position }) => Number(position));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('several nodes on one database', () => {
  it('commit to one document at the same time without losing, doubling or leaving out anything', async () => {
    const nodes = [await world.node(), await world.node(), await world.node()];
    const workspace = 'w2' as WorkspaceId;
    await nodes[0]!.commit.push(world.editor, workspace, [atHead('hot', create({ n: 0, list: [] }))]);
    const writers = nodes.flatMap((node, of) =>
      Array.from({ length: 4 }, async (_, writer) => {
        for (let counter = 1; counter <= 10; counter++) {
          // By replicas on an old base and by a person at the head, whose replica is the same on every node.
          const [stamped, person] = await Promise.all([
            node.commit.push(world.editor, workspace, [edit('hot', `r${of}.${writer}`, counter, 1, patch({ op: 'add', path: '/list/-', value: `${of}.${writer}.${counter}` }))]),
            node.commit.push(world.editor, workspace, [atHead('hot', patch({ op: 'inc', path: '/n', value: 1 }))]),
          ]);
          committed(stamped[0]);
          committed(person[0]);
        }
      }),
    );
    await Promise.all(writers);
    const head = await nodes[1]!.read.document(world.editor, workspace, documentId('hot'));
    expect(head?.revision).toBe(241);
    expect((head?.value as { n: number }).n).toBe(120);
    expect(new Set((head?.value as { list: string[] }).list).size).toBe(120);
    expect(await positions('w2')).toEqual(upTo(241));
    for (const node of nodes) await node.close();
  });

  it('take refusals back that only an outdated memory would have given', async () => {
    const [one, two] = [await world.node(), await world.node()];
    const push = async (node: typeof one, ...edits: ReturnType<typeof edit>[]) => (await node.commit.push(world.editor, world.workspaceId, edits)).map(told);
    expect(await push(one, edit('moved', 'A', 1, 0, create({ n: 0 })))).toEqual(['ok 1']);
    expect(await push(two, edit('moved', 'A', 2, 1, patch({ op: 'add', path: '/x', value: 1 })))).toEqual(['ok 2']);
    // To the first node this counter leaves a gap, this base is from the future and this place does not exist.
    expect(await push(one, edit('moved', 'A', 3, 2, patch({ op: 'inc', path: '/x', value: 1 })), edit('moved', 'B', 1, 2, patch({ op: 'inc', path: '/x', value: 1 })))).toEqual(['ok 3', 'ok 4']);
    await one.close();
    await two.close();
  });
});

describe('a restart', () => {
  it('does not make a node forget what it committed', async () => {
    const before = await world.node();
    const edits = [edit('again', 'A', 1, 0, create({ n: 0 })), edit('again', 'A', 2, 0, patch({ op: 'inc', path: '/n', value: 1 }))];
    const first = await before.commit.push(world.editor, world.workspaceId, edits);
    await before.close();
    await expect(before.commit.push(world.editor, world.workspaceId, edits)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    const after = await world.node();
    const second = await after.commit.push(world.editor, world.workspaceId, edits);
    expect(second).toEqual(first.map((verdict) => ({ ...verdict, duplicate: true })));
    await after.close();
  });
});

describe('a connection that breaks', () => {
  it('after the commit and before its answer does not make the edit happen twice', async () => {
    const proxy = await openCuttableProxy(world.databaseUrl);
    const node = await world.node({ through: proxy.url });
    await node.commit.push(world.editor, world.workspaceId, [edit('cut', 'A', 1, 0, create({ n: 0 }))]);
    const answered = proxy.holdAnswers();
    const pushed = node.commit.push(world.editor, world.workspaceId, [edit('cut', 'A', 2, 1, patch({ op: 'inc', path: '/n', value: 1 }))]);
    await answered;
    expect((await world.sql.query(`SELECT 1 FROM changes WHERE document_id = 'cut'`)).rowCount).toBe(2);
    proxy.breakAll();
    expect(told((await pushed)[0])).toBe('again 2');
    expect((await node.read.document(world.editor, world.workspaceId, documentId('cut')))?.value).toEqual({ n: 1 });
    await node.close();
    await proxy.close();
  });

  it('during the statement leaves nothing behind, and the next attempt commits it once', async () => {
    const node = await world.node();
    await node.commit.push(world.editor, world.workspaceId, [edit('kill', 'A', 1, 0, create({ n: 0 }))]);
    const before = await positions('w1');
    const locker = await world.sql.connect();
    await locker.query('BEGIN');
    await locker.query(`SELECT 1 FROM workspaces WHERE id = 'w1' FOR UPDATE`);
    const pushed = node.commit.push(world.editor, world.workspaceId, [
      edit('kill', 'B', 1, 0, patch({ op: 'inc', path: '/n', value: 1 })),
      edit('kill', 'A', 2, 1, patch({ op: 'inc', path: '/n', value: 10 })),
    ]);
    const waiting = `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
    await expect.poll(async () => (await world.sql.query(waiting)).rowCount).toBe(1);
    await world.sql.query(`SELECT pg_terminate_backend(pid) FROM (${waiting}) blocked`);
    await locker.query('COMMIT');
    locker.release();
    // A base of 0 is a state B can have: then its patch was made on nothing.
    expect((await pushed).map(told)).toEqual(['PATH_NOT_FOUND', 'ok 2']);
    expect(await positions('w1')).toEqual([...before, before.length + 1]);
    expect((await world.sql.query(`SELECT 1 FROM audit WHERE document_id = 'kill' AND outcome = 'OK'`)).rowCount).toBe(2);
    await node.close();
  });
});

describe('a push that the database cannot take', () => {
  it('does not take down the others in its batch', async () => {
    const node = await world.node();
    await world.sql.query(`INSERT INTO workspaces (id, name) VALUES ('gone', 'Gone')`);
    await world.sql.query(`INSERT INTO memberships (workspace_id, principal_id, role) VALUES ('gone', 'ed', 'EDITOR')`);
    // The role is remembered, the workspace is not there any more.
    await node.read.head(world.editor, 'gone' as WorkspaceId);
    await world.sql.query(`DELETE FROM workspaces WHERE id = 'gone'`);
    const names = ['w1', 'gone', 'w2'] as WorkspaceId[];
    const results = await Promise.allSettled(names.map((name) => node.commit.push(world.editor, name, [edit('beside', 'A', 1, 0, create({}))])));
    expect(results.map((result) => (result.status === 'fulfilled' ? told(result.value[0]) : (result.reason as { code: string }).code))).toEqual(['ok 1', 'WORKSPACE_NOT_FOUND', 'ok 1']);
    await node.close();
  });
});

describe('a document that the database cannot take', () => {
  it('does not keep the other documents of its push, or of its batch, from being committed', async () => {
    const node = await world.node();
    await world.sql.query(`ALTER TABLE documents ADD CONSTRAINT broken CHECK (id <> 'poison') NOT VALID`);
    const push = (...ids: string[]) => node.commit.push(world.editor, world.workspaceId, ids.map((id) => edit(id, 'A', 1, 0, create({})))).then((verdicts) => verdicts.map(told));
    const [one, two] = await Promise.all([push('sound1', 'poison', 'sound2'), push('sound3')]);
    expect(one).toEqual(['ok 1', 'INTERNAL', 'ok 1']);
    expect(two).toEqual(['ok 1']);
    await world.sql.query('ALTER TABLE documents DROP CONSTRAINT broken');
    expect(await push('poison')).toEqual(['ok 1']);
    await node.close();
  });
});

describe('what a commit writes', () => {
  it('is one transaction: change, head, conflict and audit are all there or none', async () => {
    const node = await world.node();
    await node.commit.push(world.editor, world.workspaceId, [edit('all', 'A', 1, 0, create({ n: 0 })), edit('all', 'A', 2, 0, patch({ op: 'replace', path: '/n', value: 1 }))]);
    const late = edit('all', 'B', 1, 1, patch({ op: 'replace', path: '/n', value: 2 }));
    await world.sql.query(`ALTER TABLE conflicts ADD CONSTRAINT broken CHECK (document_id <> 'all') NOT VALID`);
    await expect(node.commit.push(world.editor, world.workspaceId, [late])).rejects.toThrow(/broken/);
    const counts = async () =>
      (
        await world.sql.query<{ changes: number; audit: number; conflicts: number; revision: number; position: boolean }>(`
          SELECT (SELECT count(*)::int FROM changes WHERE document_id = 'all') AS changes, (SELECT count(*)::int FROM audit WHERE document_id = 'all') AS audit,
            (SELECT count(*)::int FROM conflicts WHERE document_id = 'all') AS conflicts, (SELECT revision::int FROM documents WHERE id = 'all') AS revision,
            (SELECT w.position = (SELECT max(position) FROM changes WHERE workspace_id = 'w1') FROM workspaces w WHERE id = 'w1') AS position`)
      ).rows[0];
    expect(await counts()).toEqual({ changes: 2, audit: 2, conflicts: 0, revision: 2, position: true });
    await world.sql.query('ALTER TABLE conflicts DROP CONSTRAINT broken');
    committed((await node.commit.push(world.editor, world.workspaceId, [late]))[0]);
    expect(await counts()).toEqual({ changes: 3, audit: 3, conflicts: 1, revision: 3, position: true });
    const conflicts = await node.read.conflicts(world.reader, world.workspaceId, { documentId: documentId('all'), first: 5, after: null });
    expect(conflicts.rows.map(({ row }) => [row.againstRevision, row.conflict.rule, row.conflict.lost])).toEqual([[2, 'replaceReplace', 1]]);
    await node.close();
  });
});
