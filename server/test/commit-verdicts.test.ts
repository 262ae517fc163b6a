import { restoreLost, toWire, type Counter, type JsonValue, type ReplicaId } from '@concord/core';
import type { Edit } from '@concord/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atHead, committed, create, documentId, edit, openWorld, patch, replica, told, type Node, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';

let world: World;
let node: Node;

beforeAll(async () => {
  world = await openWorld(postgresUrl());
  node = await world.node();
});
afterAll(() => world.close());

const push = (...edits: readonly Edit[]) => node.commit.push(world.editor, world.workspaceId, edits);
const tell = async (...edits: readonly Edit[]) => (await push(...edits)).map(told);
const value = async (id: string): Promise<JsonValue | undefined> => (await node.read.document(world.editor, world.workspaceId, documentId(id)))?.value;
const set = (path: string, to: JsonValue) => ({ op: 'replace', path, value: to });

/** An edit whose clock is the full vector. */
const withVector = (made: Edit, vector: Readonly<Record<string, number>>): Edit => ({
  ...made,
  stamp: {
    ...made.stamp!,
    clock: { epoch: 1, vector: new Map(Object.entries(vector).map(([name, counter]): [ReplicaId, Counter] => [replica(name), counter as Counter])) },
  },
});

describe('the verdict on an edit', () => {
  it('commits a creation as revision 1 and a chain of patches behind it in one push', async () => {
    const edits = [edit('chain', 'A', 1, 0, create({ n: 0 })), edit('chain', 'A', 2, 0, patch(set('/n', 1))), edit('chain', 'A', 3, 0, patch({ op: 'inc', path: '/n', value: 4 }))];
    expect(await tell(...edits)).toEqual(['ok 1', 'ok 2', 'ok 3']);
    expect(await value('chain')).toEqual({ n: 5 });
  });

  it('repeats the first verdict to a duplicate, with its patch and its conflicts', async () => {
    await push(edit('dup', 'A', 1, 0, create({ n: 0, list: ['x'] })));
    await push(edit('dup', 'A', 2, 1, patch(set('/n', 1), { op: 'add', path: '/list/0', value: 'a' })));
    const late = edit('dup', 'B', 1, 1, patch(set('/n', 2), { op: 'add', path: '/list/1', value: 'b' }));
    const [first] = await push(late);
    await push(edit('dup', 'A', 3, 3, patch(set('/n', 7))));
    const [again] = await push(late);
    expect(committed(first).patch).toEqual([set('/n', 2), { op: 'add', path: '/list/2', value: 'b' }]);
    expect(committed(first).conflicts).toHaveLength(1);
    expect(again).toEqual({ ...first, duplicate: true });
    expect(await value('dup')).toEqual({ n: 7, list: ['a', 'x', 'b'] });
  });

  it('answers a duplicate within the same push and before a refusal that it would depend on', async () => {
    const made = edit('dup2', 'A', 1, 0, create({}));
    expect(await tell(made, made)).toEqual(['ok 1', 'again 1']);
    expect(await tell(edit('dup2', 'A', 3, 1, patch(set('', 1))), made)).toEqual(['CLOCK_GAP', 'again 1']);
  });

  it('refuses another patch under a counter that is taken as a cloned replica', async () => {
    await push(edit('clone', 'A', 1, 0, create({})));
    expect(await tell(edit('clone', 'A', 1, 0, create({ other: 1 }), 'another'))).toEqual(['REPLICA_CLONED']);
  });

  it('names the expected counter when one is missing', async () => {
    await push(edit('gap', 'A', 1, 0, create({})));
    const [verdict] = await push(edit('gap', 'A', 3, 1, patch({ op: 'add', path: '/a', value: 1 })));
    expect(verdict).toMatchObject({ code: 'CLOCK_GAP', expected: 2 });
  });

  it('refuses an unknown replica that does not start with counter 1 as retired', async () => {
    await push(edit('retired', 'A', 1, 0, create({})));
    expect(await tell(edit('retired', 'B', 4, 1, patch({ op: 'add', path: '/a', value: 1 })))).toEqual(['REPLICA_RETIRED']);
  });

  it('refuses a base that the server never made', async () => {
    await push(edit('future', 'A', 1, 0, create({})));
    expect(await tell(edit('future', 'B', 1, 2, patch({ op: 'add', path: '/a', value: 1 })))).toEqual(['CLOCK_FUTURE']);
  });

  it('asks for a resync when the epoch differs', async () => {
    await push(edit('epoch', 'A', 1, 0, create({})));
    expect(await tell(edit('epoch', 'A', 2, 1, patch(set('', 1)), 'e2', 2))).toEqual(['EPOCH_CHANGED']);
  });

  it('fast-forwards past the own entries of the author', async () => {
    await push(edit('own', 'A', 1, 0, create({ n: 1 })), edit('own', 'A', 2, 0, patch(set('/n', 2))));
    const [verdict] = await push(edit('own', 'A', 3, 1, patch({ op: 'test', path: '/n', value: 2 }, set('/n', 3))));
    expect(verdict).toMatchObject({ type: 'Committed', revision: 3, patch: null, conflicts: [] });
  });

  it('transforms a concurrent patch, tells the patch as committed and records the conflict', async () => {
    await push(edit('conc', 'A', 1, 0, create({ tags: ['x'], n: 0 })), edit('conc', 'A', 2, 0, patch({ op: 'add', path: '/tags/1', value: 'a' })));
    const [verdict] = await push(edit('conc', 'B', 1, 1, patch({ op: 'add', path: '/tags/1', value: 'b' })));
    expect(committed(verdict).patch).toEqual([{ op: 'add', path: '/tags/2', value: 'b' }]);
    expect(await value('conc')).toEqual({ n: 0, tags: ['x', 'a', 'b'] });
  });

  it.each(['mover', 'remover'] as const)('tells the card that was moved out of a removed column, and the patch that brings it back, where the %s is first', async (first) => {
    const id = `card-${first}`;
    const move = (base: number) => edit(id, 'A', 2, base, patch({ op: 'move', from: '/todo/0', path: '/done/0' }, { op: 'replace', path: '/done/0/t', value: 'edited' }));
    const remove = (base: number) => edit(id, 'B', 1, base, patch({ op: 'remove', path: '/todo' }));
    await push(edit(id, 'A', 1, 0, create({ todo: [{ t: 'card' }], done: [{ t: 'old' }] })));
    const [, verdict] = await push(...(first === 'mover' ? [move(1), remove(1)] : [remove(1), move(1)]));
    expect(await value(id)).toEqual({ done: [{ t: 'old' }] });
    const { conflict } = committed(verdict).conflicts.find((told) => told.conflict.rule === 'moveOut')!;
    expect(conflict.lost).toEqual({ t: 'edited' });
    await push(edit(id, 'B', 2, 3, patch(...toWire(restoreLost(conflict)!))));
    expect(await value(id)).toEqual({ done: [{ t: 'edited' }, { t: 'old' }] });
  });

  it('tells what a value was that both set alike and one set back, whatever was squashed', async () => {
    await push(edit('back', 'A', 1, 0, create({ on: false })));
    const [, verdict] = await push(edit('back', 'A', 2, 1, patch(set('/on', true), set('/on', false))), edit('back', 'B', 1, 1, patch(set('/on', true))));
    expect(await value('back')).toEqual({ on: true });
    expect(committed(verdict).conflicts.map(({ conflict }) => [conflict.rule, conflict.lost])).toEqual([['replaceReplace', false]]);
  });

  it('bridges a chain that was sent on one old base in several pushes', async () => {
    await push(edit('bridge', 'A', 1, 0, create({ list: ['x'] })));
    await push(edit('bridge', 'B', 1, 1, patch({ op: 'add', path: '/list/0', value: 'b1' })));
    await push(edit('bridge', 'A', 2, 1, patch({ op: 'add', path: '/list/0', value: 'a1' })));
    // Made on what B sees, b1 and x, while the head is b1, a1 and x: the guard looks there, at the place it means.
    expect(await tell(edit('bridge', 'B', 2, 1, patch({ op: 'test', path: '/list/1', value: 'x' }, { op: 'add', path: '/list/1', value: 'b2' })))).toEqual(['ok 4']);
    expect(await value('bridge')).toEqual({ list: ['b1', 'a1', 'b2', 'x'] });
  });

  it('gives a vector the same verdict as the base it stands for', async () => {
    await push(edit('vec', 'A', 1, 0, create({ list: [] })), edit('vec', 'A', 2, 0, patch({ op: 'add', path: '/list/0', value: 'a' })));
    const late = edit('vec', 'B', 1, 1, patch({ op: 'add', path: '/list/0', value: 'b' }));
    expect(committed((await push(withVector(late, { A: 1, B: 1 })))[0]).patch).toEqual([{ op: 'add', path: '/list/1', value: 'b' }]);
    expect(await tell(withVector(edit('vec', 'C', 1, 0, patch(set('/list', []))), { A: 9, C: 1 }))).toEqual(['CLOCK_FUTURE']);
    expect(await tell(withVector(edit('vec', 'C', 1, 0, patch(set('/list', []))), { B: 1, C: 1 }))).toEqual(['CLOCK_NOT_A_PREFIX']);
    expect(await tell(withVector(edit('vec', 'C', 1, 0, patch(set('/list', []))), { A: 2, B: 1, C: 1 }))).toEqual(['ok 4']);
  });

  it('places a vector rightly on a node that knows nothing of the replicas it leaves out', async () => {
    await push(edit('vec2', 'A', 1, 0, create({ list: [] })), edit('vec2', 'B', 1, 1, patch({ op: 'add', path: '/list/0', value: 'b' })));
    const fresh = await world.node();
    const at = (made: Edit) => fresh.commit.push(world.editor, world.workspaceId, [made]);
    await at(edit('vec2', 'A', 2, 2, patch({ op: 'add', path: '/list/1', value: 'a' })));
    // C has seen A's creation only.
    const [verdict] = await at(withVector(edit('vec2', 'C', 1, 0, patch({ op: 'test', path: '/list', value: [] }, { op: 'add', path: '/list/0', value: 'c' })), { A: 1, C: 1 }));
    expect(told(verdict)).toBe('TEST_FAILED');
    const [second] = await at(withVector(edit('vec2', 'C', 1, 0, patch({ op: 'add', path: '/list/0', value: 'c' })), { A: 1, C: 1 }));
    expect(committed(second).patch).toEqual([{ op: 'add', path: '/list/2', value: 'c' }]);
    await fresh.close();
  });

  it('rebuilds an old base from the log, also after everything was forgotten', async () => {
    const edits = [edit('old', 'A', 1, 0, create({ list: ['x'], n: 0 }))];
    for (let counter = 2; counter <= 300; counter++) edits.push(edit('old', 'A', counter, 0, patch({ op: 'inc', path: '/n', value: 1 })));
    await push(...edits);
    const fresh = await world.node();
    const verdicts = await fresh.commit.push(world.editor, world.workspaceId, [
      edit('old', 'B', 1, 140, patch({ op: 'test', path: '/n', value: 139 }, { op: 'add', path: '/list/-', value: 'b' })),
      edit('old', 'C', 1, 1, patch({ op: 'inc', path: '/n', value: 1000 })),
    ]);
    expect(verdicts.map(told)).toEqual(['TEST_FAILED', 'ok 301']);
    expect(told((await fresh.commit.push(world.editor, world.workspaceId, [edit('old', 'B', 1, 140, patch({ op: 'add', path: '/list/-', value: 'b' }))]))[0])).toBe('ok 302');
    expect(await value('old')).toEqual({ list: ['x', 'b'], n: 1299 });
    const { rows } = await world.sql.query(`SELECT revision FROM snapshots WHERE document_id = 'old'`);
    expect(rows.length).toBeGreaterThan(0);
    await fresh.close();
  });

  it('calls a base behind the reach stale', async () => {
    const near = await world.node({ reach: 2 });
    const at = (...edits: readonly Edit[]) => near.commit.push(world.editor, world.workspaceId, edits).then((verdicts) => verdicts.map(told));
    await at(edit('stale', 'A', 1, 0, create({ n: 0 })));
    for (let counter = 2; counter <= 5; counter++) await at(edit('stale', 'A', counter, counter - 1, patch(set('/n', counter))));
    await near.close();
    const later = await world.node({ reach: 2 });
    const verdicts = await later.commit.push(world.editor, world.workspaceId, [edit('stale', 'B', 1, 1, patch(set('/n', 9)))]);
    expect(verdicts.map(told)).toEqual(['CLOCK_STALE']);
    await later.close();
  });
});

describe('creation, deletion, restoration', () => {
  it('refuses a document id that is taken, by the living and by the dead', async () => {
    await push(edit('taken', 'A', 1, 0, create({})));
    expect(await tell(edit('taken', 'B', 1, 0, create({})))).toEqual(['DOCUMENT_EXISTS']);
    await push(edit('taken', 'A', 2, 1, { kind: 'DELETE' }));
    expect(await tell(edit('taken', 'B', 1, 0, create({})))).toEqual(['DOCUMENT_EXISTS']);
  });

  it('refuses patches of what does not exist', async () => {
    expect(await tell(edit('none', 'A', 1, 0, patch(set('', 1))), atHead('none', { kind: 'DELETE' }))).toEqual(['DOCUMENT_NOT_FOUND', 'DOCUMENT_NOT_FOUND']);
  });

  it('refuses a patch concurrent with the deletion, takes it after the restoration, and keeps the value through both', async () => {
    await push(edit('del', 'A', 1, 0, create({ n: 1 })), edit('del', 'A', 2, 0, { kind: 'DELETE' }));
    expect(await tell(edit('del', 'B', 1, 1, patch(set('/n', 2))))).toEqual(['DOCUMENT_DELETED']);
    expect(await tell(edit('del', 'C', 1, 1, { kind: 'DELETE' }))).toEqual(['ok 3']);
    expect(await tell(edit('del', 'C', 2, 3, { kind: 'RESTORE' }), edit('del', 'C', 3, 3, { kind: 'RESTORE' }))).toEqual(['ok 4', 'ok 5']);
    expect(await tell(edit('del', 'B', 1, 1, patch({ op: 'inc', path: '/n', value: 1 })))).toEqual(['ok 6']);
    expect(await value('del')).toEqual({ n: 2 });
  });

  it('takes null as a document', async () => {
    expect(await tell(edit('null', 'A', 1, 0, create(null)), edit('null', 'A', 2, 0, patch(set('', { a: null }))), edit('null', 'A', 3, 0, patch(set('', null))))).toEqual(['ok 1', 'ok 2', 'ok 3']);
    expect(await node.read.document(world.editor, world.workspaceId, documentId('null'))).toMatchObject({ value: null, revision: 3 });
  });
});

describe('a refused edit', () => {
  it('stops only later edits of the same replica on the same document in the push', async () => {
    await push(edit('dep1', 'A', 1, 0, create({ n: 1 })), edit('dep2', 'A', 1, 0, create({ n: 1 })));
    expect(
      await tell(
        edit('dep1', 'A', 2, 1, patch({ op: 'remove', path: '/missing' })),
        edit('dep1', 'A', 3, 1, patch(set('/n', 3))),
        edit('dep2', 'A', 2, 1, patch(set('/n', 2))),
        edit('dep1', 'B', 1, 1, patch(set('/n', 4))),
      ),
    ).toEqual(['PATH_NOT_FOUND', 'PATCH_DEPENDS_ON_REFUSED', 'ok 2', 'ok 2']);
    expect(await tell(edit('dep1', 'A', 2, 2, patch(set('/n', 5))))).toEqual(['ok 3']);
  });

  it('tells where an unreadable edit failed and stops what follows it', async () => {
    const failure = { code: 'PATCH_MALFORMED', message: 'not a list' } as const;
    const unreadable = { documentId: documentId('dep2'), stamp: edit('dep2', 'A', 3, 2, { kind: 'DELETE' }).stamp, failure };
    const verdicts = await node.commit.push(world.editor, world.workspaceId, [unreadable, edit('dep2', 'A', 4, 2, { kind: 'DELETE' })]);
    expect(verdicts.map(told)).toEqual(['PATCH_MALFORMED', 'PATCH_DEPENDS_ON_REFUSED']);
  });

  it('is written into the audit with its code, and a commit with OK', async () => {
    await push(edit('audit', 'A', 1, 0, create({})), edit('audit', 'A', 2, 0, patch({ op: 'remove', path: '/no' })));
    await expect
      .poll(async () => (await world.sql.query<object>(`SELECT action, outcome, principal_id FROM audit WHERE document_id = 'audit' ORDER BY outcome`)).rows)
      .toEqual([
        { action: 'CREATE', outcome: 'OK', principal_id: 'ed' },
        { action: 'PUSH', outcome: 'PATH_NOT_FOUND', principal_id: 'ed' },
      ]);
  });
});

describe('guards and sizes', () => {
  it('checks test operations at the head, also when nothing is concurrent', async () => {
    await push(edit('guard', 'A', 1, 0, create({ n: 1, m: { k: 1 } })));
    expect(await tell(edit('guard', 'A', 2, 1, patch(set('/n', 2), { op: 'test', path: '/n', value: 1 })))).toEqual(['TEST_FAILED']);
    await push(edit('guard', 'B', 1, 1, patch({ op: 'remove', path: '/m' })));
    expect(await tell(edit('guard', 'A', 2, 1, patch({ op: 'test', path: '/m/k', value: 1 }, set('/n', 2))))).toEqual(['TEST_FAILED']);
    expect(await value('guard')).toEqual({ n: 1 });
  });

  it('refuses a document that would grow past the limit, by creation and by patch, with limit and actual size', async () => {
    const small = await world.node({ limits: { documentBytes: 1000, depth: 10, pointerBytes: 100, patchOperations: 10, patchBytes: 1000, pushPatches: 4, pushBytes: 9999 } });
    const at = (...edits: readonly Edit[]) => small.commit.push(world.editor, world.workspaceId, edits);
    expect(await at(edit('big', 'A', 1, 0, create('x'.repeat(1000))))).toMatchObject([{ code: 'LIMIT_EXCEEDED', limit: 1000, actual: 1002 }]);
    await at(edit('big', 'A', 1, 0, create({ text: 'x'.repeat(600) })));
    const grow = (counter: number) => edit('big', 'A', counter, counter - 1, patch({ op: 'str_ins', path: '/text', pos: 0, str: 'y'.repeat(150) }));
    expect((await at(grow(2))).map(told)).toEqual(['ok 2']);
    expect((await at(grow(3))).map(told)).toEqual(['ok 3']);
    expect(await at(grow(4))).toMatchObject([{ code: 'LIMIT_EXCEEDED', limit: 1000 }]);
    await expect(at(grow(4), grow(5), grow(6), grow(7), grow(8))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details: { limit: 4, actual: 5 } });
    await small.close();
  });
});

describe('an edit without a stamp', () => {
  it('is made at the head by a replica of the server that belongs to the principal', async () => {
    expect(await tell(atHead('person', create({ n: 1 })), atHead('person', patch({ op: 'inc', path: '/n', value: 1 })))).toEqual(['ok 1', 'ok 2']);
    const other = await world.node();
    const [verdict] = await other.commit.push(world.editor, world.workspaceId, [atHead('person', patch({ op: 'inc', path: '/n', value: 1 }))]);
    expect(told(verdict)).toBe('ok 3');
    const { vector } = await node.read.clock(world.editor, world.workspaceId, documentId('person'));
    expect([...vector.values()]).toEqual([3]);
    await other.close();
  });

  it('is refused when the head is not at the revision it asks for', async () => {
    await push(atHead('ifrev', create({ n: 1 })));
    expect(await tell(atHead('ifrev', patch(set('/n', 2)), 1), atHead('ifrev', patch(set('/n', 3)), 1))).toEqual(['ok 2', 'TEST_FAILED']);
  });
});

describe('rights', () => {
  it('refuses viewers, and does not tell strangers whether a workspace exists', async () => {
    const made = [edit('rights', 'A', 1, 0, create({}))];
    await expect(node.commit.push(world.reader, world.workspaceId, made)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(node.commit.push(world.stranger, world.workspaceId, made)).rejects.toMatchObject({ code: 'WORKSPACE_NOT_FOUND' });
    await expect(node.commit.push(world.editor, 'nowhere' as never, made)).rejects.toMatchObject({ code: 'WORKSPACE_NOT_FOUND' });
    await expect(node.read.document(world.stranger, world.workspaceId, documentId('x'))).rejects.toMatchObject({ code: 'WORKSPACE_NOT_FOUND' });
  });
});
