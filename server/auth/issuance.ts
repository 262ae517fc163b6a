import { ConcordError } from '@concord/core';
import type { AdministrationPort } from '@concord/schema';
import type { PrismaClient } from '../generated/prisma/client.js';
import type { BucketsOf } from '../rate-limit.js';

/** How much one principal may make. */
const maxTokens = 1_000;
const maxWorkspaces = 1_000;
const perSecond = 1;
const burst = 60;

/**
 * Tokens and workspaces, bounded for each principal: how many a second, how many at all, and one at a time, because the hash of a
 * token takes 19 MiB and a core for 20 ms.
 */
export function boundIssuance(administration: AdministrationPort, { prisma, bucketsOf, now }: { readonly prisma: PrismaClient; readonly bucketsOf: BucketsOf; readonly now: () => Date }): AdministrationPort {
  const buckets = bucketsOf('issuance', { perSecond, most: burst });
  /** The newest of those who wait for their turn. */
  let last: Promise<unknown> = Promise.resolve();

  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  }

  async function charge(principalId: string): Promise<void> {
    const wait = await buckets.take(principalId, 1);
    if (wait === 0) return;
    throw new ConcordError('RATE_LIMITED', `More than ${perSecond} token or workspace a second (and ${burst} at once). Wait ${wait} ms; nothing was made.`, { retryAfter: wait, limit: perSecond });
  }

  return {
    ...administration,
    async createToken(viewer, request) {
      await charge(viewer.principalId);
      return inTurn(async () => {
        if (request.grant === null) {
          const actual = await prisma.token.count({ where: { principalId: viewer.principalId, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now() } }] } });
          if (actual >= maxTokens) throw new ConcordError('LIMIT_EXCEEDED', `You have ${actual} tokens that can be used, as many as a principal may have. Revoke some (revokeToken).`, { limit: maxTokens, actual });
        }
        return administration.createToken(viewer, request);
      });
    },
    async createWorkspace(viewer, name) {
      await charge(viewer.principalId);
      return inTurn(async () => {
        const actual = await prisma.membership.count({ where: { principalId: viewer.principalId, role: 'OWNER' } });
        if (actual >= maxWorkspaces) throw new ConcordError('LIMIT_EXCEEDED', `You own ${actual} workspaces, as many as a principal may. Give some to others (setRole).`, { limit: maxWorkspaces, actual });
        return administration.createWorkspace(viewer, name);
      });
    },
  };
}
