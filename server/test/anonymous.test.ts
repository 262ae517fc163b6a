import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { promisify } from 'node:util';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { networkOf } from '../rate-limit/charge.js';
import { startTestServer, type GraphQLAnswer, type TestServer } from './harness.js';
import { openRawSocket, openSession } from './raw-socket.js';

const rateLimit = { operationsPerSecond: 0, operationsBurst: 1, anonymousPerSecond: 0, editsPerSecond: 0, editsBurst: 1, failedLoginsPerMinute: 0 };

describe('Who has no session', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { rateLimit } });
  });
  afterAll(() => server.close());

  const post = async (body: string, token: string | null = null) => {
    const response = await fetch(server.url, { method: 'POST', headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) }, body });
    const answer = (await response.json()) as GraphQLAnswer;
    return { status: response.status, code: answer.errors?.[0]?.extensions['code'], message: answer.errors?.[0]?.message, data: answer.data };
  };

  it('is refused a body beyond 16 KiB before it is parsed, and told what is missing', async () => {
    const answer = await post(JSON.stringify({ query: '{ viewer { id } }', variables: { padding: 'x'.repeat(17_000) } }));
    expect(answer).toMatchObject({ status: 413, code: 'LIMIT_EXCEEDED', message: expect.stringMatching(/16384 are allowed\. Larger ones need a token/) as string });
    expect((await post(JSON.stringify({ query: '{ viewer { id } }', variables: { padding: 'x'.repeat(17_000) } }), server.token)).data).toMatchObject({ viewer: {} });
  });

  it('may ask for the schema as GraphiQL does, and for nothing longer', async () => {
    const introspection = getIntrospectionQuery({ descriptions: true, specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true, oneOf: true });
    expect((await post(JSON.stringify({ query: introspection }))).data).toMatchObject({ __schema: {} });
    expect(await post(JSON.stringify({ query: `{ viewer { ${'id '.repeat(600)} } }` }))).toMatchObject({ code: 'QUERY_TOO_COMPLEX', message: expect.stringMatching(/more than 500 tokens.*longer texts need a token/) as string });
    // The refusal is not kept for those who may ask for more.
    expect((await post(JSON.stringify({ query: `{ viewer { ${'id '.repeat(600)} } }` }), server.token)).data).toMatchObject({ viewer: {} });
  });

  it('is closed with 1009 for a message beyond 16 KiB, before and after connection_ack', async () => {
    const before = await openRawSocket(server.wsUrl);
    before.sendText(JSON.stringify({ type: 'connection_init', payload: { padding: 'x'.repeat(20_000) } }));
    expect(await before.closed).toMatchObject({ code: 1009, reason: expect.stringMatching(/^LIMIT_EXCEEDED: /) as string });
    const after = await openRawSocket(server.wsUrl);
    after.send({ type: 'connection_init' });
    expect((await after.next()).type).toBe('connection_ack');
    after.send({ id: '1', type: 'subscribe', payload: { query: '{ viewer { id } }', variables: { padding: 'x'.repeat(20_000) } } });
    expect((await after.closed).code).toBe(1009);
  });

  it('is closed while it goes on sending a message that does not end', async () => {
    const socket = await openRawSocket(server.wsUrl, undefined, { perMessageDeflate: false });
    socket.sendText('x'.repeat(4 * 1024 * 1024));
    expect([1009, 1006]).toContain((await socket.closed).code);
  });

  it('is charged for its address before the body is read, also for what does not parse or is not valid', async () => {
    const strict = await startTestServer({ config: { rateLimit: { ...rateLimit, anonymousPerSecond: 1 } } });
    const statuses: (number | string)[] = [];
    for (const body of ['{"query":"{ nothing }"}', '{"query":"{ viewer {"}', 'no json', '{"query":"{ __typename }"}', ...Array<string>(12).fill('{}')]) {
      const response = await fetch(strict.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      statuses.push(response.status);
      if (response.status === 429) expect(((await response.json()) as GraphQLAnswer).errors[0]).toMatchObject({ message: expect.stringMatching(/operations without a token a second/) as string, extensions: { code: 'RATE_LIMITED', retryAfter: expect.any(Number) as number } });
    }
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(3);
    expect((await strict.graphql('{ viewer { id } }')).errors).toEqual([]);
    await strict.close();
  });

  it('is one network with all addresses that its provider gives it', () => {
    expect(networkOf('192.0.2.7')).toBe('192.0.2.7');
    expect(networkOf('::ffff:192.0.2.7')).toBe('192.0.2.7');
    expect(networkOf('2001:db8:0:42::1')).toBe('2001:db8:0:42::/64');
    expect(networkOf('2001:0db8:0000:0042:ffff:1:2:3')).toBe('2001:db8:0:42::/64');
    expect(networkOf('::1')).toBe('0:0:0:0::/64');
  });
});

describe('A request that costs more than one operation', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ config: { rateLimit: { ...rateLimit, operationsPerSecond: 1, operationsBurst: 20 } } });
  });
  afterAll(() => server.close());

  const refusals = async (query: string, token: string): Promise<number> => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => server.graphql(query, {}, token)));
    return answers.filter(({ errors }) => errors[0]?.extensions['code'] === 'RATE_LIMITED').length;
  };

  it('is charged for each field at its root, however it is called', async () => {
    const aliases = Array.from({ length: 10 }, (_, index) => `a${index}: viewer { id }`).join(' ');
    expect(await refusals(`{ ${aliases} }`, await server.newToken('EDITOR'))).toBeGreaterThanOrEqual(2);
    expect(await refusals(`query { ...F } fragment F on Query { ${aliases} }`, await server.newToken('EDITOR'))).toBeGreaterThanOrEqual(2);
    expect(await refusals('{ viewer { id } }', await server.newToken('EDITOR'))).toBe(0);
  });

  it('is charged for a long text that is new, valid or not, and not for one that is known', async () => {
    const token = await server.newToken('EDITOR');
    const text = `{ viewer { id ${' '.repeat(12 * 1024)} } }`;
    const invalid = `{ viewer { nothing ${' '.repeat(12 * 1024)} } }`;
    expect((await server.graphql(text, {}, token)).errors).toEqual([]);
    expect((await server.graphql(invalid, {}, token)).errors[0]?.extensions['code']).toBe('RATE_LIMITED');
    expect((await server.graphql(text, {}, token)).errors).toEqual([]);
  });
});

describe('A body of five megabytes', () => {
  let server: TestServer;
  let folder: string;
  beforeAll(async () => {
    server = await startTestServer();
    folder = mkdtempSync(join(tmpdir(), 'concord-body-'));
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  const body = JSON.stringify({ query: '{ viewer { id } }', variables: { padding: 'x'.repeat(5 * 1024 * 1024) } });
  const refusal = { status: 413, code: 'LIMIT_EXCEEDED' };
  const codeOf = (text: string): unknown => (JSON.parse(text) as GraphQLAnswer).errors[0]?.extensions['code'];

  // With a token and without one, announced and in chunks, twice each: whether it is reset depends on the moment.
  const ways = ['token', 'none'].flatMap((who) => ['announced', 'in chunks'].map((how) => [who, how] as const));

  it.each(ways)('ends with the refusal for the HTTP client of Node (%s, %s)', async (who, how) => {
    for (let round = 0; round < 2; round++) {
      const answer = await new Promise<{ status: number; code: unknown }>((resolve, reject) => {
        const headers = { 'content-type': 'application/json', ...(who === 'token' ? { authorization: `Bearer ${server.token}` } : {}), ...(how === 'announced' ? { 'content-length': Buffer.byteLength(body) } : {}) };
        const sent = request(server.url, { method: 'POST', headers }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, code: codeOf(text) }));
        });
        sent.on('error', reject);
        for (let at = 0; at < body.length; at += 64 * 1024) sent.write(body.slice(at, at + 64 * 1024));
        sent.end();
      });
      expect(answer).toEqual(refusal);
    }
  });

  it.each(ways)('ends with the refusal for fetch (%s, %s)', async (who, how) => {
    for (let round = 0; round < 2; round++) {
      const headers = { 'content-type': 'application/json', ...(who === 'token' ? { authorization: `Bearer ${server.token}` } : {}) };
      const response = await fetch(server.url, { method: 'POST', headers, body: how === 'announced' ? body : new Blob([body]).stream(), duplex: 'half' } as RequestInit);
      expect({ status: response.status, code: codeOf(await response.text()) }).toEqual(refusal);
    }
  });

  it.each(ways)('ends with the refusal for curl (%s, %s)', async (who, how) => {
    const file = join(folder, 'body.json');
    writeFileSync(file, body);
    const headers = [...(who === 'token' ? ['-H', `authorization: Bearer ${server.token}`] : []), ...(how === 'announced' ? [] : ['-H', 'transfer-encoding: chunked']), '-H', 'expect:', '-H', 'content-type: application/json'];
    for (let round = 0; round < 2; round++) {
      const { stdout } = await promisify(execFile)('curl', ['-sS', '--max-time', '20', ...headers, '--data-binary', `@${file}`, '-w', '\n%{http_code}', server.url]);
      const [text = '', status = ''] = stdout.split('\n');
      expect({ status: Number(status), code: codeOf(text) }).toEqual(refusal);
    }
  });
});

describe('A large message of a session', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it('is answered, and so are those that come right after it, in order', async () => {
    const socket = await openSession(server.wsUrl, server.token);
    const value = Array.from({ length: 20_000 }, (_, index) => ({ index }));
    const create = 'mutation ($id: ID!, $value: JSON) { createDocument(id: $id, value: $value) { __typename } }';
    socket.send({ id: 'large', type: 'subscribe', payload: { query: create, variables: { id: 'large', value } } });
    socket.send({ id: 'small', type: 'subscribe', payload: { query: create, variables: { id: 'small', value: 1 } } });
    const answers = [await socket.next(), await socket.next(), await socket.next(), await socket.next()];
    expect(answers.filter(({ type }) => type === 'next').map(({ payload }) => payload)).toEqual([{ data: { createDocument: { __typename: 'Edited' } } }, { data: { createDocument: { __typename: 'Edited' } } }]);
    expect((await server.graphql('{ document(id: "large") { value } }')).data).toEqual({ document: { value } });
    socket.close();
  });

  it('is refused by the protocol when it is none of its messages', async () => {
    for (const text of [`[${'[],'.repeat(40_000)}1]`, '['.repeat(100_000), `{"type":"ping","payload":{"x":"${'x'.repeat(100_000)}"}}`]) {
      const socket = await openSession(server.wsUrl, server.token);
      socket.sendText(text);
      expect((await socket.closed).code).toBe(4400);
    }
  });

  it('is refused with a code when its variables are nested deeper than any document', async () => {
    const deep = `{"query":"{ viewer { id } }","variables":{"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;
    const response = await fetch(server.url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token}` }, body: deep });
    expect(((await response.json()) as GraphQLAnswer).errors[0]).toMatchObject({ extensions: { code: 'INPUT_INVALID' }, message: expect.stringMatching(/nested deeper than 160 levels/) as string });
  });
});
