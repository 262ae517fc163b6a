import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { ConcordError, type PrincipalId } from '@concord/core';
import type { Viewer } from '@concord/schema';
import { auditRow } from '../audit.js';
import type { PrismaClient } from '../generated/prisma/client.js';
import type { Notifications } from '../notify.js';
import type { ApplyClaims } from './claimed-roles.js';
import { fingerprint, splitToken, verifyNothing, verifySecret } from './credentials.js';
import type { FailedLogins } from './failed-logins.js';
import { looksLikeJwt, type JwtVerifier } from './jwt.js';
import type { MembershipCache } from './membership-cache.js';
import type { TokenUse } from './token-use.js';

/** On it nodes tell each other of revoked tokens, by id. */
export const tokensChannel = 'concord_tokens';
/** How long a verified token is believed without a look at its row. Revocation does not wait for it. */
const freshMs = 10_000;
const mostTokens = 20_000;
/** Upper bound of what a revocation costs of which no hint came: the node that revoked may have died before it could tell. */
const defaultSessionCheckMs = 60_000;
/** Tokens asked for in one statement. */
const checkPage = 1_000;
/** Each verification takes 19 MiB and a core for 20 ms. */
const verificationsAtOnce = 2;

/** A verified token in use. */
export interface Session {
  readonly principalId: PrincipalId;
  readonly name: string;
  /** Null for a JWT: its provider cannot revoke it here, it ends by itself. */
  readonly tokenId: string | null;
  readonly expiresAt: Date | null;
}

export interface Authenticator {
  /**
   * The session of an `Authorization` header. Null: there is no header, or a Bearer without a token (a page not filled in yet).
   * @throws ConcordError UNAUTHENTICATED (which part was wrong is never told), RATE_LIMITED.
   */
  authenticate(authorization: string | null | undefined, address: string): Promise<Session | null>;
  /** The viewer of a session with its roles of this moment. */
  viewer(session: Session): Promise<Viewer>;
  /** Calls once, soon, when the session's token is revoked on any node or expires. Returns the way to stop watching. */
  onEnded(session: Session, listener: (reason: ConcordError) => void): () => void;
  /** Call after the revocation is in the database. */
  revoked(tokenIds: readonly string[]): Promise<void>;
  close(): void;
}

interface Entry {
  readonly session: Session;
  /** The hash that the token was checked against; null for a JWT. */
  readonly hash: string | null;
  readonly checkedAt: number;
  /** How many gaps there had been when its row was asked for. After another one it is asked for again. */
  readonly gaps: number;
}

const refused = (): ConcordError =>
  new ConcordError('UNAUTHENTICATED', 'The token is unknown, expired or revoked. Ask an owner for one, or run "npm run token -- create".');

export function createAuthenticator(options: {
  readonly prisma: PrismaClient;
  readonly notify: Notifications;
  readonly memberships: MembershipCache;
  readonly failedLogins: FailedLogins;
  readonly tokenUse: TokenUse;
  readonly jwt: JwtVerifier | null;
  /** Takes over the roles that a JWT gives. */
  readonly applyClaims: ApplyClaims;
  readonly log: Logger;
  readonly now: () => Date;
  /** How often the tokens of all open sessions are looked at. Default: 60,000 ms. */
  readonly sessionCheckMs?: number;
}): Authenticator {
  const { prisma, notify, memberships, failedLogins, tokenUse, jwt, applyClaims, log, now } = options;
  const verified = new LRUCache<string, Entry>({ max: mostTokens });
  const running = new Map<string, Promise<Session>>();
  const watchers = new Map<string, Set<(reason: ConcordError) => void>>();
  /** A revocation is for ever: one that overtakes a verification, or comes before anybody watches the session, must not be missed. */
  const revokedTokens = new LRUCache<string, true>({ max: mostTokens });
  const slots = createSlots(verificationsAtOnce);
  /** Counts the times that hints were lost: what was verified before the last of them may have been revoked since. */
  let gaps = 0;

  /** The row of a token that may still be used. */
  async function usableRow(id: string) {
    const row = await prisma.token.findUnique({ where: { id }, include: { principal: { select: { name: true } } } });
    if (row === null || row.revokedAt !== null || (row.expiresAt !== null && row.expiresAt <= now())) return null;
    const session: Session = { principalId: row.principalId as PrincipalId, name: row.principal.name, tokenId: row.id, expiresAt: row.expiresAt };
    return { session, hash: row.hash };
  }

  async function verify(token: string, key: string, address: string): Promise<Session> {
    const before = gaps;
    const remember = (session: Session, hash: string | null): Session => keep(key, { session, hash, checkedAt: now().getTime(), gaps: before });
    const known = verified.get(key);
    // Seen before: its row is looked at again, but the same hash need not be computed twice. Who guesses from the same
    // address (a household, a proxy) does not shut it out.
    if (known?.hash != null && known.session.tokenId !== null) {
      const row = await usableRow(known.session.tokenId);
      if (row?.hash === known.hash) return remember(row.session, row.hash);
    }
    verified.delete(key);
    await failedLogins.check(address);
    if (jwt !== null && looksLikeJwt(token)) {
      const identity = await jwt(token);
      if (identity === null) return fail(address, null);
      const { principalId, name, expiresAt, claimed } = identity;
      await ensurePrincipal(principalId, name);
      if (claimed !== null) await applyClaims(principalId, claimed);
      return remember({ principalId, name, expiresAt, tokenId: null }, null);
    }
    const parts = splitToken(token);
    if (parts === null) return fail(address, null);
    return slots.run(async () => {
      // Many may have waited here for their turn: their failures count now.
      await failedLogins.check(address);
      const row = await usableRow(parts.id);
      if (row === null) {
        await verifyNothing(parts.secret);
        return fail(address, parts.id);
      }
      return (await verifySecret(row.hash, parts.secret)) ? remember(row.session, row.hash) : fail(address, parts.id);
    });
  }

  function keep(key: string, entry: Entry): Session {
    const { session } = entry;
    if (session.tokenId !== null && revokedTokens.has(session.tokenId)) throw refused();
    verified.set(key, entry);
    return session;
  }

  /** Without a look at its row. */
  function isBelieved({ session: { tokenId, expiresAt }, checkedAt, gaps: before }: Entry): boolean {
    const at = now();
    return before === gaps && at.getTime() - checkedAt < freshMs && (expiresAt === null || expiresAt > at) && (tokenId === null || !revokedTokens.has(tokenId));
  }

  async function fail(address: string, tokenId: string | null): Promise<never> {
    await failedLogins.count(address);
    const act = { workspaceId: null, principalId: null, action: 'LOGIN', outcome: 'UNAUTHENTICATED', detail: { address, tokenId } } as const;
    log.warn({ address, tokenId }, 'A login failed.');
    await prisma.auditEntry.create({ data: auditRow(act, now()) });
    throw refused();
  }

  async function ensurePrincipal(id: PrincipalId, name: string): Promise<void> {
    const made = await prisma.principal.createMany({ data: [{ id, name }], skipDuplicates: true });
    if (made.count === 0) return;
    const act = { workspaceId: null, principalId: id, action: 'CREATE_PRINCIPAL', outcome: 'OK', detail: { name } } as const;
    await prisma.auditEntry.create({ data: auditRow(act, now()) });
  }

  function dropToken(tokenId: string): void {
    revokedTokens.set(tokenId, true);
    const listeners = watchers.get(tokenId);
    watchers.delete(tokenId);
    for (const listener of listeners ?? []) listener(refused());
  }

  /** Hints were lost: what is believed is checked again, and so is every open session. */
  async function checkAll(): Promise<void> {
    gaps += 1;
    await checkOpen();
  }

  /** Expiry has a timer of its own. */
  async function checkOpen(): Promise<void> {
    const ids = [...watchers.keys()];
    for (let from = 0; from < ids.length; from += checkPage) {
      const page = ids.slice(from, from + checkPage);
      const rows = await prisma.token.findMany({ where: { id: { in: page }, revokedAt: null }, select: { id: true } });
      const usable = new Set(rows.map(({ id }) => id));
      for (const id of page) if (!usable.has(id)) dropToken(id);
    }
  }

  const unsubscribe = notify.subscribe(tokensChannel, dropToken);
  const stopGap = notify.onGap(() => {
    checkAll().catch((error: unknown) => log.error({ err: error }, 'The open sessions could not be checked after a break.'));
  });
  const check = setInterval(() => {
    checkOpen().catch((error: unknown) => log.warn({ err: error }, 'The open sessions could not be checked; it is tried again.'));
  }, options.sessionCheckMs ?? defaultSessionCheckMs);
  check.unref();

  return {
    async authenticate(authorization, address) {
      const token = bearerOf(authorization);
      if (token === null) return null;
      const key = fingerprint(token);
      const known = verified.get(key);
      if (known !== undefined && isBelieved(known)) return known.session;
      // Fifty sockets of one client that connect at once cost one verification.
      let verification = running.get(key);
      if (verification === undefined) {
        verification = verify(token, key, address).finally(() => running.delete(key));
        running.set(key, verification);
      }
      return verification;
    },

    async viewer(session) {
      const { principalId, name, tokenId, expiresAt } = session;
      if (tokenId !== null) tokenUse.note(tokenId);
      return { principalId, name, credential: { tokenId, expiresAt }, memberships: await memberships.memberships(principalId) };
    },

    onEnded(session, listener) {
      const { tokenId, expiresAt } = session;
      if (tokenId !== null && revokedTokens.has(tokenId)) {
        const soon = setImmediate(() => listener(refused()));
        return () => clearImmediate(soon);
      }
      const timer = expiresAt === null ? null : onceAt(expiresAt, now, () => listener(refused()));
      if (tokenId !== null) watchers.set(tokenId, (watchers.get(tokenId) ?? new Set()).add(listener));
      return () => {
        timer?.cancel();
        if (tokenId === null) return;
        const listeners = watchers.get(tokenId);
        listeners?.delete(listener);
        if (listeners?.size === 0) watchers.delete(tokenId);
      };
    },

    async revoked(tokenIds) {
      for (const tokenId of tokenIds) dropToken(tokenId);
      for (const tokenId of tokenIds) await notify.publish(tokensChannel, tokenId);
    },

    close() {
      clearInterval(check);
      unsubscribe();
      stopGap();
    },
  };
}

/** Null: nothing to check. Anything else than a Bearer is refused like a wrong token. */
function bearerOf(authorization: string | null | undefined): string | null {
  const header = authorization?.trim() ?? '';
  if (header === '') return null;
  const match = /^Bearer(?:\s+(.*))?$/i.exec(header);
  if (match === null) throw new ConcordError('UNAUTHENTICATED', 'The Authorization header must be "Bearer <id>.<secret>".');
  const token = match[1]?.trim() ?? '';
  if (token.length > 8_192) throw refused();
  return token === '' ? null : token;
}

/** A timer that may lie further ahead than setTimeout can count (24 days). */
function onceAt(moment: Date, now: () => Date, action: () => void): { cancel(): void } {
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = moment.getTime() - now().getTime();
    timer = setTimeout(left > 2 ** 30 ? wait : action, Math.min(Math.max(left, 0), 2 ** 30));
    timer.unref();
  };
  wait();
  return { cancel: () => clearTimeout(timer) };
}

/** Runs at most `most` at once; the others wait in order. */
function createSlots(most: number) {
  let free = most;
  const waiting: (() => void)[] = [];
  return {
    async run<T>(work: () => Promise<T>): Promise<T> {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) free++;
        else next();
      }
    },
  };
}
