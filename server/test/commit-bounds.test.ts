import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { committed, create, documentId, edit, openWorld, patch, told, type World } from './engine-world.js';
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
