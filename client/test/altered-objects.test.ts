import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonValue } from '@concord/core';
import { DocumentsDocument, type Replica } from '../index.js';
import { same, World } from './world.js';

type Shape = { list: JsonValue[]; map: Record<string, JsonValue>; n: number };

/** Alters what it can reach of an object, as an app might by mistake: what is frozen refuses, and that is right too. */
function vandalise(handed: unknown, choose: (below: number) => number): void {
  const reached: unknown[] = [handed];
  for (let at = 0; at < reached.length && reached.length < 200; at++) {
    const value = reached[at];
    if (typeof value !== 'object' || value === null) continue;
    reached.push(...(Object.values(value) as unknown[]));
    try {
      if (Array.isArray(value)) {
        const damage = [() => void value.sort(), () => value.push('vandal'), () => (value.length = 0), () => (value[0] = undefined)];
        damage[choose(damage.length)]!();
      } else {
        const keys = Object.keys(value);
        const key = keys[choose(Math.max(1, keys.length))] ?? 'new';
        const damage = [() => Reflect.deleteProperty(value, key), () => Reflect.set(value, key, 1n), () => Object.assign(value, { vandal: value })];
        damage[choose(damage.length)]!();
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

describe('an app that alters every object it gives and gets', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  it('changes nothing: replica, file and server stay equal', async () => {
    let round = 0;
    const value = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>;
    const step = fc.record({ action: fc.nat(6), value, at: fc.nat(3), seed: fc.infiniteStream(fc.nat(1000)) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 15 }), async (steps) => {
        const id = `v${round++}`;
        const database = world.newFile();
        const [replica, other] = [await world.open({ database }), await world.open()];
        for (const opened of [replica, other]) opened.onStatus((status) => vandalise(status, () => 1));
        const create: Shape = { list: [{ a: 1 }, 'x'], map: { k: [1, 2] }, n: 0 };
        replica.collection<Shape>('v').create(create, { id });
        vandalise(create, () => 1);
        await world.settle(replica, other);
        for (const { action, value: made, at, seed } of steps) {
          const choose = (below: number): number => seed.next().value % below;
          for (const [index, one] of [replica, other].entries()) {
            const shapes = one.collection<Shape>('v');
            const mine = structuredClone(made);
            let handed: unknown = mine;
            switch (action) {
              case 0:
                handed = [{ op: 'add', path: `/list/${Math.min(at, shapes.get(id)!.value.list.length)}`, value: mine }];
                shapes.edit(id, handed as never);
                break;
              case 1:
                handed = [{ op: 'add', path: `/map/k${at}`, value: mine }];
                shapes.edit(id, handed as never);
                break;
              case 2:
                shapes.edit(id, (draft) => {
                  draft.map[`d${at}`] = mine;
                  draft.list.push(mine);
                  handed = draft;
                });
                break;
              case 3:
                shapes.increment(id, '/n');
                break;
              case 4:
                handed = [shapes.get(id), one.get(id), shapes.query().all(), one.pending(), one.conflicts(), one.quarantined()];
                break;
              case 5:
                handed = (await one.client.query(DocumentsDocument, {}).toPromise()).data;
                break;
              default:
                handed = shapes.query({ where: [{ path: '/n', operator: 'GREATER_OR_EQUAL', value: 0 }] }).all();
                if (index === 0) shapes.edit(id, [{ op: 'copy', from: '/map', path: '/copy' }]);
            }
            vandalise(handed, choose);
            vandalise(one.get(id), choose);
          }
        }
        await world.settle(replica, other);
        const onServer = (await world.serverDocuments())[id];
        for (const one of [replica, other]) expect(same(one.get(id)?.value, onServer)).toBe(true);
        await Promise.all([replica.close(), other.close()]);
        const reopened: Replica = await world.open({ database, online: false });
        expect(same(reopened.get(id)?.value, onServer)).toBe(true);
        await reopened.close();
      }),
      { numRuns: Number(process.env['ROUNDS'] ?? 12) },
    );
  });
});
