import type { PrincipalId, WorkspaceId } from '@concord/core';
import type { Membership, Role, Viewer } from './viewer.js';

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
