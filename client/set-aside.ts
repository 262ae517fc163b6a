import { ConcordError, normalizeAndApply, parsePatch, type DocumentId, type JsonValue, type PatchId, type WirePatch } from '@concord/core';
import type { EditKind } from './document-state.js';
import type { Edited, LocalEdits } from './edit.js';
import { wirePatchOf, type QuarantinedEdit } from './store/quarantine.js';
import type { Store } from './store/store.js';
import { withdraw } from './withdraw.js';

/** An edit made here that has not come back from the server. */
export interface PendingChange {
  readonly documentId: DocumentId;
  readonly patchId: PatchId;
  readonly kind: EditKind;
  /** In the form that `edit` takes, on the document with all earlier edits. CREATE: one `add` of the whole document; DELETE and RESTORE: empty. */
  readonly patch: WirePatch;
  /** True: it may have reached the server, and can no longer be withdrawn. */
  readonly sent: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
}

/**
 * What became of the wish to take an edit back. `SENT`: it may have reached the server; make an edit that undoes it. `NEEDED`: later
 * edits are made on it and cannot be without it; withdraw these first. `NOT_PENDING`: no such edit waits (any more).
 */
export type Withdrawal =
  | { readonly withdrawn: true; readonly documentId: DocumentId; readonly patchId: PatchId }
  | { readonly withdrawn: false; readonly reason: 'SENT' | 'NEEDED' | 'NOT_PENDING'; readonly message: string };

/** Edits that are not committed: what waits in the outbox and what was set aside, for the app to look at and to decide on. */
export class SetAside {
  constructor(
    private readonly store: Store,
    private readonly edits: LocalEdits,
    private readonly timestamp: () => string,
  ) {}

  pending(): readonly PendingChange[] {
    return [...this.store.waiting]
      .flatMap((documentId) => (this.store.read(documentId)?.pending ?? []).map((edit) => ({ documentId, edit })))
      .sort((a, b) => a.edit.seq - b.edit.seq)
      .map(({ documentId, edit }) => ({ documentId, patchId: edit.patchId, kind: edit.kind, patch: wirePatchOf(edit), sent: edit.sent, createdAt: edit.createdAt }));
  }

  quarantined(): readonly QuarantinedEdit[] {
    return this.store.quarantine.list();
  }

  discard(patchId: PatchId): boolean {
    return this.store.transact(() => this.store.quarantine.delete(patchId));
  }

  /**
   * Makes a refused edit anew and takes it out of the quarantine, in one transaction. The new edit has an id of its own: under the old
   * one, the first sending could still come back as committed and be taken for the new one, which was made on another value.
   */
  retry(patchId: PatchId, changed: WirePatch | undefined, names: { readonly id?: string }): Edited {
    const refused = this.store.quarantine.get(patchId);
    if (refused === undefined) {
      throw new ConcordError('INPUT_INVALID', `There is no edit ${patchId} in quarantine: quarantined() lists those that are.`, { id: patchId });
    }
    if (refused.unreadable !== undefined && changed === undefined) {
      throw new ConcordError('INPUT_INVALID', `The edit ${patchId} was damaged in the file and cannot be made again as it is. Give the patch that it should be.`, { id: patchId });
    }
    return this.edits.together(
      () => this.again(refused, changed, names),
      () => void this.store.quarantine.delete(patchId),
    );
  }

  /** Takes back an edit that was never sent. What was made after it stays, as if it had been made without it. */
  withdraw(patchId: PatchId): Withdrawal {
    const documentId = this.store.outbox.documentOf(patchId);
    const state = documentId === undefined ? undefined : this.store.read(documentId);
    const edit = state?.pending.find((pending) => pending.patchId === patchId);
    if (state === undefined || edit === undefined) {
      return refuse('NOT_PENDING', `No edit ${patchId} waits here: it is committed, refused, withdrawn, or was folded into an earlier one when that was sent.`);
    }
    if (edit.sent) return refuse('SENT', `The edit ${patchId} is on its way: the server may have it already. Make an edit that undoes it.`);
    const withdrawn = withdraw(state, patchId, { code: 'PATCH_DEPENDS_ON_REFUSED', message: 'withdrawn' });
    const later = state.pending.length - 1 - state.pending.indexOf(edit);
    if (withdrawn.refused.length > 1 || (edit.kind === 'RESTORE' && later > 0)) {
      return refuse('NEEDED', `${later} later edits of ${state.id} are made on the edit ${patchId} and cannot be without it. Withdraw them first, the newest one at the beginning.`);
    }
    this.store.transact(() => {
      if (withdrawn.state === undefined) this.store.delete(state.id);
      else this.store.write(withdrawn.state);
      this.store.carryRestores(state, withdrawn.moves);
      for (const conflict of withdrawn.conflicts) this.store.addConflict(conflict, this.timestamp());
    });
    return { withdrawn: true, documentId: state.id, patchId };
  }

  private again({ documentId, kind, patch, collection, title }: QuarantinedEdit, changed: WirePatch | undefined, { id }: { readonly id?: string }): Edited {
    if (kind !== 'CREATE' && id !== undefined) throw new ConcordError('INPUT_INVALID', `Only a creation can be made under another id; this edit is a ${kind} of ${documentId}.`, { path: '/id' });
    switch (kind) {
      case 'CREATE':
        return this.edits.create(collection ?? '', createdValue(changed ?? patch), { id: id ?? documentId, title: title ?? '' });
      case 'PATCH':
        return this.edits.edit(documentId, changed ?? patch);
      case 'DELETE':
      case 'RESTORE':
        if (changed !== undefined) throw new ConcordError('INPUT_INVALID', `A ${kind} has no patch that could be changed.`);
        return kind === 'DELETE' ? this.edits.delete(documentId) : this.edits.restore(documentId);
    }
  }
}

const refuse = (reason: Extract<Withdrawal, { withdrawn: false }>['reason'], message: string): Withdrawal => ({ withdrawn: false, reason, message });

/** A creation is a patch on nothing. */
function createdValue(patch: WirePatch): JsonValue {
  const parsed = parsePatch(patch);
  if (!parsed.ok) throw ConcordError.from(parsed.error);
  const made = normalizeAndApply(null, parsed.value);
  if (!made.ok) throw ConcordError.from(made.error);
  return made.value.document;
}
