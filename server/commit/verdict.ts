import { toWire, type DocumentId, type JsonValue, type PatchId, type WirePatch } from '@concord/core';
import type { ChangeRecord, Committed, ConflictRecord, Refused } from '@concord/schema';
import type { NewChange } from './append.js';
import type { FoundConflict } from './decide.js';
import type { LoggedChange, ToldChange } from './document-state.js';
import type { Refusal } from './refuse.js';

export const conflictRecords = (documentId: DocumentId, change: ToldChange, conflicts: readonly FoundConflict[], createdAt: Date): ConflictRecord[] =>
  conflicts.map(({ againstRevision, conflict }, ordinal) => ({
    position: change.position,
    ordinal,
    documentId,
    againstRevision,
    conflict,
    createdAt,
    laterRevision: change.revision,
    lostBy: null,
    wonBy: null,
  }));

export const committed = (documentId: DocumentId, change: ToldChange, duplicate: boolean, conflicts: readonly ConflictRecord[]): Committed => ({
  type: 'Committed',
  documentId,
  patchId: change.patchId,
  revision: change.revision,
  position: change.position,
  duplicate,
  patch: change.sent === null ? null : toWire(change.patch),
  conflicts,
});

export const refused = (documentId: DocumentId, patchId: PatchId | null, failure: Refusal): Refused => ({ type: 'Refused', documentId, patchId, ...failure });

/** A change as the feed tells it, with a rough size of its JSON. */
export interface PublishedChange {
  readonly record: ChangeRecord;
  readonly bytes: number;
  /** The document after it; undefined: the change was read from the log. */
  readonly after?: { readonly value: JsonValue; readonly bytes: number };
}

export function published({ state, change, principalId, losers, value }: NewChange, committedAt: Date): PublishedChange {
  const { kind, position, revision, replicaId, counter, patchId, patch } = change;
  const record: ChangeRecord = {
    workspaceId: state.workspaceId,
    position,
    documentId: state.documentId,
    revision,
    kind,
    collection: state.facts?.collection ?? '',
    title: kind === 'CREATE' ? (state.facts?.title ?? '') : null,
    replicaId,
    counter,
    patchId,
    principalId,
    patch: toldPatch(kind, patch),
    committedAt,
    ...(losers === undefined ? {} : { losers }),
  };
  return { record, bytes: 400 + change.bytes, after: { value, bytes: state.valueBytes } };
}

/** As RFC 6902. A creation is logged as a replacement of the root and told as what makes a document out of nothing: `add`. */
export const toldPatch = (kind: ChangeRecord['kind'], patch: LoggedChange['patch']): WirePatch =>
  kind === 'CREATE' ? patch.map((operation) => ({ op: 'add', path: '', value: operation.op === 'replace' ? operation.value : null })) : toWire(patch);
