import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson, ConcordError, type JsonValue, type WireOperationJson } from '@concord/core';
import type { Replica } from '../index.js';
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

  const seeds = (process.env['CLIENT_SEEDS'] ?? '1,2,3,4,5,6').split(',').map(Number);
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
});
