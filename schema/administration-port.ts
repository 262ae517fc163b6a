import type { DocumentId, JsonValue, PatchId, Position, PrincipalId, WorkspaceId } from '@concord/core';
import type { Page } from './read-port.js';
import type { Membership, Role, Viewer } from './viewer.js';

export interface IssuedToken {
  readonly id: string;
  /** `<id>.<secret>`: shown once, never stored. */
  readonly token: string;
  readonly principalId: PrincipalId;
  readonly expiresAt: Date | null;
}

/** A token as it is listed: everything but its secret. */
export interface TokenRecord {
  readonly id: string;
  readonly principalId: PrincipalId;
  readonly principalName: string;
  /** Null: it is neither the viewer's own nor granted by the workspace that was asked for. */
  readonly label: string | null;
  /** The token that it was made with. */
  readonly parentId: string | null;
  /** The workspace that granted it. */
  readonly workspaceId: WorkspaceId | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** To the minute or so. */
  readonly lastUsedAt: Date | null;
}

export interface TokenRequest {
  readonly label: string;
  /** Null: as late as the viewer's own. */
  readonly expiresAt: Date | null;
  readonly grant: { readonly workspaceId: WorkspaceId; readonly role: Role; readonly name: string } | null;
}

export interface TokensRequest {
  /** Null: the viewer's own. Otherwise those that give access to the workspace; OWNER only. */
  readonly workspaceId: WorkspaceId | null;
  readonly includeEnded: boolean;
  readonly first: number;
  readonly after: string | null;
}

export type MembershipSource = 'OWN' | 'GRANT' | 'INVITATION' | 'CLAIM';

export interface MemberRecord {
  readonly principalId: PrincipalId;
  readonly name: string;
  readonly role: Role;
  readonly source: MembershipSource;
  readonly since: Date;
}

export interface InvitationRecord {
  readonly workspaceId: WorkspaceId;
  readonly id: string;
  readonly role: Role;
  readonly label: string;
  readonly createdBy: PrincipalId;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly acceptedAt: Date | null;
  readonly acceptedBy: PrincipalId | null;
  readonly withdrawnAt: Date | null;
}

export interface IssuedInvitation {
  readonly invitation: InvitationRecord;
  /** Shown once, never stored. Whoever has it becomes a member, once. */
  readonly token: string;
}

export interface InviteRequest {
  readonly role: Role;
  readonly label: string;
  /** Null: in a week. */
  readonly expiresAt: Date | null;
}

export interface InvitationsRequest {
  /** Accepted, withdrawn and expired ones too. */
  readonly includeEnded: boolean;
  readonly first: number;
  readonly after: string | null;
}

export interface AuditEntryRecord {
  readonly at: Date;
  /** Null: the command line, the retention, or nobody known. */
  readonly principalId: PrincipalId | null;
  readonly action: string;
  readonly documentId: DocumentId | null;
  readonly patchId: PatchId | null;
  /** Of a committed edit. */
  readonly position: Position | null;
  /** `OK` or an error code. */
  readonly outcome: string;
  readonly detail: JsonValue;
}

export interface AuditFilter {
  readonly action?: string;
  readonly principalId?: PrincipalId;
  readonly documentId?: DocumentId;
  readonly outcome?: string;
  readonly since?: Date;
  /** Exclusive. */
  readonly until?: Date;
}

export interface AuditRequest {
  readonly filter: AuditFilter;
  readonly first: number;
  readonly after: string | null;
}

export interface AuditSealRecord {
  readonly number: number;
  readonly at: Date;
  readonly position: Position;
  readonly digest: string;
}

export interface AdministrationPort {
  createWorkspace(viewer: Viewer, name: string): Promise<Membership>;
  /**
   * For the viewer itself, or, with a grant by an OWNER, for a new principal with a role. It ends no later than the viewer's own
   * credential and is revoked with it.
   */
  createToken(viewer: Viewer, request: TokenRequest): Promise<IssuedToken>;
  /** Own tokens, or those that a workspace of the viewer's granted, with all that were made with them. Takes effect at once, on every node and open stream. */
  revokeToken(viewer: Viewer, id: string): Promise<boolean>;
  /** Newest first. */
  tokens(viewer: Viewer, request: TokensRequest): Promise<Page<TokenRecord>>;
  /** OWNER only. Nobody is a member by it before accepting. */
  invite(viewer: Viewer, workspaceId: WorkspaceId, request: InviteRequest): Promise<IssuedInvitation>;
  /** OWNER only. False: there is no such open invitation. */
  withdrawInvitation(viewer: Viewer, workspaceId: WorkspaceId, id: string): Promise<boolean>;
  /** OWNER only, newest first. */
  invitations(viewer: Viewer, workspaceId: WorkspaceId, request: InvitationsRequest): Promise<Page<InvitationRecord>>;
  /** The viewer becomes a member; its default workspace stays what it is. */
  acceptInvitation(viewer: Viewer, token: string): Promise<Membership>;
  /** Any member, the oldest first. */
  members(viewer: Viewer, workspaceId: WorkspaceId, page: { readonly first: number; readonly after: string | null }): Promise<Page<MemberRecord>>;
  /** OWNER only. Open streams of the principal end with FORBIDDEN. */
  removeMember(viewer: Viewer, workspaceId: WorkspaceId, principalId: PrincipalId): Promise<void>;
  /** OWNER only, newest first. */
  audit(viewer: Viewer, workspaceId: WorkspaceId, request: AuditRequest): Promise<Page<AuditEntryRecord>>;
  /** OWNER only. The newest link of the chain over the audit; null before the first. */
  auditSeal(viewer: Viewer, workspaceId: WorkspaceId): Promise<AuditSealRecord | null>;
  leaveWorkspace(viewer: Viewer, workspaceId: WorkspaceId): Promise<void>;
  /** Null: the oldest that it did not come into by an invitation. */
  setDefaultWorkspace(viewer: Viewer, workspaceId: WorkspaceId | null): Promise<void>;
  /** OWNER only, for a member or a principal that the workspace made. Null takes the membership away; open streams end with FORBIDDEN. */
  setRole(viewer: Viewer, workspaceId: WorkspaceId, principalId: PrincipalId, role: Role | null): Promise<void>;
}
