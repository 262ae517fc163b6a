import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createJwtVerifier } from '../auth/jwt.js';
import type { JwtConfig } from '../config.js';
import { startTestServer, type TestServer } from './harness.js';
import { openSession } from './raw-socket.js';

const who = '{ viewer { id } }';
const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

describe('A JWT', () => {
  let provider: Server;
  let key: CryptoKey;
  let config: JwtConfig;
  let server: TestServer;
  beforeAll(async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    key = privateKey;
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
    provider = createServer((_request, response) => void response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] })));
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
    config = { jwksUrl: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/jwks`, issuer: 'https://id.example.org', audience: 'concord', rolesClaim: 'concord_roles', createsTokens: false };
    server = await startTestServer({ config: { jwt: config } });
  });
  afterAll(async () => {
    await server.close();
    await new Promise((resolve) => provider.close(resolve));
  });

  let subjects = 0;
  const newSubject = () => `person-${++subjects}`;
  const sign = (claims: Readonly<Record<string, unknown>>) =>
    new SignJWT({ iss: config.issuer, aud: config.audience, iat: Math.floor(Date.now() / 1000), exp: inAnHour(), ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(key);
  const workspaces = async (token: string) => {
    const { data, status } = await server.graphql('{ workspaces { id role isDefault } }', {}, token);
    return data === null ? status : data['workspaces'];
  };

  it('is refused when it does not say when it ends, or for whom it stands', async () => {
    const sub = newSubject();
    for (const claims of [{ sub, exp: undefined }, { exp: inAnHour() }, { sub, exp: Number.MAX_SAFE_INTEGER }, { sub, exp: 1e300 }]) {
      expect((await server.graphql(who, {}, await sign(claims))).status).toBe(401);
    }
  });

  it('has one end, its exp and the tolerance: sessions and streams end then, and it is taken no more', async () => {
    let clock = Date.now();
    const verify = createJwtVerifier(config, { log: pino({ level: 'silent' }), now: () => new Date(clock) });
    const exp = Math.floor(clock / 1000) + 60;
    const token = await sign({ sub: newSubject(), exp });
    const end = (exp + 5) * 1000;
    clock = end - 1;
    expect((await verify(token))?.expiresAt.getTime()).toBe(end);
    clock = end;
    expect(await verify(token)).toBeNull();

    const ending = await sign({ sub: newSubject(), exp: Math.floor(Date.now() / 1000) - 3 });
    const socket = await openSession(server.wsUrl, ending);
    expect(await socket.closed).toMatchObject({ code: 4401 });
    expect((await server.graphql(who, {}, ending)).status).toBe(401);
  });

  it('makes no tokens, for itself or for others, unless that is configured; then they end with it', async () => {
    const sub = newSubject();
    const token = await sign({ sub, concord_roles: { main: 'OWNER' } });
    for (const args of ['', '(grant: { name: "Eve", role: OWNER, workspaceId: "main" })']) {
      expect((await server.graphql(`mutation { createToken${args} { id } }`, {}, token)).errors[0]).toMatchObject({ extensions: { code: 'FORBIDDEN' }, message: expect.stringContaining('JWT_CREATES_TOKENS') as string });
    }
    await server.restart({ jwt: { ...config, createsTokens: true } });
    const exp = inAnHour();
    const { data } = await server.graphql('mutation { createToken { expiresAt } }', {}, await sign({ sub, exp, concord_roles: { main: 'OWNER' } }));
    expect(data).toEqual({ createToken: { expiresAt: new Date((exp + 5) * 1000).toISOString() } });
    await server.restart({ jwt: config });
  });

  it('gives the roles of its claim, and takes those that a newer one does not name; an older one does not bring them back', async () => {
    const sub = newSubject();
    const other = await server.newWorkspace();
    const iat = Math.floor(Date.now() / 1000);
    const broad = await sign({ sub, iat: iat - 10, concord_roles: { main: 'EDITOR', [other]: 'OWNER', 'not-there': 'OWNER' } });
    expect(await workspaces(broad)).toEqual(expect.arrayContaining([{ id: 'main', role: 'EDITOR', isDefault: expect.any(Boolean) as boolean }, expect.objectContaining({ id: other, role: 'OWNER' })]));
    const socket = await openSession(server.wsUrl, broad);
    socket.send({ id: '1', type: 'subscribe', payload: { query: `subscription { changes(workspaceId: "${other}") { __typename } }` } });
    await socket.next();
    expect(await workspaces(await sign({ sub, iat, concord_roles: { main: 'VIEWER' } }))).toEqual([{ id: 'main', role: 'VIEWER', isDefault: true }]);
    expect(JSON.stringify(await socket.next())).toMatch(/FORBIDDEN|WORKSPACE_NOT_FOUND/);
    socket.close();
    await server.restart({ jwt: config });
    expect(await workspaces(broad)).toEqual([{ id: 'main', role: 'VIEWER', isDefault: true }]);
    expect(await workspaces(await sign({ sub, iat: iat + 1 }))).toEqual([]);
  });

  it('ends the open invitations of an owner who is none any more by its claim', async () => {
    const sub = newSubject();
    const iat = Math.floor(Date.now() / 1000);
    const invited = await server.graphql('mutation { invite(workspaceId: "main", role: OWNER) { token } }', {}, await sign({ sub, iat: iat - 10, concord_roles: { main: 'OWNER' } }));
    const { token } = invited.data!['invite'] as { readonly token: string };
    await workspaces(await sign({ sub, iat, concord_roles: { main: 'VIEWER' } }));
    const second = await sign({ sub: newSubject(), concord_roles: {} });
    const accepted = await server.graphql('mutation ($token: String!) { acceptInvitation(token: $token) { id } }', { token }, second);
    expect(accepted.errors[0]?.extensions).toMatchObject({ code: 'INPUT_INVALID', path: '/token' });
  });

  it('leaves what Concord has given where its claim says nothing of it, and the maker of a workspace its owner', async () => {
    const sub = newSubject();
    const token = await sign({ sub, concord_roles: {} });
    const made = (await server.graphql('mutation { createWorkspace(name: "Own") { id } }', {}, token)).data?.['createWorkspace'] as { readonly id: string };
    const invitation = (await server.graphql('mutation { invite(role: EDITOR, workspaceId: "main") { token } }', {}, server.adminToken)).data?.['invite'] as { readonly token: string };
    await server.graphql('mutation ($token: String!) { acceptInvitation(token: $token) { id } }', { token: invitation.token }, token);
    const roles = async (jwt: string) => Object.fromEntries(((await workspaces(jwt)) as readonly { readonly id: string; readonly role: string }[]).map(({ id, role }) => [id, role]));
    expect(await roles(await sign({ sub, concord_roles: {}, jti: 'another' }))).toEqual({ [made.id]: 'OWNER', main: 'EDITOR' });
    expect(await roles(await sign({ sub, concord_roles: { main: 'VIEWER', [made.id]: 'VIEWER' } }))).toEqual({ [made.id]: 'OWNER', main: 'VIEWER' });
  });

  it('is refused when the claim is not what it has to be', async () => {
    const sub = newSubject();
    for (const claim of ['OWNER', ['main'], null, { main: 'ADMIN' }, { 'a b': 'VIEWER' }, { main: ['OWNER'] }]) {
      expect(await workspaces(await sign({ sub, concord_roles: claim })), JSON.stringify(claim)).toBe(401);
    }
    expect(await workspaces(await sign({ sub, iat: undefined, concord_roles: { main: 'VIEWER' } }))).toBe(401);
  });

  it('is not contradicted by an owner: the role comes back with each JWT, so setRole says where to change it', async () => {
    const sub = newSubject();
    const { data } = await server.graphql(who, {}, await sign({ sub, concord_roles: { main: 'VIEWER' } }));
    const { id } = data?.['viewer'] as { readonly id: string };
    for (const query of ['mutation ($id: ID!) { setRole(principalId: $id, role: OWNER, workspaceId: "main") }', 'mutation ($id: ID!) { removeMember(principalId: $id, workspaceId: "main") }']) {
      expect((await server.graphql(query, { id }, server.adminToken)).errors[0]).toMatchObject({ extensions: { code: 'INPUT_INVALID' }, message: expect.stringContaining('identity provider') as string });
    }
  });
});
