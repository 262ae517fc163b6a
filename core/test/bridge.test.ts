import { describe, expect, it } from 'vitest';
import { bridge, cross } from '../bridge.js';
import type { BridgeEntry } from '../bridge.js';
import type { ReplicaId, Revision } from '../ids.js';
import type { NormalPatch } from '../operation.js';
import { canonicalJson } from '../value.js';
import { seededTape } from './generate.js';
import { plainApply } from './plain-apply.js';
import { simulate } from './sequencer.js';

const ada = 'a'.repeat(32) as ReplicaId;
const bob = 'b'.repeat(32) as ReplicaId;
const revision = (number: number): Revision => number as Revision;
const insert = (index: number, value: string): NormalPatch => [{ op: 'insert', path: [index], value }];

const ofValue = <T>(result: { ok: true; value: T } | { ok: false; error: { message: string } }): T => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

describe('the bridge', () => {
  it('commits two chained patches of one base past a change that came between', () => {
    // Ada typed x then y at the front of [], on revision 0; Bob's b was committed first.
    const first = insert(0, 'x');
    const second = insert(1, 'y');
    const log: BridgeEntry[] = [{ revision: revision(1), replica: bob, patch: insert(0, 'b') }];
    const one = ofValue(cross(ofValue(bridge(log, ada, revision(0))), first));
    expect(one.committed).toEqual(insert(1, 'x'));
    // Carrying the bridge on and building it anew from the log give the same.
    const carried = ofValue(cross(one.bridge, second)).committed;
    log.push({ revision: revision(2), replica: ada, patch: one.committed, sent: first, base: revision(0) });
    const anew = ofValue(cross(ofValue(bridge(log, ada, revision(0))), second)).committed;
    expect(carried).toEqual(insert(2, 'y'));
    expect(anew).toEqual(carried);
  });

  it('is empty over the author\'s own changes, so that a fast-forward commits the patch as sent', () => {
    const patch = insert(1, 'y');
    const log: BridgeEntry[] = [{ revision: revision(1), replica: ada, patch: insert(0, 'x') }];
    expect(ofValue(cross(ofValue(bridge(log, ada, revision(0))), patch)).committed).toBe(patch);
  });

  it('refuses with CLOCK_STALE where an earlier patch was made before the log at hand', () => {
    const log: BridgeEntry[] = [
      { revision: revision(3), replica: ada, patch: insert(0, 'x'), sent: insert(0, 'x'), base: revision(1) },
    ];
    expect(bridge(log, ada, revision(2))).toMatchObject({ ok: false, error: { code: 'CLOCK_STALE' } });
  });

  it('keeps 2 to 5 replicas identical through offline spells, lost requests and acks, duplicates and partial pulls', () => {
    let entries = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const { server, replicas } = simulate(seededTape(seed));
      const expected = canonicalJson(server.value);
      for (const replica of replicas) {
        expect(canonicalJson(replica.visible), `seed ${seed}`).toBe(expected);
        expect(canonicalJson(replica.confirmed), `seed ${seed}`).toBe(expected);
      }
      expect(canonicalJson(plainApply(server.start, ...server.log.map((entry) => entry.patch)))).toBe(expected);
      entries += server.log.length;
    }
    expect(entries).toBeGreaterThan(4000);
  });
});
