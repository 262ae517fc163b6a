import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePatch, normalize, transform, invert, type JsonValue, type NormalPatch, type WirePatch } from '@concord/core';
import { plainApply } from '../../core/test/plain-apply.js';
import { generateDocument, generatePatch, seededTape } from '../../core/test/generate.js';
import { canonicalJson } from '@concord/core';
import type { Replica } from '../index.js';
import { undoPast } from '../undo.js';
import { World } from './world.js';

/** An own edit, what somebody else did since, and what is there after the own edit was undone. */
type Case = readonly [what: string, start: JsonValue, own: WirePatch, since: WirePatch, wanted: JsonValue];

const cases: readonly Case[] = [
  ['a value, another one set since', { t: 'A', n: 1 }, [{ op: 'replace', path: '/t', value: 'B' }], [{ op: 'replace', path: '/t', value: 'C' }], { t: 'C', n: 1 }],
  ['a value, work elsewhere', { t: 'A', n: 1 }, [{ op: 'replace', path: '/t', value: 'B' }], [{ op: 'replace', path: '/n', value: 2 }], { t: 'A', n: 2 }],
  ['a value, removed since', { t: 'A', n: 1 }, [{ op: 'replace', path: '/t', value: 'B' }], [{ op: 'remove', path: '/t' }], { n: 1 }],
  ['a text, typed into since', { t: 'A', n: 1 }, [{ op: 'replace', path: '/t', value: 'B' }], [{ op: 'str_ins', path: '/t', pos: 1, str: '!' }], { t: 'B!', n: 1 }],
  ['a new key, set since', {}, [{ op: 'add', path: '/k', value: 1 }], [{ op: 'replace', path: '/k', value: 2 }], { k: 2 }],
  ['a new object, filled since', {}, [{ op: 'add', path: '/k', value: {} }], [{ op: 'add', path: '/k/x', value: 2 }], { k: { x: 2 } }],
  ['a removed key, set anew since', { k: 1 }, [{ op: 'remove', path: '/k' }], [{ op: 'add', path: '/k', value: 2 }], { k: 2 }],
  ['a removed item, another one inserted since', ['x', 'y'], [{ op: 'remove', path: '/0' }], [{ op: 'add', path: '/1', value: 'z' }], ['x', 'y', 'z']],
  ['an inserted item, another one before it since', ['x'], [{ op: 'add', path: '/1', value: 'y' }], [{ op: 'add', path: '/0', value: 'z' }], ['z', 'x']],
  ['an inserted item, edited since', [], [{ op: 'add', path: '/0', value: { n: 1 } }], [{ op: 'replace', path: '/0/n', value: 2 }], [{ n: 2 }]],
  ['an inserted item, removed since', [], [{ op: 'add', path: '/0', value: 1 }], [{ op: 'remove', path: '/0' }], []],
  ['a count, counted since', { n: 1 }, [{ op: 'inc', path: '/n', value: 2 }], [{ op: 'inc', path: '/n', value: 10 }], { n: 11 }],
  ['typed text, typed into since', { t: 'ab' }, [{ op: 'str_ins', path: '/t', pos: 1, str: 'XY' }], [{ op: 'str_ins', path: '/t', pos: 2, str: '-' }], { t: 'a-b' }],
  ['deleted text, typed there since', { t: 'abc' }, [{ op: 'str_del', path: '/t', pos: 1, len: 1 }], [{ op: 'str_ins', path: '/t', pos: 2, str: '!' }], { t: 'abc!' }],
  ['a moved item, edited since', { a: { n: 1 } }, [{ op: 'move', from: '/a', path: '/b' }], [{ op: 'replace', path: '/b/n', value: 2 }], { a: { n: 2 } }],
  ['a moved item, moved on since', { a: 1 }, [{ op: 'move', from: '/a', path: '/b' }], [{ op: 'move', from: '/b', path: '/c' }], { c: 1 }],
];

const must = <T>(result: { ok: true; value: T } | { ok: false; error: { message: string } }): T => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};
const normal = (document: JsonValue, wire: WirePatch): NormalPatch => must(normalize(document, must(parsePatch(wire))));

describe('undoPast', () => {
  it.each(cases)('takes back %s', (_what, start, own, since, wanted) => {
    const made = normal(start, own);
    const after = plainApply(start, made);
    const others = normal(after, since);
    const [undo] = must(undoPast(after, [must(invert(start, made))], [others]));
    expect(plainApply(after, others, undo!)).toEqual(wanted);
  });

  it('is why an inverse counts as earlier: as the later one it would undo what others have set since', () => {
    const wanted = (side: 'left' | 'right'): number =>
      cases.filter(([, start, own, since, expected]) => {
        const made = normal(start, own);
        const after = plainApply(start, made);
        const others = normal(after, since);
        return canonicalJson(plainApply(after, others, must(transform(must(invert(start, made)), others, side)).patch)) === canonicalJson(expected);
      }).length;
    expect([wanted('left'), wanted('right')]).toEqual([13, 8]);
  });

  it('never undoes what others set, whatever they did, and always applies', () => {
    let left = 0;
    for (let seed = 1; seed <= 3000; seed++) {
      const tape = seededTape(seed);
      const document = generateDocument(tape);
      let value = document;
      const chain: NormalPatch[] = [];
      for (let edits = 1 + tape.draw(4); edits > 0; edits--) {
        const patch = generatePatch(tape, value, 1 + tape.draw(3));
        chain.unshift(must(invert(value, patch)));
        value = plainApply(value, patch);
      }
      const since = generatePatch(tape, value, 1 + tape.draw(3));
      const undo = must(undoPast(value, chain, [since]));
      plainApply(value, since, ...undo);
      left += undo.flat().length;
      // With nothing in between, all of it comes back.
      expect(canonicalJson(plainApply(value, ...must(undoPast(value, chain, []))))).toBe(canonicalJson(document));
    }
    expect(left).toBeGreaterThan(3000);
  });
});

describe('replica.undo', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  let number = 0;
  const shared = async (value: JsonValue): Promise<{ a: Replica; b: Replica; id: string }> => {
    const id = `undo-${++number}`;
    const [a, b] = [await world.open(), await world.open()];
    b.collection('things').create(value, { id });
    await world.settle(b, a);
    return { a, b, id };
  };
  const valueOf = (replica: Replica, id: string): unknown => replica.get(id)?.value;

  it.each(cases)('through the server takes back %s', async (_what, start, own, since, wanted) => {
    const { a, b, id } = await shared(start);
    a.collection('things').edit(id, own);
    await world.settle(a, b);
    b.collection('things').edit(id, since);
    await world.settle(b, a);
    a.undo();
    await world.settle(a, b);
    expect(valueOf(a, id)).toEqual(wanted);
    expect(valueOf(b, id)).toEqual(wanted);
    expect((await world.serverDocuments())[id]).toEqual(wanted);
  });

  it('goes back edit by edit, forward again, and a new edit ends what could be redone', async () => {
    const { a, id } = await shared({ t: '0' });
    const set = (value: string): unknown => a.collection('things').edit(id, [{ op: 'replace', path: '/t', value }]);
    expect([a.canUndo(), a.canRedo(), a.undo(), a.redo()]).toEqual([false, false, null, null]);
    for (const value of ['1', '2', '3']) set(value);
    expect(a.undo()).toMatchObject({ edits: [{ documentId: id }] });
    a.undo();
    expect(valueOf(a, id)).toEqual({ t: '1' });
    a.redo();
    expect(valueOf(a, id)).toEqual({ t: '2' });
    expect(a.canRedo()).toBe(true);
    set('new');
    expect([a.canRedo(), a.redo()]).toEqual([false, null]);
    for (const wanted of ['2', '1', '0']) {
      a.undo();
      expect(valueOf(a, id)).toEqual({ t: wanted });
    }
    expect(a.canUndo()).toBe(false);
  });

  it('goes on after a restart, with the work of others in between, offline too', async () => {
    const { a: first, b, id } = await shared({ t: 'one', list: ['x'] });
    await first.close();
    const database = world.newFile();
    let a = await world.open({ database });
    await world.settle(a);
    a.collection('things').edit(id, [{ op: 'replace', path: '/t', value: 'two' }]);
    a.collection('things').edit(id, [{ op: 'add', path: '/list/0', value: 'mine' }]);
    await world.settle(a, b);
    await a.close();
    b.collection('things').edit(id, [{ op: 'add', path: '/list/0', value: 'theirs' }]);
    await world.settle(b);
    a = await world.open({ database, online: false });
    expect(a.undo()).not.toBeNull();
    await a.close();
    a = await world.open({ database });
    await world.settle(a, b);
    expect(valueOf(a, id)).toEqual({ t: 'two', list: ['theirs', 'x'] });
    a.undo();
    a.redo();
    a.undo();
    await world.settle(a, b);
    expect(valueOf(b, id)).toEqual({ t: 'one', list: ['theirs', 'x'] });
    expect(a.redo()).not.toBeNull();
    expect(a.redo()).not.toBeNull();
    await world.settle(a, b);
    expect(valueOf(b, id)).toEqual({ t: 'two', list: ['mine', 'theirs', 'x'] });
  });

  it('groups edits as the app says, over documents, and joins groups of one name in a row', async () => {
    const { a, id } = await shared({ n: 0 });
    const things = a.collection<JsonValue>('things');
    a.group(() => {
      things.increment(id, '/n');
      things.create({ made: true }, { id: `${id}-too` });
      things.increment(id, '/n');
    });
    for (let key = 0; key < 3; key++) a.group(() => things.increment(id, '/n', 10), 'typing');
    expect(valueOf(a, id)).toEqual({ n: 32 });
    a.undo();
    expect(valueOf(a, id)).toEqual({ n: 2 });
    expect(a.undo()!.edits.map(({ documentId }) => documentId).sort()).toEqual([id, `${id}-too`]);
    expect(valueOf(a, id)).toEqual({ n: 0 });
    expect(a.get(`${id}-too`)?.deleted).toBe(true);
    a.redo();
    expect([valueOf(a, id), a.get(`${id}-too`)?.deleted]).toEqual([{ n: 2 }, false]);
    await world.settle(a);
    expect((await world.serverDocuments())[`${id}-too`]).toEqual({ made: true });
  });

  it('stays within a document or a collection where it is told to', async () => {
    const { a, id } = await shared({ n: 0 });
    a.collection('things').increment(id, '/n');
    a.collection('others').create({ n: 5 }, { id: `${id}-other` });
    a.collection('others').increment(`${id}-other`, '/n');
    expect(a.canUndo({ documentId: 'nothing' })).toBe(false);
    a.undo({ documentId: id });
    expect([valueOf(a, id), valueOf(a, `${id}-other`)]).toEqual([{ n: 0 }, { n: 6 }]);
    a.undo({ collection: 'others' });
    expect(valueOf(a, `${id}-other`)).toEqual({ n: 5 });
    expect(a.canRedo({ documentId: id })).toBe(true);
  });

  it('deletes what was created and restores what was deleted, unless somebody else has worked in it since', async () => {
    const { a, b, id } = await shared({ n: 0 });
    a.collection('things').delete(id);
    a.undo();
    expect(a.get(id)?.deleted).toBe(false);
    a.redo();
    expect(a.get(id)?.deleted).toBe(true);
    a.undo();
    a.collection('things').create({ n: 1 }, { id: `${id}-mine` });
    await world.settle(a, b);
    b.collection('things').increment(`${id}-mine`, '/n');
    await world.settle(b, a);
    a.undo({ documentId: `${id}-mine` });
    expect(a.get(`${id}-mine`)).toMatchObject({ deleted: false, value: { n: 2 } });
  });

  it('does not undo an edit that was refused or withdrawn, and what was made on it is undone as it is now', async () => {
    const { a, b, id } = await shared({ t: 'A', n: 0 });
    await a.goOffline();
    const things = a.collection('things');
    things.edit(id, [{ op: 'inc', path: '/n', value: 1 }]);
    things.edit(id, [{ op: 'test', path: '/t', value: 'A' }, { op: 'replace', path: '/t', value: 'guarded' }]);
    things.edit(id, [{ op: 'inc', path: '/n', value: 10 }]);
    b.collection('things').edit(id, [{ op: 'replace', path: '/t', value: 'B' }]);
    await world.settle(b);
    a.goOnline();
    await world.settle(a);
    expect(a.quarantined()).toHaveLength(1);
    expect(valueOf(a, id)).toEqual({ t: 'B', n: 11 });
    a.undo();
    expect(valueOf(a, id)).toEqual({ t: 'B', n: 1 });
    a.undo();
    expect(valueOf(a, id)).toEqual({ t: 'B', n: 0 });
    expect(a.undo()).toBeNull();
  });

  it('keeps a hundred groups and more, and drops the oldest', async () => {
    const { a, id } = await shared({ n: 0 });
    for (let edit = 0; edit < 300; edit++) a.collection('things').increment(id, '/n');
    let undone = 0;
    while (a.undo() !== null) undone++;
    expect(undone).toBeGreaterThanOrEqual(100);
    expect(undone).toBeLessThanOrEqual(129);
  });
});
