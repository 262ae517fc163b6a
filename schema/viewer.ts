import type { PrincipalId, WorkspaceId } from '@concord/core';

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
