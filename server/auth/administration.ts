import type { AdministrationPort } from '@concord/schema';
import type pg from 'pg';
import type { Denials } from '../audit/denials.js';
import { readAudit, readSeal } from '../audit/read.js';
import type { PrismaClient } from '../generated/prisma/client.js';
import { createActs, type Acts } from './acts.js';
import type { Authenticator } from './authenticate.js';
import { createInvitations } from './invitations.js';
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
  /** For reading the audit. */
  readonly pool: pg.Pool;
  readonly denials: Denials;
  /** Told of each workspace whose audit has grown. */
  readonly written: (workspaceId: string) => void;
  readonly rolesFromClaims: boolean;
}): AdministrationPort {
  const { memberships, pool } = options;
  const acts = createActs({ ...options, rights: memberships });
  return { ...createMembers({ ...options, acts }), ...createInvitations({ ...options, acts }), ...createTokens({ ...options, acts }), ...createAuditReading(acts, pool) };
}

function createAuditReading(acts: Acts, pool: pg.Pool): Pick<AdministrationPort, 'audit' | 'auditSeal'> {
  return {
    async audit(viewer, workspaceId, request) {
      await acts.requireOwner(viewer, workspaceId, null);
      return readAudit(pool, workspaceId, request);
    },
    async auditSeal(viewer, workspaceId) {
      await acts.requireOwner(viewer, workspaceId, null);
      return readSeal(pool, workspaceId);
    },
  };
}
