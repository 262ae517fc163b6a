import { createHash } from 'node:crypto';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startTestServer, type GraphQLAnswer, type TestServer } from './harness.js';
import { openSession } from './raw-socket.js';

const noLimits = { operationsPerSecond: 0, operationsBurst: 1, anonymousPerSecond: 0, editsPerSecond: 0, editsBurst: 1, failedLoginsPerMinute: 0 };

describe('The edges', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { corsOrigins: ['https://app.example.org'] } });
  });
  afterAll(() => server.close());

  it('answers a batch in order', async () => {
    const response = await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token}` },
      body: JSON.stringify([{ query: '{ workspaces { id } }' }, { query: '{ nothing }' }, { query: '{ workspaces { role } }' }]),
    });
    const answers = (await response.json()) as readonly GraphQLAnswer[];
    expect(answers.map(({ data, errors }) => data ?? errors[0]?.extensions['code'])).toEqual([{ workspaces: [{ id: 'main' }] }, 'INPUT_INVALID', { workspaces: [{ role: 'EDITOR' }] }]);
  });

  it('commits a patch without operations as a revision of its own, as the schema says', async () => {
    await server.graphql('mutation { createDocument(id: "still", value: { n: 1 }) { __typename } }');
    const { data } = await server.graphql('mutation { patchDocument(id: "still", patch: []) { ... on Edited { document { revision value } } } }');
    expect(data).toEqual({ patchDocument: { document: { revision: 2, value: { n: 1 } } } });
    const { data: schema } = await server.graphql('{ __type(name: "Mutation") { fields { name args { name description } } } }');
    const fields = (schema!['__type'] as { fields: { name: string; args: { name: string; description: string }[] }[] }).fields;
    expect(fields.find(({ name }) => name === 'patchDocument')?.args.find(({ name }) => name === 'patch')?.description).toMatch(/An empty list .* is committed/);
  });

  it.each(['br', 'gzip'])('compresses large answers with %s, and small ones not at all', async (encoding) => {
    const ask = (query: string) =>
      new Promise<{ encoding: string | undefined; bytes: number }>((resolve, reject) => {
        get(`${server.url}?query=${encodeURIComponent(query)}`, { headers: { 'accept-encoding': encoding, authorization: `Bearer ${server.token}` } }, (response) => {
          let bytes = 0;
          response.on('data', (chunk: Buffer) => (bytes += chunk.length));
          response.on('end', () => resolve({ encoding: response.headers['content-encoding'], bytes }));
        }).on('error', reject);
      });
    const large = await ask('{ __schema { types { name description fields { name description } } } }');
    expect(large.encoding).toBe(encoding);
    expect(large.bytes).toBeLessThan(20_000);
    expect((await ask('{ viewer { id } }')).encoding).toBeUndefined();
  });

  it('negotiates permessage-deflate on the socket, without context takeover', async () => {
    const socket = new WebSocket(server.wsUrl, 'graphql-transport-ws');
    await new Promise((resolve) => socket.once('open', resolve));
    expect(socket.extensions).toBe('permessage-deflate');
    socket.close();
  });

  it('tells only the listed origins that they may read', async () => {
    const preflight = (origin: string) => fetch(server.url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
    expect((await preflight('https://app.example.org')).headers.get('access-control-allow-origin')).toBe('https://app.example.org');
    expect((await preflight('https://evil.example.org')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('serves GraphiQL whole: no file and no script from elsewhere', async () => {
    const page = await fetch(server.url, { headers: { accept: 'text/html' } });
    const html = await page.text();
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '');
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      expect(file).toMatch(/^\/graphql\/assets\//);
      const asset = await fetch(new URL(file, server.url));
      expect(asset.status).toBe(200);
      const text = await asset.text();
      if (file.endsWith('.css')) expect([...text.matchAll(/url\(\s*["']?(?!data:)([^)]+)/g)].map(([, url]) => url)).toEqual([]);
      if (file.endsWith('.css')) expect(text).not.toMatch(/@import\s+(url\()?["']?https?:/);
    }
    const again = await fetch(new URL('/graphql/assets/start.js', server.url));
    const unchanged = await fetch(new URL('/graphql/assets/start.js', server.url), { headers: { 'if-none-match': again.headers.get('etag') ?? '' } });
    expect(unchanged.status).toBe(304);
  });

  it('leads from / and /playground to GraphiQL', async () => {
    for (const path of ['/', '/playground']) {
      const response = await fetch(new URL(path, server.url), { redirect: 'manual' });
      expect([response.status, response.headers.get('location')]).toEqual([302, '/graphql']);
    }
  });

  it('limits the operations of one principal and says how long to wait', async () => {
    const strict = await startTestServer({ config: { rateLimit: { ...noLimits, operationsPerSecond: 1, operationsBurst: 3 } } });
    const other = await strict.newToken('EDITOR');
    const answers = await Promise.all(Array.from({ length: 9 }, () => strict.graphql('{ viewer { id } }')));
    const refused = answers.filter(({ errors }) => errors.length > 0);
    // One more passes where the nine take a second.
    expect([5, 6]).toContain(refused.length);
    expect(refused[0]?.errors[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfter: expect.any(Number) as number });
    expect((await strict.graphql('{ viewer { id } }', {}, other)).errors).toEqual([]);
    await strict.close();
  });

  it('limits edits by their number, on the socket too', async () => {
    const strict = await startTestServer({ config: { rateLimit: { ...noLimits, editsPerSecond: 2, editsBurst: 4 } } });
    const socket = await openSession(strict.wsUrl, strict.token);
    const edits = Array.from({ length: 5 }, (_, index) => ({ documentId: `d${index}`, patchId: `p${index}`, counter: 1, clock: { epoch: 1, base: 0 }, action: { create: {} } }));
    const push = 'mutation ($edits: [EditInput!]!) { push(replicaId: "00000000000000000000000000000001", edits: $edits) { verdicts { __typename } } }';
    socket.send({ id: '1', type: 'subscribe', payload: { query: push, variables: { edits } } });
    expect(JSON.stringify(await socket.next())).toContain('"code":"RATE_LIMITED"');
    expect(await socket.next()).toMatchObject({ type: 'complete' });
    socket.send({ id: '2', type: 'subscribe', payload: { query: push, variables: { edits: edits.slice(0, 2) } } });
    expect(await socket.next()).toMatchObject({ payload: { data: { push: { verdicts: [{ __typename: 'Committed' }, { __typename: 'Committed' }] } } } });
    socket.close();
    await strict.close();
  });

  it('stops in order: streams are told, sockets closed with 1001, and the next start goes on', async () => {
    const stopping = await startTestServer();
    await stopping.graphql('mutation { createDocument(id: "kept", value: 1) { __typename } }');
    const socket = await openSession(stopping.wsUrl, stopping.token);
    socket.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { document(id: "kept") { value } }' } });
    expect(await socket.next()).toMatchObject({ payload: { data: { document: { value: 1 } } } });
    await stopping.stop();
    expect(JSON.stringify(await socket.next())).toContain('SHUTTING_DOWN');
    expect(await socket.closed).toMatchObject({ code: 1001 });
    await stopping.restart();
    expect((await stopping.graphql('{ document(id: "kept") { value } }')).data).toEqual({ document: { value: 1 } });
    await stopping.close();
  });

  describe('with an identity provider', () => {
    it('takes its tokens, makes the principal at first sight, and gives it no rights', async () => {
      const { publicKey, privateKey } = await generateKeyPair('ES256');
      const stranger = await generateKeyPair('ES256');
      const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
      const provider = createServer((_request, response) => void response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] })));
      await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
      const jwt = { jwksUrl: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/jwks`, issuer: 'https://id.example.org', audience: 'concord', rolesClaim: null, createsTokens: false };
      const sign = (key: CryptoKey, change: { issuer?: string; audience?: string; expires?: string } = {}) =>
        new SignJWT({ name: 'Ann' })
          .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
          .setSubject('ann|42')
          .setIssuer(change.issuer ?? jwt.issuer)
          .setAudience(change.audience ?? jwt.audience)
          .setExpirationTime(change.expires ?? '1h')
          .sign(key);
      const federated = await startTestServer({ config: { jwt } });
      try {
        const answer = await federated.graphql('{ viewer { id name workspaces { id } } }', {}, await sign(privateKey));
        const id = `jwt:${createHash('sha256').update(`${jwt.issuer}\0ann|42`).digest('hex').slice(0, 40)}`;
        expect(answer.data).toEqual({ viewer: { id, name: 'Ann', workspaces: [] } });
        for (const wrong of [await sign(stranger.privateKey), await sign(privateKey, { issuer: 'https://evil.example.org' }), await sign(privateKey, { audience: 'other' }), await sign(privateKey, { expires: '1s ago' }).then((token) => `${token}x`)]) {
          expect((await federated.graphql('{ viewer { id } }', {}, wrong)).status).toBe(401);
        }
        const invited = await federated.graphql('mutation { invite(role: VIEWER) { token } }', {}, federated.adminToken);
        const { token } = invited.data?.['invite'] as { readonly token: string };
        expect((await federated.graphql('mutation ($token: String!) { acceptInvitation(token: $token) { id } }', { token }, await sign(privateKey))).errors).toEqual([]);
        expect((await federated.graphql('{ documents(workspaceId: "main") { nodes { id } } }', {}, await sign(privateKey))).data).toEqual({ documents: { nodes: [] } });
      } finally {
        await federated.close();
        await new Promise((resolve) => provider.close(resolve));
      }
    });
  });
});
