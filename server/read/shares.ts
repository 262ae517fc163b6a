import type pg from 'pg';
import { ConcordError, type PrincipalId } from '@concord/core';
import { answering, failureKind } from '../postgres/failure.js';
import type { Queryable, Statement } from '../postgres/queryable.js';
import { LocalBuckets } from '../rate-limit-buckets.js';

/** What reads of one principal may take of the database. */
export interface ReadLimits {
  /** A statement that takes longer is stopped. */
  readonly statementMs: number;
  /** Milliseconds of statements a second, and ten times as many at once. 0: no limit. */
  readonly msPerSecond: number;
}

export const defaultReadLimits: ReadLimits = { statementMs: 5_000, msPerSecond: 2_000 };

const burstSeconds = 10;
/** Reads of one principal that wait for those before them. */
const maxWaiting = 2_000;
/** PostgreSQL's code for a statement that was stopped, by its timeout or from outside. */
const stopped = '57014';

export interface Reads {
  /**
   * One read of a caller, which may be several statements. `left`: aborted when nobody waits for it any more.
   * @throws ConcordError RATE_LIMITED; QUERY_TOO_COMPLEX for a statement that was stopped; UNAVAILABLE.
   */
  run<Result>(principalId: PrincipalId, left: AbortSignal | undefined, work: (db: Queryable) => Promise<Result>): Promise<Result>;
  /** For what a subscription reads: it waits for its turn, and is not refused. */
  following(principalId: PrincipalId): Queryable;
}

/**
 * Reads, each principal with its share: half of the connections at once, and a budget of the database's time. One that asks for what
 * takes long waits for itself. Commits, authentication and readiness have other connections (server/database.ts).
 */
export class ReadShares implements Reads {
  private readonly principals = new Map<PrincipalId, Share>();
  private readonly atOnce: number;
  private readonly spent: LocalBuckets | null;

  constructor(
    private readonly pool: pg.Pool,
    /** Over other connections, because those that read are busy when one of them is to be stopped. */
    private readonly control: Queryable,
    private readonly limits: ReadLimits,
    monotonicNow: () => number,
  ) {
    this.atOnce = Math.max(1, Math.floor((pool.options.max ?? 1) / 2));
    const { msPerSecond } = limits;
    this.spent = msPerSecond === 0 ? null : new LocalBuckets({ perSecond: msPerSecond, most: msPerSecond * burstSeconds }, monotonicNow);
  }

  async run<Result>(principalId: PrincipalId, left: AbortSignal | undefined, work: (db: Queryable) => Promise<Result>): Promise<Result> {
    const wait = this.spent?.look(principalId) ?? 0;
    if (wait > 0) throw this.exhausted(wait);
    const share = this.shareOf(principalId);
    if (share.waiting.length >= maxWaiting) throw this.crowded();
    return this.inTurn(principalId, share, () => {
      if (left?.aborted === true) throw gone();
      return work(answering({ query: (statement) => this.query(principalId, left, statement) }));
    });
  }

  following(principalId: PrincipalId): Queryable {
    return answering({ query: (statement) => this.inTurn(principalId, this.shareOf(principalId), () => this.query(principalId, undefined, statement)) });
  }

  private shareOf(principalId: PrincipalId): Share {
    let share = this.principals.get(principalId);
    if (share === undefined) this.principals.set(principalId, (share = { running: 0, waiting: [] }));
    return share;
  }

  private async inTurn<Result>(principalId: PrincipalId, share: Share, work: () => Promise<Result>): Promise<Result> {
    if (share.running >= this.atOnce) await new Promise<void>((resolve) => share.waiting.push(resolve));
    else share.running += 1;
    try {
      return await work();
    } finally {
      const next = share.waiting.shift();
      if (next !== undefined) next();
      else {
        share.running -= 1;
        if (share.running === 0 && this.principals.get(principalId) === share) this.principals.delete(principalId);
      }
    }
  }

  private async query<Row extends pg.QueryResultRow>(principalId: PrincipalId, left: AbortSignal | undefined, statement: Statement): Promise<pg.QueryResult<Row>> {
    const client = await this.pool.connect();
    // The statement fails as well; without a listener the process would end.
    client.on('error', ignore);
    let stopping: Promise<unknown> | undefined;
    const stop = (): void => {
      stopping = this.control.query({ text: 'SELECT pg_cancel_backend($1)', values: [processOf(client)] }).catch(() => undefined);
    };
    left?.addEventListener('abort', stop, { once: true });
    const began = performance.now();
    let broken: Error | undefined;
    try {
      if (left?.aborted === true) throw gone();
      return await client.query<Row>(statement);
    } catch (error) {
      if (isStopped(error)) throw left?.aborted === true ? gone() : this.tooLong();
      if (failureKind(error) === 'connection') broken = error as Error;
      throw error;
    } finally {
      client.off('error', ignore);
      left?.removeEventListener('abort', stop);
      // Otherwise it could stop the statement of whoever is given the connection next.
      if (stopping !== undefined) await stopping;
      client.release(broken);
      this.spent?.charge(principalId, performance.now() - began);
    }
  }

  private exhausted(retryAfter: number): ConcordError {
    const { msPerSecond } = this.limits;
    return new ConcordError('RATE_LIMITED', `Your reads have taken more of the database than ${msPerSecond} ms a second (and ${msPerSecond * burstSeconds} at once). Wait ${retryAfter} ms, and ask for fewer conditions or smaller pages.`, { retryAfter, limit: msPerSecond });
  }

  private crowded(): ConcordError {
    return new ConcordError('RATE_LIMITED', `${maxWaiting} of your reads are waiting for those before them. Wait for some to end.`, { retryAfter: 1_000, limit: maxWaiting });
  }

  private tooLong(): ConcordError {
    const { statementMs } = this.limits;
    return new ConcordError('QUERY_TOO_COMPLEX', `The read was stopped after ${statementMs} ms. Ask for fewer conditions, for a collection or for ids, or in the order of ids.`, { limit: statementMs });
  }
}

interface Share {
  running: number;
  readonly waiting: (() => void)[];
}

/** Nobody is told: whoever asked is not there any more. */
const gone = (): ConcordError => new ConcordError('UNAVAILABLE', 'The caller has left before the read was done.');

const ignore = (): void => undefined;

const isStopped = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === stopped;

/** Of the connection in PostgreSQL. */
const processOf = (client: pg.PoolClient): number => (client as pg.PoolClient & { readonly processID: number }).processID;

