import type { Conflict, Counter, DocumentId, ErrorCode, Failure, JsonValue, Patch, PatchId, Position, ReplicaId, Revision, WirePatch, WorkspaceId } from '@concord/core';
import type { ConflictRecord } from './read-port.js';
import type { Viewer } from './viewer.js';

/** What the author had seen: compact (the base revision) or the full vector, own edit included. Equivalent (docs/SEMANTICS.md, clocks). */
export type EditClock =
  | { readonly epoch: number; readonly base: Revision }
  | { readonly epoch: number; readonly vector: ReadonlyMap<ReplicaId, Counter> };

/** Identity and context of an edit. The same stamp always means the same edit. */
export interface Stamp {
  readonly patchId: PatchId;
  readonly replicaId: ReplicaId;
  readonly counter: Counter;
  readonly clock: EditClock;
}

export type EditAction =
  | { readonly kind: 'CREATE'; readonly collection: string; readonly title: string; readonly value: JsonValue }
  | { readonly kind: 'PATCH'; readonly patch: Patch }
  | { readonly kind: 'DELETE' }
  | { readonly kind: 'RESTORE' };

export interface Edit {
  readonly documentId: DocumentId;
  /** Null: made by a person at the head. The server stamps it with its own replica for that principal. */
  readonly stamp: Stamp | null;
  /** With a null stamp only: refuse with `TEST_FAILED` unless the head has this revision. */
  readonly ifRevision?: Revision;
  readonly action: EditAction;
  /** What the author's own merge dropped or weakened when it rebased the edit before sending it; recorded with the change. */
  readonly conflicts?: readonly ReportedConflict[];
}

/** A conflict of an edit with an earlier change of the document, found by the author. */
export interface ReportedConflict {
  readonly againstRevision: Revision;
  readonly conflict: Conflict;
}

/** An edit that could not even be read. It goes to the commit all the same, so that edits that depend on it are refused too. */
export interface UnreadableEdit {
  readonly documentId: DocumentId;
  readonly stamp: Stamp | null;
  readonly failure: Failure;
}

export type Verdict = Committed | Refused;

export interface Committed {
  readonly type: 'Committed';
  readonly documentId: DocumentId;
  readonly patchId: PatchId;
  readonly revision: Revision;
  readonly position: Position;
  /** True: this edit had been committed by an earlier push; the other fields repeat the first verdict. */
  readonly duplicate: boolean;
  /** The patch as committed, in RFC 6902 form. Null: exactly as sent. */
  readonly patch: WirePatch | null;
  readonly conflicts: readonly ConflictRecord[];
}

export interface Refused {
  readonly type: 'Refused';
  readonly documentId: DocumentId;
  /** Null only for an edit made without a stamp. */
  readonly patchId: PatchId | null;
  readonly code: ErrorCode;
  readonly message: string;
  readonly path?: string;
  readonly operation?: number;
  readonly limit?: number;
  readonly actual?: number;
  /** With `CLOCK_GAP`: the counter the server expects next. */
  readonly expected?: number;
  /** With `RATE_LIMITED`: milliseconds to wait. */
  readonly retryAfter?: number;
}

export interface CommitPort {
  /**
   * Commits a push: one verdict per edit, in the order given. Edits of one document are decided in order; other documents
   * do not wait for them. Returns after the transaction is durable. A duplicate gets its first verdict again.
   * @throws ConcordError FORBIDDEN, WORKSPACE_NOT_FOUND, LIMIT_EXCEEDED (whole push), RATE_LIMITED, UNAVAILABLE, SHUTTING_DOWN.
   */
  push(viewer: Viewer, workspaceId: WorkspaceId, edits: readonly (Edit | UnreadableEdit)[]): Promise<readonly Verdict[]>;
}
