import {
  ConcordError,
  checkValue,
  defaultLimits,
  jsonBytes,
  markCorrections,
  normalizeAndApply,
  parseDocumentId,
  parsePatch,
  takeValue,
  type DocumentId,
  type JsonValue,
  type NormalPatch,
  type Patch,
  type PatchId,
  type Revision,
  type WirePatch,
} from '@concord/core';
import { shown } from './condition.js';
import { Definitions } from './definitions.js';
import type { DocumentState, EditKind, PendingEdit } from './document-state.js';
import type { DeepReadonly } from './document-view.js';
import { patchOfDraft } from './draft.js';
import type { Store } from './store/store.js';

/** What became of a local edit: it is in the file and will be pushed. */
export interface Edited {
  readonly documentId: DocumentId;
  /**
   * Names the edit for ever. Null: the edit changed nothing, so there is none. Where many edits are folded into one before they
   * are sent (`squashFrom`), the log knows them by the id of the first.
   */
  readonly patchId: PatchId | null;
}

/** Alters the copy of the value it is given, or returns another value. */
export type DraftFunction<T> = (draft: T) => T | DeepReadonly<T> | void;

/**
 * Edits made here. Each is one SQLite transaction: a row of the outbox, on the value it was made on. No network is waited
 * for. Refusals are thrown as ConcordError with the code, the path and the operation.
 */
export class LocalEdits {
  /** What the edit that is being made writes beside itself. */
  private also: (() => void) | undefined;
  /** Within the transaction of an edit: writes what undoes it; what it returns is called after the commit. */
  recorder: ((before: DocumentState | undefined, id: DocumentId, edit: PendingEdit) => () => void) | undefined;

  constructor(
    private readonly store: Store,
    private readonly environment: { readonly now: () => number; readonly newId: () => string },
    private readonly onEdit: () => void,
    private readonly definitions = new Definitions(),
  ) {}

  /** Makes an edit whose transaction also does `also`; where the edit changes nothing, that is all it does. */
  together(make: () => Edited, also: () => void): Edited {
    this.also = also;
    try {
      const edited = make();
      if (edited.patchId === null) this.store.transact(also);
      return edited;
    } finally {
      this.also = undefined;
    }
  }

  create(collection: string, value: unknown, names: { readonly id?: string; readonly title?: string } = {}): Edited {
    this.store.forCaller();
    const id = documentId(names.id ?? this.environment.newId());
    const title = names.title ?? '';
    checkName('collection', collection, 1);
    checkName('title', title, 0);
    const checked = takeValue(value);
    if (!checked.ok) throw ConcordError.from(checked.error);
    bytesOf(id, checked.value);
    const before = this.store.read(id);
    if (before !== undefined) {
      throw new ConcordError('DOCUMENT_EXISTS', `There is a document ${id} already${before.deleted ? ' (deleted: restore brings it back)' : ''}. Choose another id, or edit it.`);
    }
    const at = this.timestamp();
    const edit = this.pendingEdit('CREATE', [{ op: 'replace', path: [], value: checked.value }], at, { collection, title });
    let recorded = undefined as (() => void) | undefined;
    this.store.transact(() => {
      this.also?.();
      recorded = this.recorder?.(undefined, id, edit);
      this.store.write({
        id,
        collection,
        title,
        confirmed: undefined,
        confirmedDeleted: false,
        revision: 0 as Revision,
        position: 0,
        value: checked.value,
        deleted: false,
        pending: [edit],
        counter: 0,
        left: false,
        createdAt: at,
        updatedAt: at,
      });
    });
    recorded?.();
    this.onEdit();
    return { documentId: id, patchId: edit.patchId };
  }

  edit(id: string, change: WirePatch | DraftFunction<never>): Edited {
    const before = this.living(id);
    if (typeof change === 'function') {
      const patch = patchOfDraft(before.value, change, this.definitions.of(before.collection));
      // What was edited meanwhile is not in the draft, and would be missing from what is shown and sent after it.
      if (this.living(id).pending.at(-1)?.seq !== before.pending.at(-1)?.seq) {
        throw new ConcordError('INPUT_INVALID', `The draft function edited the document ${id} itself: that edit is made, its draft is not kept. Alter the draft only, and make other edits of the document before or after.`);
      }
      return this.patch(before, patch);
    }
    const parsed = parsePatch(change, defaultLimits, 'take');
    if (!parsed.ok) throw ConcordError.from(parsed.error);
    return this.patch(before, parsed.value);
  }

  delete(id: string): Edited {
    const before = this.living(id);
    return this.append(before, { ...before, deleted: true }, 'DELETE', []);
  }

  restore(id: string): Edited {
    const before = this.present(id);
    if (!before.deleted) return { documentId: before.id, patchId: null };
    return this.append(before, { ...before, deleted: false }, 'RESTORE', []);
  }

  /** A patch in normal form, made on what the document is now. */
  apply(id: DocumentId, patch: NormalPatch): Edited {
    return this.patch(this.living(id), patch);
  }

  /** A patch whose values are already checked. */
  private patch(before: DocumentState, patch: Patch | NormalPatch): Edited {
    const normalized = normalizeAndApply(before.value, patch);
    if (!normalized.ok) throw ConcordError.from(normalized.error);
    if (normalized.value.patch.length === 0) return { documentId: before.id, patchId: null };
    const { document: value } = normalized.value;
    const normal = markCorrections(before.value, normalized.value.patch);
    // A patch adds at most its own bytes, so that the document need not be measured at every edit.
    const grown = patchBytes(normal) + (this.store.bytesAtMost(before.id) ?? Infinity);
    const bytes = grown <= defaultLimits.documentBytes ? grown : bytesOf(before.id, value);
    return this.append(before, { ...before, value }, 'PATCH', normal, bytes);
  }

  private append(before: DocumentState, edited: DocumentState, kind: EditKind, patch: NormalPatch, bytes = this.store.bytesAtMost(before.id) ?? 0): Edited {
    const at = this.timestamp();
    const edit = this.pendingEdit(kind, patch, at, null);
    const after = { ...edited, pending: [...before.pending, edit], updatedAt: at };
    const { recorder, also } = this;
    let recorded = undefined as (() => void) | undefined;
    const besides = (): void => {
      also?.();
      recorded = recorder?.(before, before.id, edit);
    };
    this.store.commitEdit(before, after, edit, bytes, recorder === undefined ? also : besides);
    recorded?.();
    this.onEdit();
    return { documentId: before.id, patchId: edit.patchId };
  }

  private pendingEdit(kind: EditKind, patch: NormalPatch, createdAt: string, names: { readonly collection: string; readonly title: string } | null): PendingEdit {
    return {
      seq: this.store.outbox.takeSeq(),
      patchId: this.environment.newId() as PatchId,
      kind,
      patch,
      collection: names?.collection ?? null,
      title: names?.title ?? null,
      sent: false,
      counter: null,
      createdAt,
    };
  }

  private present(id: string): DocumentState {
    const state = this.store.forCaller().read(documentId(id));
    if (state === undefined) throw new ConcordError('DOCUMENT_NOT_FOUND', `There is no document ${id} in this replica. Create it, or wait for the sync (settled()).`);
    return state;
  }

  private living(id: string): DocumentState {
    const state = this.present(id);
    if (state.deleted) throw new ConcordError('DOCUMENT_DELETED', `The document ${id} is deleted. Restore it before editing it.`);
    return state;
  }

  private timestamp(): string {
    return new Date(this.environment.now()).toISOString();
  }
}

function documentId(text: string): DocumentId {
  const parsed = parseDocumentId(text);
  if (!parsed.ok) throw ConcordError.from(parsed.error);
  return parsed.value;
}

function checkName(name: 'collection' | 'title', text: unknown, least: number): void {
  if (typeof text !== 'string') throw new ConcordError('INPUT_INVALID', `${name} must be a text; got ${shown(text)}.`, { path: `/${name}` });
  const checked = checkValue(text);
  if (!checked.ok) throw ConcordError.from({ ...checked.error, path: `/${name}` });
  if (text.length < least || text.length > 256) {
    throw new ConcordError('INPUT_INVALID', `${name} must be ${least} to 256 characters long, got ${text.length}.`, { path: `/${name}`, limit: 256, actual: text.length });
  }
}

/** Bytes of the patch. A draft may differ in more, and a copy may stand for more, than one patch may hold: told now, while it can be split. */
function patchBytes(patch: NormalPatch): number {
  const { patchOperations, patchBytes: limit } = defaultLimits;
  if (patch.length > patchOperations) {
    throw new ConcordError('LIMIT_EXCEEDED', `The edit has ${patch.length} operations; at most ${patchOperations} are allowed (patchOperations). Split it.`, { limitName: 'patchOperations', limit: patchOperations, actual: patch.length });
  }
  const bytes = jsonBytes(patch, limit);
  if (bytes > limit) throw new ConcordError('LIMIT_EXCEEDED', `The edit has ${bytes} bytes or more; at most ${limit} are allowed (patchBytes). Split it.`, { limitName: 'patchBytes', limit, actual: bytes });
  return bytes;
}

/** Bytes of the value as JSON, or LIMIT_EXCEEDED where the server would refuse its size. */
function bytesOf(id: DocumentId, value: JsonValue): number {
  const limit = defaultLimits.documentBytes;
  const actual = jsonBytes(value);
  if (actual > limit) throw new ConcordError('LIMIT_EXCEEDED', `The document ${id} would have ${actual} bytes; at most ${limit} are allowed (documentBytes). Split it.`, { limitName: 'documentBytes', limit, actual });
  return actual;
}
