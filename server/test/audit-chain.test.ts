import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealWorkspace } from '../audit/seal.js';
import { createSealer } from '../audit/sealer.js';
import { verifyWorkspace } from '../audit/verify.js';
import { dropAudit } from '../retention/audit-rows.js';
import { atHead, create, openWorld, patch, quiet, type Node, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';
import { compact } from './retention-world.js';

const now = () => new Date();

describe('The chain over the audit', () => {
  let world: World;
  let node: Node;
  beforeAll(async () => {
    world = await openWorld(postgresUrl());
    node = await world.node();
  });
  afterAll(() => world.close());

  let edits = 0;
  /** Edits, a row of the audit beside them, and their seal. */
  async function work(rounds = 2): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const id = `d${++edits}`;
      await node.commit.push(world.editor, world.workspaceId, [atHead(id, create({ n: 0 })), atHead(id, patch({ op: 'inc', path: '/n', value: 1 }))]);
      await world.sql.query(`INSERT INTO audit_entries (workspace_id, at, principal_id, action, outcome, detail) VALUES ($1, now(), 'ed', 'SET_ROLE', 'OK', '{"role":"VIEWER"}')`, [world.workspaceId]);
      await sealWorkspace(world.sql, world.workspaceId, now);
    }
  }
  const verify = (expectDigest: string | null = null) => verifyWorkspace(world.sql, world.workspaceId, expectDigest);

  /** What verify says while something is altered; it is undone afterwards. */
  async function problemsWith(...statements: readonly string[]): Promise<readonly string[]> {
    const client = await world.sql.connect();
    try {
      await client.query('BEGIN');
      for (const statement of statements) {
        const { rowCount } = await client.query(statement);
        expect(rowCount, statement).toBeGreaterThan(0);
      }
      return (await verifyWorkspace(client as never, world.workspaceId)).problems;
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  }

  it('holds over edits and acts, and tells how much is not sealed yet', async () => {
    await work();
    expect(await verify()).toMatchObject({ problems: [], unsealed: 0, dropped: 0, digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    await node.commit.push(world.editor, world.workspaceId, [atHead('later', create({}))]);
    expect(await verify()).toMatchObject({ problems: [], unsealed: 1 });
    expect(await sealWorkspace(world.sql, world.workspaceId, now)).toBe(1);
    expect(await sealWorkspace(world.sql, world.workspaceId, now)).toBe(0);
    expect((await verify()).unsealed).toBe(0);
  });

  it('is one, whichever nodes seal at the same moment', async () => {
    for (let round = 0; round < 5; round++) {
      await node.commit.push(world.editor, world.workspaceId, [atHead(`both${round}`, create({}))]);
      await Promise.all(Array.from({ length: 3 }, () => sealWorkspace(world.sql, world.workspaceId, now)));
    }
    await sealWorkspace(world.sql, world.workspaceId, now);
    expect(await verify()).toMatchObject({ problems: [], unsealed: 0 });
  });

  it('takes in a row that was begun before a seal and committed after it', async () => {
    const slow = await world.sql.connect();
    await slow.query('BEGIN');
    await slow.query(`INSERT INTO audit_entries (workspace_id, at, principal_id, action, outcome) VALUES ($1, now(), 'ed', 'INVITE', 'OK')`, [world.workspaceId]);
    await work(1);
    await slow.query('COMMIT');
    slow.release();
    expect(await verify()).toMatchObject({ problems: [], unsealed: 1 });
    await sealWorkspace(world.sql, world.workspaceId, now);
    expect(await verify()).toMatchObject({ problems: [], unsealed: 0 });
  });

  it.each([
    ['the author of a change', `UPDATE changes SET principal_id = 'somebody' WHERE position = 2`, /positions .*at least one was changed/],
    ['what a change did', `UPDATE changes SET patch = '[]' WHERE position = 2`, /at least one was changed/],
    ['when a change was made', `UPDATE changes SET committed_at = committed_at - interval '1 millisecond' WHERE position = 2`, /at least one was changed/],
    ['who did an act', `UPDATE audit_entries SET principal_id = 'somebody' WHERE id = (SELECT min(id) FROM audit_entries WHERE seal > 0)`, /rows of audit_entries .*at least one was changed/],
    ['the detail of an act', `UPDATE audit_entries SET detail = '{}' WHERE id = (SELECT min(id) FROM audit_entries WHERE seal > 0)`, /at least one was changed/],
    ['a seal', `UPDATE audit_seals SET changes_digest = entries_digest WHERE number = 1`, /Seal 1 was changed/],
  ])('shows that %s was changed', async (_what, statement, problem) => {
    expect((await problemsWith(statement)).join('\n')).toMatch(problem);
    expect((await verify()).problems).toEqual([]);
  });

  it.each([
    ['a change', [`DELETE FROM changes WHERE position = 2`], /Of the \d+ changes at positions .* are there/],
    ['an act', [`DELETE FROM audit_entries WHERE id = (SELECT min(id) FROM audit_entries WHERE seal > 0)`], /Of the \d+ rows of audit_entries .*, 0 are there/],
    ['a seal', [`DELETE FROM audit_seals WHERE number = 2`], /Seal 2 is missing/],
    ['the newest seal', [`DELETE FROM audit_seals s WHERE number = (SELECT max(number) FROM audit_seals)`], /seals are missing at the end/],
    ['what is marked as gone by the retention', [`UPDATE audit_seals SET dropped = true WHERE number = 1`, `DELETE FROM audit_entries WHERE seal = 1`], /no row of the audit says that the retention took them/],
  ])('shows that %s is missing', async (_what, statements, problem) => {
    expect((await problemsWith(...statements)).join('\n')).toMatch(problem);
  });

  it('shows rows that were put in from outside', async () => {
    expect((await problemsWith(`INSERT INTO audit_entries (workspace_id, at, principal_id, action, outcome, seal) VALUES ('w1', now(), 'ed', 'SET_ROLE', 'OK', 1)`)).join()).toMatch(/Of the 1 rows .* 2 are there/);
    expect((await problemsWith(`INSERT INTO audit_entries (workspace_id, at, principal_id, action, outcome, seal) VALUES ('w1', now(), 'ed', 'SET_ROLE', 'OK', 0)`)).join()).toMatch(/put in from outside/);
  });

  it('shows by a published digest that it was written anew as a whole, which it cannot tell by itself', async () => {
    const published = (await verify()).digest;
    await work(1);
    expect((await verify(published)).problems).toEqual([]);
    await world.sql.query(`CREATE TABLE old_seals AS TABLE audit_seals; DELETE FROM audit_seals; UPDATE audit_entries SET seal = NULL; UPDATE changes SET principal_id = 'somebody' WHERE position = 2`);
    await sealWorkspace(world.sql, world.workspaceId, now);
    expect((await verify()).problems).toEqual([]);
    expect((await verify(published)).problems).toEqual([expect.stringContaining(`The digest ${published} is not one of this chain`)]);
  });

  it('survives compaction, which keeps who did what and a digest of what it did', async () => {
    const { digest } = await verify();
    await work(1);
    expect((await compact(world, { slice: 3 })).changes).toBeGreaterThan(5);
    expect(await verify(digest)).toMatchObject({ problems: [], unsealed: 0 });
    expect((await problemsWith(`UPDATE audit_entries SET principal_id = 'somebody else' WHERE position = 3`)).join()).toMatch(/at least one was changed/);
    expect((await problemsWith(`DELETE FROM audit_entries WHERE position = 3`)).join()).toMatch(/are there/);
  });

  it('goes over what was compacted before it was sealed', async () => {
    await node.commit.push(world.editor, world.workspaceId, [atHead('unsealed', create({}))]);
    await compact(world);
    expect(await sealWorkspace(world.sql, world.workspaceId, now)).toBe(1);
    expect((await verify()).problems).toEqual([]);
  });

  it('survives the retention of the audit, which tells what it took, and shows what went beside it', async () => {
    await work(1);
    const { digest, seals } = await verify();
    const later = new Date(Date.now() + 1_000);
    expect(await dropAudit(world.sql, later, { slice: 2 })).toBeGreaterThan(5);
    expect(await verify(digest)).toMatchObject({ problems: [], dropped: seals });
    await work(1);
    expect(await verify(digest)).toMatchObject({ problems: [], dropped: seals });
    expect((await problemsWith(`DELETE FROM changes WHERE workspace_id = 'w1'`)).join()).toMatch(/are there/);
  });

  it('is made by itself behind the commits of a node, and for workspaces that a node left behind', async () => {
    await node.commit.push(world.editor, world.workspaceId, [atHead('left', create({}))]);
    const sealer = createSealer({ pool: world.sql, log: quiet, now, everyMs: 10 });
    while ((await verify()).unsealed > 0);
    await node.commit.push(world.editor, world.workspaceId, [atHead('noted', create({}))]);
    sealer.note(world.workspaceId);
    while ((await verify()).unsealed > 0);
    await sealer.close();
    expect((await verify()).problems).toEqual([]);
  });
});
