import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Limits, PatchId, Position, ReplicaId, WorkspaceId } from '@concord/core';
import type { Edit, Refused, UnreadableEdit, Verdict, Viewer } from '@concord/schema';
import type { Queryable } from '../postgres/queryable.js';
import { append, type NewChange } from './append.js';
import { decide, type Decision, type HeadAttempt } from './decide.js';
import type { DocumentState, Need } from './document-state.js';
import type { DocumentKey, Heads } from './heads.js';
import { conflictsAt } from './first-verdict.js';
import type { Reach } from './load.js';
import { loadMissing, loadNeeds, refreshHeads, takeUp, type Later, type Room } from './room.js';
import { committed, conflictRecords, published, refused, type PublishedChange } from './verdict.js';

/** One edit of a push on its way to its verdict. */
export interface Task {
  readonly push: Push;
  readonly index: number;
  readonly edit: Edit | UnreadableEdit;
  readonly key: DocumentKey;
}

/** A push that waits. `verdicts` fills up; the push is answered when none is missing. */
export interface Push {
  readonly viewer: Viewer;
  readonly workspaceId: WorkspaceId;
  readonly serverReplica: ReplicaId;
  readonly verdicts: (Verdict | undefined)[];
  /** Replicas whose edit on a document was refused in this push: what follows it depends on it (I6). */
  refused: Set<string>;
  /** How edits without a stamp were tried, by index: a retry finds what an ambiguous failure had committed after all (I2). */
  readonly attempts: Map<number, HeadAttempt>;
  missing: number;
  readonly answer: (verdicts: readonly Verdict[]) => void;
  readonly reject: (error: Error) => void;
}

export interface CommitParts {
  readonly heads: Heads;
  readonly limits: Limits;
  readonly reach: Reach;
  /** Bytes of documents and of their logs that are read before others have to be let go. */
  readonly loadBytes: number;
  readonly now: () => Date;
  readonly newPatchId: () => PatchId;
  /** Told of what is durable, in order of position. */
  readonly committed: (changes: readonly PublishedChange[]) => void;
  /** Told of refusals, to be written down on their own. */
  readonly refused: (push: Push, refusal: Refused, at: Date) => void;
}

/** Bytes of patches and values after which a batch is closed: what one statement should carry at most. */
const batchBytes = 2 * 1024 * 1024;

/** Merging goes on after others had their turn. No other batch touches these documents meanwhile. */
const longestTurnMs = 20;

let batches = 0;

/** A push named a workspace that is gone. */
export class WorkspaceGone extends Error {
  constructor(readonly workspaceId: WorkspaceId) {
    super(`Workspace ${workspaceId} does not exist`);
  }
}

/**
 * Commits the edits in order: each document's one after the other, in memory, then all of them in one statement. Where their
 * documents are too large to be held at once, those that there is no room for come after the others. Tasks whose verdict is
 * known are settled even when a later round throws; `undecided` are those to be tried again then. Without `trustHeads` what is
 * in memory is brought up to date first; true: another node had moved one of the documents.
 *
 * @throws what the statements throw. The states of all documents in the failed round have been forgotten, so another attempt
 * starts from the database, and finds by the dedupe key what an ambiguous failure had committed after all.
 */
export async function commit(db: Queryable, tasks: readonly Task[], parts: CommitParts, trustHeads: boolean): Promise<boolean> {
  const later: Later = new Map();
  let moved = await commitPortion(db, tasks, later, parts, trustHeads);
  while (later.size > 0) {
    const next = takeUp(later, parts.loadBytes);
    // Some edits of a document may have had their verdict before there was no room for the next.
    const open = tasks.filter(({ key, push, index }) => next.has(key) && push.verdicts[index] === undefined);
    moved = (await commitPortion(db, open, later, parts, trustHeads)) || moved;
  }
  return moved;
}

/** Commits the edits of the documents that can be held at once, the first among them; adds the other documents to `later`. */
async function commitPortion(db: Queryable, tasks: readonly Task[], later: Later, parts: CommitParts, trustHeads: boolean): Promise<boolean> {
  const batch = ++batches;
  const states = new Map<DocumentKey, DocumentState>();
  const room: Room = { bytes: parts.loadBytes, later };
  try {
    const moved = trustHeads ? false : await refreshHeads(db, tasks, parts, batch);
    let waiting = await loadMissing(db, tasks, states, room, parts, batch);
    while (waiting.length > 0) {
      const round: Round = { changes: [], settled: [], touched: new Set(), bytes: 0 };
      for (let loads = 0; ; loads++) {
        if (loads > 16 + 8 * tasks.length) throw new Error('invariant: what decisions ask for is loaded and asked for again');
        const needs = new Map<DocumentKey, Need>();
        waiting = await decideAll(waiting, states, round, needs, parts, batch);
        if (needs.size === 0) break;
        waiting = await loadNeeds(db, needs, states, waiting, round.touched, room, parts, batch);
        if (![...needs].some(([key, need]) => need.kind !== 'fresh' || !round.touched.has(key))) break;
      }
      const committedAt = parts.now();
      if (round.changes.length > 0) {
        await append(db, round.changes, committedAt);
        parts.committed(round.changes.map((change) => published(change, committedAt)));
      }
      await settle(db, round, committedAt, parts);
    }
    for (const [key, state] of states) parts.heads.keep(key, state);
    return moved;
  } catch (error) {
    for (const key of states.keys()) parts.heads.forget(key);
    throw error;
  }
}

/** What one statement will carry, and the verdicts that wait for it. */
interface Round {
  readonly changes: NewChange[];
  readonly settled: { readonly task: Task; readonly decision: Exclude<Decision, { kind: 'need' }> }[];
  /** Documents with changes that are decided and not yet logged. */
  readonly touched: Set<DocumentKey>;
  bytes: number;
}

/** Decides what can be decided; returns the rest, in order. A document that needs something holds back its later edits. */
async function decideAll(
  tasks: readonly Task[],
  states: ReadonlyMap<DocumentKey, DocumentState>,
  round: Round,
  needs: Map<DocumentKey, Need>,
  parts: CommitParts,
  batch: number,
): Promise<Task[]> {
  const rest: Task[] = [];
  const now = parts.now();
  let turn = performance.now();
  for (const task of tasks) {
    const { push, edit, key } = task;
    const state = states.get(key);
    if (state === undefined) throw new WorkspaceGone(push.workspaceId);
    if (needs.has(key) || round.bytes > batchBytes) {
      rest.push(task);
      continue;
    }
    if (performance.now() - turn > longestTurnMs) {
      await nextTurn();
      turn = performance.now();
    }
    const chain = chainOf(task);
    const decision = decide(state, edit, {
      limits: parts.limits,
      reach: parts.reach,
      serverReplica: push.serverReplica,
      attempt: edit.stamp === null ? attemptOf(task, parts) : undefined,
      now,
      batch,
      afterRefused: push.refused.has(chain),
    });
    if (decision.kind === 'need') {
      needs.set(key, decision.need);
      rest.push(task);
      continue;
    }
    if (decision.kind === 'change') {
      const { change, text, conflicts } = decision;
      round.changes.push({ state, change, text, conflicts, principalId: push.viewer.principalId, value: state.value });
      round.bytes += text.length + (round.touched.has(key) ? 0 : state.valueBytes);
      round.touched.add(key);
    } else if (decision.kind === 'refused') {
      push.refused.add(chain);
    }
    round.settled.push({ task, decision });
  }
  return rest;
}

/** The stamp that the server makes for an edit keeps its patch id through all attempts. */
function attemptOf({ push, index }: Task, parts: CommitParts): HeadAttempt {
  let attempt = push.attempts.get(index);
  if (attempt === undefined) {
    attempt = { patchId: parts.newPatchId(), counters: [] };
    push.attempts.set(index, attempt);
  }
  return attempt;
}

/** Edits of one replica on one document in one push: each depends on those before it. */
const chainOf = ({ edit, push }: Task): string => `${edit.documentId}\n${edit.stamp?.replicaId ?? push.serverReplica}`;

/** Chains with a refused edit, by the verdicts that are given already: what a new attempt starts from. */
export function refusedChains(tasks: readonly Task[], push: Push): Set<string> {
  return new Set(tasks.filter((task) => task.push === push && push.verdicts[task.index]?.type === 'Refused').map(chainOf));
}

/** Hands out the verdicts of a round that is durable. */
async function settle(db: Queryable, round: Round, at: Date, parts: CommitParts): Promise<void> {
  const duplicates: { readonly workspaceId: WorkspaceId; readonly position: Position }[] = [];
  for (const { task, decision } of round.settled) {
    if (decision.kind === 'duplicate') duplicates.push({ workspaceId: task.push.workspaceId, position: decision.change.position });
  }
  const first = duplicates.length === 0 ? undefined : await conflictsAt(db, duplicates);
  const found = new Map(round.changes.map((change) => [change.change, change.conflicts]));
  for (const { task, decision } of round.settled) {
    const { documentId } = task.edit;
    switch (decision.kind) {
      case 'change':
        deliver(task, committed(documentId, decision.change, false, conflictRecords(documentId, decision.change, found.get(decision.change) ?? [], at)));
        break;
      case 'duplicate':
        deliver(task, committed(documentId, decision.change, true, first?.get(`${task.push.workspaceId}\n${decision.change.position}`) ?? []));
        break;
      case 'refused': {
        const refusal = refused(documentId, task.edit.stamp?.patchId ?? null, decision.failure);
        parts.refused(task.push, refusal, at);
        deliver(task, refusal);
      }
    }
  }
}

/** Settles a task; the push is answered with its last one. */
export function deliver({ push, index }: Task, verdict: Verdict): void {
  if (push.verdicts[index] !== undefined) return;
  push.verdicts[index] = verdict;
  push.missing -= 1;
  if (push.missing === 0) push.answer(push.verdicts as Verdict[]);
}

/** For an edit that the database did not take for a reason that nobody foresaw. It is in the log of the server. */
export function refuseAsBug(task: Task): void {
  const { edit } = task;
  deliver(task, refused(edit.documentId, edit.stamp?.patchId ?? null, { code: 'INTERNAL', message: `A bug in Concord kept the edits of document ${edit.documentId} from being committed; the server log has the reason` }));
}
