import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Denials } from '../audit/denials.js';
import { startTestServer, type TestServer } from './harness.js';

describe('The audit', () => {
  let server: TestServer;
  let sql: pg.Pool;
  beforeAll(async () => {
    server = await startTestServer();
    sql = new pg.Pool({ connectionString: server.databaseUrl, max: 3 });
  });
  afterAll(async () => {
    await sql.end();
    await server.close();
  });

  const create = (id: string, token: string, workspaceId = 'main') =>
    server.graphql('mutation ($id: ID!, $ws: ID) { createDocument(id: $id, value: 1, workspaceId: $ws) { __typename } }', { id, ws: workspaceId }, token);
  const read = async (args: string, token = server.adminToken) => {
    const { data, errors } = await server.graphql(`{ audit(workspaceId: "main"${args}) { nodes { at principalId action documentId position outcome detail } pageInfo { hasNextPage endCursor } } }`, {}, token);
    const page = data?.['audit'] as { readonly nodes: readonly Record<string, unknown>[]; readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string } } | undefined;
    return { code: errors[0]?.extensions['code'], nodes: page?.nodes ?? [], pageInfo: page?.pageInfo };
  };
  const denied = async (principalId: string) =>
    (await sql.query<{ workspace_id: string; outcome: string; detail: { count?: number } }>(`SELECT workspace_id, outcome, detail FROM audit WHERE action = 'PUSH' AND principal_id = $1 ORDER BY id`, [principalId])).rows;
  const idOf = async (token: string) => ((await server.graphql('{ viewer { id } }', {}, token)).data?.['viewer'] as { readonly id: string }).id;

  it('has a row for a write that the role does not allow, and for one into a workspace of others', async () => {
    const viewer = await server.newToken('VIEWER');
    const other = await server.newWorkspace();
    expect((await create('forbidden', viewer)).errors[0]?.extensions['code']).toBe('FORBIDDEN');
    expect((await create('forbidden', viewer, other)).errors[0]?.extensions['code']).toBe('WORKSPACE_NOT_FOUND');
    expect((await create('forbidden', viewer, 'made-up')).errors[0]?.extensions['code']).toBe('WORKSPACE_NOT_FOUND');
    const id = await idOf(viewer);
    while ((await denied(id)).length < 3);
    expect(await denied(id)).toMatchObject([{ workspace_id: 'main', outcome: 'FORBIDDEN' }, { workspace_id: other, outcome: 'WORKSPACE_NOT_FOUND' }, { workspace_id: '', outcome: 'WORKSPACE_NOT_FOUND' }]);
  });

  it('is not filled by a flood: equal denials of a minute are counted, also over many workspaces', async () => {
    const denials = new Denials(sql, pino({ level: 'silent' }));
    const at = new Date();
    const flood = { principalId: 'flood', action: 'PUSH', outcome: 'FORBIDDEN', detail: null } as const;
    for (let n = 0; n < 5_000; n++) void denials.add({ ...flood, workspaceId: 'main' }, at);
    for (let n = 0; n < 5_000; n++) void denials.add({ ...flood, workspaceId: `made-up-${n}` }, at);
    await denials.close();
    const rows = await denied('flood');
    expect(rows.length).toBeLessThan(50);
    expect(rows.reduce((sum, { detail }) => sum + (detail?.count ?? 1), 0)).toBe(10_000);
  });

  it('is read by owners, newest first, with filters, and by nobody else', async () => {
    const editor = await server.newToken('EDITOR');
    const id = await idOf(editor);
    await create('first', editor);
    await create('second', editor);
    await server.graphql('mutation { invite(role: VIEWER, workspaceId: "main") { token } }', {}, server.adminToken);
    const { nodes } = await read(', first: 3');
    expect(nodes.map(({ action, documentId }) => [action, documentId])).toEqual([['INVITE', null], ['CREATE', 'second'], ['CREATE', 'first']]);
    expect(nodes[1]).toMatchObject({ principalId: id, outcome: 'OK', position: expect.any(Number) as number });
    expect((await read(`, filter: { principalId: "${id}", documentId: "first" }`)).nodes).toMatchObject([{ action: 'CREATE', documentId: 'first' }]);
    expect((await read(', filter: { action: "INVITE" }')).nodes).toMatchObject([{ action: 'INVITE', principalId: 'owner' }]);
    expect((await read(', filter: { outcome: "FORBIDDEN" }')).nodes.every(({ outcome }) => outcome === 'FORBIDDEN')).toBe(true);
    expect((await read(', filter: { since: "2100-01-01T00:00:00Z" }')).nodes).toEqual([]);
    expect((await read(', filter: { until: "2000-01-01T00:00:00Z" }')).nodes).toEqual([]);
    expect((await read('', editor)).code).toBe('FORBIDDEN');
    expect((await read(', after: "nonsense"')).code).toBe('CURSOR_INVALID');
  });

  it('is read page by page without a row twice or missing, also when edits come and the log is compacted meanwhile', async () => {
    const since = new Date().toISOString();
    for (let n = 0; n < 12; n++) {
      await create(`paged${n}`, server.token);
      if (n % 3 === 0) await server.graphql('mutation { invite(role: VIEWER, workspaceId: "main") { token } }', {}, server.adminToken);
    }
    const keyOf = (row: Record<string, unknown>) => JSON.stringify([row['at'], row['action'], row['documentId'], row['detail']]);
    const all = (await read(`, filter: { since: "${since}" }, first: 1000`)).nodes.map(keyOf);
    expect(new Set(all).size).toBe(all.length);
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const { nodes, pageInfo } = await read(`, filter: { since: "${since}" }, first: 3${after === '' ? '' : `, after: "${after}"`}`);
      seen.push(...nodes.map(keyOf));
      if (seen.length === 6) {
        await create('meanwhile', server.token);
        const { compactWorkspace } = await import('../retention/compact.js');
        await compactWorkspace(sql, { workspaceId: 'main' as never, olderThan: new Date(Date.now() + 60_000), now: () => new Date() });
      }
      if (pageInfo?.hasNextPage !== true) break;
      after = pageInfo.endCursor;
    }
    expect(seen).toEqual(all);
  });

  it('tells the digest of its newest seal to owners', async () => {
    const query = '{ auditSeal(workspaceId: "main") { number position digest } }';
    const { sealWorkspace } = await import('../audit/seal.js');
    await sealWorkspace(sql, 'main', () => new Date());
    expect((await server.graphql(query, {}, server.adminToken)).data).toMatchObject({ auditSeal: { number: expect.any(Number) as number, digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string } });
    expect((await server.graphql(query)).errors[0]?.extensions['code']).toBe('FORBIDDEN');
  });
});
