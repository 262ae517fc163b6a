import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { ConcordError, parseWorkspaceId, type PrincipalId, type WorkspaceId } from '@concord/core';
import type { AdministrationPort, InvitationRecord, InvitationsRequest, InviteRequest, Page, Viewer } from '@concord/schema';
import type { Invitation, Prisma } from '../generated/prisma/client.js';
import type { Acts } from './acts.js';
import { isTokenId } from './credentials.js';
import type { MembershipCache } from './membership-cache.js';
import { checkName } from './names.js';

const dayMs = 86_400_000;
const defaultLifeMs = 7 * dayMs;
const maxLifeDays = 90;
/** Of one workspace, at once. */
const maxOpen = 1_000;

/**
 * An invitation is `<id>.<secret>.<workspace>`, good in a URL. Nobody becomes a member of a workspace of others but by accepting one.
 * The secret is 192 random bits, so a plain SHA-256 of it makes a stolen table useless.
 */
export function createInvitations(options: {
  readonly acts: Acts;
  readonly memberships: MembershipCache;
  readonly now: () => Date;
}): Pick<AdministrationPort, 'invite' | 'withdrawInvitation' | 'acceptInvitation' | 'invitations'> {
  const { acts, memberships, now } = options;
  const { prisma } = acts;
  return {
    async invite(viewer, workspaceId, request) {
      const { role, label } = request;
      checkName(label, 0, 'label');
      const createdAt = now();
      const expiresAt = endOf(request, createdAt);
      await acts.requireOwner(viewer, workspaceId, { action: 'INVITE', detail: { role, label } });
      const id = randomBytes(9).toString('hex');
      const secret = randomBytes(24).toString('base64url');
      const invitation = await prisma.$transaction(async (transaction) => {
        await acts.lockOwner(transaction, viewer, workspaceId);
        const open = await transaction.invitation.count({ where: { workspaceId, ...openAt(createdAt) } });
        if (open >= maxOpen) {
          throw new ConcordError('LIMIT_EXCEEDED', `The workspace ${workspaceId} has ${open} open invitations, no more than ${maxOpen} may be; withdraw some, or wait for them to end.`, { limit: maxOpen, actual: open });
        }
        await acts.record(transaction, { workspaceId, principalId: viewer.principalId, action: 'INVITE', outcome: 'OK', detail: { invitationId: id, role, label } });
        return transaction.invitation.create({ data: { workspaceId, id, hash: hashOf(secret), role, label, createdBy: viewer.principalId, createdAt, expiresAt } });
      });
      return { invitation: recordOf(invitation), token: `${id}.${secret}.${workspaceId}` };
    },

    async withdrawInvitation(viewer, workspaceId, id) {
      const act = { action: 'WITHDRAW_INVITATION', detail: { invitationId: isTokenId(id) ? id : '' } } as const;
      await acts.requireOwner(viewer, workspaceId, act);
      if (!isTokenId(id)) return false;
      return prisma.$transaction(async (transaction) => {
        const { count } = await transaction.invitation.updateMany({ where: { workspaceId, id, acceptedAt: null, withdrawnAt: null }, data: { withdrawnAt: now() } });
        if (count === 1) await acts.record(transaction, { ...act, workspaceId, principalId: viewer.principalId, outcome: 'OK' });
        return count === 1;
      });
    },

    async acceptInvitation(viewer, token) {
      const { workspaceId, id, secret } = parseInvitation(token);
      const refused = await prisma.$transaction((transaction) => accept(transaction, viewer, { workspaceId, id, secret }));
      if (refused !== null) {
        if (refused.isKnown) await acts.denied({ workspaceId, principalId: viewer.principalId, action: 'ACCEPT_INVITATION', outcome: refused.error.code, detail: { invitationId: id } });
        throw refused.error;
      }
      await memberships.changed({ principalId: viewer.principalId, workspaceId });
      const membership = (await memberships.memberships(viewer.principalId)).get(workspaceId);
      if (membership === undefined) throw new ConcordError('WORKSPACE_NOT_FOUND', `You have left the workspace ${workspaceId} again, or were removed.`, { id: workspaceId });
      return membership;
    },

    async invitations(viewer, workspaceId, request) {
      await acts.requireOwner(viewer, workspaceId, null);
      return listInvitations(prisma, workspaceId, request, now());
    },
  };

  /** Null: the viewer is a member now. */
  async function accept(
    transaction: Prisma.TransactionClient,
    viewer: Viewer,
    { workspaceId, id, secret }: ParsedInvitation,
  ): Promise<{ readonly error: ConcordError; readonly isKnown: boolean } | null> {
    const { principalId } = viewer;
    // Of two that accept at once the second sees what the first has done.
    await transaction.$queryRaw`SELECT id FROM invitations WHERE workspace_id = ${workspaceId} AND id = ${id} FOR UPDATE`;
    const invitation = await transaction.invitation.findUnique({ where: { workspaceId_id: { workspaceId, id } } });
    if (invitation === null) return { error: notGood(), isKnown: false };
    if (!isSecretOf(invitation, secret)) return { error: notGood(), isKnown: true };
    const membership = await transaction.membership.findUnique({ where: { workspaceId_principalId: { workspaceId, principalId } } });
    // The answer to the first call may have been lost on its way.
    if (invitation.acceptedBy === principalId && membership !== null) return null;
    if (invitation.acceptedAt !== null || invitation.withdrawnAt !== null || invitation.expiresAt <= now()) return { error: notGood(), isKnown: true };
    if (membership !== null) {
      const error = new ConcordError('INPUT_INVALID', `You are a member of the workspace ${workspaceId} already, as ${membership.role}; the invitation can still be accepted by another. An owner changes your role with setRole.`, { path: '/token', id: workspaceId });
      return { error, isKnown: true };
    }
    await transaction.membership.create({ data: { workspaceId, principalId, role: invitation.role, source: 'INVITATION' } });
    await transaction.invitation.update({ where: { workspaceId_id: { workspaceId, id } }, data: { acceptedAt: now(), acceptedBy: principalId } });
    await acts.record(transaction, { workspaceId, principalId, action: 'ACCEPT_INVITATION', outcome: 'OK', detail: { invitationId: id, role: invitation.role } });
    return null;
  }
}

/** Invitations of somebody who is no owner any more would bring in whom the owners do not know of. */
export async function withdrawInvitationsOf(transaction: Prisma.TransactionClient, workspaceId: WorkspaceId, principalId: PrincipalId, at: Date): Promise<void> {
  await transaction.invitation.updateMany({ where: { workspaceId, createdBy: principalId, acceptedAt: null, withdrawnAt: null }, data: { withdrawnAt: at } });
}

interface ParsedInvitation {
  readonly workspaceId: WorkspaceId;
  readonly id: string;
  readonly secret: string;
}

/** One answer for all that is wrong with it, so that nothing is learned by trying. */
const notGood = (): ConcordError => new ConcordError('INPUT_INVALID', 'The invitation is unknown, expired, withdrawn or used up. Ask an owner of the workspace for another.', { path: '/token' });

function parseInvitation(token: string): ParsedInvitation {
  const match = /^([0-9a-f]{18})\.([A-Za-z0-9_-]{32})\.(.{1,128})$/.exec(token);
  const workspaceId = parseWorkspaceId(match?.[3]);
  if (match?.[1] === undefined || match[2] === undefined || !workspaceId.ok) throw notGood();
  return { id: match[1], secret: match[2], workspaceId: workspaceId.value };
}

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');
const isSecretOf = ({ hash }: Invitation, secret: string): boolean => timingSafeEqual(Buffer.from(hash), Buffer.from(hashOf(secret)));

function endOf({ expiresAt }: InviteRequest, now: Date): Date {
  if (expiresAt === null) return new Date(now.getTime() + defaultLifeMs);
  if (expiresAt > now && expiresAt.getTime() <= now.getTime() + maxLifeDays * dayMs) return expiresAt;
  throw new ConcordError('INPUT_INVALID', `expiresAt is ${expiresAt.toISOString()}; give a moment in the future, at most ${maxLifeDays} days from now, or leave it out for a week.`, { path: '/expiresAt' });
}

const openAt = (now: Date) => ({ acceptedAt: null, withdrawnAt: null, expiresAt: { gt: now } });

function recordOf({ hash: _hash, ...invitation }: Invitation): InvitationRecord {
  const { workspaceId, createdBy, acceptedBy } = invitation;
  return { ...invitation, workspaceId: workspaceId as WorkspaceId, createdBy: createdBy as PrincipalId, acceptedBy: acceptedBy as PrincipalId | null };
}

/** Newest first. */
async function listInvitations(prisma: Acts['prisma'], workspaceId: WorkspaceId, { includeEnded, first, after }: InvitationsRequest, now: Date): Promise<Page<InvitationRecord>> {
  const key = after === null ? null : /^(\d{1,15})\.([0-9a-f]{18})$/.exec(after);
  if (after !== null && key === null) throw new ConcordError('CURSOR_INVALID', 'The row key given as `after` is not one of this list; give an `endCursor` of the same query');
  const at = new Date(Number(key?.[1] ?? 0));
  const rows = await prisma.invitation.findMany({
    where: {
      workspaceId,
      ...(includeEnded ? {} : openAt(now)),
      ...(key === null ? {} : { OR: [{ createdAt: { lt: at } }, { createdAt: at, id: { gt: key[2] ?? '' } }] }),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
    take: first + 1,
  });
  return { rows: rows.slice(0, first).map((row) => ({ row: recordOf(row), key: `${row.createdAt.getTime()}.${row.id}` })), hasNextPage: rows.length > first };
}
