import type { PrincipalId, WorkspaceId } from '@concord/core';
import type { Role } from '@concord/schema';

/** A role that was lowered or taken away. Whoever serves the principal in that workspace asks `role` again at once (I8). */
export interface Revocation {
  readonly principalId: PrincipalId;
  readonly workspaceId: WorkspaceId;
}

/**
 * Who may do what, asked at every call. Answers are cached for a short time; a change made by any node drops them on every
 * node. A revoked *token* is not seen here: the edge closes the sockets and streams that it opened.
 */
export interface Rights {
  /** The principal's role in the workspace now. Null: none, or no such workspace (a caller must not learn which). */
  role(principalId: PrincipalId, workspaceId: WorkspaceId): Promise<Role | null>;
  /** Calls the listener after each revocation, when `role` already answers anew. Returns the way to stop. */
  onRevoked(listener: (revocation: Revocation) => void): () => void;
}
