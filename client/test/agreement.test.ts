import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gql } from '@urql/core';
import { World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

const query = gql`
  query ($where: [ConditionInput!], $orderBy: DocumentOrderInput, $first: Int, $after: String, $includeDeleted: Boolean) {
    documents(collection: "kinds", where: $where, orderBy: $orderBy, first: $first, after: $after, includeDeleted: $includeDeleted) {
      nodes {
        id
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;
interface Answer {
  readonly documents: { readonly nodes: readonly { readonly id: string }[]; readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null } };
}

describe('an answer from SQLite and one from the server', () => {
  const values: readonly unknown[] = [true, false, null, 0, -1.5, 2 ** 60, 1e300, 'b', 'a', '', '語', '\u{1f600}', '\uff5e', [], [1], {}, { a: 1 }];

  it('have the same documents in the same order, page by page, whatever is ordered by and compared with', async () => {
    const replica = await world.open();
    const kinds = replica.collection('kinds');
    values.forEach((v, index) => kinds.create({ v, '0': [v] }, { id: `k${String(index).padStart(2, '0')}`, title: typeof v === 'string' ? v : 'title' }));
    kinds.create({}, { id: 'missing' });
    kinds.delete(kinds.create({ v: 1 }, { id: 'deleted' }).documentId);
    await world.settle(replica);

    const ask = async (variables: object, requestPolicy: 'cache-first' | 'network-only') => {
      const ids: string[] = [];
      for (let after: string | null = null; ; ) {
        const { data, error } = await replica.client.query<Answer>(query, { first: 4, ...variables, after }, { requestPolicy }).toPromise();
        if (error !== undefined || data === undefined) return `error: ${JSON.stringify(error?.graphQLErrors[0]?.extensions['code'] ?? error?.message)}`;
        ids.push(...data.documents.nodes.map(({ id }) => id));
        if (!data.documents.pageInfo.hasNextPage) return ids;
        after = data.documents.pageInfo.endCursor;
      }
    };
    const cases: object[] = [{ includeDeleted: true }];
    for (const descending of [false, true]) {
      for (const path of ['/v', '/0/0', '']) cases.push({ orderBy: { field: 'VALUE', path, descending } });
      cases.push({ orderBy: { field: 'TITLE', descending } });
    }
    for (const operator of ['EQUALS', 'NOT_EQUALS', 'LESS', 'LESS_OR_EQUAL', 'GREATER', 'GREATER_OR_EQUAL', 'STARTS_WITH', 'CONTAINS']) {
      for (const value of values) for (const path of ['/v', '/0/0']) cases.push({ where: [{ path, operator, value }], first: 1000 });
    }
    for (const operator of ['EXISTS', 'ABSENT']) for (const path of ['/v', '/0/0', '/v/a', '']) cases.push({ where: [{ path, operator }] });
    for (const variables of cases) expect({ variables, ids: await ask(variables, 'cache-first') }).toEqual({ variables, ids: await ask(variables, 'network-only') });
  });
});
