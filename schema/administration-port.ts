import type { PrincipalId, WorkspaceId } from '@concord/core';
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
  /** OWNER only. Null takes the membership away; open streams end with FORBIDDEN. */
  setRole(viewer: Viewer, workspaceId: WorkspaceId, principalId: PrincipalId, role: Role | null): Promise<void>;
}
