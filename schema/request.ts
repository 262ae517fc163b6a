import { ConcordError, parseDocumentId, parseWorkspaceId, type DocumentId, type WorkspaceId } from '@concord/core';
import type { Context, Viewer } from './context.js';

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

/** The workspace an operation means: the one named, or the caller's only one. The port checks the role. */
export function workspaceOf(viewer: Viewer, named: string | null | undefined): WorkspaceId {
  if (named !== null && named !== undefined) {
    const parsed = parseWorkspaceId(named);
    if (!parsed.ok) throw ConcordError.from(parsed.error);
    return parsed.value;
  }
  const [only, ...others] = viewer.memberships.keys();
  if (only === undefined) {
    throw new ConcordError('WORKSPACE_NOT_FOUND', 'You are a member of no workspace. Ask an owner to add you, or create one with createWorkspace.');
  }
  if (others.length > 0) {
    throw new ConcordError('INPUT_INVALID', `You are a member of ${others.length + 1} workspaces: name one as workspaceId (query { workspaces { id name } } lists them).`);
  }
  return only;
}

/** Description of the `workspaceId` argument, the same everywhere. */
export const workspaceArgument = 'The workspace. May be left out by a member of exactly one.';

/** A document id argument, or `INPUT_INVALID` with what is allowed. */
export function documentIdOf(id: string): DocumentId {
  const parsed = parseDocumentId(id);
  if (!parsed.ok) throw ConcordError.from(parsed.error);
  return parsed.value;
}
