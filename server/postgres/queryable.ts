import type pg from 'pg';

/** The driver also takes a time in milliseconds after which it gives up on the answer and drops the connection. */
export type Statement = pg.QueryConfig & { readonly query_timeout?: number };

/** The slice of `pg` that statements need: a pool, or a client inside a transaction. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(statement: Statement): Promise<pg.QueryResult<Row>>;
}
