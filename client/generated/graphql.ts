/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { ChangeRow } from '../change-row.js';
import type { Counter, Cursor, JsonValue, Position, Revision } from '@concord/core';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
/** What a change did. */
export type ChangeKind =
  /** Created the document. */
  | 'CREATE'
  /** Made the document a tombstone. */
  | 'DELETE'
  /** Applied a patch. */
  | 'PATCH'
  /** Brought a tombstone back. */
  | 'RESTORE';

/** One component of a vector clock. */
export type ClockEntryInput = {
  /** How many of its edits on the document the author had seen, own edit included. */
  readonly counter: Counter;
  /** A replica. */
  readonly replicaId: string;
};

/** What the author of a patch had seen of the document. Give `base` or `vector`, not both: the changes of a document form a chain, so the revision the patch was made on says the same as the full vector. */
export type ClockInput = {
  /** Revision the patch was made on; 0 for a creation. Own edits that are not yet committed do not count. */
  readonly base?: Revision | null | undefined;
  /** Epoch of the workspace history; it is 1 until an operator rewrites the history. */
  readonly epoch: number;
  /** For each replica, how many of its edits the document contained; for the author, the counter of this edit. */
  readonly vector?: ReadonlyArray<ClockEntryInput> | null | undefined;
};

/** A test of the value at a path, for example `{path: "/price", operator: LESS, value: 10}`. */
export type ConditionInput = {
  /** Default: EQUALS. */
  readonly operator?: ConditionOperator | null | undefined;
  /** Place in the document. */
  readonly path: string;
  /** What to compare with. Leaving it out is only allowed with EXISTS and ABSENT; `null` compares with null. */
  readonly value?: JsonValue | null | undefined;
};

/** How a value in a document is compared. */
export type ConditionOperator =
  /** There is no value at the path. Takes no value. */
  | 'ABSENT'
  /** A string that contains the given string, or an array that has the given value as an item. */
  | 'CONTAINS'
  /** The same JSON value; key order does not matter. */
  | 'EQUALS'
  /** There is a value at the path, `null` included. Takes no value. */
  | 'EXISTS'
  /** A number above a number, or a string after a string. */
  | 'GREATER'
  /** As GREATER, or equal. */
  | 'GREATER_OR_EQUAL'
  /** A number below a number, or a string before a string (by UTF-8 bytes). */
  | 'LESS'
  /** As LESS, or equal. */
  | 'LESS_OR_EQUAL'
  /** Another value, or none. */
  | 'NOT_EQUALS'
  /** A string that begins with the given string. */
  | 'STARTS_WITH';

/** What the author's own merge dropped or weakened when it rebased the edit past a change of somebody else, before sending it. The server sees only the rebased edit; this makes the loss known to everybody. */
export type ConflictInput = {
  /** The conflict as the merge reports it: rule, loser, losing, winning, path, and where there are any, lost and place. */
  readonly conflict: JsonValue;
  /** Revision of the other change. */
  readonly revision: Revision;
};

/** Which of two concurrent changes lost an operation. */
export type ConflictLoser =
  /** The change with the lower revision lost. */
  | 'EARLIER'
  /** The change with the higher revision lost. */
  | 'LATER';

/** The rule of the merge that decided. */
export type ConflictRule =
  /** Both set the same new key; the later value stands. */
  | 'addAdd'
  /** The later patch moved an item onto the key the earlier one had set; the added value is removed. */
  | 'addMove'
  /** The later patch deleted the document without having seen the earlier one. */
  | 'editDeleted'
  /** A text or counter edit met the removal of the value. */
  | 'editRemoved'
  /** A text or counter edit met a replacement of the whole value. */
  | 'editReplaced'
  /** What a test operation looked at is gone. */
  | 'guardLost'
  /** The operation was inside something the other patch removed. */
  | 'insideRemoved'
  /** The operation was inside something the other patch replaced. */
  | 'insideReplaced'
  /** The later patch set the key the item was moved to; the item goes home. */
  | 'moveAdd'
  /** The later patch set the key to which an item had been brought home; the item is removed. */
  | 'moveAddAgain'
  /** Each of two items was moved into the other; the later move stands. */
  | 'moveCycle'
  /** Each of two items was moved into the other, one by being brought home; both are removed. */
  | 'moveCycleAgain'
  /** The item was moved into something the other patch removed or replaced; it stays home. */
  | 'moveInto'
  /** An item that had been brought home once met the same rule again; it is removed. */
  | 'moveIntoAgain'
  /** Both moved different items to the same key; the earlier item goes home. */
  | 'moveKey'
  /** An item was moved to the key to which another had been brought home; the latter is removed. */
  | 'moveKeyAgain'
  /** An item and its container were moved to the same key; the container stands, the item is removed. */
  | 'moveKeyNested'
  /** Both moved the same item; the later destination stands. */
  | 'moveMove'
  /** The item was moved out of something the other patch removed or replaced; it is gone with it. */
  | 'moveOut'
  /** The moved item itself was removed by the other patch. */
  | 'moveRemoved'
  /** The earlier patch removed what the later one replaced; it is there again, with the new value. */
  | 'removeReplace'
  /** The earlier patch replaced what the later one removed; it is removed. */
  | 'replaceRemove'
  /** Both replaced the same value; the later value stands. */
  | 'replaceReplace';

/** Creates a document. */
export type CreateInput = {
  /** Groups documents. Default: "default". */
  readonly collection?: string | null | undefined;
  /** For people. Default: empty. */
  readonly title?: string | null | undefined;
  /** The document. Left out: an empty object; `null` is the JSON value null. */
  readonly value?: JsonValue | null | undefined;
};

/** What documents are ordered by. */
export type DocumentOrderField =
  /** By the moment of creation. */
  | 'CREATED_AT'
  /** By id. */
  | 'ID'
  /** By title, by UTF-8 bytes. */
  | 'TITLE'
  /** By the moment of the newest change. */
  | 'UPDATED_AT'
  /** By the value at `path`: numbers first, then strings, then the rest; missing ones last. */
  | 'VALUE';

/** Order of a list of documents. */
export type DocumentOrderInput = {
  /** Default: false. */
  readonly descending?: boolean | null | undefined;
  /** What to order by. */
  readonly field: DocumentOrderField;
  /** With VALUE: the place in the document. */
  readonly path?: string | null | undefined;
};

/** What an edit does: exactly one of these. */
export type EditActionInput =
  {   /** Create the document. */
  readonly create: CreateInput; readonly delete?: never; readonly patch?: never; readonly restore?: never; }
  |  { readonly create?: never;   /** `true`: make it a tombstone. */
  readonly delete: boolean; readonly patch?: never; readonly restore?: never; }
  |  { readonly create?: never; readonly delete?: never;   /** Apply RFC 6902 operations (and `inc`, `str_ins`, `str_del`). */
  readonly patch: JsonValue; readonly restore?: never; }
  |  { readonly create?: never; readonly delete?: never; readonly patch?: never;   /** `true`: bring a tombstone back. */
  readonly restore: boolean; };

/** One edit of one document by one replica. Sent again with the same ids it gets the same verdict. */
export type EditInput = {
  /** What to do. */
  readonly action: EditActionInput;
  /** What the author had seen. */
  readonly clock: ClockInput;
  /** At most 100. */
  readonly conflicts?: ReadonlyArray<ConflictInput> | null | undefined;
  /** Number of this edit among those of the replica on this document: 1, 2, 3 … */
  readonly counter: Counter;
  /** The document; for a creation, a new id chosen by the caller (a UUID is good). */
  readonly documentId: string;
  /** Made once with the edit (a UUID is good). */
  readonly patchId: string;
};

/** Every way Concord can say no. docs/ERRORS.md has a section for each. */
export type ErrorCode =
  /** The clock names changes this server never made. */
  | 'CLOCK_FUTURE'
  /** Earlier edits of this replica are missing. */
  | 'CLOCK_GAP'
  /** The clock is not a clock. */
  | 'CLOCK_MALFORMED'
  /** The clock names a state that never existed. */
  | 'CLOCK_NOT_A_PREFIX'
  /** The base of the patch is older than the retained history. */
  | 'CLOCK_STALE'
  /** The cursor is not one this server made. */
  | 'CURSOR_INVALID'
  /** The document was deleted by a change the patch had not seen. */
  | 'DOCUMENT_DELETED'
  /** The document id is taken. */
  | 'DOCUMENT_EXISTS'
  /** There is no such document in the workspace. */
  | 'DOCUMENT_NOT_FOUND'
  /** The history was rewritten; the replica must resync. */
  | 'EPOCH_CHANGED'
  /** The principal has no right to do this in the workspace. */
  | 'FORBIDDEN'
  /** An argument is not valid. */
  | 'INPUT_INVALID'
  /** A bug in Concord. The message carries a reference to the server log. */
  | 'INTERNAL'
  /** The subscriber read too slowly; it resumes from its last cursor. */
  | 'LAGGED'
  /** Something is larger, deeper or more numerous than the limits allow. */
  | 'LIMIT_EXCEEDED'
  /** A value cannot be moved into itself. */
  | 'MOVE_INTO_SELF'
  /** A counter would leave the safe integers. */
  | 'NUMBER_OVERFLOW'
  /** The server holds another history than the one the caller followed: another server or database, or an older backup. */
  | 'OTHER_HISTORY'
  /** The token is of another principal than the one the edits or the file belong to. */
  | 'OTHER_PRINCIPAL'
  /** An earlier patch of the same replica on this document was refused in the same push. */
  | 'PATCH_DEPENDS_ON_REFUSED'
  /** The patch is not a list of RFC 6902 operations. */
  | 'PATCH_MALFORMED'
  /** A path names a place that does not exist in the document. */
  | 'PATH_NOT_FOUND'
  /** The server does not know the hash of the operation; send its text. */
  | 'PERSISTED_QUERY_NOT_FOUND'
  /** The server runs only operations that it was given beforehand. */
  | 'PERSISTED_QUERY_ONLY'
  /** A JSON pointer is not valid RFC 6901. */
  | 'POINTER_INVALID'
  /** The GraphQL operation is too deep, has too many aliases, or the batch too many operations. */
  | 'QUERY_TOO_COMPLEX'
  /** An index or a text offset is out of range, or splits a surrogate pair. */
  | 'RANGE_INVALID'
  /** The principal called too often; retryAfter says how many milliseconds to wait. */
  | 'RATE_LIMITED'
  /** Another patch has this replica id and counter: the replica was copied or restored from a backup. */
  | 'REPLICA_CLONED'
  /** The server no longer remembers this replica; it must take a new id. */
  | 'REPLICA_RETIRED'
  /** The server is stopping; connect again. */
  | 'SHUTTING_DOWN'
  /** A test operation did not hold at the head of the document. */
  | 'TEST_FAILED'
  /** An operation needs another type of value at its path. */
  | 'TYPE_MISMATCH'
  /** There is no token, or it is unknown, expired or revoked. */
  | 'UNAUTHENTICATED'
  /** The server cannot answer now; nothing is known to have been written. Retry with the same ids. */
  | 'UNAVAILABLE'
  /** A value cannot be held the same everywhere (U+0000, lone surrogate, number out of range, __proto__ key). */
  | 'VALUE_INVALID'
  /** There is no such workspace, or the principal has no role in it. */
  | 'WORKSPACE_NOT_FOUND';

/** A new principal with a role, made by an owner of the workspace. */
export type GrantInput = {
  /** Name of the new principal. */
  readonly name: string;
  /** Its role. */
  readonly role: Role;
  /** The workspace. Left out: your default, the one that `workspaces` marks with `isDefault`. */
  readonly workspaceId?: string | null | undefined;
};

/** Why a cursor cannot be continued. */
export type ResyncReason =
  /** The changes after the cursor are no longer kept. */
  | 'CURSOR_EXPIRED'
  /** The history was rewritten (restored from a backup, or purged). */
  | 'EPOCH_CHANGED'
  /** The cursor stands on a change that this workspace never had: another server, another database, or an older backup. Do not drop what you hold; let a person decide. */
  | 'OTHER_HISTORY';

/** What a principal may do in a workspace. */
export type Role =
  /** Read and write documents. */
  | 'EDITOR'
  /** Everything, members and tokens included. */
  | 'OWNER'
  /** Read documents. */
  | 'VIEWER';

export type DocumentPartsFragment = { readonly id: string, readonly collection: string, readonly title: string, readonly value: JsonValue | null, readonly revision: Revision, readonly position: Position, readonly deleted: boolean, readonly createdAt: string, readonly updatedAt: string };

export type IdentityQueryVariables = Exact<{ [key: string]: never; }>;


export type IdentityQuery = { readonly viewer: { readonly id: string }, readonly workspaces: ReadonlyArray<{ readonly id: string, readonly isDefault: boolean, readonly history: string }> };

export type SnapshotQueryVariables = Exact<{
  after?: string | null | undefined;
  first?: number | null | undefined;
  collection?: string | null | undefined;
  ids?: ReadonlyArray<string> | string | null | undefined;
  where?: ReadonlyArray<ConditionInput> | ConditionInput | null | undefined;
  workspaceId?: string | null | undefined;
}>;


export type SnapshotQuery = { readonly snapshot: { readonly cursor: Cursor, readonly epoch: number, readonly history: string, readonly next: string | null, readonly documents: ReadonlyArray<{ readonly id: string, readonly collection: string, readonly title: string, readonly value: JsonValue | null, readonly revision: Revision, readonly position: Position, readonly deleted: boolean, readonly createdAt: string, readonly updatedAt: string }> } };

export type HeadsQueryVariables = Exact<{
  ids: ReadonlyArray<string> | string;
  first: number;
  after?: string | null | undefined;
  workspaceId?: string | null | undefined;
}>;


export type HeadsQuery = { readonly documents: { readonly nodes: ReadonlyArray<{ readonly id: string, readonly collection: string, readonly title: string, readonly value: JsonValue | null, readonly revision: Revision, readonly position: Position, readonly deleted: boolean, readonly createdAt: string, readonly updatedAt: string, readonly clock: ReadonlyArray<{ readonly replicaId: string, readonly counter: Counter, readonly patchId: string }> }>, readonly pageInfo: { readonly hasNextPage: boolean, readonly endCursor: string | null } } };

export type ProbeQueryVariables = Exact<{
  after?: Cursor | null | undefined;
  first: number;
  collection?: string | null | undefined;
  ids?: ReadonlyArray<string> | string | null | undefined;
  where?: ReadonlyArray<ConditionInput> | ConditionInput | null | undefined;
  workspaceId?: string | null | undefined;
}>;


export type ProbeQuery = { readonly changes:
    | { readonly __typename: 'ChangeBatch', readonly left: ReadonlyArray<string>, readonly cursor: Cursor, readonly upToDate: boolean, readonly changes: ReadonlyArray<{ readonly position: Position }> }
    | { readonly __typename: 'Resync' }
   };

export type PushMutationVariables = Exact<{
  replicaId: string;
  edits: ReadonlyArray<EditInput> | EditInput;
  workspaceId?: string | null | undefined;
  after?: Cursor | null | undefined;
  principalId?: string | null | undefined;
}>;


export type PushMutation = { readonly push: { readonly verdicts: ReadonlyArray<
      | { readonly __typename: 'Committed', readonly revision: Revision }
      | { readonly __typename: 'Refused', readonly code: ErrorCode, readonly message: string, readonly path: string | null, readonly operation: number | null, readonly limit: number | null, readonly actual: number | null, readonly expected: Counter | null, readonly retryAfter: number | null, readonly retryable: boolean }
    > } };

export type LossesQueryVariables = Exact<{
  replicaId: string;
  since?: Cursor | null | undefined;
  after?: string | null | undefined;
  workspaceId?: string | null | undefined;
}>;


export type LossesQuery = { readonly losses: { readonly nodes: ReadonlyArray<{ readonly documentId: string, readonly position: Position, readonly revision: Revision | null, readonly laterRevision: Revision | null, readonly loser: ConflictLoser, readonly detail: JsonValue, readonly createdAt: string, readonly lostBy: { readonly patchId: string } | null, readonly wonBy: { readonly patchId: string, readonly author: string } | null }>, readonly pageInfo: { readonly hasNextPage: boolean, readonly endCursor: string | null } } };

export type ChangesSubscriptionVariables = Exact<{
  after?: Cursor | null | undefined;
  collection?: string | null | undefined;
  ids?: ReadonlyArray<string> | string | null | undefined;
  where?: ReadonlyArray<ConditionInput> | ConditionInput | null | undefined;
  workspaceId?: string | null | undefined;
}>;


export type ChangesSubscription = { readonly changes:
    | { readonly __typename: 'ChangeBatch', readonly rows: ReadonlyArray<ChangeRow>, readonly left: ReadonlyArray<string>, readonly cursor: Cursor, readonly upToDate: boolean }
    | { readonly __typename: 'Resync', readonly reason: ResyncReason }
   };

export type DocumentQueryVariables = Exact<{
  id: string;
}>;


export type DocumentQuery = { readonly document: { readonly id: string, readonly collection: string, readonly title: string, readonly value: JsonValue | null, readonly revision: Revision, readonly position: Position, readonly deleted: boolean, readonly createdAt: string, readonly updatedAt: string } | null };

export type DocumentsQueryVariables = Exact<{
  collection?: string | null | undefined;
  ids?: ReadonlyArray<string> | string | null | undefined;
  where?: ReadonlyArray<ConditionInput> | ConditionInput | null | undefined;
  orderBy?: DocumentOrderInput | null | undefined;
  includeDeleted?: boolean | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type DocumentsQuery = { readonly documents: { readonly nodes: ReadonlyArray<{ readonly id: string, readonly collection: string, readonly title: string, readonly value: JsonValue | null, readonly revision: Revision, readonly position: Position, readonly deleted: boolean, readonly createdAt: string, readonly updatedAt: string }>, readonly pageInfo: { readonly hasNextPage: boolean, readonly endCursor: string | null } } };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { readonly viewer: { readonly id: string, readonly name: string, readonly workspaces: ReadonlyArray<{ readonly id: string, readonly name: string, readonly role: Role }> } };

export type HistoryQueryVariables = Exact<{
  documentId: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type HistoryQuery = { readonly history: { readonly nodes: ReadonlyArray<{ readonly revision: Revision, readonly kind: ChangeKind, readonly patch: JsonValue, readonly author: string, readonly replicaId: string, readonly patchId: string, readonly committedAt: string }>, readonly pageInfo: { readonly hasNextPage: boolean, readonly endCursor: string | null } } };

export type ConflictPartsFragment = { readonly documentId: string, readonly revision: Revision | null, readonly position: Position, readonly rule: ConflictRule, readonly loser: ConflictLoser, readonly path: string, readonly lost: JsonValue | null, readonly losing: JsonValue, readonly winning: JsonValue, readonly createdAt: string };

export type ConflictsQueryVariables = Exact<{
  documentId?: string | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ConflictsQuery = { readonly conflicts: { readonly nodes: ReadonlyArray<{ readonly documentId: string, readonly revision: Revision | null, readonly position: Position, readonly rule: ConflictRule, readonly loser: ConflictLoser, readonly path: string, readonly lost: JsonValue | null, readonly losing: JsonValue, readonly winning: JsonValue, readonly createdAt: string }>, readonly pageInfo: { readonly hasNextPage: boolean, readonly endCursor: string | null } } };

type EditOutcome_Edited_Fragment = { readonly __typename: 'Edited', readonly document: { readonly id: string, readonly collection: string, readonly title: string, readonly value: JsonValue | null, readonly revision: Revision, readonly position: Position, readonly deleted: boolean, readonly createdAt: string, readonly updatedAt: string } };

type EditOutcome_Refused_Fragment = { readonly __typename: 'Refused', readonly code: ErrorCode, readonly message: string, readonly path: string | null, readonly operation: number | null, readonly retryable: boolean, readonly retryAfter: number | null };

export type EditOutcomeFragment =
  | EditOutcome_Edited_Fragment
  | EditOutcome_Refused_Fragment
;

export type CreateDocumentMutationVariables = Exact<{
  id?: string | null | undefined;
  collection?: string | null | undefined;
  title?: string | null | undefined;
  value?: JsonValue | null | undefined;
}>;


export type CreateDocumentMutation = { readonly createDocument:
    | { readonly __typename: 'Edited', readonly document: { readonly id: string, readonly collection: string, readonly title: string, readonly value: JsonValue | null, readonly revision: Revision, readonly position: Position, readonly deleted: boolean, readonly createdAt: string, readonly updatedAt: string } }
    | { readonly __typename: 'Refused', readonly code: ErrorCode, readonly message: string, readonly path: string | null, readonly operation: number | null, readonly retryable: boolean, readonly retryAfter: number | null }
   };

export type PatchDocumentMutationVariables = Exact<{
  id: string;
  patch: JsonValue;
  ifRevision?: Revision | null | undefined;
}>;


export type PatchDocumentMutation = { readonly patchDocument:
    | { readonly __typename: 'Edited', readonly document: { readonly id: string, readonly collection: string, readonly title: string, readonly value: JsonValue | null, readonly revision: Revision, readonly position: Position, readonly deleted: boolean, readonly createdAt: string, readonly updatedAt: string } }
    | { readonly __typename: 'Refused', readonly code: ErrorCode, readonly message: string, readonly path: string | null, readonly operation: number | null, readonly retryable: boolean, readonly retryAfter: number | null }
   };

export type DeleteDocumentMutationVariables = Exact<{
  id: string;
}>;


export type DeleteDocumentMutation = { readonly deleteDocument:
    | { readonly __typename: 'Edited', readonly document: { readonly id: string, readonly collection: string, readonly title: string, readonly value: JsonValue | null, readonly revision: Revision, readonly position: Position, readonly deleted: boolean, readonly createdAt: string, readonly updatedAt: string } }
    | { readonly __typename: 'Refused', readonly code: ErrorCode, readonly message: string, readonly path: string | null, readonly operation: number | null, readonly retryable: boolean, readonly retryAfter: number | null }
   };

export type RestoreDocumentMutationVariables = Exact<{
  id: string;
}>;


export type RestoreDocumentMutation = { readonly restoreDocument:
    | { readonly __typename: 'Edited', readonly document: { readonly id: string, readonly collection: string, readonly title: string, readonly value: JsonValue | null, readonly revision: Revision, readonly position: Position, readonly deleted: boolean, readonly createdAt: string, readonly updatedAt: string } }
    | { readonly __typename: 'Refused', readonly code: ErrorCode, readonly message: string, readonly path: string | null, readonly operation: number | null, readonly retryable: boolean, readonly retryAfter: number | null }
   };

export type WatchDocumentSubscriptionVariables = Exact<{
  id: string;
}>;


export type WatchDocumentSubscription = { readonly document: { readonly id: string, readonly collection: string, readonly title: string, readonly value: JsonValue | null, readonly revision: Revision, readonly position: Position, readonly deleted: boolean, readonly createdAt: string, readonly updatedAt: string } | null };

export type WatchConflictsSubscriptionVariables = Exact<{
  documentId?: string | null | undefined;
  after?: Cursor | null | undefined;
  workspaceId?: string | null | undefined;
}>;


export type WatchConflictsSubscription = { readonly conflicts: { readonly cursor: Cursor, readonly upToDate: boolean, readonly conflicts: ReadonlyArray<{ readonly ordinal: number, readonly explanation: string, readonly restore: JsonValue | null, readonly documentId: string, readonly revision: Revision | null, readonly position: Position, readonly rule: ConflictRule, readonly loser: ConflictLoser, readonly path: string, readonly lost: JsonValue | null, readonly losing: JsonValue, readonly winning: JsonValue, readonly createdAt: string }> } };

export type CreateWorkspaceMutationVariables = Exact<{
  name: string;
}>;


export type CreateWorkspaceMutation = { readonly createWorkspace: { readonly id: string, readonly name: string, readonly role: Role } };

export type CreateTokenMutationVariables = Exact<{
  label?: string | null | undefined;
  expiresAt?: string | null | undefined;
  grant?: GrantInput | null | undefined;
}>;


export type CreateTokenMutation = { readonly createToken: { readonly id: string, readonly token: string, readonly principalId: string, readonly expiresAt: string | null } };

export type RevokeTokenMutationVariables = Exact<{
  id: string;
}>;


export type RevokeTokenMutation = { readonly revokeToken: boolean };

export type SetRoleMutationVariables = Exact<{
  principalId: string;
  role?: Role | null | undefined;
  workspaceId?: string | null | undefined;
}>;


export type SetRoleMutation = { readonly setRole: boolean };

export const ConflictPartsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ConflictParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Conflict"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"documentId"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"rule"}},{"kind":"Field","name":{"kind":"Name","value":"loser"}},{"kind":"Field","name":{"kind":"Name","value":"path"}},{"kind":"Field","name":{"kind":"Name","value":"lost"}},{"kind":"Field","name":{"kind":"Name","value":"losing"}},{"kind":"Field","name":{"kind":"Name","value":"winning"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}}]}}]} as unknown as DocumentNode<ConflictPartsFragment, unknown>;
export const DocumentPartsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"DocumentParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Document"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"collection"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"deleted"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}}]} as unknown as DocumentNode<DocumentPartsFragment, unknown>;
export const EditOutcomeFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"EditOutcome"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"EditResult"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Edited"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"document"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"DocumentParts"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refused"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"path"}},{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"retryable"}},{"kind":"Field","name":{"kind":"Name","value":"retryAfter"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"DocumentParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Document"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"collection"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"deleted"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}}]} as unknown as DocumentNode<EditOutcomeFragment, unknown>;
export const IdentityDocument = {"__meta__":{"hash":"sha256:bb12490146a863277e2f0fdcf7b830be9a6a5f88ab7ae91dcbbeeaabe4229e55"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Identity"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"viewer"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"workspaces"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"isDefault"}},{"kind":"Field","name":{"kind":"Name","value":"history"}}]}}]}}]} as unknown as DocumentNode<IdentityQuery, IdentityQueryVariables>;
export const SnapshotDocument = {"__meta__":{"hash":"sha256:8b25c2c96f179d4b4d8e07783994810a59c04da7f8d80a35d94f2863dc0d796c"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Snapshot"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"collection"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"ids"}},"type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"where"}},"type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ConditionInput"}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"snapshot"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"collection"},"value":{"kind":"Variable","name":{"kind":"Name","value":"collection"}}},{"kind":"Argument","name":{"kind":"Name","value":"ids"},"value":{"kind":"Variable","name":{"kind":"Name","value":"ids"}}},{"kind":"Argument","name":{"kind":"Name","value":"where"},"value":{"kind":"Variable","name":{"kind":"Name","value":"where"}}},{"kind":"Argument","name":{"kind":"Name","value":"workspaceId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"documents"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"DocumentParts"}}]}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"history"}},{"kind":"Field","name":{"kind":"Name","value":"next"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"DocumentParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Document"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"collection"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"deleted"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}}]} as unknown as DocumentNode<SnapshotQuery, SnapshotQueryVariables>;
export const HeadsDocument = {"__meta__":{"hash":"sha256:c747cb63eacb6d215e5a99fdd699c26ccbb98ae23661691a37c5e56d460adae3"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Heads"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"ids"}},"type":{"kind":"NonNullType","type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"documents"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"ids"},"value":{"kind":"Variable","name":{"kind":"Name","value":"ids"}}},{"kind":"Argument","name":{"kind":"Name","value":"includeDeleted"},"value":{"kind":"BooleanValue","value":true}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"workspaceId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"DocumentParts"}},{"kind":"Field","name":{"kind":"Name","value":"clock"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"replicaId"}},{"kind":"Field","name":{"kind":"Name","value":"counter"}},{"kind":"Field","name":{"kind":"Name","value":"patchId"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"DocumentParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Document"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"collection"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"deleted"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}}]} as unknown as DocumentNode<HeadsQuery, HeadsQueryVariables>;
export const ProbeDocument = {"__meta__":{"hash":"sha256:5adca9ae6bb7e6e622cc17f3abf551368c8e8022c57483c6c81476f2bc49aa5d"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Probe"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"collection"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"ids"}},"type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"where"}},"type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ConditionInput"}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"changes"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"collection"},"value":{"kind":"Variable","name":{"kind":"Name","value":"collection"}}},{"kind":"Argument","name":{"kind":"Name","value":"ids"},"value":{"kind":"Variable","name":{"kind":"Name","value":"ids"}}},{"kind":"Argument","name":{"kind":"Name","value":"where"},"value":{"kind":"Variable","name":{"kind":"Name","value":"where"}}},{"kind":"Argument","name":{"kind":"Name","value":"workspaceId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ChangeBatch"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"changes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"position"}}]}},{"kind":"Field","name":{"kind":"Name","value":"left"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"upToDate"}}]}}]}}]}}]} as unknown as DocumentNode<ProbeQuery, ProbeQueryVariables>;
export const PushDocument = {"__meta__":{"hash":"sha256:28b28ee0c703c9c9cbcbdb301e0a76755b518f61e5f2972c0e866e22e381bec1"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Push"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"replicaId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"edits"}},"type":{"kind":"NonNullType","type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"EditInput"}}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"principalId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"push"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"replicaId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"replicaId"}}},{"kind":"Argument","name":{"kind":"Name","value":"edits"},"value":{"kind":"Variable","name":{"kind":"Name","value":"edits"}}},{"kind":"Argument","name":{"kind":"Name","value":"workspaceId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"principalId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"principalId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"verdicts"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Committed"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"revision"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refused"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"path"}},{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"actual"}},{"kind":"Field","name":{"kind":"Name","value":"expected"}},{"kind":"Field","name":{"kind":"Name","value":"retryAfter"}},{"kind":"Field","name":{"kind":"Name","value":"retryable"}}]}}]}}]}}]}}]} as unknown as DocumentNode<PushMutation, PushMutationVariables>;
export const LossesDocument = {"__meta__":{"hash":"sha256:c960d32db90a5dd6b7a20bf45f286c61e3d512f8ca3adaa4c52f0439b6720dd7"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Losses"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"replicaId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"since"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"losses"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"replicaId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"replicaId"}}},{"kind":"Argument","name":{"kind":"Name","value":"since"},"value":{"kind":"Variable","name":{"kind":"Name","value":"since"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"IntValue","value":"100"}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"workspaceId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"documentId"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"laterRevision"}},{"kind":"Field","name":{"kind":"Name","value":"loser"}},{"kind":"Field","name":{"kind":"Name","value":"detail"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"lostBy"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"patchId"}}]}},{"kind":"Field","name":{"kind":"Name","value":"wonBy"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"patchId"}},{"kind":"Field","name":{"kind":"Name","value":"author"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}}]} as unknown as DocumentNode<LossesQuery, LossesQueryVariables>;
export const ChangesDocument = {"__meta__":{"hash":"sha256:783ddd8c2e6d23ac7d72a5927a0f9377a925415efa9fe4d9e555e52d473c65b2"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"Changes"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"collection"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"ids"}},"type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"where"}},"type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ConditionInput"}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"changes"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"collection"},"value":{"kind":"Variable","name":{"kind":"Name","value":"collection"}}},{"kind":"Argument","name":{"kind":"Name","value":"ids"},"value":{"kind":"Variable","name":{"kind":"Name","value":"ids"}}},{"kind":"Argument","name":{"kind":"Name","value":"where"},"value":{"kind":"Variable","name":{"kind":"Name","value":"where"}}},{"kind":"Argument","name":{"kind":"Name","value":"workspaceId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ChangeBatch"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"rows"}},{"kind":"Field","name":{"kind":"Name","value":"left"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"upToDate"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Resync"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}}]}}]}}]} as unknown as DocumentNode<ChangesSubscription, ChangesSubscriptionVariables>;
export const DocumentDocument = {"__meta__":{"hash":"sha256:d19fb49b9eb31483bb0ff300efb8fc0a193940ceb05c3b7acae7a5701d23efe9"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Document"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"document"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"DocumentParts"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"DocumentParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Document"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"collection"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"deleted"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}}]} as unknown as DocumentNode<DocumentQuery, DocumentQueryVariables>;
export const DocumentsDocument = {"__meta__":{"hash":"sha256:a2021665fd688110f908cf1c26d8fe8cee38dee8601ecbe46ba22fe402ec1157"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Documents"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"collection"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"ids"}},"type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"where"}},"type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ConditionInput"}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"orderBy"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"DocumentOrderInput"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"includeDeleted"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Boolean"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"documents"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"collection"},"value":{"kind":"Variable","name":{"kind":"Name","value":"collection"}}},{"kind":"Argument","name":{"kind":"Name","value":"ids"},"value":{"kind":"Variable","name":{"kind":"Name","value":"ids"}}},{"kind":"Argument","name":{"kind":"Name","value":"where"},"value":{"kind":"Variable","name":{"kind":"Name","value":"where"}}},{"kind":"Argument","name":{"kind":"Name","value":"orderBy"},"value":{"kind":"Variable","name":{"kind":"Name","value":"orderBy"}}},{"kind":"Argument","name":{"kind":"Name","value":"includeDeleted"},"value":{"kind":"Variable","name":{"kind":"Name","value":"includeDeleted"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"DocumentParts"}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"DocumentParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Document"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"collection"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"deleted"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}}]} as unknown as DocumentNode<DocumentsQuery, DocumentsQueryVariables>;
export const ViewerDocument = {"__meta__":{"hash":"sha256:b4430aac77f9c543210b492021fdbdbc149dd3cbe65db7a6d388da65ffece7e9"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Viewer"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"viewer"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"workspaces"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"role"}}]}}]}}]}}]} as unknown as DocumentNode<ViewerQuery, ViewerQueryVariables>;
export const HistoryDocument = {"__meta__":{"hash":"sha256:02d0655e862cfea83db8d656512da31643e986c259aef890f8d3d0bcd3cbf6ba"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"History"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"documentId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"history"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"documentId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"documentId"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"patch"}},{"kind":"Field","name":{"kind":"Name","value":"author"}},{"kind":"Field","name":{"kind":"Name","value":"replicaId"}},{"kind":"Field","name":{"kind":"Name","value":"patchId"}},{"kind":"Field","name":{"kind":"Name","value":"committedAt"}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}}]} as unknown as DocumentNode<HistoryQuery, HistoryQueryVariables>;
export const ConflictsDocument = {"__meta__":{"hash":"sha256:56aeadb19a6a53c741dd7f89b06be728b0a3f633426a9ea201f790551d36c886"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Conflicts"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"documentId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"conflicts"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"documentId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"documentId"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ConflictParts"}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ConflictParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Conflict"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"documentId"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"rule"}},{"kind":"Field","name":{"kind":"Name","value":"loser"}},{"kind":"Field","name":{"kind":"Name","value":"path"}},{"kind":"Field","name":{"kind":"Name","value":"lost"}},{"kind":"Field","name":{"kind":"Name","value":"losing"}},{"kind":"Field","name":{"kind":"Name","value":"winning"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}}]}}]} as unknown as DocumentNode<ConflictsQuery, ConflictsQueryVariables>;
export const CreateDocumentDocument = {"__meta__":{"hash":"sha256:ab979ec1abf9045f4292c8accac620c6cf6cdc51a54b560bbae42867abef1db6"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CreateDocument"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"collection"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"title"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"value"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"JSON"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"createDocument"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}},{"kind":"Argument","name":{"kind":"Name","value":"collection"},"value":{"kind":"Variable","name":{"kind":"Name","value":"collection"}}},{"kind":"Argument","name":{"kind":"Name","value":"title"},"value":{"kind":"Variable","name":{"kind":"Name","value":"title"}}},{"kind":"Argument","name":{"kind":"Name","value":"value"},"value":{"kind":"Variable","name":{"kind":"Name","value":"value"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"EditOutcome"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"DocumentParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Document"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"collection"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"deleted"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"EditOutcome"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"EditResult"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Edited"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"document"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"DocumentParts"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refused"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"path"}},{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"retryable"}},{"kind":"Field","name":{"kind":"Name","value":"retryAfter"}}]}}]}}]} as unknown as DocumentNode<CreateDocumentMutation, CreateDocumentMutationVariables>;
export const PatchDocumentDocument = {"__meta__":{"hash":"sha256:b392db2e16fdda4c85daec43f480a9f4121c9738d9ee02ccf50d75de3cb26e06"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"PatchDocument"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"patch"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"JSON"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"ifRevision"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Revision"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"patchDocument"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}},{"kind":"Argument","name":{"kind":"Name","value":"patch"},"value":{"kind":"Variable","name":{"kind":"Name","value":"patch"}}},{"kind":"Argument","name":{"kind":"Name","value":"ifRevision"},"value":{"kind":"Variable","name":{"kind":"Name","value":"ifRevision"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"EditOutcome"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"DocumentParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Document"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"collection"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"deleted"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"EditOutcome"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"EditResult"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Edited"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"document"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"DocumentParts"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refused"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"path"}},{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"retryable"}},{"kind":"Field","name":{"kind":"Name","value":"retryAfter"}}]}}]}}]} as unknown as DocumentNode<PatchDocumentMutation, PatchDocumentMutationVariables>;
export const DeleteDocumentDocument = {"__meta__":{"hash":"sha256:fbb565b568fdc56be36df6277a9caba6d7abe580469f03cb178ad02584c6770e"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"DeleteDocument"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"deleteDocument"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"EditOutcome"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"DocumentParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Document"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"collection"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"deleted"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"EditOutcome"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"EditResult"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Edited"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"document"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"DocumentParts"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refused"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"path"}},{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"retryable"}},{"kind":"Field","name":{"kind":"Name","value":"retryAfter"}}]}}]}}]} as unknown as DocumentNode<DeleteDocumentMutation, DeleteDocumentMutationVariables>;
export const RestoreDocumentDocument = {"__meta__":{"hash":"sha256:3e11901d428ed8f3abc2bfb9351050d60c2645a6926adf90c5c3e0b6822f5022"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RestoreDocument"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"restoreDocument"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"EditOutcome"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"DocumentParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Document"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"collection"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"deleted"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"EditOutcome"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"EditResult"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Edited"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"document"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"DocumentParts"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Refused"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"path"}},{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"retryable"}},{"kind":"Field","name":{"kind":"Name","value":"retryAfter"}}]}}]}}]} as unknown as DocumentNode<RestoreDocumentMutation, RestoreDocumentMutationVariables>;
export const WatchDocumentDocument = {"__meta__":{"hash":"sha256:4a1f778b47bb7f807d7ff82aa46f947e4fda35840cb78cd59152c4392f22c9d3"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"WatchDocument"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"document"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"DocumentParts"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"DocumentParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Document"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"collection"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"deleted"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}}]} as unknown as DocumentNode<WatchDocumentSubscription, WatchDocumentSubscriptionVariables>;
export const WatchConflictsDocument = {"__meta__":{"hash":"sha256:25a129e93fdc4963f64983cb332a5a3a31456b59e89c240d3292054ec056d410"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"WatchConflicts"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"documentId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"conflicts"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"documentId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"documentId"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"workspaceId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"conflicts"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ConflictParts"}},{"kind":"Field","name":{"kind":"Name","value":"ordinal"}},{"kind":"Field","name":{"kind":"Name","value":"explanation"}},{"kind":"Field","name":{"kind":"Name","value":"restore"}}]}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"upToDate"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ConflictParts"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Conflict"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"documentId"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"position"}},{"kind":"Field","name":{"kind":"Name","value":"rule"}},{"kind":"Field","name":{"kind":"Name","value":"loser"}},{"kind":"Field","name":{"kind":"Name","value":"path"}},{"kind":"Field","name":{"kind":"Name","value":"lost"}},{"kind":"Field","name":{"kind":"Name","value":"losing"}},{"kind":"Field","name":{"kind":"Name","value":"winning"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}}]}}]} as unknown as DocumentNode<WatchConflictsSubscription, WatchConflictsSubscriptionVariables>;
export const CreateWorkspaceDocument = {"__meta__":{"hash":"sha256:a742b56728f94e57a6ba3a94b9177b529af49a650badf314998a5b1c2103007c"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CreateWorkspace"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"name"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"createWorkspace"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"name"},"value":{"kind":"Variable","name":{"kind":"Name","value":"name"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"role"}}]}}]}}]} as unknown as DocumentNode<CreateWorkspaceMutation, CreateWorkspaceMutationVariables>;
export const CreateTokenDocument = {"__meta__":{"hash":"sha256:f6afd6f4b83bf994b88630b1f97eb9ed898169824edc21956864d1166a696638"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CreateToken"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"label"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"expiresAt"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"DateTime"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"grant"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"GrantInput"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"createToken"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"label"},"value":{"kind":"Variable","name":{"kind":"Name","value":"label"}}},{"kind":"Argument","name":{"kind":"Name","value":"expiresAt"},"value":{"kind":"Variable","name":{"kind":"Name","value":"expiresAt"}}},{"kind":"Argument","name":{"kind":"Name","value":"grant"},"value":{"kind":"Variable","name":{"kind":"Name","value":"grant"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"token"}},{"kind":"Field","name":{"kind":"Name","value":"principalId"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}}]}}]}}]} as unknown as DocumentNode<CreateTokenMutation, CreateTokenMutationVariables>;
export const RevokeTokenDocument = {"__meta__":{"hash":"sha256:6f9251fe112e16a860dbe8a79f16e0064f9dfa7e3b769eadc9e9d6c2af85bf67"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RevokeToken"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"revokeToken"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}]}]}}]} as unknown as DocumentNode<RevokeTokenMutation, RevokeTokenMutationVariables>;
export const SetRoleDocument = {"__meta__":{"hash":"sha256:25eb3e151b0bb06229091edaea78246375700702b2bcf263c7ce572ef6f5fb7d"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"SetRole"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"principalId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"role"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Role"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"setRole"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"principalId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"principalId"}}},{"kind":"Argument","name":{"kind":"Name","value":"role"},"value":{"kind":"Variable","name":{"kind":"Name","value":"role"}}},{"kind":"Argument","name":{"kind":"Name","value":"workspaceId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"workspaceId"}}}]}]}}]} as unknown as DocumentNode<SetRoleMutation, SetRoleMutationVariables>;