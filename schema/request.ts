import { ConcordError, parseDocumentId, parsePrincipalId, parseWorkspaceId, type DocumentId, type PrincipalId, type WorkspaceId } from '@concord/core';
import type { Context } from './context.js';
import type { Viewer } from './viewer.js';

/** The caller, or `UNAUTHENTICATED`. */
export function viewerOf(context: Context): Viewer {
  if (context.viewer === null) {
    throw new ConcordError(
      'UNAUTHENTICATED',
      'This operation needs a token. Send the header "Authorization: Bearer <id>.<secret>" (graphql-ws: the same in connectionParams).',
    );
  }
  return context.viewer;
}

/**
 * The workspace an operation means: the one named, or the caller's default. A workspace that somebody else invited the caller to is
 * never that by itself, so what a program writes without a name stays where it is. The port checks the role.
 */
export function workspaceOf(viewer: Viewer, named: string | null | undefined): WorkspaceId {
  if (named !== null && named !== undefined) return workspaceIdOf(named);
  for (const { workspaceId, isDefault } of viewer.memberships.values()) if (isDefault) return workspaceId;
  throw new ConcordError(
    'WORKSPACE_NOT_FOUND',
    viewer.memberships.size === 0
      ? 'You are a member of no workspace. Ask an owner for an invitation, or create one with createWorkspace.'
      : 'You have no default workspace. Name one with workspaceId, or choose one with setDefaultWorkspace; the query { workspaces { id name role } } lists yours.',
  );
}

/** Description of the `workspaceId` argument, the same everywhere. */
export const workspaceArgument = 'The workspace. Left out: your default, the one that `workspaces` marks with `isDefault`.';

/** A workspace id argument, or `INPUT_INVALID` with what is allowed. */
export function workspaceIdOf(id: string): WorkspaceId {
  const parsed = parseWorkspaceId(id);
  if (!parsed.ok) throw ConcordError.from(parsed.error);
  return parsed.value;
}

/** A principal id argument, or `INPUT_INVALID` with what is allowed. */
export function principalIdOf(id: string): PrincipalId {
  const parsed = parsePrincipalId(id);
  if (!parsed.ok) throw ConcordError.from(parsed.error);
  return parsed.value;
}

/** A document id argument, or `INPUT_INVALID` with what is allowed. */
export function documentIdOf(id: string): DocumentId {
  const parsed = parseDocumentId(id);
  if (!parsed.ok) throw ConcordError.from(parsed.error);
  return parsed.value;
}
