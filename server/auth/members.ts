import { ConcordError, parsePrincipalId, type PrincipalId, type WorkspaceId } from '@concord/core';
import type { AdministrationPort, MemberRecord, Page, Role, Viewer } from '@concord/schema';
import type { AuditAct } from '../audit.js';
import type { Prisma } from '../generated/prisma/client.js';
import { noSuchWorkspace } from '../read/require-role.js';
import type { Acts } from './acts.js';
import { withdrawInvitationsOf } from './invitations.js';
import type { MembershipCache } from './membership-cache.js';
import { checkName } from './names.js';

/** Workspaces and who is in them. A principal comes into one by making it, by a grant that makes the principal, by an invitation or by its JWT. */
export function createMembers(options: {
  readonly acts: Acts;
  readonly memberships: MembershipCache;
  readonly now: () => Date;
  readonly randomId: () => string;
  /** Whether JWTs say which roles their principals have. */
  readonly rolesFromClaims: boolean;
}): Pick<AdministrationPort, 'createWorkspace' | 'setRole' | 'removeMember' | 'leaveWorkspace' | 'setDefaultWorkspace' | 'members'> {
  const { acts, memberships, now, randomId, rolesFromClaims } = options;
  const { prisma } = acts;

  /** Gives a role, or takes it away, and audits it. */
  async function change(viewer: Viewer, workspaceId: WorkspaceId, principalId: PrincipalId, role: Role | null, act: Pick<AuditAct, 'action' | 'detail'>): Promise<void> {
    await prisma.$transaction(async (transaction) => {
      // Two owners who take each other's role at once must not both succeed.
      const owners = await acts.lockOwners(transaction, workspaceId);
      if (act.action !== 'LEAVE_WORKSPACE' && !owners.has(viewer.principalId)) throw acts.noOwner(workspaceId);
      if (role !== 'OWNER' && owners.size === 1 && owners.has(principalId)) {
        throw new ConcordError('INPUT_INVALID', `${principalId} is the last owner of the workspace ${workspaceId}; make another principal its owner first.`, { path: act.action === 'SET_ROLE' ? '/role' : '/principalId', id: principalId });
      }
      await replaceRole(transaction, workspaceId, principalId, role, rolesFromClaims);
      if (role !== 'OWNER' && owners.has(principalId)) await withdrawInvitationsOf(transaction, workspaceId, principalId, now());
      await acts.record(transaction, { ...act, workspaceId, principalId: viewer.principalId, outcome: 'OK' });
    });
    await memberships.changed({ principalId, workspaceId });
  }

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
      const attempt = { action: 'SET_ROLE', detail: { principalId, role } } as const;
      await acts.requireOwner(viewer, workspaceId, attempt);
      await change(viewer, workspaceId, principalId, role, attempt);
    },

    async removeMember(viewer, workspaceId, principalId) {
      const attempt = { action: 'REMOVE_MEMBER', detail: { principalId } } as const;
      await acts.requireOwner(viewer, workspaceId, attempt);
      await change(viewer, workspaceId, principalId, null, attempt);
    },

    async leaveWorkspace(viewer, workspaceId) {
      if ((await acts.roleOf(viewer, workspaceId)) === null) throw noSuchWorkspace(workspaceId);
      await change(viewer, workspaceId, viewer.principalId, null, { action: 'LEAVE_WORKSPACE', detail: {} });
    },

    async setDefaultWorkspace(viewer, workspaceId) {
      if (workspaceId !== null && (await acts.roleOf(viewer, workspaceId)) === null) throw noSuchWorkspace(workspaceId);
      await prisma.principal.update({ where: { id: viewer.principalId }, data: { defaultWorkspaceId: workspaceId } });
      const [any] = workspaceId === null ? viewer.memberships.keys() : [workspaceId];
      // Every node reads the principal anew; its roles are the same.
      if (any !== undefined) await memberships.changed({ principalId: viewer.principalId, workspaceId: any });
    },

    async members(viewer, workspaceId, { first, after }): Promise<Page<MemberRecord>> {
      if ((await acts.roleOf(viewer, workspaceId)) === null) throw noSuchWorkspace(workspaceId);
      const key = after === null ? null : parseKey(after);
      const rows = await prisma.membership.findMany({
        where: { workspaceId, ...(key === null ? {} : { OR: [{ createdAt: { gt: key.at } }, { createdAt: key.at, principalId: { gt: key.principalId } }] }) },
        include: { principal: { select: { name: true } } },
        orderBy: [{ createdAt: 'asc' }, { principalId: 'asc' }],
        take: first + 1,
      });
      return {
        rows: rows.slice(0, first).map(({ principalId, principal, role, source, createdAt }) => ({
          row: { principalId: principalId as PrincipalId, name: principal.name, role, source, since: createdAt },
          key: `${createdAt.getTime()}.${principalId}`,
        })),
        hasNextPage: rows.length > first,
      };
    },
  };
}

async function replaceRole(transaction: Prisma.TransactionClient, workspaceId: WorkspaceId, principalId: PrincipalId, role: Role | null, rolesFromClaims: boolean): Promise<void> {
  const where = { workspaceId_principalId: { workspaceId, principalId } };
  const membership = await transaction.membership.findUnique({ where });
  if (membership?.source === 'CLAIM' && rolesFromClaims) {
    throw new ConcordError('INPUT_INVALID', `The role of ${principalId} in the workspace ${workspaceId} comes from the identity provider with each of its JWTs; change it there.`, { path: '/principalId', id: principalId });
  }
  if (role === null) {
    if (membership !== null) await transaction.membership.delete({ where });
    return;
  }
  if (membership !== null) {
    await transaction.membership.update({ where, data: { role } });
    return;
  }
  // What the workspace has made it may take in again; anybody else has to want it.
  const made = await transaction.principal.findFirst({ where: { id: principalId, workspaceId }, select: { id: true } });
  if (made === null) {
    throw new ConcordError('INPUT_INVALID', `${principalId} is not a member of the workspace ${workspaceId}. Make an invitation with invite, which it accepts, or a new principal with createToken and a grant.`, { path: '/principalId', id: principalId });
  }
  await transaction.membership.create({ data: { workspaceId, principalId, role, source: 'GRANT' } });
}

function parseKey(key: string): { readonly at: Date; readonly principalId: string } {
  const match = /^(\d{1,15})\.(.{1,128})$/.exec(key);
  const principalId = parsePrincipalId(match?.[2]);
  if (match?.[1] !== undefined && principalId.ok) return { at: new Date(Number(match[1])), principalId: principalId.value };
  throw new ConcordError('CURSOR_INVALID', 'The row key given as `after` is not one of this list; give an `endCursor` of the same query');
}
