import type { PrincipalId, WorkspaceId } from '@concord/core';

export type Role = 'OWNER' | 'EDITOR' | 'VIEWER';

/** What the viewer was known by. What is made with it ends with it. */
export interface Credential {
  /** Null: a JWT. */
  readonly tokenId: string | null;
  /** Null: never. */
  readonly expiresAt: Date | null;
}

export interface Viewer {
  readonly principalId: PrincipalId;
  readonly name: string;
  readonly credential: Credential;
  /** Roles at the time of the call, by workspace, the oldest membership first. Long-lived streams must not trust them: the feed re-checks. */
  readonly memberships: ReadonlyMap<WorkspaceId, Membership>;
}

export interface Membership {
  readonly workspaceId: WorkspaceId;
  readonly name: string;
  readonly role: Role;
  /** Id of the workspace's history. */
  readonly history: string;
  /** True of one at most: an operation without a workspace means it. */
  readonly isDefault: boolean;
}
