import { ConcordError, type PrincipalId, type WorkspaceId } from '@concord/core';
import type { AdministrationPort, Credential, IssuedToken, Page, TokenRecord, TokenRequest, TokensRequest, Viewer } from '@concord/schema';
import type { Prisma } from '../generated/prisma/client.js';
import type { Acts } from './acts.js';
import type { Authenticator } from './authenticate.js';
import { isTokenId, newCredential } from './credentials.js';
import { checkName } from './names.js';

/** A token that was made with another ends no later than it and is revoked with it, so that no right outlives its reason. */
export function createTokens(options: {
  readonly acts: Acts;
  readonly authenticator: Authenticator;
  readonly now: () => Date;
  readonly randomId: () => string;
  /** Whether a session of a JWT may make tokens. They end with the JWT. */
  readonly jwtCreatesTokens: boolean;
}): Pick<AdministrationPort, 'createToken' | 'revokeToken' | 'tokens'> {
  const { acts, authenticator, now, randomId, jwtCreatesTokens } = options;
  const { prisma } = acts;

  function requireTokenMaker({ credential }: Viewer): void {
    if (credential.tokenId !== null || jwtCreatesTokens) return;
    throw new ConcordError('FORBIDDEN', 'A JWT makes no tokens on this server. Use a token of Concord, or ask the operator for one (npm run token -- create); JWT_CREATES_TOKENS=1 allows tokens that end with the JWT.');
  }

  return {
    async createToken(viewer, request): Promise<IssuedToken> {
      const { label, grant } = request;
      checkName(label, 0, 'label');
      if (grant !== null) checkName(grant.name, 1);
      const attempt = { action: 'CREATE_TOKEN', detail: grant === null ? { label } : { name: grant.name, role: grant.role } } as const;
      await acts.denying(viewer, grant?.workspaceId ?? null, attempt, () => requireTokenMaker(viewer));
      const expiresAt = endOf(request, viewer.credential, now());
      if (grant !== null) await acts.requireOwner(viewer, grant.workspaceId, attempt);
      const { id, token, hash } = await newCredential();
      const principalId = grant === null ? viewer.principalId : (randomId() as PrincipalId);
      await prisma.$transaction(async (transaction) => {
        const parent = await lockParent(transaction, viewer.credential);
        const workspaceId = grant?.workspaceId ?? parent?.workspaceId ?? null;
        const act = { workspaceId, principalId: viewer.principalId, outcome: 'OK' } as const;
        if (grant !== null) {
          await acts.lockOwner(transaction, viewer, grant.workspaceId);
          await transaction.principal.create({ data: { id: principalId, name: grant.name, workspaceId: grant.workspaceId } });
          await transaction.membership.create({ data: { workspaceId: grant.workspaceId, principalId, role: grant.role, source: 'GRANT' } });
          await acts.record(transaction, { ...act, action: 'CREATE_PRINCIPAL', detail: { principalId, name: grant.name } });
          await acts.record(transaction, { ...act, action: 'SET_ROLE', detail: { principalId, role: grant.role } });
        }
        await transaction.token.create({ data: { id, principalId, label, hash, expiresAt, parentId: parent?.id ?? null, workspaceId } });
        await acts.record(transaction, { ...act, action: 'CREATE_TOKEN', detail: { tokenId: id, for: principalId, label, parentId: parent?.id ?? null } });
      });
      return { id, token, principalId, expiresAt };
    },

    async revokeToken(viewer, id) {
      if (!isTokenId(id)) return false;
      const token = await prisma.token.findUnique({ where: { id }, select: { principalId: true, workspaceId: true } });
      if (token === null) return false;
      const workspaceId = token.workspaceId as WorkspaceId | null;
      const detail = { tokenId: id, of: token.principalId };
      if (token.principalId !== viewer.principalId && (workspaceId === null || (await acts.roleOf(viewer, workspaceId)) !== 'OWNER')) {
        await acts.denied({ workspaceId, principalId: viewer.principalId, action: 'REVOKE_TOKEN', outcome: 'FORBIDDEN', detail });
        return false;
      }
      const revoked = await prisma.$transaction(async (transaction) => {
        const ended = await revokeTree(transaction, id, now());
        const act = { workspaceId, principalId: viewer.principalId, action: 'REVOKE_TOKEN', outcome: 'OK' } as const;
        for (const one of ended) await acts.record(transaction, { ...act, detail: { tokenId: one.id, of: one.principalId, ...(one.id === id ? {} : { with: id }) } });
        return ended;
      });
      await authenticator.revoked(revoked.map((one) => one.id));
      return true;
    },

    async tokens(viewer, request): Promise<Page<TokenRecord>> {
      if (request.workspaceId !== null) await acts.requireOwner(viewer, request.workspaceId, null);
      return listTokens(prisma, viewer, request, now());
    },
  };
}

/** @throws ConcordError INPUT_INVALID: later than the credential that it is made with, or in the past. */
function endOf({ expiresAt }: TokenRequest, credential: Credential, now: Date): Date | null {
  if (expiresAt === null) return credential.expiresAt;
  const path = '/expiresAt';
  if (expiresAt <= now) {
    throw new ConcordError('INPUT_INVALID', `expiresAt is ${expiresAt.toISOString()}, which has passed; give a moment in the future, or leave it out.`, { path });
  }
  if (credential.expiresAt !== null && expiresAt > credential.expiresAt) {
    throw new ConcordError(
      'INPUT_INVALID',
      `expiresAt is ${expiresAt.toISOString()}, but a token ends no later than the one it is made with, at ${credential.expiresAt.toISOString()}; give that or an earlier moment, or leave it out.`,
      { path },
    );
  }
  return expiresAt;
}

/**
 * The row of the token that another is made with, locked until the other is committed: a revocation waits for it and then sees the
 * other. Null: a JWT.
 * @throws ConcordError UNAUTHENTICATED: revoked meanwhile.
 */
async function lockParent(transaction: Prisma.TransactionClient, { tokenId }: Credential): Promise<{ readonly id: string; readonly workspaceId: WorkspaceId | null } | null> {
  if (tokenId === null) return null;
  const [parent] = await transaction.$queryRaw<{ id: string; workspace_id: WorkspaceId | null }[]>`
    SELECT id, workspace_id FROM tokens WHERE id = ${tokenId} AND revoked_at IS NULL FOR SHARE`;
  if (parent === undefined) throw new ConcordError('UNAUTHENTICATED', 'The token that this was asked with has just been revoked; nothing was made.');
  return { id: parent.id, workspaceId: parent.workspace_id };
}

/** Revokes a token and all that were made with it, directly or not. Returns those that were not revoked before, the token first. */
export async function revokeTree(transaction: Prisma.TransactionClient, id: string, at: Date): Promise<readonly { readonly id: string; readonly principalId: string }[]> {
  const revoked: { readonly id: string; readonly principalId: string }[] = [];
  // A token that is just being made with one of these was not visible to the statement that waited for it, but is to the next. After
  // the first round that finds none, none can come: who would make one finds its token locked, and then revoked.
  for (;;) {
    const round = await transaction.$queryRaw<{ id: string; principalId: string }[]>`
      WITH RECURSIVE tree AS (
        SELECT id FROM tokens WHERE id = ${id}
        UNION SELECT derived.id FROM tokens derived JOIN tree ON derived.parent_id = tree.id
      )
      UPDATE tokens SET revoked_at = ${at} FROM tree WHERE tokens.id = tree.id AND tokens.revoked_at IS NULL
      RETURNING tokens.id, tokens.principal_id AS "principalId"`;
    if (round.length === 0) return revoked.sort((one, other) => Number(other.id === id) - Number(one.id === id));
    revoked.push(...round);
  }
}

async function listTokens(prisma: Acts['prisma'], viewer: Viewer, { workspaceId, includeEnded, first, after }: TokensRequest, now: Date): Promise<Page<TokenRecord>> {
  const key = after === null ? null : parseKey(after);
  const whose: Prisma.TokenWhereInput =
    workspaceId === null ? { principalId: viewer.principalId } : { OR: [{ workspaceId }, { principal: { memberships: { some: { workspaceId } } } }] };
  const usable: Prisma.TokenWhereInput = includeEnded ? {} : { revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] };
  const behind: Prisma.TokenWhereInput = key === null ? {} : { OR: [{ createdAt: { lt: key.at } }, { createdAt: key.at, id: { gt: key.id } }] };
  const rows = await prisma.token.findMany({
    where: { AND: [whose, usable, behind] },
    omit: { hash: true },
    include: { principal: { select: { name: true } } },
    orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
    take: first + 1,
  });
  return {
    rows: rows.slice(0, first).map(({ principal, principalId, workspaceId: grantedBy, label, parentId, ...row }) => ({
      row: {
        ...row,
        principalId: principalId as PrincipalId,
        principalName: principal.name,
        // What another workspace granted is nothing of an owner here.
        ...(principalId === viewer.principalId || (workspaceId !== null && grantedBy === workspaceId)
          ? { label, parentId, workspaceId: grantedBy as WorkspaceId | null }
          : { label: null, parentId: null, workspaceId: null }),
      },
      key: `${row.createdAt.getTime()}.${row.id}`,
    })),
    hasNextPage: rows.length > first,
  };
}

function parseKey(key: string): { readonly at: Date; readonly id: string } {
  const match = /^(\d{1,15})\.([0-9a-f]{18})$/.exec(key);
  if (match?.[1] !== undefined && match[2] !== undefined) return { at: new Date(Number(match[1])), id: match[2] };
  throw new ConcordError('CURSOR_INVALID', 'The row key given as `after` is not one of this list; give an `endCursor` of the same query');
}
