import { ConcordError, type WorkspaceId } from '@concord/core';
import type { Role, Viewer } from '@concord/schema';
import { auditRow, type AuditAct } from '../audit.js';
import type { Prisma, PrismaClient } from '../generated/prisma/client.js';
import { noSuchWorkspace } from '../read/require-role.js';
import type { Rights } from './rights.js';

type Attempt = Pick<AuditAct, 'action' | 'detail'>;

/** What every act of administration needs: the right to it, and its row in the audit, be it done or denied. */
export interface Acts {
  readonly prisma: PrismaClient;
  /** In the transaction of the act. */
  record(transaction: Prisma.TransactionClient, act: AuditAct): Promise<void>;
  denied(act: AuditAct): Promise<void>;
  roleOf(viewer: Viewer, workspaceId: WorkspaceId): Promise<Role | null>;
  /** An attempt of null is a read, which is not audited. @throws ConcordError WORKSPACE_NOT_FOUND, FORBIDDEN (audited). */
  requireOwner(viewer: Viewer, workspaceId: WorkspaceId, attempt: Attempt | null): Promise<void>;
  /** Runs the check; audits what it throws. */
  denying(viewer: Viewer, workspaceId: WorkspaceId | null, attempt: Attempt, check: () => void): Promise<void>;
}

export function createActs({ prisma, rights, now }: { readonly prisma: PrismaClient; readonly rights: Rights; readonly now: () => Date }): Acts {
  const roleOf = (viewer: Viewer, workspaceId: WorkspaceId) => rights.role(viewer.principalId, workspaceId);

  async function record(client: Prisma.TransactionClient, act: AuditAct): Promise<void> {
    await client.auditEntry.create({ data: auditRow(act, now()) });
  }

  const denied = (act: AuditAct): Promise<void> => record(prisma, act);

  return {
    prisma,
    record,
    denied,
    roleOf,
    async requireOwner(viewer, workspaceId, attempt) {
      const role = await roleOf(viewer, workspaceId);
      if (role === 'OWNER') return;
      const code = role === null ? 'WORKSPACE_NOT_FOUND' : 'FORBIDDEN';
      if (attempt !== null) await denied({ ...attempt, workspaceId, principalId: viewer.principalId, outcome: code });
      if (role === null) throw noSuchWorkspace(workspaceId);
      throw new ConcordError(code, `Only an owner of the workspace ${workspaceId} may do this; you are its ${role}.`, { id: workspaceId });
    },
    async denying(viewer, workspaceId, attempt, check) {
      try {
        check();
      } catch (error) {
        if (error instanceof ConcordError) await denied({ ...attempt, workspaceId, principalId: viewer.principalId, outcome: error.code });
        throw error;
      }
    },
  };
}
