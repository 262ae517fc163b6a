import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { gql } from '@urql/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conditionOperators, matches, type Condition, type JsonValue } from '@concord/core';
import { addFunctions, conditionSql } from '../condition-sql.js';
import { DocumentsDocument, openReplica, type DocumentView, type Replica } from '../index.js';

describe('conditions in SQL', () => {
  it('hold exactly where core says they do', () => {
    const database = new Database(':memory:');
    addFunctions(database);
    const scalar = fc.oneof(fc.constantFrom<JsonValue>(null, true, false, 0, 1, 2, 1.5, -1, '', 'a', 'ab', 'b', '1', '🦊', '\uffff', 'true'), fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)));
    const value = fc.oneof(
      { depthSize: 'small' },
      scalar,
      fc.array(scalar, { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', '0', '1', 'a b', 'x"y', 'length', 'toString'), fc.oneof(scalar, fc.array(scalar, { maxLength: 2 }), fc.dictionary(fc.constantFrom('a', '0'), scalar)), { maxKeys: 4 }),
    );
    const condition = fc.record({
      path: fc.array(fc.constantFrom('a', 'b', '0', '1', 'a b', 'x"y', 'length', '01', '-'), { maxLength: 2 }),
      operator: fc.constantFrom(...conditionOperators),
      value: fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })),
    });
    fc.assert(
      fc.property(value, condition, (document, tested) => {
        const sql = conditionSql(tested);
        const row = database
          .prepare<unknown[], { holds: number | null }>(`SELECT (${sql.text}) AS holds FROM (SELECT ? AS value)`)
          .get(...[...sql.parameters, JSON.stringify(document)]);
        expect(row?.holds ?? 0, sql.text).toBe(matches(document, tested as Condition) ? 1 : 0);
      }),
      { numRuns: 3000 },
    );
    database.close();
  });
});

interface Task {
  title: string;
  price?: number | string | null;
  done: boolean;
}

describe('queries of a replica, offline', () => {
  const folder = mkdtempSync(join(tmpdir(), 'concord-queries-'));
  let replica: Replica;
  beforeAll(async () => {
    replica = await openReplica({ url: 'http://127.0.0.1:1/graphql', token: 'a.b', database: join(folder, 'q.db'), online: false });
    const tasks = replica.collection<Task>('tasks');
    tasks.create({ title: 'a', price: 3, done: false }, { id: 't1', title: 'one' });
    tasks.create({ title: 'b', price: 20, done: true }, { id: 't2', title: 'two' });
    tasks.create({ title: 'c', price: 'free', done: false }, { id: 't3', title: 'three' });
    tasks.create({ title: 'd', done: false }, { id: 't4', title: 'four' });
    tasks.create({ title: 'e', price: null, done: true }, { id: 't5', title: 'five' });
    replica.collection('other').create({ title: 'x' }, { id: 'o1' });
  });
  afterAll(async () => {
    await replica.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const ids = (documents: readonly DocumentView<unknown>[]) => documents.map(({ id }) => id as string);
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('filter, order and limit what is in SQLite', () => {
    const tasks = replica.collection<Task>('tasks');
    expect(ids(tasks.query().all())).toEqual(['t1', 't2', 't3', 't4', 't5']);
    expect(ids(tasks.query({ where: [{ path: '/done', value: false }], limit: 2 }).all())).toEqual(['t1', 't3']);
    expect(ids(tasks.query({ where: [{ path: '/price', operator: 'GREATER', value: 3 }] }).all())).toEqual(['t2']);
    expect(ids(tasks.query({ orderBy: '/price' }).all())).toEqual(['t1', 't2', 't3', 't5', 't4']);
    expect(ids(tasks.query({ orderBy: '/price', descending: true }).all())).toEqual(['t5', 't3', 't2', 't1', 't4']);
    expect(ids(tasks.query({ orderBy: 'title', descending: true }).all())).toEqual(['t2', 't3', 't1', 't4', 't5']);
    expect(() => tasks.query({ where: [{ path: 'done', value: 1 }] })).toThrow(/pointer/i);
  });

  it('run again only when a document of interest changed, once for many changes', async () => {
    const tasks = replica.collection<Task>('live');
    for (const id of ['l1', 'l2', 'l3']) tasks.create({ title: id, done: false }, { id });
    await turn();
    const told: string[][] = [];
    const stop = tasks.query({ where: [{ path: '/done', value: false }] }).subscribe((documents) => told.push(ids(documents)));
    const one: (boolean | undefined)[] = [];
    const stopOne = tasks.watch('l1', (document) => one.push(document?.value.done));
    expect(told).toEqual([['l1', 'l2', 'l3']]);
    replica.collection('other').edit('o1', [{ op: 'replace', path: '/title', value: 'y' }]);
    await turn();
    expect(told).toHaveLength(1);
    tasks.edit('l1', (draft) => void (draft.done = true));
    tasks.edit('l2', (draft) => void (draft.done = true));
    await turn();
    expect(told).toEqual([['l1', 'l2', 'l3'], ['l3']]);
    tasks.edit('l1', (draft) => void (draft.title = 'still done'));
    await turn();
    expect(told).toHaveLength(2);
    tasks.delete('l3');
    await turn();
    expect(told.at(-1)).toEqual([]);
    tasks.delete('l1');
    await turn();
    expect(one).toEqual([false, true, true, undefined]);
    stop();
    stopOne();
    tasks.restore('l3');
    await turn();
    expect(told).toHaveLength(3);
  });

  it('of the app in GraphQL are answered with aliases, fragments, variables and directives', async () => {
    const query = gql`
      query Mixed($id: ID!, $with: Boolean!, $where: [ConditionInput!]) {
        first: document(id: $id) { ...Parts }
        none: document(id: "nothing") { id }
        documents(collection: "tasks", where: $where, orderBy: { field: VALUE, path: "/price", descending: true }, first: 2) {
          __typename
          edges { cursor node { key: id ...Parts @include(if: $with) } }
          pageInfo { hasNextPage endCursor }
        }
      }
      fragment Parts on Document { __typename title content: value deleted revision }
    `;
    const { data, error } = await replica.client.query<unknown>(query, { id: 't1', with: false, where: [{ path: '/price', operator: 'EXISTS' }] }).toPromise();
    expect(error).toBeUndefined();
    expect(data).toMatchObject({
      first: { __typename: 'Document', title: 'one', content: { title: 'a', price: 3, done: false }, deleted: false, revision: 0 },
      none: null,
      documents: { __typename: 'DocumentConnection', edges: [{ node: { key: 't5' } }, { node: { key: 't3' } }], pageInfo: { hasNextPage: true } },
    });
    expect(Object.keys((data as { documents: { edges: { node: object }[] } }).documents.edges[0]!.node)).not.toContain('content');
  });

  it('of the app are paged by cursor, and refuse a cursor of another order', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { data }: { data?: { documents: { nodes: readonly { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } } } = await replica.client
        .query(DocumentsDocument, { collection: 'tasks', first: 2, after, orderBy: { field: 'VALUE', path: '/price' } })
        .toPromise();
      seen.push(...data!.documents.nodes.map(({ id }) => id));
      after = data!.documents.pageInfo.hasNextPage ? data!.documents.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen).toEqual(['t1', 't2', 't3', 't5', 't4']);
    const { error } = await replica.client.query(DocumentsDocument, { collection: 'tasks', after: 'bm9uc2Vuc2U' }).toPromise();
    expect(error?.graphQLErrors[0]?.extensions).toMatchObject({ code: 'CURSOR_INVALID' });
  });

  it('of the app update while they are subscribed to', async () => {
    const told: string[][] = [];
    const subscription = replica.client.query(DocumentsDocument, { collection: 'feed' }).subscribe(({ data }) => told.push((data?.documents.nodes ?? []).map(({ id }) => id)));
    replica.collection('feed').create({}, { id: 'f1' });
    replica.collection('feed').create({}, { id: 'f2' });
    await turn();
    replica.collection('other').edit('o1', [{ op: 'replace', path: '/title', value: 'z' }]);
    await turn();
    expect(told).toEqual([[], ['f1', 'f2']]);
    subscription.unsubscribe();
    replica.collection('feed').delete('f1');
    await turn();
    expect(told).toHaveLength(2);
  });

  it('of fields that only the server knows go to the server', async () => {
    const { error } = await replica.client.query(gql`query { document(id: "t1") { id history { nodes { kind } } } }`, {}).toPromise();
    expect(error?.networkError).toBeDefined();
  });
});
