import { ConcordError, type PrincipalId, type WorkspaceId } from '@concord/core';
import type { AdministrationPort, Role } from '@concord/schema';
import type { Prisma } from '../generated/prisma/client.js';
import type { Acts } from './acts.js';
import type { MembershipCache } from './membership-cache.js';
import { checkName } from './names.js';

/** Workspaces and who is in them. */
export function createMembers(options: {
  readonly acts: Acts;
  readonly memberships: MembershipCache;
  readonly randomId: () => string;
}): Pick<AdministrationPort, 'createWorkspace' | 'setRole'> {
  const { acts, memberships, randomId } = options;
  const { prisma } = acts;
  return {
    async createWorkspace(viewer, name) {
      const checked = checkName(name, 1);
      const workspaceId = randomId() as WorkspaceId;
      const history = await prisma.$transaction(async (transaction) => {
        const workspace = await transaction.workspace.create({ data: { id: workspaceId, name: checked } });
        await transaction.membership.create({ data: { workspaceId, principalId: viewer.principalId, role: 'OWNER', source: 'OWN' } });
        await acts.record(transaction, { workspaceId, principalId: viewer.principalId, action: 'CREATE_WORKSPACE', outcome: 'OK', detail: { name: checked } });
        return workspace.history;
      });
      await memberships.changed({ principalId: viewer.principalId, workspaceId });
      const made = (await memberships.memberships(viewer.principalId)).get(workspaceId);
      return made ?? { workspaceId, name: checked, role: 'OWNER', history, isDefault: false };
    },

    async setRole(viewer, workspaceId, principalId, role) {
      const detail = { principalId, role };
      await acts.requireOwner(viewer, workspaceId, { action: 'SET_ROLE', detail });
      await prisma.$transaction(async (transaction) => {
        await replaceRole(transaction, workspaceId, principalId, role);
        await acts.record(transaction, { workspaceId, principalId: viewer.principalId, action: 'SET_ROLE', outcome: 'OK', detail });
      });
      await memberships.changed({ principalId, workspaceId });
    },
  };
}

async function replaceRole(transaction: Prisma.TransactionClient, workspaceId: WorkspaceId, principalId: PrincipalId, role: Role | null): Promise<void> {
  // Two owners who take each other's role at once must not both succeed.
  const owners = await transaction.$queryRaw<{ principal_id: string }[]>`
    SELECT principal_id FROM memberships WHERE workspace_id = ${workspaceId} AND role = 'OWNER' ORDER BY principal_id FOR UPDATE`;
  if (role !== 'OWNER' && owners.length === 1 && owners[0]?.principal_id === principalId) {
    throw new ConcordError('INPUT_INVALID', `${principalId} is the last owner of the workspace ${workspaceId}; make another principal its owner first.`, { path: '/role', id: principalId });
  }
  if (role === null) {
    await transaction.membership.deleteMany({ where: { workspaceId, principalId } });
    return;
  }
  if ((await transaction.principal.findUnique({ where: { id: principalId }, select: { id: true } })) === null) {
    throw new ConcordError('INPUT_INVALID', `There is no principal ${principalId}; createToken with a grant makes one.`, { path: '/principalId', id: principalId });
  }
  await transaction.membership.upsert({
    where: { workspaceId_principalId: { workspaceId, principalId } },
    create: { workspaceId, principalId, role },
    update: { role },
  });
}
