import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTokenUse } from '../auth/token-use.js';
import { startTestServer, type TestServer } from './harness.js';
import { openSession } from './raw-socket.js';

const who = '{ viewer { id } }';

interface Issued {
  readonly id: string;
  readonly token: string;
  readonly principalId: string;
  readonly expiresAt: string | null;
}

describe('Tokens that were made with a token', () => {
  let server: TestServer;
  let neighbour: TestServer;
  let sql: pg.Pool;
  beforeAll(async () => {
    server = await startTestServer();
    neighbour = await startTestServer({ beside: server });
    sql = new pg.Pool({ connectionString: server.databaseUrl, max: 3 });
  });
  afterAll(async () => {
    await sql.end();
    await neighbour.close();
    await server.close();
  });

  const makes = async (token: string, args = ''): Promise<Issued> => {
    const { data, errors } = await server.graphql(`mutation { createToken${args} { id token principalId expiresAt } }`, {}, token);
    expect(errors).toEqual([]);
    return data?.['createToken'] as Issued;
  };
  const granted = (by = server.adminToken, role = 'EDITOR') => makes(by, `(label: "granted", grant: { name: "Ann", role: ${role}, workspaceId: "main" })`);
  const revokes = async (token: string, id: string) => (await server.graphql('mutation ($id: ID!) { revokeToken(id: $id) }', { id }, token)).data?.['revokeToken'];
  const works = async (token: string) => (await neighbour.graphql(who, {}, token)).status === 200;

  it('end no later than it, whether they are for the same principal or for a new one', async () => {
    const end = new Date(Date.now() + 3_600_000).toISOString();
    const { token } = await makes(server.adminToken, `(expiresAt: "${end}")`);
    expect((await makes(token)).expiresAt).toBe(end);
    expect((await granted(token)).expiresAt).toBe(end);
    const { errors } = await server.graphql('mutation ($at: DateTime!) { createToken(expiresAt: $at) { id } }', { at: new Date(Date.now() + 7_200_000).toISOString() }, token);
    expect(errors[0]).toMatchObject({ message: expect.stringContaining(end) as string, extensions: { code: 'INPUT_INVALID', path: '/expiresAt' } });
    const earlier = new Date(Date.now() + 60_000).toISOString();
    expect((await makes(token, `(expiresAt: "${earlier}")`)).expiresAt).toBe(earlier);
  });

  it('are revoked with it, down to the last, on every node, with their sockets', async () => {
    const first = await granted();
    const second = await makes(first.token);
    const third = await makes(second.token);
    const beside = await makes(server.adminToken);
    const socket = await openSession(neighbour.wsUrl, third.token);
    for (const { token } of [first, second, third]) expect(await works(token)).toBe(true);

    expect(await revokes(server.adminToken, first.id)).toBe(true);

    expect(await socket.closed).toMatchObject({ code: 4401, reason: expect.stringMatching(/^UNAUTHENTICATED: /) as string });
    for (const { token } of [first, second, third]) {
      expect(await works(token)).toBe(false);
      expect((await server.graphql(who, {}, token)).status).toBe(401);
    }
    expect(await works(beside.token)).toBe(true);
    const { rows } = await sql.query<{ id: string }>(`SELECT detail ->> 'tokenId' AS id FROM audit WHERE action = 'REVOKE_TOKEN' AND workspace_id = 'main' AND (detail ->> 'tokenId' = $1 OR detail ->> 'with' = $1)`, [first.id]);
    expect(rows.map(({ id }) => id).sort()).toEqual([first.id, second.id, third.id].sort());
  });

  it('are never made with one that is being revoked at the same moment', async () => {
    for (let round = 0; round < 5; round++) {
      const { id, token } = await granted();
      const [, ...made] = await Promise.all([
        revokes(server.adminToken, id),
        ...Array.from({ length: 4 }, () => server.graphql('mutation { createToken { token } }', {}, token)),
      ]);
      for (const { data } of made) {
        const derived = data?.['createToken'] as { readonly token: string } | undefined;
        if (derived !== undefined) expect(await works(derived.token)).toBe(false);
      }
      const { rows } = await sql.query('SELECT id FROM tokens WHERE parent_id = $1 AND revoked_at IS NULL', [id]);
      expect(rows).toEqual([]);
    }
  });

  it('are revoked by their principal and by owners of the workspace that granted them, and by nobody else', async () => {
    const ann = await granted();
    const own = await makes(ann.token);
    const other = await granted(server.adminToken, 'OWNER');
    const stranger = await server.newToken('OWNER', await server.newWorkspace());
    expect(await revokes(server.token, ann.id)).toBe(false);
    expect(await revokes(stranger, own.id)).toBe(false);
    expect(await works(own.token)).toBe(true);
    expect(await revokes(other.token, own.id)).toBe(true);
    expect(await revokes(ann.token, ann.id)).toBe(true);
    expect(await works(ann.token)).toBe(false);
  });

  it('are not at the mercy of a workspace that its owner drew their principal into', async () => {
    const { data } = await server.graphql('mutation { createWorkspace(name: "Trap") { id } }');
    const trap = (data?.['createWorkspace'] as { readonly id: string }).id;
    const victim = await granted();
    await sql.query(`INSERT INTO memberships (workspace_id, principal_id, role) VALUES ($1, $2, 'VIEWER')`, [trap, victim.principalId]);
    expect(await revokes(server.token, victim.id)).toBe(false);
    expect(await works(victim.token)).toBe(true);
  });

  it('are told as they are asked for, whatever the id', async () => {
    for (const id of ['', '0'.repeat(18), 'x'.repeat(5_000)]) expect(await revokes(server.adminToken, id)).toBe(false);
  });

  describe('in the list', () => {
    const list = async (token: string, args: string) => {
      const { data, errors } = await server.graphql(`{ tokens${args} { nodes { id principalId label parentId workspaceId expiresAt revokedAt lastUsedAt isCurrent } pageInfo { hasNextPage endCursor } } }`, {}, token);
      return { errors, ...(data?.['tokens'] as { readonly nodes: readonly Record<string, unknown>[]; readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string } } | undefined) };
    };

    it('are seen by their principal, page by page, the ended ones when asked for', async () => {
      const ann = await granted();
      const made = [await makes(ann.token, '(label: "phone")'), await makes(ann.token), await makes(ann.token)];
      await revokes(ann.token, made[2]!.id);
      const all = await list(ann.token, '');
      expect(all.nodes?.map(({ id }) => id).sort()).toEqual([ann.id, made[0]!.id, made[1]!.id].sort());
      expect(all.nodes?.find(({ id }) => id === made[0]!.id)).toMatchObject({ label: 'phone', parentId: ann.id, workspaceId: 'main', isCurrent: false, expiresAt: null });
      expect(all.nodes?.find(({ id }) => id === ann.id)).toMatchObject({ label: 'granted', isCurrent: true });
      expect((await list(ann.token, '(includeEnded: true)')).nodes).toHaveLength(4);
      const seen: unknown[] = [];
      for (let after = ''; ; ) {
        const { nodes = [], pageInfo } = await list(ann.token, `(first: 1${after === '' ? '' : `, after: "${after}"`})`);
        seen.push(...nodes.map(({ id }) => id));
        if (pageInfo?.hasNextPage !== true) break;
        after = pageInfo.endCursor;
      }
      expect(seen.sort()).toEqual(all.nodes?.map(({ id }) => id).sort());
    });

    it('are seen by owners of a workspace that they give access to, and by no other member', async () => {
      const { data } = await server.graphql('mutation { createWorkspace(name: "Mine") { id } }', {}, server.token);
      const mine = (data?.['createWorkspace'] as { readonly id: string }).id;
      const [own = ''] = server.token.split('.');
      expect((await list(server.token, `(workspaceId: "${mine}")`)).nodes?.map(({ id }) => id)).toContain(own);
      const guest = await granted();
      await sql.query(`INSERT INTO memberships (workspace_id, principal_id, role) VALUES ($1, $2, 'VIEWER')`, [mine, guest.principalId]);
      expect((await list(server.token, `(workspaceId: "${mine}")`)).nodes?.find(({ id }) => id === guest.id)).toMatchObject({ label: null, parentId: null, workspaceId: null });
      expect((await list(guest.token, `(workspaceId: "${mine}")`)).errors[0]?.extensions['code']).toBe('FORBIDDEN');
      expect((await list(guest.token, '(workspaceId: "elsewhere")')).errors[0]?.extensions['code']).toBe('WORKSPACE_NOT_FOUND');
      expect((await list(guest.token, '(after: "nonsense")')).errors[0]?.extensions['code']).toBe('CURSOR_INVALID');
    });
  });

  it('have their last use written once for many uses, also when the server stops', async () => {
    const ann = await granted();
    for (let use = 0; use < 3; use++) await server.graphql(who, {}, ann.token);
    const lastUse = async () => (await sql.query<{ last_used_at: Date | null }>('SELECT last_used_at FROM tokens WHERE id = $1', [ann.id])).rows[0]?.last_used_at ?? null;
    expect(await lastUse()).toBeNull();
    await server.restart();
    expect(Date.now() - (await lastUse())!.getTime()).toBeLessThan(60_000);
    let statements = 0;
    const db = { query: (...args: [pg.QueryConfig]) => (statements++, sql.query(...args)) } as unknown as pg.Pool;
    const use = createTokenUse({ db, log: pino({ level: 'silent' }), now: () => new Date('2030-01-01T00:00:00Z') });
    for (let n = 0; n < 1_000; n++) use.note(ann.id);
    await use.close();
    await use.close();
    expect(statements).toBe(1);
    expect((await lastUse())?.toISOString()).toBe('2030-01-01T00:00:00.000Z');
  });
});
