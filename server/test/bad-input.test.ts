import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type GraphQLAnswer, type TestServer } from './harness.js';
import { readConfig } from '../config.js';
import { openRawSocket, openSession } from './raw-socket.js';

describe('Bad input', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    await server.graphql('mutation { createDocument(id: "doc", value: { a: 1, text: "abc" }) { __typename } }');
  });
  afterAll(() => server.close());

  async function post(body: string, headers: Record<string, string> = {}): Promise<{ status: number; code: unknown; error: GraphQLAnswer['errors'][number] | undefined }> {
    const response = await fetch(server.url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token}`, ...headers }, body });
    const { errors } = (await response.json()) as GraphQLAnswer;
    return { status: response.status, code: errors[0]?.extensions['code'], error: errors[0] };
  }

  describe('over HTTP', () => {
    it.each([
      ['a body that is not JSON', '{"query": "{ viewer', 400, 'INPUT_INVALID', /not JSON/],
      ['a body without a query', '{}', 400, 'INPUT_INVALID', /query must be a text, it is missing/],
      ['a body that is no object', '"hello"', 400, 'INPUT_INVALID', /an object like/],
      ['variables that are no object', '{"query":"{viewer{id}}","variables":[1]}', 400, 'INPUT_INVALID', /variables must be an object/],
      ['an empty batch', '[]', 400, 'INPUT_INVALID', /batch is empty/],
      ['a batch of eleven', JSON.stringify(Array(11).fill({ query: '{viewer{id}}' })), 400, 'QUERY_TOO_COMPLEX', /11 operations; 10 are allowed/],
      ['a query that is not GraphQL', '{"query":"{ viewer { "}', 200, 'INPUT_INVALID', /Syntax Error/],
      ['a query nested deeper than the parser can follow', JSON.stringify({ query: `${'{a'.repeat(20_000)}${'}'.repeat(20_000)}` }), 200, 'QUERY_TOO_COMPLEX', /nested too deeply/],
      ['a query longer than a person writes', JSON.stringify({ query: `{ viewer { id } } #${' '.repeat(70_000)}` }), 200, 'QUERY_TOO_COMPLEX', /more than 65536 characters. Send its data as variables/],
      ['a field that does not exist', '{"query":"{ viewer { nme } }"}', 200, 'INPUT_INVALID', /Did you mean "name"/],
      ['an operation name that is not there', '{"query":"query A { viewer { id } }","operationName":"B"}', 200, 'INPUT_INVALID', /no operation named B/],
      ['a variable of the wrong type', '{"query":"query($n: Int) { documents(first: $n) { nodes { id } } }","variables":{"n":"x"}}', 200, 'INPUT_INVALID', /"\$n"/],
    ])('%s is refused with a code and what to do', async (_name, body, status, code, message) => {
      const answer = await post(body);
      expect(answer).toMatchObject({ status, code });
      expect(answer.error?.message).toMatch(message);
    });

    it('refuses bytes that are not UTF-8, and other charsets, instead of storing other characters than were sent', async () => {
      const create = (id: string, name: string) => JSON.stringify({ query: `mutation ($value: JSON) { createDocument(id: "${id}", value: $value) { __typename } }`, variables: { value: { name } } });
      const send = async (bytes: Uint8Array, type: string) => {
        const response = await fetch(server.url, { method: 'POST', headers: { 'content-type': type, authorization: `Bearer ${server.token}` }, body: new Uint8Array(bytes) });
        const { data, errors = [] } = (await response.json()) as GraphQLAnswer;
        return errors[0] === undefined ? data?.['createDocument'] : `${response.status} ${String(errors[0].extensions['code'])}: ${errors[0].message}`;
      };
      expect(await send(Buffer.from(create('latin', 'Jos\u00e9'), 'latin1'), 'application/json')).toMatch(/^400 INPUT_INVALID: .*not UTF-8/);
      expect(await send(Buffer.from(create('latin', 'Jose')), 'application/json; charset=iso-8859-1')).toMatch(/^400 INPUT_INVALID: .*iso-8859-1; send it as UTF-8/);
      expect(await send(Buffer.from(create('latin', 'Jose'), 'utf16le'), 'application/json; charset=utf-16')).toMatch(/^400 INPUT_INVALID/);
      expect((await server.graphql('{ document(id: "latin") { revision } }')).data).toEqual({ document: null });
      for (const [index, type] of ['application/json; charset=utf-8', 'application/json; charset="UTF-8"; x=y', 'application/json;charset=utf8'].entries()) {
        expect(await send(Buffer.from(create(`utf8-${index}`, 'Jos\u00e9')), type)).toEqual({ __typename: 'Edited' });
      }
    });

    it.each([
      ['in variables', '{"query":"mutation ($v: JSON) { createDocument(id: \\"big\\", value: $v) { __typename } }","variables":{"v":{"n":[1,9007199254740993]}}}', '/variables/v/n/1'],
      ['in a batch', '[{"query":"{ viewer { id } }"},{"query":"mutation ($v: JSON) { createDocument(id: \\"big\\", value: $v) { __typename } }","variables":{"v":18446744073709551615}}]', '/1/variables/v'],
      ['in the text of the operation', '{"query":"mutation { createDocument(id: \\"big\\", value: { n: 9007199254740993 }) { __typename } }"}', undefined],
    ])('refuses a whole number that it would have to round, and says where: %s', async (_name, body, path) => {
      const { code, error } = await post(body);
      expect({ code, path: error?.extensions['path'] }).toEqual({ code: 'VALUE_INVALID', path });
      expect(error?.message).toMatch(/(9007199254740993|18446744073709551615) cannot be held exactly.*it would become .*Send it as a text/);
      expect((await server.graphql('{ document(id: "big") { revision } }')).data).toEqual({ document: null });
    });

    it('keeps numbers beyond 2^53 that a double holds', async () => {
      const { errors } = await server.graphql('mutation ($v: JSON) { createDocument(id: "large", value: $v) { __typename } }', { v: [2 ** 53, 2 ** 64, 1e300, 0.1 + 0.2] });
      expect(errors).toEqual([]);
      expect((await server.graphql('{ document(id: "large") { value } }')).data).toEqual({ document: { value: [2 ** 53, 2 ** 64, 1e300, 0.1 + 0.2] } });
    });

    it('answers with the status of the failure to those who ask for application/graphql-response+json', async () => {
      expect((await post('{"query":"{ nothing }"}', { accept: 'application/graphql-response+json' })).status).toBe(400);
    });

    it('refuses other content types, so that a foreign form cannot post', async () => {
      expect(await post('query=x', { 'content-type': 'application/x-www-form-urlencoded' })).toMatchObject({ status: 400, code: 'INPUT_INVALID' });
    });

    it('refuses a body that is announced too large before it is sent', async () => {
      const tooLarge = 'x'.repeat(6 * 1024 * 1024);
      const answer = await post(JSON.stringify({ query: tooLarge }));
      expect(answer).toMatchObject({ status: 413, code: 'LIMIT_EXCEEDED' });
      expect(answer.error?.extensions).toMatchObject({ limit: 4.5 * 1024 * 1024 });
    });

    it('refuses a body that turns out too large while it streams', async () => {
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let part = 0; part < 6; part++) controller.enqueue(new TextEncoder().encode('x'.repeat(1024 * 1024)));
          controller.close();
        },
      });
      // The connection may be cut while the rest is still being sent.
      const outcome = await fetch(server.url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token}` }, body: stream, duplex: 'half' } as RequestInit).then(
        (response) => response.status,
        () => 413,
      );
      expect(outcome).toBe(413);
    });

    it('refuses a mutation by GET', async () => {
      const url = `${server.url}?query=${encodeURIComponent('mutation { createWorkspace(name: "x") { id } }')}`;
      const response = await fetch(url, { headers: { authorization: `Bearer ${server.token}` } });
      expect(response.status).toBe(405);
      expect(((await response.json()) as GraphQLAnswer).errors[0]?.extensions['code']).toBe('INPUT_INVALID');
    });

    it('refuses other methods and other paths', async () => {
      expect((await fetch(server.url, { method: 'DELETE' })).status).toBe(405);
      expect((await fetch(new URL('/nothing', server.url))).status).toBe(404);
    });

    it.each([
      ['13 levels', `{ documents { nodes { id } } ${'a: documents { nodes { id } } '.repeat(16)} }`.replaceAll('a:', () => `a${Math.random().toString(36).slice(2)}:`), /17|16 aliases/],
      ['pages within pages', '{ documents(first: 1000) { nodes { history(first: 1000) { nodes { patch } } } } }', /fields/],
    ])('refuses an operation that asks for too much: %s', async (_name, query, message) => {
      const { errors } = await server.graphql(query);
      expect(errors[0]?.extensions).toMatchObject({ code: 'QUERY_TOO_COMPLEX', limit: expect.any(Number) as number, actual: expect.any(Number) as number });
      expect(errors[0]?.message).toMatch(message);
    });

    it('counts what a fragment hides', async () => {
      const nested = 'fragment F on Workspace { a1: id a2: id a3: id a4: id a5: id a6: id } ';
      const { errors } = await server.graphql(`${nested} { viewer { workspaces { ...F } } x: viewer { workspaces { ...F } } y: viewer { workspaces { ...F } } }`);
      expect(errors[0]?.extensions).toMatchObject({ code: 'QUERY_TOO_COMPLEX', limit: 15, actual: 20 });
    });
  });

  describe('in documents and patches', () => {
    const patch = async (operations: unknown, id = 'doc') =>
      (await server.graphql('mutation ($id: ID!, $patch: JSON!) { patchDocument(id: $id, patch: $patch) { __typename ... on Refused { code path operation } } }', { id, patch: operations })).data?.['patchDocument'];

    it.each([
      ['an unknown document', [{ op: 'remove', path: '/a' }], 'missing', 'DOCUMENT_NOT_FOUND'],
      ['a patch that is no list', { op: 'remove' }, 'doc', 'PATCH_MALFORMED'],
      ['an unknown operation', [{ op: 'destroy', path: '/a' }], 'doc', 'PATCH_MALFORMED'],
      ['an invalid pointer', [{ op: 'remove', path: 'a' }], 'doc', 'POINTER_INVALID'],
      ['a path that is not there', [{ op: 'replace', path: '/a', value: 2 }, { op: 'remove', path: '/zzz' }], 'doc', 'PATH_NOT_FOUND'],
      ['a failing test', [{ op: 'test', path: '/a', value: 5 }], 'doc', 'TEST_FAILED'],
      ['text edits on a number', [{ op: 'str_ins', path: '/a', pos: 0, str: 'x' }], 'doc', 'TYPE_MISMATCH'],
      ['the key __proto__', [{ op: 'add', path: '/__proto__', value: {} }], 'doc', 'VALUE_INVALID'],
    ])('refuses %s and writes nothing', async (_name, operations, id, code) => {
      expect(await patch(operations, id)).toMatchObject({ __typename: 'Refused', code });
      expect((await server.graphql('{ document(id: "doc") { revision value } }')).data).toEqual({ document: { revision: 1, value: { a: 1, text: 'abc' } } });
    });

    it('refuses U+0000 and an oversize document', async () => {
      const create = async (value: unknown) => {
        const { data, errors } = await server.graphql('mutation ($value: JSON) { createDocument(value: $value) { __typename ... on Refused { code limit actual } } }', { value });
        return data?.['createDocument'] ?? errors[0]?.extensions;
      };
      expect(await create({ text: 'a\0b' })).toMatchObject({ code: 'VALUE_INVALID' });
      expect(await create({ text: 'x'.repeat(1024 * 1024) })).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 1024 * 1024 });
    });

    it('refuses what no document can hold, and marks it did not make, wherever the database would be asked for it', async () => {
      const code = async (query: string, variables: Record<string, unknown>) => (await server.graphql(query, variables)).errors[0]?.extensions['code'];
      const mark = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');
      const cursor = Buffer.from('1.0').toString('base64url');
      expect(await code('query ($c: String) { documents(collection: $c) { nodes { id } } }', { c: 'a\0b' })).toBe('VALUE_INVALID');
      expect(await code('query ($c: String) { changes(collection: $c) { __typename } }', { c: '\ud800' })).toBe('VALUE_INVALID');
      expect(await code('query ($a: String) { snapshot(after: $a) { next } }', { a: mark(cursor, 'a\0b') })).toBe('CURSOR_INVALID');
      expect(await code('query ($a: String) { documents(after: $a, orderBy: { field: CREATED_AT }) { nodes { id } } }', { a: mark('2026-02-31 99:00:00+99', 'x') })).toBe('CURSOR_INVALID');
    });

    it('refuses ids and texts with U+0000 or a lone surrogate in every argument of every operation, with the place', async () => {
      const refusals = new Set<string>();
      const query = async (text: string, variables: Record<string, unknown>, as?: string) => {
        const { errors } = await server.graphql(text, variables, as);
        refusals.add(`${String(errors[0]?.extensions['code'])} ${String(errors[0]?.extensions['path'])}`);
      };
      for (const bad of ['a\0b', '\ud800', 'x\udc00']) {
        refusals.clear();
        await query('mutation ($x: ID!) { revokeToken(id: $x) }', { x: bad });
        await query('query ($x: ID!) { document(id: $x) { id } }', { x: bad });
        expect([...refusals]).toEqual(['VALUE_INVALID /id']);
        refusals.clear();
        await query('mutation ($x: ID!) { setRole(principalId: $x) }', { x: bad });
        await query('mutation ($x: String!) { createWorkspace(name: $x) { id } }', { x: bad }, server.adminToken);
        await query('query ($x: ID) { documents(workspaceId: $x) { nodes { id } } }', { x: bad });
        await query('mutation ($x: String!) { createToken(grant: { name: $x, role: VIEWER }) { id } }', { x: bad }, server.adminToken);
        await query('query ($x: ID!) { documents(ids: ["a", $x]) { nodes { id } } }', { x: bad });
        expect([...refusals]).toEqual(['VALUE_INVALID /principalId', 'VALUE_INVALID /name', 'VALUE_INVALID /workspaceId', 'VALUE_INVALID /grant/name', 'VALUE_INVALID /ids/1']);
      }
      expect((await server.graphql('mutation { revokeToken(id: "a\\u0000b") }')).errors[0]?.extensions).toMatchObject({ code: 'VALUE_INVALID', path: '/id' });
      expect((await server.graphql('mutation ($x: String!) { createWorkspace(name: $x) { name } }', { x: '\u{1f600}' }, server.adminToken)).data).toEqual({ createWorkspace: { name: '\u{1f600}' } });
    });

    it('tells by a JSON pointer into the arguments which part of a filter or an order it refuses', async () => {
      const refusal = async (query: string, variables: Record<string, unknown>) => {
        const { code, path, limit, actual } = (await server.graphql(query, variables)).errors[0]!.extensions;
        return { code, path, limit, actual };
      };
      const filtered = 'query ($ids: [ID!], $where: [ConditionInput!], $collection: String) { documents(ids: $ids, where: $where, collection: $collection) { nodes { id } } }';
      const exists = { path: '/a', operator: 'EXISTS' };
      expect(await refusal(filtered, { where: Array.from({ length: 101 }, () => exists) })).toEqual({ code: 'LIMIT_EXCEEDED', path: '/where', limit: 100, actual: 101 });
      expect(await refusal(filtered, { ids: Array.from({ length: 1001 }, () => 'a') })).toEqual({ code: 'LIMIT_EXCEEDED', path: '/ids', limit: 1000, actual: 1001 });
      expect(await refusal(filtered, { ids: ['a', 'b', 'c', ' no id'] })).toEqual({ code: 'INPUT_INVALID', path: '/ids/3' });
      expect(await refusal(filtered, { where: [exists, { path: '/a' }] })).toEqual({ code: 'INPUT_INVALID', path: '/where/1/value' });
      expect(await refusal(filtered, { where: [{ path: '/a', value: { list: ['x', 'a\0b'] } }] })).toEqual({ code: 'VALUE_INVALID', path: '/where/0/value/list/1' });
      expect(await refusal(filtered, { collection: 'a\0b' })).toEqual({ code: 'VALUE_INVALID', path: '/collection' });
    });

    it('refuses a workspace the caller is not in, whether it exists or not', async () => {
      const foreign = await server.newWorkspace();
      const ask = async (id: string) => (await server.graphql('query ($id: ID) { documents(workspaceId: $id) { nodes { id } } }', { id })).errors[0]?.extensions['code'];
      expect([await ask(foreign), await ask('nothing')]).toEqual(['WORKSPACE_NOT_FOUND', 'WORKSPACE_NOT_FOUND']);
    });
  });

  describe('over a WebSocket', () => {
    it('closes 4400 for what is not a message', async () => {
      const socket = await openRawSocket(server.wsUrl);
      socket.sendText('hello');
      expect((await socket.closed).code).toBe(4400);
    });

    it('closes 4401 for an operation before the connection is acknowledged', async () => {
      const socket = await openRawSocket(server.wsUrl);
      socket.send({ id: '1', type: 'subscribe', payload: { query: '{ viewer { id } }' } });
      expect((await socket.closed).code).toBe(4401);
    });

    it('closes 4408 when nobody says who is there', { timeout: 10_000 }, async () => {
      const socket = await openRawSocket(server.wsUrl);
      expect((await socket.closed).code).toBe(4408);
    });

    it('closes 1009 for a message that is too large', async () => {
      const socket = await openSession(server.wsUrl, server.token);
      socket.sendText('x'.repeat(5 * 1024 * 1024));
      expect((await socket.closed).code).toBe(1009);
    });

    it('answers syntax, unknown fields and too much with the same codes as HTTP, and the socket lives on', async () => {
      const socket = await openSession(server.wsUrl, server.token);
      const ask = async (query: string) => {
        socket.send({ id: 'x', type: 'subscribe', payload: { query } });
        const { type, payload } = await socket.next();
        return { type, code: (payload as { extensions: { code: string } }[])[0]?.extensions.code };
      };
      expect(await ask('{ viewer {')).toEqual({ type: 'error', code: 'INPUT_INVALID' });
      expect(await ask('{ nothing }')).toEqual({ type: 'error', code: 'INPUT_INVALID' });
      expect(await ask('{ documents(first: 1000) { nodes { history(first: 1000) { nodes { patch } } } } }')).toEqual({ type: 'error', code: 'QUERY_TOO_COMPLEX' });
      socket.send({ id: 'y', type: 'subscribe', payload: { query: '{ viewer { workspaces { id } } }' } });
      expect(await socket.next()).toMatchObject({ id: 'y', type: 'next', payload: { data: { viewer: { workspaces: [{ id: 'main' }] } } } });
      socket.close();
    });

    it('refuses a whole number that it would have to round, and the socket lives on', async () => {
      const socket = await openSession(server.wsUrl, server.token);
      const query = 'mutation ($v: JSON) { createDocument(id: \\"bigger\\", value: $v) { __typename } }';
      const ask = async (id: string, number: string) => {
        socket.sendText(`{"id":"${id}","type":"subscribe","payload":{"query":"${query}","variables":{"v":[${number}]}}}`);
        return socket.next();
      };
      expect(await ask('x', '9007199254740993')).toMatchObject({ id: 'x', type: 'error', payload: [{ extensions: { code: 'VALUE_INVALID', path: '/payload/variables/v/0' } }] });
      expect(await ask('y', '9007199254740992')).toMatchObject({ id: 'y', type: 'next', payload: { data: { createDocument: { __typename: 'Edited' } } } });
      socket.close();
    });

    it('refuses an upgrade elsewhere', async () => {
      await expect(openRawSocket(server.wsUrl.replace('/graphql', '/other'))).rejects.toThrow('404');
    });
  });

  it('is measured by the limits the server was started with', async () => {
    const limits = readConfig({ NODE_ENV: 'test', LIMIT_PATCH_OPERATIONS: '2', LIMIT_PATCH_BYTES: '1024', LIMIT_DOCUMENT_BYTES: String(2 * 1024 * 1024) }).limits;
    const other = await startTestServer({ config: { limits } });
    const edit = async (field: string, variables: Record<string, unknown>) =>
      (await other.graphql(`mutation ($value: JSON!) { ${field} { __typename ... on Refused { code limit actual } } }`, variables)).data;
    expect(await edit('createDocument(id: "wide", value: $value)', { value: 'x'.repeat(1024 * 1024) })).toEqual({ createDocument: { __typename: 'Edited' } });
    const test = { op: 'test', path: '/0', value: 'x'.repeat(600) };
    expect(await edit('patchDocument(id: "wide", patch: $value)', { value: [test, test] })).toMatchObject({ patchDocument: { code: 'LIMIT_EXCEEDED', limit: 1024 } });
    expect(await edit('patchDocument(id: "wide", patch: $value)', { value: Array(3).fill({ op: 'remove', path: '/0' }) })).toMatchObject({ patchDocument: { code: 'LIMIT_EXCEEDED', limit: 2, actual: 3 } });
    await other.close();
  });

  it('leaves the server running', async () => {
    expect((await fetch(new URL('/ready', server.url))).status).toBe(200);
  });
});
