import { apply, ok, type Counter, type DocumentId, type JsonValue, type NormalPatch, type PatchId, type Result, type Revision } from '@concord/core';
import { unlimited } from './unlimited.js';

export type EditKind = 'CREATE' | 'PATCH' | 'DELETE' | 'RESTORE';

/** One edit that the server has not been seen to have committed. */
export interface PendingEdit {
  /** Place in the outbox: order of making, over all documents. */
  readonly seq: number;
  readonly patchId: PatchId;
  readonly kind: EditKind;
  /** Runs on the confirmed value with all pending edits before it. CREATE: one `replace` of the whole; DELETE, RESTORE: empty. */
  readonly patch: NormalPatch;
  /** With CREATE only, else null. */
  readonly collection: string | null;
  readonly title: string | null;
  /** True: it may have reached the server; nothing may be folded into it any more. */
  readonly sent: boolean;
  /** Given at the first sending; null before. */
  readonly counter: Counter | null;
  /** ISO 8601; for people. */
  readonly createdAt: string;
}

/**
 * One document of a replica, as a value: every step of the protocol takes one and gives a new one.
 *
 * Invariant: `value` is `confirmed` with all of `pending` applied; without pending edits they are the same reference.
 */
export interface DocumentState {
  readonly id: DocumentId;
  readonly collection: string;
  readonly title: string;
  /** What the server has at `revision`; undefined while it does not have the document. */
  readonly confirmed: JsonValue | undefined;
  readonly confirmedDeleted: boolean;
  /** 0: the server does not have it. */
  readonly revision: Revision;
  /** Feed position of the newest change seen, 0 before any. */
  readonly position: number;
  /** What the app sees. */
  readonly value: JsonValue;
  readonly deleted: boolean;
  readonly pending: readonly PendingEdit[];
  /** Highest counter of this replica that the log of the document is known to hold. */
  readonly counter: number;
  /** True: it no longer matches the filter of the replica; it goes when nothing is pending any more. */
  readonly left: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Whether the document is a tombstone for the app: the last pending word, else the server's. */
export function visiblyDeleted(confirmedDeleted: boolean, pending: readonly PendingEdit[]): boolean {
  for (let index = pending.length - 1; index >= 0; index--) {
    const { kind } = pending[index]!;
    if (kind === 'DELETE') return true;
    if (kind === 'CREATE' || kind === 'RESTORE') return false;
  }
  return confirmedDeleted;
}

/** True where an own CREATE waits although the server has a document of that id: the CREATE will be refused, so nothing is rebased. */
export const createClashes = (pending: readonly PendingEdit[]): boolean => pending[0]?.kind === 'CREATE';

/** Guards are for the server to judge; here they would only get in the way of applying. */
export function withoutGuards(patch: NormalPatch): NormalPatch {
  return patch.some(({ op }) => op === 'test') ? patch.filter(({ op }) => op !== 'test') : patch;
}

/** The value after edits, where `value` is the one that the first of them was made on. */
export function valueAfter(value: JsonValue, edits: readonly PendingEdit[]): Result<JsonValue> {
  let reached = value;
  for (const { patch } of edits) {
    const applied = apply(reached, withoutGuards(patch), unlimited);
    if (!applied.ok) return applied;
    reached = applied.value;
  }
  return ok(reached);
}
