import type { Condition, Conflict, Counter, Cursor, DocumentId, JsonValue, PatchId, Position, PrincipalId, ReplicaId, Revision, WirePatch, WorkspaceId } from '@concord/core';
import type { Viewer } from './viewer.js';

export interface DocumentRecord {
  readonly workspaceId: WorkspaceId;
  readonly id: DocumentId;
  readonly collection: string;
  readonly title: string;
  readonly value: JsonValue;
  readonly revision: Revision;
  readonly position: Position;
  readonly deleted: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ChangeRecord {
  readonly workspaceId: WorkspaceId;
  readonly position: Position;
  readonly documentId: DocumentId;
  readonly revision: Revision;
  readonly kind: 'CREATE' | 'PATCH' | 'DELETE' | 'RESTORE';
  readonly collection: string;
  /** With CREATE only, else null. */
  readonly title: string | null;
  readonly replicaId: ReplicaId;
  readonly counter: Counter;
  readonly patchId: PatchId;
  readonly principalId: PrincipalId;
  /** As committed, RFC 6902. CREATE: one `add` of the whole document at "". DELETE and RESTORE: empty. */
  readonly patch: WirePatch;
  readonly committedAt: Date;
  /** Replicas whose earlier changes lost something to it; absent where there are none. */
  readonly losers?: readonly ReplicaId[];
}

/** One of the two edits that met in a conflict. */
export interface ConflictParty {
  readonly replicaId: ReplicaId;
  readonly patchId: PatchId;
  readonly author: PrincipalId;
}

export interface ConflictRecord {
  readonly position: Position;
  readonly ordinal: number;
  readonly documentId: DocumentId;
  /** Revision of the earlier change; the later one is the change at `position`. */
  readonly againstRevision: Revision;
  readonly conflict: Conflict;
  readonly createdAt: Date;
  /** Null where it is not known: the change was compacted away when the conflict was found. */
  readonly laterRevision: Revision | null;
  /** Null as above, and in a verdict. */
  readonly lostBy: ConflictParty | null;
  readonly wonBy: ConflictParty | null;
}

export interface DocumentFilter {
  readonly collection?: string;
  readonly ids?: readonly DocumentId[];
  readonly where?: readonly Condition[];
}

export interface DocumentOrder {
  readonly field: 'ID' | 'TITLE' | 'CREATED_AT' | 'UPDATED_AT' | 'VALUE';
  /** With field VALUE: the place in the document to order by; missing places come last. */
  readonly path?: readonly string[];
  readonly descending: boolean;
}

/** A slice of a list; `after` is a row key handed out by an earlier page, exclusive. */
export interface Page<Row> {
  readonly rows: readonly { readonly row: Row; readonly key: string }[];
  readonly hasNextPage: boolean;
}

export interface ReadPort {
  /** Null when there is no such document; a tombstone is returned with `deleted` true. */
  document(viewer: Viewer, workspaceId: WorkspaceId, id: DocumentId): Promise<DocumentRecord | null>;
  documents(
    viewer: Viewer,
    workspaceId: WorkspaceId,
    request: {
      readonly filter: DocumentFilter;
      readonly order: DocumentOrder;
      readonly first: number;
      readonly after: string | null;
      readonly includeDeleted: boolean;
    },
  ): Promise<Page<DocumentRecord>>;
  /** Newest first. */
  history(
    viewer: Viewer,
    workspaceId: WorkspaceId,
    documentId: DocumentId,
    request: { readonly first: number; readonly after: string | null },
  ): Promise<Page<ChangeRecord>>;
  /** Newest first; of one document, or of the workspace when `documentId` is null. */
  conflicts(
    viewer: Viewer,
    workspaceId: WorkspaceId,
    request: { readonly documentId: DocumentId | null; readonly first: number; readonly after: string | null },
  ): Promise<Page<ConflictRecord>>;
  /**
   * What edits of one replica lost, oldest first: found by changes after `since` (null, or a cursor of a history that was rewritten: all
   * that is kept). `after` is a row key.
   */
  losses(
    viewer: Viewer,
    workspaceId: WorkspaceId,
    request: { readonly replicaId: ReplicaId; readonly since: Cursor | null; readonly first: number; readonly after: string | null },
  ): Promise<Page<ConflictRecord>>;
  /** The vector clock of a document: for each replica, its newest counter, compacted changes included, and the edit that had it. */
  clock(
    viewer: Viewer,
    workspaceId: WorkspaceId,
    documentId: DocumentId,
  ): Promise<{ readonly epoch: number; readonly vector: ReadonlyMap<ReplicaId, Counter>; readonly patchIds: ReadonlyMap<ReplicaId, PatchId> }>;
  /** Cursor of the newest change. */
  head(viewer: Viewer, workspaceId: WorkspaceId): Promise<Cursor>;
}
