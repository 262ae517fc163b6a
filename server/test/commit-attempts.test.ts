import type { WorkspaceId } from '@concord/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommitConnection } from '../commit/connection.js';
import { openDatabase } from '../database.js';
import { openCuttableProxy } from './cuttable-proxy.js';
import { atHead, create, documentId, edit, openWorld, patch, quiet, told, type World } from './engine-world.js';
import { postgresUrl } from './postgres-url.js';

let world: World;
beforeAll(async () => {
  world = await openWorld(postgresUrl());
});
afterAll(() => world.close());

describe('an edit without a clock', () => {
  it('happens once though the connection broke between its commit and the answer', async () => {
    const proxy = await openCuttableProxy(world.databaseUrl);
    const node = await world.node({ through: proxy.url });
    await node.commit.push(world.editor, world.workspaceId, [atHead('person', create({ n: 0 }))]);
    const answered = proxy.holdAnswers();
    const pushed = node.commit.push(world.editor, world.workspaceId, [atHead('person', patch({ op: 'inc', path: '/n', value: 1 }))]);
    await answered;
    proxy.breakAll();
    expect((await pushed).map(told)).toEqual(['again 2']);
    expect((await node.read.document(world.editor, world.workspaceId, documentId('person')))?.value).toEqual({ n: 1 });
    await node.close();
    await proxy.close();
  });
});

describe('the connection of a commit loop', () => {
  it('is given up when it falls silent under any statement, and the next statement has another', async () => {
    const proxy = await openCuttableProxy(world.databaseUrl);
    const database = openDatabase({ connectionString: proxy.url, poolSize: 2, log: quiet });
    const connection = new CommitConnection(database.pool, 200);
    await connection.query({ text: 'BEGIN' });
    void proxy.holdAnswers();
    await expect(connection.query({ text: 'SELECT 1' })).rejects.toThrow('timeout');
    expect((await connection.query<{ n: number }>({ text: 'SELECT 2 AS n' })).rows).toEqual([{ n: 2 }]);
    connection.release();
    await database.close();
    await proxy.close();
  });
});

describe('a document that the database cannot take', () => {
  it('leaves no push unanswered when other nodes contest its documents', async () => {
    const [one, two] = [await world.node(), await world.node()];
    const sound = (counter: number) => edit('contested', 'A', counter, 0, patch({ op: 'inc', path: '/n', value: 1 }));
    await one.commit.push(world.editor, world.workspaceId, [edit('contested', 'A', 1, 0, create({ n: 0 }))]);
    await world.sql.query(`ALTER TABLE documents ADD CONSTRAINT broken CHECK (id <> 'poisoned') NOT VALID`);
    await two.commit.push(world.editor, world.workspaceId, [atHead('contested', patch({ op: 'inc', path: '/n', value: 1 }))]);
    // The first node loses the race for this one, and from then on locks first.
    expect(told((await one.commit.push(world.editor, world.workspaceId, [sound(2)]))[0])).toBe('ok 3');
    const verdicts = await one.commit.push(world.editor, world.workspaceId, [sound(3), edit('poisoned', 'A', 1, 0, create({}))]);
    expect(verdicts.map(told)).toEqual(['ok 4', 'INTERNAL']);
    await world.sql.query('ALTER TABLE documents DROP CONSTRAINT broken');
    await one.close();
    await two.close();
  }, 10_000);

  it('leaves no push unanswered that came while another waited for its locks', async () => {
    const [one, two] = [await world.node(), await world.node()];
    const more = patch({ op: 'inc', path: '/n', value: 1 });
    await one.commit.push(world.editor, world.workspaceId, [edit('waited-for', 'A', 1, 0, create({ n: 0 }))]);
    await world.sql.query(`ALTER TABLE documents ADD CONSTRAINT broken CHECK (id <> 'poisoned') NOT VALID`);
    await two.commit.push(world.editor, world.workspaceId, [atHead('waited-for', more)]);
    expect(told((await one.commit.push(world.editor, world.workspaceId, [edit('waited-for', 'A', 2, 0, more)]))[0])).toBe('ok 3');

    const holder = await world.sql.connect();
    await holder.query(`BEGIN; SELECT FROM workspaces WHERE id = 'w1' FOR UPDATE`);
    const waiting = one.commit.push(world.editor, world.workspaceId, [edit('waited-for', 'A', 3, 0, more)]);
    const isWaiting = async () => (await holder.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)).rowCount === 1;
    while (!(await isWaiting()));
    const joining = ['poisoned', 'sound'].map((id) => one.commit.push(world.editor, world.workspaceId, [edit(id, 'A', 1, 0, create({}))]));
    await holder.query('COMMIT');
    holder.release();
    expect((await waiting).map(told)).toEqual(['ok 4']);
    const answers = (await Promise.allSettled(joining)).map((answer) => (answer.status === 'fulfilled' ? told(answer.value[0]) : 'rejected'));
    expect(answers).toEqual(['rejected', 'ok 1']);
    await world.sql.query('ALTER TABLE documents DROP CONSTRAINT broken');
    await one.close();
    await two.close();
  }, 10_000);
});

describe('a batch of several workspaces', () => {
  it('takes their locks by id, so that two nodes never wait for each other', async () => {
    const node = await world.node();
    // In the table they stand the other way round.
    const workspaces = ['order-z', 'order-b'] as WorkspaceId[];
    for (const id of workspaces) {
      await world.sql.query('INSERT INTO workspaces (id, name) VALUES ($1, $1)', [id]);
      await world.sql.query(`INSERT INTO memberships (workspace_id, principal_id, role) VALUES ($1, 'ed', 'EDITOR')`, [id]);
    }
    const holder = await world.sql.connect();
    await holder.query(`BEGIN; SELECT FROM workspaces WHERE id = 'order-b' FOR UPDATE`);
    const pushes = workspaces.map((id) => node.commit.push(world.editor, id, [edit('one', 'A', 1, 0, create({}))]));
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE workspaces%'`;
    while ((await world.sql.query(waiting)).rowCount !== 1);
    expect((await world.sql.query(`SELECT FROM workspaces WHERE id = 'order-z' FOR UPDATE SKIP LOCKED`)).rowCount).toBe(1);
    await holder.query('COMMIT');
    holder.release();
    expect((await Promise.all(pushes)).flat().map(told)).toEqual(['ok 1', 'ok 1']);
    await node.close();
  }, 10_000);
});
