import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './harness.js';
import { openSession } from './raw-socket.js';

interface Person {
  readonly token: string;
  readonly id: string;
}

describe('Membership', () => {
  let server: TestServer;
  let neighbour: TestServer;
  let sql: pg.Pool;
  let workspace: string;
  let owner: Person;
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

  /** A principal that is at home in `main`. */
  async function person(): Promise<Person> {
    const token = await server.newToken('EDITOR');
    const { data } = await server.graphql('{ viewer { id } }', {}, token);
    return { token, id: (data?.['viewer'] as { readonly id: string }).id };
  }
  const ask = async (who: Person, query: string, variables: Record<string, unknown> = {}) => {
    const { data, errors } = await server.graphql(query, variables, who.token);
    return { code: errors[0]?.extensions['code'], path: errors[0]?.extensions['path'], message: errors[0]?.message ?? '', value: data === null ? null : Object.values(data)[0] };
  };
  const invites = async (who: Person, role = 'EDITOR', to = workspace) => {
    const { value, code } = await ask(who, 'mutation ($ws: ID, $role: Role!) { invite(role: $role, label: "for Bob", workspaceId: $ws) { token invitation { id } } }', { ws: to, role });
    const made = value as { readonly token: string; readonly invitation: { readonly id: string } } | null;
    return { code, token: made?.token ?? '', id: made?.invitation.id ?? '' };
  };
  const accepts = (who: Person, token: string) => ask(who, 'mutation ($token: String!) { acceptInvitation(token: $token) { id role isDefault } }', { token });
  const members = async (who: Person) => {
    const { value, code } = await ask(who, 'query ($ws: ID) { members(workspaceId: $ws) { nodes { principalId role source } } }', { ws: workspace });
    return code ?? (value as { readonly nodes: readonly { readonly principalId: string; readonly role: string; readonly source: string }[] }).nodes;
  };

  beforeAll(async () => {
    owner = await person();
    workspace = ((await ask(owner, 'mutation { createWorkspace(name: "Shared") { id } }')).value as { readonly id: string }).id;
  });

  it('is not forced on anybody: an owner cannot give a role to a principal that is not a member', async () => {
    const stranger = await person();
    const forced = await ask(owner, 'mutation ($ws: ID, $id: ID!) { setRole(workspaceId: $ws, principalId: $id, role: OWNER) }', { ws: workspace, id: stranger.id });
    expect(forced).toMatchObject({ code: 'INPUT_INVALID', path: '/principalId', message: expect.stringContaining('invite') as string });
    const absent = await ask(owner, 'mutation ($ws: ID) { setRole(workspaceId: $ws, principalId: "nobody", role: OWNER) }', { ws: workspace });
    expect(absent.message).toBe(forced.message.replace(stranger.id, 'nobody'));
    expect((await ask(stranger, '{ workspaces { id } }')).value).toEqual([{ id: 'main' }]);
  });

  it('is accepted with an invitation, once, and again by the same principal when the answer was lost', async () => {
    const [bob, eve] = [await person(), await person()];
    const { token } = await invites(owner);
    expect((await accepts(bob, token)).value).toEqual({ id: workspace, role: 'EDITOR', isDefault: false });
    expect((await accepts(bob, token)).value).toEqual({ id: workspace, role: 'EDITOR', isDefault: false });
    expect(await accepts(eve, token)).toMatchObject({ code: 'INPUT_INVALID', path: '/token' });
    expect(await members(bob)).toEqual(expect.arrayContaining([{ principalId: owner.id, role: 'OWNER', source: 'OWN' }, { principalId: bob.id, role: 'EDITOR', source: 'INVITATION' }]));
    expect(await members(eve)).toBe('WORKSPACE_NOT_FOUND');
    expect((await accepts(bob, (await invites(owner, 'OWNER')).token)).message).toContain('already');
  });

  it('is had by one of many who accept the same invitation at the same moment', async () => {
    const people = await Promise.all(Array.from({ length: 5 }, person));
    const { token } = await invites(owner, 'VIEWER');
    const answers = await Promise.all(people.map((one) => accepts(one, token)));
    expect(answers.filter(({ code }) => code === undefined)).toHaveLength(1);
  });

  it('is refused with one answer for an invitation that is unknown, forged, withdrawn or expired', async () => {
    const bob = await person();
    const { token, id } = await invites(owner);
    const withdrawn = await invites(owner);
    expect((await ask(owner, 'mutation ($id: ID!, $ws: ID) { withdrawInvitation(id: $id, workspaceId: $ws) }', { id: withdrawn.id, ws: workspace })).value).toBe(true);
    expect((await ask(owner, 'mutation ($id: ID!, $ws: ID) { withdrawInvitation(id: $id, workspaceId: $ws) }', { id: withdrawn.id, ws: workspace })).value).toBe(false);
    const expired = await invites(owner);
    await sql.query(`UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = $1`, [expired.id]);
    const [, secret = ''] = token.split('.');
    const wrong = ['', 'nonsense', `${id}.${'x'.repeat(32)}.${workspace}`, `${id}.${secret}.main`, `${'0'.repeat(18)}.${secret}.${workspace}`, withdrawn.token, expired.token];
    const answers = await Promise.all(wrong.map((one) => accepts(bob, one)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ code: 'INPUT_INVALID', path: '/token' });
    expect((await accepts(bob, token)).code).toBeUndefined();
  });

  it('is offered and listed by owners only, and no secret is kept', async () => {
    const bob = await person();
    await accepts(bob, (await invites(owner)).token);
    const { token, id } = await invites(owner, 'VIEWER');
    expect((await invites(bob)).code).toBe('FORBIDDEN');
    const list = 'query ($ws: ID) { invitations(workspaceId: $ws) { nodes { id role label createdBy acceptedAt } } }';
    expect((await ask(bob, list, { ws: workspace })).code).toBe('FORBIDDEN');
    expect((await ask(owner, list, { ws: workspace })).value).toMatchObject({ nodes: expect.arrayContaining([{ id, role: 'VIEWER', label: 'for Bob', createdBy: owner.id, acceptedAt: null }]) as unknown });
    const { rows } = await sql.query('SELECT * FROM invitations');
    expect(JSON.stringify(rows)).not.toContain(token.split('.')[1]);
  });

  it('never changes the default workspace by itself; it is chosen, and stays what was chosen', async () => {
    const { data } = await server.graphql('mutation { createToken(grant: { name: "Homeless", role: VIEWER, workspaceId: "main" }) { token principalId } }', {}, server.adminToken);
    const made = data?.['createToken'] as { readonly token: string; readonly principalId: string };
    const homeless = { token: made.token, id: made.principalId };
    await accepts(homeless, (await invites(owner)).token);
    const usual = async () => (await ask(homeless, '{ workspaces { id isDefault } }')).value;
    expect(await usual()).toEqual([{ id: 'main', isDefault: true }, { id: workspace, isDefault: false }]);
    await server.graphql('mutation ($id: ID!) { removeMember(principalId: $id, workspaceId: "main") }', { id: homeless.id }, server.adminToken);
    expect(await usual()).toEqual([{ id: workspace, isDefault: false }]);
    expect(await ask(homeless, '{ documents { nodes { id } } }')).toMatchObject({ code: 'WORKSPACE_NOT_FOUND', message: expect.stringContaining('setDefaultWorkspace') as string });
    expect((await ask(homeless, 'mutation ($ws: ID) { setDefaultWorkspace(workspaceId: $ws) }', { ws: workspace })).value).toBe(true);
    expect((await ask(homeless, '{ documents { nodes { id } } }')).code).toBeUndefined();
    await ask(homeless, 'mutation { createWorkspace(name: "Own") { id } }');
    expect(await usual()).toMatchObject([{ id: workspace, isDefault: true }, { isDefault: false }]);
    await ask(owner, 'mutation ($ws: ID, $id: ID!) { removeMember(workspaceId: $ws, principalId: $id) }', { ws: workspace, id: homeless.id });
    expect((await ask(homeless, 'mutation { createDocument(id: "astray", value: 1) { __typename } }')).code).toBe('WORKSPACE_NOT_FOUND');
    expect((await ask(homeless, 'mutation { setDefaultWorkspace }')).value).toBe(true);
    expect(await usual()).toMatchObject([{ isDefault: true }]);
  });

  it('is left at will, except by the last owner', async () => {
    const bob = await person();
    await accepts(bob, (await invites(owner, 'OWNER')).token);
    const leaves = (who: Person) => ask(who, 'mutation ($ws: ID!) { leaveWorkspace(workspaceId: $ws) }', { ws: workspace });
    const both = await Promise.all([leaves(bob), leaves(owner)]);
    expect(both.map(({ code }) => code).sort()).toEqual(['INPUT_INVALID', undefined].sort());
    const [left, stays] = both[0].code === undefined ? [bob, owner] : [owner, bob];
    expect(await leaves(left)).toMatchObject({ code: 'WORKSPACE_NOT_FOUND' });
    expect(await leaves(stays)).toMatchObject({ code: 'INPUT_INVALID', path: '/principalId', message: expect.stringContaining('last owner') as string });
    expect(await ask(stays, 'mutation ($ws: ID, $id: ID!) { removeMember(workspaceId: $ws, principalId: $id) }', { ws: workspace, id: stays.id })).toMatchObject({ code: 'INPUT_INVALID' });
    await accepts(left, (await invites(stays, 'OWNER')).token);
    owner = left;
  });

  it('ends with its streams, on every node, when an owner removes the member', async () => {
    const bob = await person();
    await accepts(bob, (await invites(owner, 'VIEWER')).token);
    await ask(owner, 'mutation ($ws: ID) { createDocument(id: "watched", value: {}, workspaceId: $ws) { __typename } }', { ws: workspace });
    const socket = await openSession(neighbour.wsUrl, bob.token);
    socket.send({ id: '1', type: 'subscribe', payload: { query: `subscription { document(id: "watched", workspaceId: "${workspace}") { revision } }` } });
    expect(await socket.next()).toMatchObject({ type: 'next', payload: { data: { document: { revision: 1 } } } });
    expect((await ask(bob, 'mutation ($ws: ID, $id: ID!) { removeMember(workspaceId: $ws, principalId: $id) }', { ws: workspace, id: owner.id })).code).toBe('FORBIDDEN');
    expect((await ask(owner, 'mutation ($ws: ID, $id: ID!) { removeMember(workspaceId: $ws, principalId: $id) }', { ws: workspace, id: bob.id })).value).toBe(true);
    expect(JSON.stringify(await socket.next())).toMatch(/FORBIDDEN|WORKSPACE_NOT_FOUND/);
    socket.close();
  });

  it('is not brought by the invitation of somebody who is no owner any more', async () => {
    const [bob, eve] = [await person(), await person()];
    await accepts(bob, (await invites(owner, 'OWNER')).token);
    const { token } = await invites(bob, 'OWNER');
    await ask(owner, 'mutation ($ws: ID, $id: ID!) { setRole(workspaceId: $ws, principalId: $id, role: VIEWER) }', { ws: workspace, id: bob.id });
    expect((await accepts(eve, token)).code).toBe('INPUT_INVALID');
  });

  it('is given again to a principal that the workspace has made', async () => {
    const { data } = await server.graphql('mutation { createToken(grant: { name: "Robot", role: EDITOR, workspaceId: "main" }) { token principalId } }', {}, server.adminToken);
    const { principalId } = data?.['createToken'] as { readonly principalId: string };
    const set = (role: string) => server.graphql(`mutation ($id: ID!) { setRole(principalId: $id, role: ${role}, workspaceId: "main") }`, { id: principalId }, server.adminToken);
    expect((await set('null')).errors).toEqual([]);
    expect((await set('VIEWER')).errors).toEqual([]);
  });

  it('is audited: who invited, accepted, left and was removed, and who was denied it', async () => {
    const { rows } = await sql.query<{ act: string }>(`SELECT DISTINCT action || ' ' || outcome AS act FROM audit WHERE workspace_id = $1`, [workspace]);
    expect(rows.map(({ act }) => act)).toEqual(
      expect.arrayContaining(['INVITE OK', 'INVITE FORBIDDEN', 'WITHDRAW_INVITATION OK', 'ACCEPT_INVITATION OK', 'ACCEPT_INVITATION INPUT_INVALID', 'LEAVE_WORKSPACE OK', 'REMOVE_MEMBER OK', 'REMOVE_MEMBER FORBIDDEN', 'SET_ROLE OK']),
    );
  });
});
