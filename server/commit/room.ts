import type { ReplicaId } from '@concord/core';
import type { Edit, UnreadableEdit } from '@concord/schema';
import type { Queryable } from '../postgres/queryable.js';
import type { CommitParts, Push, Task } from './commit.js';
import type { DocumentState, Need } from './document-state.js';
import { documentKey, type DocumentKey } from './heads.js';
import { loadNeed, loadStates, type Wanted } from './load.js';
import { refresh } from './refresh.js';

// What a batch holds in memory at once: the documents that there is room for, and which of them come later.

/** Documents that there was no room for yet, with the bytes they will take as far as they are known. */
export type Later = Map<DocumentKey, number>;

/** Takes out the documents that come next: as many as fit, at least one. */
export function takeUp(later: Later, room: number): ReadonlySet<DocumentKey> {
  const next = new Set<DocumentKey>();
  for (const [key, bytes] of later) {
    if (next.size > 0 && bytes > room) break;
    room -= bytes;
    next.add(key);
    later.delete(key);
  }
  return next;
}

/** What a portion may still read, and the documents whose edits have to wait for another portion. */
export interface Room {
  bytes: number;
  readonly later: Later;
}

/** What is in memory of these documents is brought up to date or forgotten. True: another node had moved one of them. */
export async function refreshHeads(db: Queryable, tasks: readonly Task[], parts: CommitParts, batch: number): Promise<boolean> {
  const behind = new Map<DocumentKey, { readonly state: DocumentState; readonly replicas: Set<ReplicaId> }>();
  for (const { key, edit, push } of tasks) {
    let known = behind.get(key);
    if (known === undefined) {
      const state = parts.heads.get(key);
      if (state === undefined) continue;
      parts.heads.forget(key);
      known = { state, replicas: new Set() };
      behind.set(key, known);
    }
    known.replicas.add(edit.stamp?.replicaId ?? push.serverReplica);
  }
  const refreshed = await refresh(db, [...behind.values()], batch);
  for (const { state } of refreshed) parts.heads.keep(documentKey(state.workspaceId, state.documentId), state);
  return refreshed.some(({ moved }) => moved);
}

/** Reads the states of the documents that are not in memory, in one statement; returns the tasks of those there was room for. */
export async function loadMissing(db: Queryable, tasks: readonly Task[], states: Map<DocumentKey, DocumentState>, room: Room, parts: CommitParts, batch: number): Promise<readonly Task[]> {
  const wanted = new Map<DocumentKey, Wanted>();
  for (const { key, edit, push } of tasks) {
    if (states.has(key)) continue;
    const known = parts.heads.get(key);
    if (known !== undefined) states.set(key, known);
    else want(wanted, key, push, edit);
  }
  if (wanted.size === 0) return tasks;
  const loaded = await loadStates(db, [...wanted.values()], parts.reach, Math.max(room.bytes, 1), batch);
  room.bytes -= loaded.bytes;
  for (const state of loaded.states) states.set(documentKey(state.workspaceId, state.documentId), state);
  if (loaded.unread.size === 0) return tasks;
  for (const [key, bytes] of loaded.unread) room.later.set(key, bytes);
  return tasks.filter(({ key }) => !loaded.unread.has(key));
}

function want(wanted: Map<DocumentKey, Wanted>, key: DocumentKey, push: Push, edit: Edit | UnreadableEdit): void {
  let one = wanted.get(key);
  if (one === undefined) {
    one = { workspaceId: push.workspaceId, documentId: edit.documentId, from: Number.MAX_SAFE_INTEGER, replicas: new Set() };
    wanted.set(key, one);
  }
  one.replicas.add(edit.stamp?.replicaId ?? push.serverReplica);
  if (edit.stamp !== null && 'base' in edit.stamp.clock) one.from = Math.min(one.from, edit.stamp.clock.base);
}

/**
 * Loads what decisions asked for; returns the tasks that this portion goes on with. A document with undecided changes can be
 * loaded anew only after they are logged.
 */
export async function loadNeeds(
  db: Queryable,
  needs: ReadonlyMap<DocumentKey, Need>,
  states: Map<DocumentKey, DocumentState>,
  waiting: readonly Task[],
  touched: ReadonlySet<DocumentKey>,
  room: Room,
  parts: CommitParts,
  batch: number,
): Promise<readonly Task[]> {
  const stale = new Set<DocumentKey>();
  const postponed = new Set<DocumentKey>();
  for (const [key, need] of needs) {
    if (need.kind === 'fresh') {
      if (!touched.has(key)) stale.add(key);
    } else if (room.bytes > 0 || key === waiting[0]!.key) {
      room.bytes -= await loadNeed(db, states.get(key)!, need, parts.reach);
    } else {
      postponed.add(key);
      room.later.set(key, 0);
    }
  }
  const going = postponed.size === 0 ? waiting : waiting.filter(({ key }) => !postponed.has(key));
  if (stale.size === 0) return going;
  for (const key of stale) {
    states.delete(key);
    parts.heads.forget(key);
  }
  return await loadMissing(db, going, states, room, parts, batch);
}
