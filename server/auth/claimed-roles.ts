import { parseWorkspaceId, type PrincipalId, type WorkspaceId } from '@concord/core';
import type { Role } from '@concord/schema';
import { auditRow } from '../audit.js';
import type { Prisma, PrismaClient } from '../generated/prisma/client.js';
import { withdrawInvitationsOf } from './invitations.js';
import type { MembershipCache } from './membership-cache.js';

/** What a JWT says of its principal's roles, and when it was issued. */
export interface ClaimedRoles {
  readonly roles: ReadonlyMap<WorkspaceId, Role>;
  readonly issuedAt: Date;
}

/** Of one JWT. */
const maxClaims = 1_000;

/** Null: the claim is not an object of workspace ids and roles. A JWT without the claim gives no roles. */
export function readRoles(claim: unknown): ReadonlyMap<WorkspaceId, Role> | null {
  if (claim === undefined) return new Map();
  if (typeof claim !== 'object' || claim === null || Array.isArray(claim)) return null;
  const entries = Object.entries(claim as Readonly<Record<string, unknown>>);
  if (entries.length > maxClaims) return null;
  const roles = new Map<WorkspaceId, Role>();
  for (const [id, role] of entries) {
    const workspaceId = parseWorkspaceId(id);
    if (!workspaceId.ok || (role !== 'OWNER' && role !== 'EDITOR' && role !== 'VIEWER')) return null;
    roles.set(workspaceId.value, role);
  }
  return roles;
}

/** Makes a principal's memberships say what its JWT says. */
export type ApplyClaims = (principalId: PrincipalId, claimed: ClaimedRoles) => Promise<void>;

type Step = { readonly workspaceId: WorkspaceId; readonly role: Role | null; readonly wasOwner: boolean };

/**
 * A workspace that the claim names gives the claim's role, also where Concord has given another; only in workspaces that the principal
 * made itself it stays owner. A role that came by a claim goes when a newer JWT does not name it. Workspaces that do not exist are passed over.
 */
export function createApplyClaims({ prisma, memberships, now }: { readonly prisma: PrismaClient; readonly memberships: MembershipCache; readonly now: () => Date }): ApplyClaims {
  async function stepsOf(client: Prisma.TransactionClient, principalId: PrincipalId, { roles, issuedAt }: ClaimedRoles): Promise<{ readonly steps: readonly Step[]; readonly isNewer: boolean }> {
    const principal = await client.principal.findUniqueOrThrow({ where: { id: principalId }, select: { claimsIssuedAt: true, memberships: { select: { workspaceId: true, role: true, source: true } } } });
    // An older JWT that is still good must not bring back what a newer one took away.
    if (principal.claimsIssuedAt !== null && principal.claimsIssuedAt > issuedAt) return { steps: [], isNewer: false };
    const existing = roles.size === 0 ? [] : await client.workspace.findMany({ where: { id: { in: [...roles.keys()] } }, select: { id: true } });
    const held = new Map(principal.memberships.map((membership) => [membership.workspaceId, membership]));
    const steps: Step[] = [];
    for (const { id } of existing) {
      const workspaceId = id as WorkspaceId;
      const role = roles.get(workspaceId) ?? null;
      const has = held.get(id);
      if (has?.source !== 'OWN' && (has?.source !== 'CLAIM' || has.role !== role)) steps.push({ workspaceId, role, wasOwner: has?.role === 'OWNER' });
    }
    for (const { workspaceId, role, source } of principal.memberships) {
      if (source === 'CLAIM' && !roles.has(workspaceId as WorkspaceId)) steps.push({ workspaceId: workspaceId as WorkspaceId, role: null, wasOwner: role === 'OWNER' });
    }
    return { steps, isNewer: principal.claimsIssuedAt === null || principal.claimsIssuedAt < issuedAt };
  }

  return async (principalId, claimed) => {
    const looked = await stepsOf(prisma, principalId, claimed);
    if (looked.steps.length === 0 && !looked.isNewer) return;
    const done = await prisma.$transaction(async (transaction) => {
      await transaction.$queryRaw`SELECT id FROM principals WHERE id = ${principalId} FOR UPDATE`;
      const { steps, isNewer } = await stepsOf(transaction, principalId, claimed);
      if (isNewer) await transaction.principal.update({ where: { id: principalId }, data: { claimsIssuedAt: claimed.issuedAt } });
      for (const { workspaceId, role, wasOwner } of steps) {
        const where = { workspaceId_principalId: { workspaceId, principalId } };
        if (role === null) await transaction.membership.delete({ where });
        else await transaction.membership.upsert({ where, create: { workspaceId, principalId, role, source: 'CLAIM' }, update: { role, source: 'CLAIM' } });
        // An owner no more: what it has invited to must not bring it back.
        if (wasOwner && role !== 'OWNER') await withdrawInvitationsOf(transaction, workspaceId, principalId, now());
        await transaction.auditEntry.create({ data: auditRow({ workspaceId, principalId, action: 'SET_ROLE', outcome: 'OK', detail: { principalId, role, by: 'JWT' } }, now()) });
      }
      return steps;
    });
    for (const { workspaceId } of done) await memberships.changed({ principalId, workspaceId });
  };
}
