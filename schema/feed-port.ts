import type { Cursor, DocumentId, WorkspaceId } from '@concord/core';
import type { ChangeRecord, ConflictRecord, DocumentFilter, DocumentRecord } from './read-port.js';
import type { Viewer } from './viewer.js';

export interface ChangeBatch {
  readonly type: 'ChangeBatch';
  readonly changes: readonly ChangeRecord[];
  /** Ids of documents that left the filter of this reader (by change of value or of rights): drop them. */
  readonly left: readonly DocumentId[];
  /** Stands after the last change of the batch. Store it together with the rows. */
  readonly cursor: Cursor;
  /** True: at this moment nothing newer is known. */
  readonly upToDate: boolean;
}

/** The cursor cannot be continued: take a snapshot, then follow from its cursor. */
export interface Resync {
  readonly type: 'Resync';
  readonly reason: 'EPOCH_CHANGED' | 'CURSOR_EXPIRED' | 'OTHER_HISTORY';
}

export type FeedEvent = ChangeBatch | Resync;

export interface ConflictBatch {
  /** By position and ordinal. */
  readonly conflicts: readonly ConflictRecord[];
  /** Stands after the last of them. */
  readonly cursor: Cursor;
  /** True: at this moment no newer one is known. */
  readonly upToDate: boolean;
}

export interface SnapshotPage {
  readonly documents: readonly DocumentRecord[];
  /** Cursor taken before the first page: follow the feed from it after the last page. The same on every page. */
  readonly cursor: Cursor;
  /** Epoch of the history the cursor belongs to: what a clock made on these documents carries. */
  readonly epoch: number;
  /** Id of that history. */
  readonly history: string;
  /** Give as `after` for the next page; null on the last. */
  readonly next: string | null;
}

export interface FeedPort {
  /** One page of the log after `after` (null: from the start, which is a `Resync` once that was compacted away), for pulling without a socket. */
  pull(
    viewer: Viewer,
    workspaceId: WorkspaceId,
    request: { readonly after: Cursor | null; readonly first: number; readonly filter: DocumentFilter },
  ): Promise<FeedEvent>;
  /** Scan, then live, gap-free. Ends with ConcordError LAGGED, FORBIDDEN, SHUTTING_DOWN. Null: only what comes from now on. */
  follow(
    viewer: Viewer,
    workspaceId: WorkspaceId,
    request: { readonly after: Cursor | null; readonly filter: DocumentFilter },
  ): AsyncIterable<FeedEvent>;
  /** The document now, then again after each of its changes. Null while it does not exist. */
  watch(viewer: Viewer, workspaceId: WorkspaceId, id: DocumentId): AsyncIterable<DocumentRecord | null>;
  /**
   * The conflicts that changes after `after` found, of one document or (null) of all, oldest first, then each new one: each once.
   * Null: only what comes from now on. Ends as `follow` does, and with EPOCH_CHANGED.
   */
  conflicts(
    viewer: Viewer,
    workspaceId: WorkspaceId,
    request: { readonly documentId: DocumentId | null; readonly after: Cursor | null },
  ): AsyncIterable<ConflictBatch>;
  /** @throws ConcordError OTHER_HISTORY where the cursor stands on a change that the workspace never had; CURSOR_INVALID, WORKSPACE_NOT_FOUND. */
  assertHistory(viewer: Viewer, workspaceId: WorkspaceId, after: Cursor): Promise<void>;
  /** Living documents by id, `first` a page. */
  snapshot(
    viewer: Viewer,
    workspaceId: WorkspaceId,
    request: { readonly first: number; readonly after: string | null; readonly filter: DocumentFilter },
  ): Promise<SnapshotPage>;
}
