import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type GraphQLAnswer, type TestServer } from './harness.js';
import { openSession } from './raw-socket.js';

const documents = JSON.parse(readFileSync(new URL('../../schema/trusted-documents.json', import.meta.url), 'utf8')) as Record<string, string>;
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** The bare hash of an operation of the built-in manifest. */
function hashNamed(beginning: string): string {
  const id = Object.keys(documents).find((key) => documents[key]?.startsWith(beginning));
  if (id === undefined) throw new Error(`No trusted document begins with ${beginning}`);
  return id.slice('sha256:'.length);
}

const persisted = (sha256Hash: string) => ({ persistedQuery: { version: 1, sha256Hash } });
const viewer = hashNamed('query Viewer');

describe('Trusted documents', () => {
  const folder = mkdtempSync(join(tmpdir(), 'concord-trusted-'));
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  async function post(body: unknown, headers: Record<string, string> = {}): Promise<GraphQLAnswer> {
    const response = await fetch(server.url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token}`, ...headers }, body: JSON.stringify(body) });
    return { data: null, errors: [], status: response.status, ...((await response.json()) as object) };
  }
  const codeOf = ({ errors }: GraphQLAnswer) => errors[0]?.extensions['code'];

  function manifest(content: unknown): string {
    const file = join(folder, 'manifest.json');
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  }

  it('are run by their hash alone over HTTP: by POST in each agreed form, in a batch, and by GET', async () => {
    const expected = { viewer: { workspaces: [{ id: 'main', role: 'EDITOR' }] } };
    expect((await post({ extensions: persisted(viewer) })).data).toMatchObject(expected);
    expect((await post({ query: '', extensions: persisted(viewer) })).data).toMatchObject(expected);
    expect((await post({ documentId: `sha256:${viewer}` })).data).toMatchObject(expected);
    const got = await fetch(`${server.url}?extensions=${encodeURIComponent(JSON.stringify(persisted(viewer)))}`, { headers: { authorization: `Bearer ${server.token}` } });
    expect(await got.json()).toMatchObject({ data: expected });
    const batch = (await post([{ documentId: `sha256:${viewer}` }, { query: '{ workspaces { id } }' }])) as unknown as Record<string, GraphQLAnswer>;
    expect([batch[0]?.data, batch[1]?.data]).toMatchObject([expected, { workspaces: [{ id: 'main' }] }]);
  });

  it('are run with variables and with all the checks of a text', async () => {
    const create = hashNamed('fragment DocumentParts on Document { collection createdAt deleted id position revision title updatedAt value } fragment EditOutcome on EditResult { __typename ... on Edited { document { ...DocumentParts } } ... on Refused { code message operation path retryAfter retryable } } mutation CreateDocument');
    expect((await post({ extensions: persisted(create), variables: { id: 'by-hash', value: { n: 1 } } })).data).toMatchObject({ createDocument: { document: { id: 'by-hash', value: { n: 1 } } } });
    expect((await post({ extensions: persisted(hashNamed('mutation RevokeToken')), variables: {} })).errors[0]?.message).toMatch(/Variable "\$id"/);
    expect(codeOf(await post({ extensions: persisted(viewer) }, { authorization: 'Bearer nobody.nothing' }))).toBe('UNAUTHENTICATED');
    const mutationByGet = await fetch(`${server.url}?extensions=${encodeURIComponent(JSON.stringify(persisted(hashNamed('mutation RevokeToken'))))}&variables=${encodeURIComponent('{"id":"x"}')}`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    expect(mutationByGet.status).toBe(405);
  });

  it('are run over the socket and as Server-Sent Events', async () => {
    const socket = await openSession(server.wsUrl, server.token);
    socket.send({ id: 'v', type: 'subscribe', payload: { query: '', extensions: persisted(viewer) } });
    expect(await socket.next()).toMatchObject({ id: 'v', type: 'next', payload: { data: { viewer: { workspaces: [{ id: 'main' }] } } } });
    expect(await socket.next()).toMatchObject({ id: 'v', type: 'complete' });
    socket.send({ id: 'c', type: 'subscribe', payload: { query: '', extensions: persisted(hashNamed('subscription Changes')) } });
    expect(await socket.next()).toMatchObject({ id: 'c', type: 'next', payload: { data: { changes: { upToDate: true } } } });
    socket.close();

    const stopped = new AbortController();
    const stream = await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${server.token}` },
      body: JSON.stringify({ extensions: persisted(hashNamed('subscription Live')) }),
      signal: stopped.signal,
    });
    let text = '';
    const decoder = new TextDecoder();
    for await (const bytes of stream.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(bytes, { stream: true });
      if (text.includes('upToDate')) break;
    }
    stopped.abort();
    expect(text).toContain('event: next');
  });

  it('answer a hash nobody knows as clients expect it, on both transports alike, and the text is then taken', async () => {
    const text = 'query Newer { workspaces { id } }';
    const extensions = persisted(hashOf(text));
    const expected = { message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } };
    expect((await post({ extensions }, { accept: 'application/graphql-response+json' })).errors).toEqual([expected]);
    const socket = await openSession(server.wsUrl, server.token);
    socket.send({ id: '1', type: 'subscribe', payload: { query: '', extensions } });
    expect(await socket.next()).toEqual({ id: '1', type: 'error', payload: [expected] });
    socket.send({ id: '1', type: 'subscribe', payload: { query: text, extensions } });
    expect(await socket.next()).toMatchObject({ type: 'next', payload: { data: { workspaces: [{ id: 'main' }] } } });
    socket.close();
    // Having been sent once with its text does not make it trusted.
    expect((await post({ query: text, extensions })).data).toEqual({ workspaces: [{ id: 'main' }] });
    expect(codeOf(await post({ extensions }))).toBe('PERSISTED_QUERY_NOT_FOUND');
  });

  it('say what is missing when there is neither text nor hash', async () => {
    for (const body of [{}, { extensions: {} }, { extensions: { persistedQuery: { version: 1 } } }]) {
      expect((await post(body)).errors[0]).toMatchObject({ message: 'query must be a text, it is missing.', extensions: { code: 'INPUT_INVALID' } });
    }
  });

  it('take the manifest of an app beside the built-in one', async () => {
    const text = 'query Mine { workspaces { role } }';
    await server.restart({ trustedDocuments: { file: manifest({ [`sha256:${hashOf(text)}`]: text, 'mine/2': '{ workspaces { id } }' }), only: false } });
    expect((await post({ extensions: persisted(hashOf(text)) })).data).toEqual({ workspaces: [{ role: 'EDITOR' }] });
    expect((await post({ documentId: 'mine/2' })).data).toEqual({ workspaces: [{ id: 'main' }] });
    expect((await post({ documentId: `sha256:${viewer}` })).errors).toEqual([]);
  });

  it('are all there is, where that is asked for: other texts are refused, the clients go on, and there is no GraphiQL', async () => {
    const text = 'query Mine { workspaces { role } }';
    await server.restart({ trustedDocuments: { file: manifest({ [`sha256:${hashOf(text)}`]: text }), only: true } });
    expect(await post({ query: '{ workspaces { id } }' })).toMatchObject({ data: null, errors: [{ message: expect.stringContaining('TRUSTED_DOCUMENTS') as string, extensions: { code: 'PERSISTED_QUERY_ONLY' } }] });
    expect(codeOf(await post({ query: '{ __schema { types { name } } }' }))).toBe('PERSISTED_QUERY_ONLY');
    expect(codeOf(await post({ query: 'not even { GraphQL' }))).toBe('PERSISTED_QUERY_ONLY');
    expect(codeOf(await post({ extensions: persisted(hashOf('something else')) }))).toBe('PERSISTED_QUERY_NOT_FOUND');
    // By hash, and by the very text, as the C library sends it.
    expect((await post({ extensions: persisted(hashOf(text)) })).data).toEqual({ workspaces: [{ role: 'EDITOR' }] });
    expect((await post({ query: text })).data).toEqual({ workspaces: [{ role: 'EDITOR' }] });
    const socket = await openSession(server.wsUrl, server.token);
    socket.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { changes { __typename } }' } });
    expect(await socket.next()).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'PERSISTED_QUERY_ONLY' } }] });
    socket.close();
    for (const [path, status] of [['/graphql', 406], ['/', 404], ['/playground', 404]] as const) {
      const page = await fetch(new URL(path, server.url), { headers: { accept: 'text/html' } });
      expect(page.status).toBe(status);
      expect(((await page.json()) as GraphQLAnswer).errors[0]?.message).toMatch(/GraphiQL is off on this server\. The API is at \/graphql.*GRAPHIQL=1/);
    }
    const asked = await fetch(`${server.url}?extensions=${encodeURIComponent(JSON.stringify(persisted(viewer)))}`, { headers: { accept: 'text/html,*/*;q=0.8', authorization: `Bearer ${server.token}` } });
    expect(await asked.json()).toMatchObject({ data: { viewer: { workspaces: [{ id: 'main' }] } } });
    await server.restart();
  });

  it.each([
    ['a file that is not there', join(folder, 'absent.json'), /TRUSTED_DOCUMENTS: .*absent\.json cannot be read \(ENOENT/],
    ['a file that is not JSON', 'none', /TRUSTED_DOCUMENTS: .* cannot be read \(.*JSON/],
    ['a list', [], /is not a JSON object.* Give the persisted-documents\.json/],
    ['an entry without a text', { x: 1 }, /has something else than a text under "x"/],
    ['an operation that the schema does not have', { x: 'query Old { gone }' }, /The trusted document x cannot be run: Cannot query field "gone".*It begins: query Old/],
    ['an operation that is too deep', { x: `query Deep { ${'document(id: 1) { '.repeat(13)}id${' }'.repeat(13)} }` }, /The trusted document x cannot be run: The operation is 14 levels deep; 12 are allowed/],
    ['a hash that is not that of its text', { [`sha256:${viewer}`]: '{ workspaces { id } }' }, new RegExp(`manifest\\.json has under the id sha256:${viewer} an operation whose hash is sha256:${hashOf('{ workspaces { id } }')}; it begins: { workspaces`)],
    ['a bare hash that is not that of its text', { [viewer]: '{ workspaces { id } }' }, new RegExp(`has under the id ${viewer} an operation whose hash is`)],
  ])('refuse to start with %s, and say what is wrong', async (_what, content, message) => {
    const file = typeof content === 'string' && content.startsWith('/') ? content : manifest(content);
    await expect(server.restart({ trustedDocuments: { file, only: false } })).rejects.toThrow(message);
  });
});
