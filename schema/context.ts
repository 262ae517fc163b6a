import type {
  Condition,
  Conflict,
  Counter,
  Cursor,
  DocumentId,
  ErrorCode,
  Failure,
  JsonValue,
  Limits,
  Patch,
  PatchId,
  Position,
  PrincipalId,
  ReplicaId,
  Revision,
  WirePatch,
  WorkspaceId,
} from '@concord/core';

/** What a resolver is given. The server implements the ports; the schema knows nothing else of it. */
export interface Context {
  /** Who is calling; null before authentication, when every field but `__schema` refuses with `UNAUTHENTICATED`. */
  readonly viewer: Viewer | null;
  readonly ports: Ports;
  /** A new random document id, for `createDocument` without one. */
  newId(): string;
  /** What documents and patches may measure on this server. */
  readonly limits: Limits;
}

export type Role = 'OWNER' | 'EDITOR' | 'VIEWER';

export interface Viewer {
  readonly principalId: PrincipalId;
  readonly name: string;
  /** Roles at the time of the call, by workspace, the oldest membership first. Long-lived streams must not trust them: the feed re-checks. */
  readonly memberships: ReadonlyMap<WorkspaceId, Membership>;
}

export interface Membership {
  readonly workspaceId: WorkspaceId;
  readonly name: string;
  readonly role: Role;
}

export interface Ports {
  readonly commit: CommitPort;
  readonly read: ReadPort;
  readonly feed: FeedPort;
  readonly administration: AdministrationPort;
}

// ── Write ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What the author had seen: compact (the base revision) or the full vector, own edit included. Equivalent (semantics 4.1). */
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

// ── Read ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

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
}

export interface ConflictRecord {
  readonly position: Position;
  readonly ordinal: number;
  readonly documentId: DocumentId;
  /** Revision of the earlier change; the later one is the change at `position`. */
  readonly againstRevision: Revision;
  readonly conflict: Conflict;
  readonly createdAt: Date;
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
  /** The vector clock of a document: for each replica, its newest counter, compacted changes included, and the edit that had it. */
  clock(
    viewer: Viewer,
    workspaceId: WorkspaceId,
    documentId: DocumentId,
  ): Promise<{ readonly epoch: number; readonly vector: ReadonlyMap<ReplicaId, Counter>; readonly patchIds: ReadonlyMap<ReplicaId, PatchId> }>;
  /** Cursor of the newest change. */
  head(viewer: Viewer, workspaceId: WorkspaceId): Promise<Cursor>;
}

// ── Feed ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

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
  readonly reason: 'EPOCH_CHANGED' | 'CURSOR_EXPIRED';
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
  /** Living documents by id, `first` a page. */
  snapshot(
    viewer: Viewer,
    workspaceId: WorkspaceId,
    request: { readonly first: number; readonly after: string | null; readonly filter: DocumentFilter },
  ): Promise<SnapshotPage>;
}

// ── Administration ───────────────────────────────────────────────────────────────────────────────────────────────────

export interface IssuedToken {
  readonly id: string;
  /** `<id>.<secret>`: shown once, never stored. */
  readonly token: string;
  readonly principalId: PrincipalId;
  readonly expiresAt: Date | null;
}

export interface AdministrationPort {
  createWorkspace(viewer: Viewer, name: string): Promise<Membership>;
  /** For the viewer itself, or, with `workspaceId` and `role` by an OWNER, for a new principal that gets this role. */
  createToken(
    viewer: Viewer,
    request: {
      readonly label: string;
      readonly expiresAt: Date | null;
      readonly grant: { readonly workspaceId: WorkspaceId; readonly role: Role; readonly name: string } | null;
    },
  ): Promise<IssuedToken>;
  /** Own tokens, or those of members of a workspace the viewer owns. Takes effect at once, on every node and open stream. */
  revokeToken(viewer: Viewer, id: string): Promise<boolean>;
  /** OWNER only. Null takes the membership away; open streams end with FORBIDDEN. */
  setRole(viewer: Viewer, workspaceId: WorkspaceId, principalId: PrincipalId, role: Role | null): Promise<void>;
}
