import { auditRow } from '../audit.js';
import type { PrismaClient } from '../generated/prisma/client.js';
import { newCredential } from './credentials.js';

export const firstWorkspaceId = 'main';
export const firstPrincipalId = 'owner';

/**
 * In a database without principals: makes the workspace `main`, its owner, and a token for it, which is returned. Null: there
 * are principals already. Of several nodes that start at once one makes it.
 */
export async function ensureFirstOwner(prisma: PrismaClient, now: () => Date): Promise<string | null> {
  if ((await prisma.principal.findFirst({ select: { id: true } })) !== null) return null;
  const { id, token, hash } = await newCredential();
  return prisma.$transaction(async (transaction) => {
    await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('concord first owner'))`;
    if ((await transaction.principal.findFirst({ select: { id: true } })) !== null) return null;
    const at = now();
    await transaction.workspace.create({ data: { id: firstWorkspaceId, name: 'Main' } });
    await transaction.principal.create({ data: { id: firstPrincipalId, name: 'Owner' } });
    await transaction.membership.create({ data: { workspaceId: firstWorkspaceId, principalId: firstPrincipalId, role: 'OWNER' } });
    await transaction.token.create({ data: { id, principalId: firstPrincipalId, label: 'first start', hash } });
    const acts = [
      { action: 'CREATE_WORKSPACE', detail: { name: 'Main' } },
      { action: 'SET_ROLE', detail: { principalId: firstPrincipalId, role: 'OWNER' } },
      { action: 'CREATE_TOKEN', detail: { tokenId: id } },
    ] as const;
    for (const act of acts) {
      await transaction.auditEntry.create({
        data: auditRow({ ...act, workspaceId: firstWorkspaceId, principalId: firstPrincipalId, outcome: 'OK' }, at),
      });
    }
    return token;
  });
}
