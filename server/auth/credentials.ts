import { createHash, randomBytes } from 'node:crypto';
import argon2 from 'argon2';

// A bearer token is `<id>.<secret>`: the id finds the row, the secret is checked against the Argon2id hash in it. The secret is
// 192 random bits, so the hash need not slow down guessing of words; it makes a stolen table useless.

/** OWASP's floor for Argon2id: 19 MiB, two passes, one lane; about 20 ms on a server core. */
const cost = { type: argon2.argon2id, memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 } as const;

const idBytes = 9;
const secretBytes = 24;

export interface NewCredential {
  readonly id: string;
  /** Shown once, never stored. */
  readonly token: string;
  readonly hash: string;
}

export async function newCredential(): Promise<NewCredential> {
  const id = randomBytes(idBytes).toString('hex');
  const secret = randomBytes(secretBytes).toString('base64url');
  return { id, token: `${id}.${secret}`, hash: await argon2.hash(secret, cost) };
}

/** Null: not of the form `<id>.<secret>`. */
export function splitToken(token: string): { readonly id: string; readonly secret: string } | null {
  const match = /^([0-9a-f]{18})\.([A-Za-z0-9_-]{32})$/.exec(token);
  return match?.[1] !== undefined && match[2] !== undefined ? { id: match[1], secret: match[2] } : null;
}

/** So that what is no id is not asked for in the database. */
export const isTokenId = (text: string): boolean => /^[0-9a-f]{18}$/.test(text);

/** False also for a hash that cannot be read. */
export async function verifySecret(hash: string, secret: string): Promise<boolean> {
  return argon2.verify(hash, secret).catch(() => false);
}

let decoy: Promise<string> | undefined;

/** Takes as long as a real check, so that the time of a refusal does not tell whether the id exists. */
export async function verifyNothing(secret: string): Promise<void> {
  decoy ??= argon2.hash(randomBytes(secretBytes).toString('base64url'), cost);
  await verifySecret(await decoy, secret);
}

/** The name of a token in memory: the token itself is not kept. */
export const fingerprint = (token: string): string => createHash('sha256').update(token).digest('base64url');
