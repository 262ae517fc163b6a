import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson, ConcordError, type JsonValue, type WireOperationJson } from '@concord/core';
import type { Replica } from '../index.js';
import { CutProxy } from './cut-proxy.js';
import { World } from './world.js';

/** Small, fast, good enough, and the same everywhere: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const pick = <T>(random: () => number, items: readonly T[]): T => items[Math.floor(random() * items.length)]!;

const places = ['/a', '/b', '/list/0', '/list/1', '/list/2', '/list/-', '/list', '/text', '/n', '/o/x', '/o/0', '/o'];

function operation(random: () => number): WireOperationJson {
  const path = pick(random, places);
  const value = pick<JsonValue>(random, [1, 'v', '🦊', [], ['i', 'j'], { x: 1 }, null, random()]);
  switch (Math.floor(random() * 8)) {
    case 0:
    case 1:
      return { op: 'add', path, value };
    case 2:
      return { op: 'replace', path, value };
    case 3:
      return { op: 'remove', path };
    case 4:
      return { op: 'move', from: pick(random, places), path };
    case 5:
      return { op: 'inc', path: '/n', value: Math.floor(random() * 9) - 4 };
    case 6:
      return { op: 'str_ins', path: '/text', pos: Math.floor(random() * 6), str: pick(random, ['x', 'yy', '🦊']) };
    default:
      return { op: 'str_del', path: '/text', pos: Math.floor(random() * 5), len: 1 + Math.floor(random() * 3) };
  }
}

describe('replicas under random edits, offline spells and restarts', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  const seeds = (process.env['CLIENT_SEEDS'] ?? '1,2,3,4').split(',').map(Number);
  it.each(seeds)('end identical to the server and to each other (seed %i)', async (seed) => {
    const random = randomOf(seed);
    const squashFrom = pick(random, [0, 2, 32]);
    const files = [world.newFile(), world.newFile(), world.newFile()];
    const replicas: Replica[] = [];
    for (const database of files) replicas.push(await world.open({ database, squashFrom }));
    const ids = ['one', 'two', 'three'].map((name) => `${name}-${seed}`);
    for (const id of ids) replicas[0]!.collection('random').create({ text: 'hello', n: 0, list: ['p', 'q', 'r'], o: { x: {}, 0: 'zero' } }, { id });
    await world.settle(...replicas);

    for (let step = 0; step < 120; step++) {
      const which = Math.floor(random() * replicas.length);
      const replica = replicas[which]!;
      const roll = random();
      if (roll < 0.06) await replica.goOffline();
      else if (roll < 0.14) replica.goOnline();
      else if (roll < 0.17) {
        await replica.close();
        replicas[which] = await world.open({ database: files[which]!, online: random() < 0.5, squashFrom });
      } else if (roll < 0.2) await new Promise((resolve) => setTimeout(resolve, random() * 15));
      else {
        const collection = replica.collection('random');
        try {
          const id = pick(random, ids);
          if (roll < 0.22) collection.delete(id);
          else if (roll < 0.26) collection.restore(id);
          else collection.edit(id, Array.from({ length: 1 + Math.floor(random() * 3) }, () => operation(random)));
        } catch (error) {
          // An operation that does not fit the document is refused at once, and nothing of it is kept.
          if (!(error instanceof ConcordError)) throw error;
        }
      }
    }
    for (const replica of replicas) replica.goOnline();
    await world.settle(...replicas);
    const server = await world.serverDocuments();
    for (const id of ids) {
      for (const replica of replicas) {
        const held = replica.get(id);
        expect(held?.pendingEdits).toBe(0);
        expect(canonicalJson(held?.deleted === true ? null : (held?.value as JsonValue)), `${id} with seed ${seed}`).toBe(canonicalJson(server[id] ?? null));
      }
    }
    const refusals = new Set(replicas.flatMap((replica) => replica.quarantined().map(({ code }) => code)));
    expect([...refusals].filter((code) => code !== 'DOCUMENT_DELETED' && code !== 'PATCH_DEPENDS_ON_REFUSED')).toEqual([]);
    await Promise.all(replicas.map((replica) => replica.close()));
  });

  const faultSeeds = (process.env['CLIENT_FAULT_SEEDS'] ?? '1,2,3').split(',').map(Number);
  it.each(faultSeeds)('count every edit exactly once over lost answers, cut connections, deaths and a refused edit now and then (seed %i)', async (seed) => {
    const random = randomOf(seed * 7919);
    const squashFrom = pick(random, [0, 3]);
    const id = `count-${seed}`;
    const files = [world.newFile(), world.newFile(), world.newFile()];
    const proxies = [await CutProxy.before(world.server.url), await CutProxy.before(world.server.url), await CutProxy.before(world.server.url)];
    const openAt = (index: number) => world.open({ database: files[index]!, url: proxies[index]!.url, squashFrom });
    const replicas = [await openAt(0), await openAt(1), await openAt(2)];
    replicas[0]!.collection('count').create({ n: 0, list: [], text: '' }, { id });
    await world.settle(...replicas);
    const made = new Map<string, number>();
    for (let step = 0; step < 150; step++) {
      const which = Math.floor(random() * 3);
      const roll = random();
      if (roll < 0.05) proxies[which]!.loseAnswers();
      else if (roll < 0.12) proxies[which]!.cut();
      else if (roll < 0.15) {
        await replicas[which]!.close();
        replicas[which] = await openAt(which);
      } else if (roll < 0.4) await new Promise((resolve) => setTimeout(resolve, random() * 10));
      else {
        const { value } = replicas[which]!.get<{ n: number; list: string[]; text: string }>(id)!;
        const by = 1 + Math.floor(random() * 5);
        const guard: WireOperationJson[] = random() < 0.1 ? [{ op: 'test', path: '/n', value: value.n }] : [];
        const mark = `${which}-${step}`;
        const { patchId } = replicas[which]!.collection('count').edit(id, [
          ...guard,
          { op: 'inc', path: '/n', value: by },
          { op: 'add', path: `/list/${Math.floor(random() * (value.list.length + 1))}`, value: mark },
          { op: 'str_ins', path: '/text', pos: 0, str: 'x' },
        ]);
        made.set(patchId!, by);
      }
    }
    for (const proxy of proxies) proxy.cut();
    await world.settle(...replicas);
    const quarantined = replicas.flatMap((replica) => replica.quarantined());
    expect(quarantined.filter(({ code }) => code !== 'TEST_FAILED')).toEqual([]);
    const refused = new Set(quarantined.map(({ patchId }) => patchId as string));
    const expected = [...made].filter(([patchId]) => !refused.has(patchId)).map(([, by]) => by);
    const server = (await world.serverDocuments())[id] as { n: number; list: string[]; text: string };
    if (squashFrom === 0) expect(server.n).toBe(expected.reduce((sum, by) => sum + by, 0));
    expect(new Set(server.list).size).toBe(server.list.length);
    expect(server.list.length).toBe(server.text.length);
    if (squashFrom === 0) expect(server.list.length).toBe(expected.length);
    for (const replica of replicas) expect(replica.get(id)?.value).toEqual(server);
    await Promise.all(replicas.map((replica) => replica.close()));
    await Promise.all(proxies.map((proxy) => proxy.close()));
  });
});
