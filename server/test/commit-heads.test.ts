import type { Counter, NormalPatch, PatchId, Position, Revision, WorkspaceId } from '@concord/core';
import { describe, expect, it } from 'vitest';
import type { DocumentState, LoggedChange } from '../commit/document-state.js';
import { notWeighed, stateBytes, tailStart, trim, valueAt } from '../commit/document-state.js';
import { documentKey, Heads } from '../commit/heads.js';
import { documentId, replica } from './engine-world.js';

const workspaceId = 'w' as WorkspaceId;

function state(id: string, changes: number, valueBytes: number): DocumentState {
  const tail = Array.from({ length: changes }, (_, index): LoggedChange => {
    const patch: NormalPatch = [{ op: 'replace', path: ['n'], value: index }];
    return { revision: (index + 1) as Revision, position: (index + 1) as Position, kind: 'PATCH', replicaId: replica('A'), counter: (index + 1) as Counter, patchId: `p${index}` as PatchId, base: index as Revision, patch, sent: null, bytes: 60, after: { n: index } };
  });
  return {
    workspaceId, documentId: documentId(id), epoch: 1, loadedBy: 1, knownAt: 0 as Position, facts: { collection: 'c', title: '', createdAt: new Date(0) },
    value: { n: changes - 1 }, valueBytes, revision: changes as Revision, deleted: false, tail,
    counters: new Map(), strangers: new Set(), allCounters: false, tailEnds: false, looked: new Map(), rebuilt: new Map(), lanes: new Map(), sinceSnapshot: 0, tailWeight: notWeighed,
  };
}

describe('the memory of heads', () => {
  it('is bounded in bytes, whatever the number of documents', () => {
    const one = state('x', 20, 1000);
    trim(one);
    const weight = stateBytes(one);
    const heads = new Heads(weight * 10 + 1);
    for (let index = 0; index < 100; index++) heads.keep(documentKey(workspaceId, documentId(`d${index}`)), state(`d${index}`, 20, 1000));
    const kept = Array.from({ length: 100 }, (_, index) => index).filter((index) => heads.get(documentKey(workspaceId, documentId(`d${index}`))) !== undefined);
    expect(kept).toEqual([90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
  });

  it('keeps a short tail without a hole, and old values only for the newest of it', () => {
    const long = state('long', 1000, 600);
    trim(long);
    expect(tailStart(long)).toBe(872);
    expect(long.tail.map(({ revision }) => revision)).toEqual(Array.from({ length: 128 }, (_, index) => 873 + index));
    expect(valueAt(long, 1000)).toEqual({ n: 999 });
    expect(valueAt(long, 950)).toEqual({ n: 949 });
    expect(valueAt(long, 900)).toBeUndefined();
    const large = state('large', 200, 1024 * 1024);
    trim(large);
    expect(large.tail.filter(({ after }) => after !== undefined)).toHaveLength(32);
  });
});
