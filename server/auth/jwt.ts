import { createHash } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { Logger } from 'pino';
import { ConcordError, type PrincipalId } from '@concord/core';
import type { JwtConfig } from '../config.js';
import { readRoles, type ClaimedRoles } from './claimed-roles.js';

/** Who a token of the identity provider stands for. */
export interface JwtIdentity {
  readonly principalId: PrincipalId;
  readonly name: string;
  /** From then on it is not taken, and what was opened with it ends. */
  readonly expiresAt: Date;
  /** Null: roles are not taken from JWTs. */
  readonly claimed: ClaimedRoles | null;
}

export type JwtVerifier = (token: string) => Promise<JwtIdentity | null>;

/** A JWT has three parts, our own tokens two. */
export const looksLikeJwt = (token: string): boolean => token.split('.').length === 3;

/** Clocks differ: a JWT is taken so long after its `exp`, and before its `nbf`. Its session ends then, so there is one end and no life after it. */
const clockToleranceSeconds = 5;
/** Later than that no Date can say. */
const maxExp = 8_640_000_000_000;

/** What jose throws when it cannot get the keys: nothing is known then about the token. */
const withoutKeys: ReadonlySet<unknown> = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID', 'ERR_JWKS_TIMEOUT']);

/**
 * Verifies against the provider's published keys (asymmetric algorithms only, whatever the token claims). It must say when it ends.
 * Null: not valid.
 * @throws ConcordError UNAVAILABLE when the keys cannot be had.
 */
export function createJwtVerifier({ jwksUrl, issuer, audience, rolesClaim }: JwtConfig, { log, now }: { readonly log: Logger; readonly now: () => Date }): JwtVerifier {
  const keys = createRemoteJWKSet(new URL(jwksUrl));
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        clockTolerance: clockToleranceSeconds,
        currentDate: now(),
        requiredClaims: ['sub', 'exp', ...(rolesClaim === null ? [] : ['iat'])],
        algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
      });
      const { sub, exp, iat } = payload;
      if (sub === undefined || exp === undefined || exp > maxExp) return null;
      const roles = rolesClaim === null ? null : readRoles(payload[rolesClaim]);
      if (rolesClaim !== null && roles === null) {
        log.warn({ claim: rolesClaim, sub }, 'A JWT was refused: the claim of JWT_ROLES_CLAIM is not an object of workspace ids and OWNER, EDITOR or VIEWER.');
        return null;
      }
      const name = [payload['name'], payload['email'], sub].find((text) => typeof text === 'string' && text !== '') as string;
      return {
        principalId: jwtPrincipalId(issuer, sub),
        name: name.slice(0, 256),
        expiresAt: new Date((exp + clockToleranceSeconds) * 1000),
        claimed: roles === null ? null : { roles, issuedAt: new Date((iat ?? 0) * 1000) },
      };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (typeof code === 'string' && code.startsWith('ERR_J') && !withoutKeys.has(code)) return null;
      throw new ConcordError('UNAVAILABLE', 'The keys of the identity provider cannot be read now, so the token cannot be checked. Try again in a moment.', { retryAfter: 5_000 }, { cause: error });
    }
  };
}

/** The same person at the same provider is the same principal for ever; a subject may have characters that an id may not. */
export const jwtPrincipalId = (issuer: string, subject: string): PrincipalId =>
  `jwt:${createHash('sha256').update(`${issuer}\0${subject}`).digest('hex').slice(0, 40)}` as PrincipalId;
