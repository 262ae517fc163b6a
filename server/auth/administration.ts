import { ConcordError, checkValue, type PrincipalId, type WorkspaceId } from '@concord/core';
import type { AdministrationPort, IssuedToken, Role, Viewer } from '@concord/schema';
import { auditRow, type AuditAct } from '../audit.js';
import type { Prisma, PrismaClient } from '../generated/prisma/client.js';
import type { Authenticator } from './authenticate.js';
import { newCredential } from './credentials.js';
import type { MembershipCache } from './membership-cache.js';
import { noSuchWorkspace } from '../read/require-role.js';

const longestName = 256;

/** Workspaces, tokens and roles. Every act is audited in its transaction; a refused one on its own. */
export function createAdministration(options: {
  readonly prisma: PrismaClient;
  readonly memberships: MembershipCache;
  readonly authenticator: Authenticator;
  readonly now: () => Date;
  readonly randomId: () => string;
}): AdministrationPort {
  const { prisma, memberships, authenticator, now, randomId } = options;

  const record = (client: Prisma.TransactionClient, act: AuditAct) => client.auditEntry.create({ data: auditRow(act, now()) });

  /** @throws ConcordError WORKSPACE_NOT_FOUND, FORBIDDEN (audited). */
  async function requireOwner(viewer: Viewer, workspaceId: WorkspaceId, attempt: Pick<AuditAct, 'action' | 'detail'>): Promise<void> {
    const role = await memberships.role(viewer.principalId, workspaceId);
    if (role === 'OWNER') return;
    const code = role === null ? 'WORKSPACE_NOT_FOUND' : 'FORBIDDEN';
    await record(prisma, { ...attempt, workspaceId, principalId: viewer.principalId, outcome: code });
    if (role === null) throw noSuchWorkspace(workspaceId);
    throw new ConcordError(code, `Only an owner of the workspace ${workspaceId} may do this; you are its ${role}.`, { id: workspaceId });
  }

  return {
    async createWorkspace(viewer, name) {
      const checked = checkName(name, 1);
      const workspaceId = randomId() as WorkspaceId;
      await prisma.$transaction(async (transaction) => {
        await transaction.workspace.create({ data: { id: workspaceId, name: checked } });
        await transaction.membership.create({ data: { workspaceId, principalId: viewer.principalId, role: 'OWNER' } });
        await record(transaction, { workspaceId, principalId: viewer.principalId, action: 'CREATE_WORKSPACE', outcome: 'OK', detail: { name: checked } });
      });
      await memberships.changed({ principalId: viewer.principalId, workspaceId });
      return { workspaceId, name: checked, role: 'OWNER' };
    },

    async createToken(viewer, { label, expiresAt, grant }): Promise<IssuedToken> {
      checkName(label, 0, 'label');
      if (expiresAt !== null && expiresAt <= now()) {
        throw new ConcordError('INPUT_INVALID', `expiresAt is ${expiresAt.toISOString()}, which has passed; give a moment in the future, or leave it out.`, { path: '/expiresAt' });
      }
      if (grant !== null) {
        checkName(grant.name, 1);
        await requireOwner(viewer, grant.workspaceId, { action: 'CREATE_TOKEN', detail: { name: grant.name, role: grant.role } });
      }
      const { id, token, hash } = await newCredential();
      const principalId = grant === null ? viewer.principalId : (randomId() as PrincipalId);
      await prisma.$transaction(async (transaction) => {
        const act = { workspaceId: grant?.workspaceId ?? null, principalId: viewer.principalId, outcome: 'OK' } as const;
        if (grant !== null) {
          await transaction.principal.create({ data: { id: principalId, name: grant.name } });
          await transaction.membership.create({ data: { workspaceId: grant.workspaceId, principalId, role: grant.role } });
          await record(transaction, { ...act, action: 'CREATE_PRINCIPAL', detail: { principalId, name: grant.name } });
          await record(transaction, { ...act, action: 'SET_ROLE', detail: { principalId, role: grant.role } });
        }
        await transaction.token.create({ data: { id, principalId, label, hash, expiresAt } });
        await record(transaction, { ...act, action: 'CREATE_TOKEN', detail: { tokenId: id, for: principalId, label } });
      });
      return { id, token, principalId, expiresAt };
    },

    async revokeToken(viewer, id) {
      const token = await prisma.token.findUnique({ where: { id }, select: { principalId: true } });
      if (token === null) return false;
      if (!(await mayRevoke(prisma, viewer, token.principalId))) {
        await record(prisma, { workspaceId: null, principalId: viewer.principalId, action: 'REVOKE_TOKEN', outcome: 'FORBIDDEN', detail: { tokenId: id, of: token.principalId } });
        return false;
      }
      await prisma.$transaction(async (transaction) => {
        await transaction.token.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: now() } });
        await record(transaction, { workspaceId: null, principalId: viewer.principalId, action: 'REVOKE_TOKEN', outcome: 'OK', detail: { tokenId: id, of: token.principalId } });
      });
      await authenticator.revoked(id);
      return true;
    },

    async setRole(viewer, workspaceId, principalId, role) {
      const detail = { principalId, role };
      await requireOwner(viewer, workspaceId, { action: 'SET_ROLE', detail });
      await prisma.$transaction(async (transaction) => {
        await replaceRole(transaction, workspaceId, principalId, role);
        await record(transaction, { workspaceId, principalId: viewer.principalId, action: 'SET_ROLE', outcome: 'OK', detail });
      });
      await memberships.changed({ principalId, workspaceId });
    },
  };
}

/** Own tokens; others only when their principal is a member of a workspace that the viewer owns. */
async function mayRevoke(prisma: PrismaClient, viewer: Viewer, principalId: string): Promise<boolean> {
  if (principalId === viewer.principalId) return true;
  const owned = await prisma.membership.findFirst({
    where: { principalId, workspace: { memberships: { some: { principalId: viewer.principalId, role: 'OWNER' } } } },
    select: { workspaceId: true },
  });
  return owned !== null;
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

/** The database holds no U+0000 and no lone surrogate. */
function checkName(name: string, least: number, argument = 'name'): string {
  const problem =
    name.length < least || name.length > longestName
      ? `${argument} must have ${least} to ${longestName} characters, this one has ${name.length}`
      : !checkValue(name).ok
        ? `${argument} contains U+0000 or a lone surrogate`
        : null;
  if (problem === null) return name;
  throw new ConcordError('INPUT_INVALID', `${problem}.`, { path: `/${argument}`, limit: longestName, actual: name.length });
}
