import type { AdministrationPort } from '@concord/schema';
import type { PrismaClient } from '../generated/prisma/client.js';
import { createActs } from './acts.js';
import type { Authenticator } from './authenticate.js';
import { createMembers } from './members.js';
import type { MembershipCache } from './membership-cache.js';
import { createTokens } from './tokens.js';

/** Workspaces, members and tokens. Every act is audited in its transaction; a denied one on its own. */
export function createAdministration(options: {
  readonly prisma: PrismaClient;
  readonly memberships: MembershipCache;
  readonly authenticator: Authenticator;
  readonly now: () => Date;
  readonly randomId: () => string;
  readonly jwtCreatesTokens: boolean;
}): AdministrationPort {
  const { prisma, memberships, now } = options;
  const acts = createActs({ prisma, rights: memberships, now });
  return { ...createMembers({ ...options, acts }), ...createTokens({ ...options, acts }) };
}
