import type pg from 'pg';

/** The slice of `pg` that statements need: a pool, or a client inside a transaction. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
}
