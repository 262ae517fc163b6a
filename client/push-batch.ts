import { defaultLimits, jsonBytes, markCorrections, mostReportedConflicts, squash, toWire, type Counter, type DocumentId, type JsonValue, type NormalPatch, type PatchId } from '@concord/core';
import { valueAfter, type DocumentState, type PendingEdit } from './document-state.js';
import type { EditInput } from './generated/graphql.js';
import type { Store } from './store/store.js';

/** An edit that is on its way to the server. */
export interface Sent {
  readonly id: DocumentId;
  readonly edit: PendingEdit;
  /** It was never sent before, so the server cannot have it. */
  readonly first: boolean;
  readonly conflicts: NonNullable<EditInput['conflicts']>;
}

export interface BatchChoice {
  readonly mostEdits: number;
  /** Never-sent edits of a document are folded together when there are so many; 0: never. */
  readonly squashFrom: number;
  /** Documents that have to wait now. */
  readonly waits: (id: DocumentId) => boolean;
  /** Edits whose verdict is here already: they only wait for the feed. */
  readonly isAcknowledged: (patchId: PatchId) => boolean;
}

/** The server refuses 4 MiB; ids, names and punctuation around the patches are only estimated. */
const mostBytes = defaultLimits.pushBytes * 0.9;
const envelopeBytes = 300;
/** No more is reported of one edit: a report must never be what the server refuses the edit for. */
const mostConflictBytes = 256 * 1024;

/** Chooses what to send next and freezes it: numbered and marked as sent in the file before it leaves. */
export function chooseBatch(store: Store, choice: BatchChoice): Sent[] {
  const batch: Sent[] = [];
  const changed: Frozen[] = [];
  let bytes = 0;
  for (const id of store.waiting) {
    if (choice.waits(id)) continue;
    const frozen = frozenOf(store, id, choice, { edits: choice.mostEdits - batch.length, bytes: mostBytes - bytes, atLeastOne: batch.length === 0 });
    if (frozen === undefined) continue;
    if (frozen.state !== frozen.before) changed.push(frozen);
    batch.push(...frozen.chosen);
    bytes += frozen.bytes;
    if (batch.length >= choice.mostEdits || bytes >= mostBytes * 0.9) break;
  }
  if (changed.length > 0) {
    store.transact(() => {
      for (const { state, folded } of changed) {
        // Where edits were folded, rows that the document does not show yet may be gone.
        if (folded.length > 0) store.write(state);
        else store.writeStamps(state);
        for (const { from, into } of folded) {
          store.conflicts.reassign(state.id, from, into);
          if (store.undo.concern(state.id)) store.undo.reassign(state.id, from, into);
        }
      }
    });
  }
  return batch;
}

/** What of a document is to be sent; undefined: nothing. A document whose edits cannot be worked with is set aside, and stops no other. */
function frozenOf(store: Store, id: DocumentId, choice: BatchChoice, room: Parameters<typeof freeze>[3]): (Frozen & { readonly before: DocumentState }) | undefined {
  try {
    const before = store.read(id);
    if (before === undefined || before.pending.every(({ patchId }) => choice.isAcknowledged(patchId))) return undefined;
    return { ...freeze(store, before, choice, room), before };
  } catch (error) {
    store.setAside(id, error);
    return undefined;
  }
}

interface Fold {
  readonly from: PatchId;
  readonly into: PatchId;
}

interface Frozen {
  readonly state: DocumentState;
  readonly folded: readonly Fold[];
  readonly chosen: readonly Sent[];
  readonly bytes: number;
}

function freeze(store: Store, state: DocumentState, { squashFrom, isAcknowledged }: BatchChoice, room: { readonly edits: number; readonly bytes: number; readonly atLeastOne: boolean }): Frozen {
  const { edits, folded } = squashed(state, squashFrom);
  const pending = [...edits];
  const chosen: Sent[] = [];
  let bytes = 0;
  let touched = edits !== state.pending;
  let counter = state.counter;
  const conflicted = store.conflicts.concern(state.id);
  for (const [index, edit] of edits.entries()) {
    if (edit.counter !== null) counter = Math.max(counter, edit.counter);
    if (isAcknowledged(edit.patchId)) continue;
    const conflicts = conflicted ? conflictsOf(store, state.id, [edit.patchId, ...folded.filter(({ into }) => into === edit.patchId).map(({ from }) => from)]) : none;
    const size = bytesOf(edit) + conflicts.bytes;
    const enough = chosen.length >= room.edits || bytes + size > room.bytes;
    if (enough && !(room.atLeastOne && chosen.length === 0)) break;
    let frozen = edit;
    if (edit.counter === null || !edit.sent) {
      if (edit.counter === null) counter++;
      frozen = { ...edit, sent: true, counter: edit.counter ?? (counter as Counter) };
      pending[index] = frozen;
      touched = true;
    }
    chosen.push({ id: state.id, edit: frozen, first: !edit.sent, conflicts: conflicts.reports });
    bytes += size;
  }
  return { state: touched ? { ...state, pending } : state, folded, chosen, bytes };
}

/** Folds runs of never-sent patches, where there are enough of them to be worth it. The folded one keeps the first one's ids. */
function squashed({ pending, confirmed }: DocumentState, from: number): { readonly edits: readonly PendingEdit[]; readonly folded: readonly Fold[] } {
  const first = pending.findIndex(({ sent }) => !sent);
  if (from === 0 || first < 0 || pending.length - first < from) return { edits: pending, folded: [] };
  const edits: PendingEdit[] = pending.slice(0, first);
  const folded: Fold[] = [];
  for (let start = first; start < pending.length; ) {
    let end = start;
    while (end < pending.length && pending[end]!.kind === 'PATCH' && !pending[end]!.sent) end++;
    if (end === start) {
      edits.push(pending[start++]!);
      continue;
    }
    const run = pending.slice(start, end);
    let taken = 0;
    for (const { patch, count } of squash(run.map((edit) => edit.patch))) {
      const head = run[taken]!;
      edits.push(count === 1 ? head : { ...head, patch: corrected(confirmed, edits, patch) });
      for (const { patchId } of run.slice(taken + 1, taken + count)) folded.push({ from: patchId, into: head.patchId });
      taken += count;
    }
    start = end;
  }
  return { edits, folded };
}

/** Keystrokes show only together that they were a correction. `before`: what is pending before the patch. */
function corrected(confirmed: JsonValue | undefined, before: readonly PendingEdit[], patch: NormalPatch): NormalPatch {
  if (!patch.some(({ op }) => op === 'str_del') || !patch.some(({ op }) => op === 'str_ins')) return patch;
  const made = valueAfter(confirmed ?? null, before);
  return made.ok ? markCorrections(made.value, patch) : patch;
}

interface Reported {
  readonly reports: Sent['conflicts'];
  readonly bytes: number;
}

const none: Reported = { reports: [], bytes: 0 };

/** What rebasing an edit here has cost: the server sees only the rebased one. */
function conflictsOf(store: Store, id: DocumentId, patchIds: readonly PatchId[]): Reported {
  const reports: Sent['conflicts'][number][] = [];
  let bytes = 0;
  for (const patchId of patchIds) {
    for (const { revision, conflict } of store.conflicts.ofEdit(id, patchId, mostReportedConflicts - reports.length)) {
      const json = conflict as unknown as JsonValue;
      const size = jsonBytes(json, mostConflictBytes) + 30;
      if (bytes + size > mostConflictBytes) continue;
      reports.push({ revision, conflict: json });
      bytes += size;
    }
  }
  return { reports, bytes };
}

const sizes = new WeakMap<object, number>();

function bytesOf({ patch }: PendingEdit): number {
  const known = sizes.get(patch);
  if (known !== undefined) return known;
  const bytes = jsonBytes(patch) + envelopeBytes;
  sizes.set(patch, bytes);
  return bytes;
}

export function editInput({ id, edit, conflicts }: Sent, base: DocumentState['revision'], epoch: number): EditInput {
  return {
    ...(conflicts.length > 0 ? { conflicts } : {}),
    documentId: id,
    patchId: edit.patchId,
    counter: edit.counter!,
    clock: { epoch, base },
    action: actionOf(edit),
  };
}

function actionOf(edit: PendingEdit): EditInput['action'] {
  switch (edit.kind) {
    case 'CREATE': {
      const [operation] = edit.patch;
      return { create: { collection: edit.collection, title: edit.title, value: operation?.op === 'replace' ? operation.value : null } };
    }
    case 'PATCH':
      return { patch: toWire(edit.patch) as unknown as JsonValue };
    case 'DELETE':
      return { delete: true };
    case 'RESTORE':
      return { restore: true };
  }
}
