import { ConcordError, parseDocumentId, parseWorkspaceId, type DocumentId, type WorkspaceId } from '@concord/core';
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
 * The workspace an operation means: the one named, or the one the caller has been in the longest, so that what a token
 * means without a name stays the same when its principal joins others. The port checks the role.
 */
export function workspaceOf(viewer: Viewer, named: string | null | undefined): WorkspaceId {
  if (named !== null && named !== undefined) {
    const parsed = parseWorkspaceId(named);
    if (!parsed.ok) throw ConcordError.from(parsed.error);
    return parsed.value;
  }
  const [first] = viewer.memberships.keys();
  if (first === undefined) {
    throw new ConcordError('WORKSPACE_NOT_FOUND', 'You are a member of no workspace. Ask an owner to add you, or create one with createWorkspace.');
  }
  return first;
}

/** Description of the `workspaceId` argument, the same everywhere. */
export const workspaceArgument = 'The workspace. Left out: the one you have been a member of the longest, the first that `workspaces` lists.';

/** A document id argument, or `INPUT_INVALID` with what is allowed. */
export function documentIdOf(id: string): DocumentId {
  const parsed = parseDocumentId(id);
  if (!parsed.ok) throw ConcordError.from(parsed.error);
  return parsed.value;
}
