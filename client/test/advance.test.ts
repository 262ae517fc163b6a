import { describe, expect, it } from 'vitest';
import type { Counter, DocumentId, JsonValue, NormalPatch, PatchId, Revision } from '@concord/core';
import { adopt } from '../adopt.js';
import { advance } from '../advance.js';
import type { RemoteChange } from '../change-row.js';
import type { DocumentState, PendingEdit } from '../document-state.js';
import { withdraw } from '../withdraw.js';

const edit = (patchId: string, patch: NormalPatch, counter: number | null = null): PendingEdit => ({
  seq: Number(patchId.slice(1)),
  patchId: patchId as PatchId,
  kind: 'PATCH',
  patch,
  collection: null,
  title: null,
  sent: counter !== null,
  counter: counter as Counter | null,
  createdAt: '',
});

const document = (confirmed: JsonValue, value: JsonValue, pending: readonly PendingEdit[] = []): DocumentState => ({
  id: 'd' as DocumentId,
  collection: 'c',
  title: '',
  confirmed,
  confirmedDeleted: false,
  revision: 3 as Revision,
  position: 3,
  value,
  deleted: false,
  pending,
  counter: 0,
  left: false,
  createdAt: '',
  updatedAt: '',
});

const change = (revision: number, patch: JsonValue, more: Partial<RemoteChange> = {}): RemoteChange => ({
  documentId: 'd',
  revision: revision as Revision,
  position: revision as RemoteChange['position'],
  kind: 'PATCH',
  patch,
  collection: 'c',
  title: '',
  counter: 1 as Counter,
  patchId: `of-${revision}`,
  committedAt: 'later',
  ...more,
});

const insert = (index: number, value: JsonValue): NormalPatch => [{ op: 'insert', path: [index], value }];

describe('a document that moves along the feed', () => {
  it('drops what it has already, and is the same object when nothing is left', () => {
    const state = document([1], [1]);
    const advanced = advance(state, [change(2, []), change(3, [])]);
    expect(advanced).toEqual({ ok: true, value: { state, conflicts: [], moves: [] } });
    expect(advanced.ok && advanced.value?.state).toBe(state);
  });

  it('must be fetched when a change is missing, does not apply, or is of a document that is not here', () => {
    expect(advance(document([1], [1]), [change(5, [])])).toMatchObject({ ok: false, error: { code: 'CLOCK_STALE' } });
    expect(advance(document([1], [1]), [change(4, [{ op: 'remove', path: '/7' }])])).toMatchObject({ ok: false });
    expect(advance(undefined, [change(2, [])])).toMatchObject({ ok: false, error: { code: 'CLOCK_STALE' } });
  });

  it('takes others\' changes past what is pending, and its own out of the outbox', () => {
    const state = document(['a'], ['mine', 'a', 'end'], [edit('p1', insert(0, 'mine'), 1), edit('p2', insert(2, 'end'))]);
    const advanced = advance(state, [
      change(4, [{ op: 'add', path: '/0', value: 'theirs' }]),
      change(5, [{ op: 'add', path: '/1', value: 'mine' }], { patchId: 'p1', counter: 1 as Counter }),
    ]);
    expect(advanced).toMatchObject({
      ok: true,
      value: { state: { revision: 5, counter: 1, confirmed: ['theirs', 'mine', 'a'], value: ['theirs', 'mine', 'a', 'end'], pending: [{ patchId: 'p2', patch: [{ op: 'insert', path: [3], value: 'end' }] }] } },
    });
  });

  it('stays right even if its own edit was committed otherwise than it expects', () => {
    const state = document(['a'], ['mine', 'a', 'end'], [edit('p1', insert(0, 'mine'), 1), edit('p2', insert(2, 'end'))]);
    const advanced = advance(state, [change(4, [{ op: 'add', path: '/1', value: 'elsewhere' }], { patchId: 'p1' })]);
    expect(advanced).toMatchObject({ ok: true, value: { state: { confirmed: ['a', 'elsewhere'], value: ['a', 'elsewhere', 'end'], pending: [{ patchId: 'p2' }] } } });
  });

  it('does not judge guards of others again, and keeps its own for the server', () => {
    const guarded = edit('p1', [{ op: 'test', path: ['n'], value: 1 }, { op: 'replace', path: ['n'], value: 5 }]);
    const advanced = advance(document({ n: 1, m: 1 }, { n: 5, m: 1 }, [guarded]), [
      change(4, [{ op: 'test', path: '/n', value: 1 }, { op: 'replace', path: '/m', value: 2 }]),
    ]);
    expect(advanced).toMatchObject({ ok: true, value: { state: { value: { n: 5, m: 2 }, pending: [{ patch: guarded.patch }] } } });
  });
});

describe('a document that is taken anew from the server', () => {
  const head = (value: JsonValue, counter: number) =>
    ({ id: 'd', collection: 'c', title: '', value, revision: 9 as Revision, position: 9 as RemoteChange['position'], deleted: false, createdAt: '', updatedAt: '', counter, patchId: counter === 0 ? null : `p${counter}` }) as const;

  it('drops the edits that the log holds and rebases the others on the difference', () => {
    const state = document(['a'], ['mine', 'a', 'end'], [edit('p1', insert(0, 'mine'), 1), edit('p2', insert(2, 'end'), 2)]);
    expect(adopt(state, head(['theirs', 'mine', 'a'], 1))).toMatchObject({
      ok: true,
      value: { state: { revision: 9, counter: 1, confirmed: ['theirs', 'mine', 'a'], value: ['theirs', 'mine', 'a', 'end'], pending: [{ patchId: 'p2' }] } },
    });
  });

  it('does not take an edit for committed because another one has its number', () => {
    const pending = [edit('q1', insert(0, 'mine'), 1), edit('q2', insert(2, 'end'), 2)];
    for (const counter of [1, 2, 3]) expect(adopt(document(['a'], ['mine', 'a', 'end'], pending), head(['theirs', 'a'], counter))).toMatchObject({ ok: false, error: { code: 'REPLICA_CLONED' } });
  });

  it('adds pending increments to what others counted', () => {
    const state = document({ n: 1 }, { n: 4 }, [edit('p1', [{ op: 'inc', path: ['n'], value: 3 }])]);
    expect(adopt(state, head({ n: 100 }, 0))).toMatchObject({ ok: true, value: { state: { confirmed: { n: 100 }, value: { n: 103 } }, conflicts: [] } });
  });
});

describe('an edit that was refused', () => {
  it('is taken out from under the later ones, which are numbered anew', () => {
    const state = document(['a'], ['bad', 'a', 'end'], [edit('p1', insert(0, 'bad'), 1), edit('p2', insert(2, 'end'), 2)]);
    expect(withdraw(state, 'p1' as PatchId, { code: 'TEST_FAILED', message: 'no' })).toMatchObject({
      state: { value: ['a', 'end'], pending: [{ patchId: 'p2', counter: null, sent: true, patch: [{ op: 'insert', path: [1], value: 'end' }] }] },
      refused: [{ edit: { patchId: 'p1' }, reason: { code: 'TEST_FAILED' } }],
      conflicts: [],
    });
  });

  it('takes what was typed inside of what it did with it, which is told with the value', () => {
    const state = document({}, { a: { b: 'typed' } }, [edit('p1', [{ op: 'add', path: ['a'], value: {} }], 1), edit('p2', [{ op: 'add', path: ['a', 'b'], value: 'typed' }], 2)]);
    expect(withdraw(state, 'p1' as PatchId, { code: 'TEST_FAILED', message: 'no' })).toMatchObject({
      state: { value: {}, pending: [{ patchId: 'p2', patch: [] }] },
      conflicts: [{ documentId: 'd', revision: null, patchId: 'p2', conflict: { loser: 'later', lost: 'typed' } }],
    });
  });
});
