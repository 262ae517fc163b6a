import type pg from 'pg';
import { failureKind } from '../postgres/failure.js';
import type { Queryable, Statement } from '../postgres/queryable.js';

/** A connection that is dead without having been closed must not stop the loop for ever, whichever statement meets it. */
const defaultAnswerMs = 30_000;

/**
 * The connection of a commit loop: taken from the pool with the first statement and kept while the loop has work, so that a
 * batch neither waits for a connection nor finds its statement unprepared there. One that broke is given back as broken, and
 * the next statement takes another.
 */
export class CommitConnection implements Queryable {
  private client: pg.PoolClient | undefined;

  /** `answerMs`: a statement without an answer for so long has lost its connection. Default: 30,000. */
  constructor(
    private readonly pool: pg.Pool,
    private readonly answerMs = defaultAnswerMs,
  ) {}

  /** @throws what the driver throws. */
  async query<Row extends pg.QueryResultRow>(statement: Statement): Promise<pg.QueryResult<Row>> {
    const client = (this.client ??= await this.take());
    const timed: Statement = { ...statement, query_timeout: this.answerMs };
    try {
      return await client.query<Row>(timed);
    } catch (error) {
      if (failureKind(error) === 'connection') this.giveBack(client, error as Error);
      throw error;
    }
  }

  /** The loop has nothing to do. Not while a transaction is open. */
  release(): void {
    if (this.client !== undefined) this.giveBack(this.client);
  }

  /** A transaction could not be ended: what the connection would do next is unknown. */
  drop(error: Error): void {
    if (this.client !== undefined) this.giveBack(this.client, error);
  }

  private async take(): Promise<pg.PoolClient> {
    const client = await this.pool.connect();
    // It may break between two statements; the next one then fails, and without a listener the process would end.
    client.on('error', ignore);
    return client;
  }

  private giveBack(client: pg.PoolClient, error?: Error): void {
    if (this.client !== client) return;
    this.client = undefined;
    client.off('error', ignore);
    client.release(error);
  }
}

const ignore = (): void => undefined;
