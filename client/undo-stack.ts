import { ConcordError, invert, squash, type DocumentId, type PatchId } from '@concord/core';
import type { DocumentState, PendingEdit } from './document-state.js';
import type { Edited, LocalEdits } from './edit.js';
import type { Store } from './store/store.js';
import type { UndoSide, UndoStep } from './store/undo.js';

/** What to undo or redo: the newest group of one document, of the documents of one collection, or of all. */
export interface UndoScope {
  readonly documentId?: string;
  readonly collection?: string;
}

/** The edits that undid or redid a group. */
export interface Undone {
  readonly edits: readonly { readonly documentId: DocumentId; readonly patchId: PatchId }[];
}

interface OpenGroup {
  readonly number: number;
  readonly name: string | undefined;
}

/**
 * Undo and redo of the edits made here. Each edit writes one row with what takes it back, in its own transaction; `UndoSteps`
 * keeps these rows right while other changes arrive. To undo is to edit: it goes through the outbox like all edits.
 */
export class UndoStack {
  /** The group that edits go to while `group` runs. */
  private open: OpenGroup | undefined;
  /** The last group with a name: the next one of the same name goes on with it. */
  private last: OpenGroup | undefined;
  /** Where the edits go that undo or redo something. */
  private replaying: { readonly side: UndoSide; readonly group: number } | undefined;

  constructor(
    private readonly store: Store,
    private readonly edits: LocalEdits,
  ) {}

  group<T>(work: () => T, name: string | undefined): T {
    if (this.open !== undefined) return work();
    this.open = name !== undefined && this.last?.name === name ? this.last : { number: this.store.undo.takeGroup(), name };
    try {
      return work();
    } finally {
      this.last = this.open;
      this.open = undefined;
    }
  }

  /** For the transaction of an edit: writes what takes it back. The returned function is for after the commit. */
  record = (before: DocumentState | undefined, id: DocumentId, edit: PendingEdit): (() => void) => {
    const { undo } = this.store;
    const inverse = edit.kind === 'PATCH' && before !== undefined ? invert(before.value, edit.patch, 'trusted') : undefined;
    const patch = inverse?.ok === true ? inverse.value : [];
    const to = this.replaying ?? { side: 'undo' as const, group: this.open?.number ?? undo.takeGroup() };
    if (this.replaying === undefined) {
      if (this.open === undefined) this.last = undefined;
      if (!undo.isEmpty('redo')) undo.forgetRedo();
      undo.trim();
    }
    return undo.add(id, to.side, { group: to.group, patchId: edit.patchId, kind: edit.kind, patch });
  };

  can(side: UndoSide, scope: UndoScope): boolean {
    return this.store.undo.newest(side).some(({ documents }) => documents.some((id) => this.isIn(scope, id) && this.store.read(id) !== undefined));
  }

  /** Takes the newest group of a side back, as far as there is something left of it. */
  take(side: UndoSide, scope: UndoScope): Undone | null {
    this.last = undefined;
    for (const { group, documents } of this.store.undo.newest(side)) {
      const edits: { documentId: DocumentId; patchId: PatchId }[] = [];
      for (const documentId of documents) {
        if (!this.isIn(scope, documentId)) continue;
        for (const { patchId } of this.replay(side, group, documentId)) if (patchId !== null) edits.push({ documentId, patchId });
      }
      if (edits.length > 0) return { edits };
    }
    return null;
  }

  private isIn({ documentId, collection }: UndoScope, id: DocumentId): boolean {
    if (documentId !== undefined && documentId !== id) return false;
    return collection === undefined || this.store.read(id)?.collection === collection;
  }

  private replay(side: UndoSide, group: number, id: DocumentId): readonly Edited[] {
    const steps = this.store.undo.of(id, side).filter((step) => step.group === group);
    const made: Edited[] = [];
    this.replaying = { side: side === 'undo' ? 'redo' : 'undo', group };
    try {
      for (let from = 0; from < steps.length; ) {
        const { kind } = steps[from]!;
        let to = from + 1;
        while (kind === 'PATCH' && steps[to]?.kind === 'PATCH') to++;
        const run = steps.slice(from, to);
        const deleted = this.store.read(id)?.deleted ?? true;
        // Somebody else has deleted it, or brought it back: there is nothing of this to take back now.
        if (deleted !== (kind === 'DELETE')) {
          if (kind !== 'PATCH') this.store.transact(() => this.store.undo.replace(id, side, run, []));
          return made;
        }
        made.push(...this.takeBack(side, id, run));
        from = to;
      }
    } finally {
      this.replaying = undefined;
    }
    return made;
  }

  private takeBack(side: UndoSide, id: DocumentId, run: readonly UndoStep[]): readonly Edited[] {
    const forget = (): void => this.store.undo.replace(id, side, run, []);
    switch (run[0]!.kind) {
      case 'CREATE':
      case 'RESTORE':
        return [this.edits.together(() => this.edits.delete(id), forget)];
      case 'DELETE':
        return [this.edits.together(() => this.edits.restore(id), forget)];
      case 'PATCH': {
        const patches = squash(run.map(({ patch }) => patch)).filter(({ patch }) => patch.length > 0);
        if (patches.length === 0) this.store.transact(forget);
        return patches.map(({ patch }, index) => {
          const make = (): Edited => this.edits.apply(id, patch);
          try {
            return index === patches.length - 1 ? this.edits.together(make, forget) : make();
          } catch (error) {
            // What a limit refuses now is refused for ever: it must not stand before the older steps.
            if (error instanceof ConcordError && error.code === 'LIMIT_EXCEEDED') this.store.transact(forget);
            throw error;
          }
        });
      }
    }
  }
}

