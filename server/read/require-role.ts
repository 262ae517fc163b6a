import { ConcordError, type WorkspaceId } from '@concord/core';
import type { Role, Viewer } from '@concord/schema';
import type { Rights } from '../auth/rights.js';

/** The same for a workspace that does not exist and for one without a role in it, so that ids cannot be probed. */
export const noSuchWorkspace = (workspaceId: WorkspaceId): ConcordError =>
  new ConcordError('WORKSPACE_NOT_FOUND', `There is no workspace ${workspaceId}, or you have no role in it. The query { workspaces { id name role } } lists yours.`, { id: workspaceId });

const ranks: Record<Role, number> = { VIEWER: 0, EDITOR: 1, OWNER: 2 };

/**
 * The viewer's role in the workspace now, at least `least`.
 * @throws ConcordError WORKSPACE_NOT_FOUND without any role (whether the workspace exists is not told), FORBIDDEN with a lower one.
 */
export async function requireRole(rights: Rights, viewer: Viewer, workspaceId: WorkspaceId, least: Role): Promise<Role> {
  const role = await rights.role(viewer.principalId, workspaceId);
  if (role === null) {
    throw noSuchWorkspace(workspaceId);
  }
  if (ranks[role] < ranks[least]) {
    throw new ConcordError('FORBIDDEN', `This needs the role ${least} in workspace ${workspaceId}; yours is ${role}`, { id: workspaceId });
  }
  return role;
}
