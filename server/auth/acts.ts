import { ConcordError, type PrincipalId, type WorkspaceId } from '@concord/core';
import type { Role, Viewer } from '@concord/schema';
import { auditRow, type AuditAct } from '../audit.js';
import type { Denials } from '../audit/denials.js';
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
  /** The owners, who stay it until the transaction ends. */
  lockOwners(transaction: Prisma.TransactionClient, workspaceId: WorkspaceId): Promise<ReadonlySet<PrincipalId>>;
  /** The viewer is an owner and stays it until the transaction ends: what it gives is not given after its own right was taken. @throws ConcordError FORBIDDEN. */
  lockOwner(transaction: Prisma.TransactionClient, viewer: Viewer, workspaceId: WorkspaceId): Promise<void>;
  noOwner(workspaceId: WorkspaceId): ConcordError;
  /** Runs the check; audits what it throws. */
  denying(viewer: Viewer, workspaceId: WorkspaceId | null, attempt: Attempt, check: () => void): Promise<void>;
}

export function createActs(options: {
  readonly prisma: PrismaClient;
  readonly rights: Rights;
  readonly now: () => Date;
  readonly denials: Denials;
  /** Told of each workspace whose audit has grown. */
  readonly written: (workspaceId: string) => void;
}): Acts {
  const { prisma, rights, now, denials, written } = options;
  const roleOf = (viewer: Viewer, workspaceId: WorkspaceId) => rights.role(viewer.principalId, workspaceId);

  async function record(client: Prisma.TransactionClient, act: AuditAct): Promise<void> {
    await client.auditEntry.create({ data: auditRow(act, now()) });
    if (act.workspaceId !== null) written(act.workspaceId);
  }

  async function denied(act: AuditAct): Promise<void> {
    await denials.add(act, now());
    if (act.workspaceId !== null) written(act.workspaceId);
  }

  const noOwner = (workspaceId: WorkspaceId): ConcordError =>
    new ConcordError('FORBIDDEN', `Only an owner of the workspace ${workspaceId} may do this; you are none any more.`, { id: workspaceId });

  async function lockOwners(transaction: Prisma.TransactionClient, workspaceId: WorkspaceId): Promise<ReadonlySet<PrincipalId>> {
    const owners = await transaction.$queryRaw<{ principal_id: PrincipalId }[]>`
      SELECT principal_id FROM memberships WHERE workspace_id = ${workspaceId} AND role = 'OWNER' ORDER BY principal_id FOR UPDATE`;
    return new Set(owners.map((owner) => owner.principal_id));
  }

  return {
    prisma,
    noOwner,
    lockOwners,
    async lockOwner(transaction, viewer, workspaceId) {
      const [owner] = await transaction.$queryRaw<unknown[]>`
        SELECT 1 FROM memberships WHERE workspace_id = ${workspaceId} AND principal_id = ${viewer.principalId} AND role = 'OWNER' FOR SHARE`;
      if (owner === undefined) throw noOwner(workspaceId);
    },
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
