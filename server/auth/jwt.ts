import { createHash } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { ConcordError, type PrincipalId } from '@concord/core';
import type { JwtConfig } from '../config.js';

/** Who a token of the identity provider stands for. */
export interface JwtIdentity {
  readonly principalId: PrincipalId;
  readonly name: string;
  readonly expiresAt: Date | null;
}

export type JwtVerifier = (token: string) => Promise<JwtIdentity | null>;

/** A JWT has three parts, our own tokens two. */
export const looksLikeJwt = (token: string): boolean => token.split('.').length === 3;

/** What jose throws when it cannot get the keys: nothing is known then about the token. */
const withoutKeys: ReadonlySet<unknown> = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID', 'ERR_JWKS_TIMEOUT']);

/**
 * Verifies against the provider's published keys (asymmetric algorithms only, whatever the token claims). Null: not valid.
 * @throws ConcordError UNAVAILABLE when the keys cannot be had.
 */
export function createJwtVerifier({ jwksUrl, issuer, audience }: JwtConfig): JwtVerifier {
  const keys = createRemoteJWKSet(new URL(jwksUrl));
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        clockTolerance: 5,
        algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
      });
      if (payload.sub === undefined) return null;
      const name = [payload['name'], payload['email'], payload.sub].find((text) => typeof text === 'string' && text !== '') as string;
      return {
        principalId: jwtPrincipalId(issuer, payload.sub),
        name: name.slice(0, 256),
        expiresAt: payload.exp === undefined ? null : new Date(payload.exp * 1000),
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
