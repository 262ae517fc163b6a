import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConcordError } from '@concord/core';
import { createAuthenticator, type Authenticator } from '../auth/authenticate.js';
import { createFailedLogins } from '../auth/failed-logins.js';
import { createJwtVerifier } from '../auth/jwt.js';
import { openMembershipCache, type MembershipCache } from '../auth/membership-cache.js';
import { createTokenUse } from '../auth/token-use.js';
import { openDatabase, type Database } from '../database.js';
import type { Notifications } from '../notify.js';
import { openPostgresNotifications } from '../notify-postgres.js';
import { LocalBuckets } from '../rate-limit-buckets.js';
import { startTestServer, type TestServer } from './harness.js';

const log = pino({ level: 'silent' });

/** Keeps every thread of the pool, on which secrets are checked, waiting for a pipe. Returns the way to let go. */
function holdThreads(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'concord-threads-'));
  const pipes = Array.from({ length: Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) }, (_, index) => join(folder, `pipe-${index}`));
  execFileSync('mkfifo', pipes);
  const readers = pipes.map((pipe) => open(pipe, 'r'));
  return () => {
    // Both ends at once: to open only the other one would wait here, where nothing could end the wait.
    const writers = pipes.map((pipe) => openSync(pipe, 'r+'));
    void Promise.all(readers).then(async (handles) => {
      for (const handle of handles) await handle.close();
      for (const writer of writers) closeSync(writer);
      rmSync(folder, { recursive: true });
    });
  };
}

describe('Who is calling, at bad moments', () => {
  let server: TestServer;
  let database: Database;
  let notify: Notifications;
  let memberships: MembershipCache;
  let authenticator: Authenticator;
  let clock = Date.now();
  beforeAll(async () => {
    server = await startTestServer();
    database = openDatabase({ connectionString: server.databaseUrl, poolSize: 2, log });
    notify = await openPostgresNotifications({ connectionString: server.databaseUrl, log });
    memberships = openMembershipCache({ prisma: database.prisma, notify, monotonicNow: () => performance.now() });
    authenticator = createAuthenticator({ prisma: database.prisma, notify, memberships, failedLogins: createFailedLogins(3, (_name, size) => new LocalBuckets(size, () => performance.now())), tokenUse: createTokenUse({ db: database.pool, log, now: () => new Date(clock) }), jwt: null, applyClaims: () => Promise.resolve(), log, now: () => new Date(clock), sessionCheckMs: 50 });
  });
  afterAll(async () => {
    authenticator.close();
    memberships.close();
    await notify.close();
    await database.close();
    await server.close();
  });

  const revoke = async (token: string): Promise<void> => {
    const [id = ''] = token.split('.');
    await database.prisma.token.update({ where: { id }, data: { revokedAt: new Date() } });
    await authenticator.revoked([id]);
  };
  const verdict = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'accepted', (error: ConcordError) => error.code);

  it('does not accept a token that is revoked while its secret is being checked', async () => {
    const token = await server.newToken('EDITOR');
    await database.prisma.token.count();
    const release = holdThreads();
    const answer = verdict(authenticator.authenticate(`Bearer ${token}`, 'somewhere'));
    try {
      // Its row is read by now, and its secret waits for a thread: the revocation overtakes it.
      await database.prisma.token.count();
      await revoke(token);
    } finally {
      release();
    }
    expect(await answer).toBe('UNAUTHENTICATED');
    expect(await verdict(authenticator.authenticate(`Bearer ${token}`, 'somewhere'))).toBe('UNAUTHENTICATED');
  });

  it('ends a session whose token was revoked before anybody watched it', async () => {
    const token = await server.newToken('EDITOR');
    const session = await authenticator.authenticate(`Bearer ${token}`, 'there');
    await revoke(token);
    const reason = await new Promise<ConcordError>((resolve) => authenticator.onEnded(session!, resolve));
    expect(reason.code).toBe('UNAUTHENTICATED');
  });

  it('ends a session whose token was revoked by a node that could not tell anybody', async () => {
    const token = await server.newToken('EDITOR');
    const session = await authenticator.authenticate(`Bearer ${token}`, 'there');
    const ended = new Promise<ConcordError>((resolve) => authenticator.onEnded(session!, resolve));
    await database.prisma.token.update({ where: { id: session!.tokenId! }, data: { revokedAt: new Date() } });
    expect((await ended).code).toBe('UNAUTHENTICATED');
  });

  it('goes on serving a token it knows while others guess from the same address', async () => {
    const token = await server.newToken('EDITOR');
    await authenticator.authenticate(`Bearer ${token}`, 'shared');
    for (let guess = 0; guess < 3; guess++) await verdict(authenticator.authenticate(`Bearer guess${guess}`, 'shared'));
    expect(await verdict(authenticator.authenticate('Bearer guess', 'shared'))).toBe('RATE_LIMITED');
    clock += 60_000;
    expect(await verdict(authenticator.authenticate(`Bearer ${token}`, 'shared'))).toBe('accepted');
  });

  it('does not take an identity provider that is out of order for a wrong token', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'RS256', kid: 'k' })}.${part({ sub: 'ann', iss: 'i', aud: 'a' })}.c2ln`;
    const broken = createHttpServer((_request, response) => void response.writeHead(503).end());
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const closedPort = (closed.address() as AddressInfo).port;
    await new Promise((resolve) => closed.close(resolve));
    for (const port of [(broken.address() as AddressInfo).port, closedPort]) {
      const verify = createJwtVerifier({ jwksUrl: `http://127.0.0.1:${port}/jwks`, issuer: 'i', audience: 'a', rolesClaim: null, createsTokens: false }, { log, now: () => new Date() });
      expect(await verdict(verify(token))).toBe('UNAVAILABLE');
    }
    await new Promise((resolve) => broken.close(resolve));
  });
});
