import { ConcordError } from '@concord/core';
import type { Queryable } from './queryable.js';

/** What an error of the driver means for the caller: somebody was first, nobody answers, or something else. */
export type FailureKind = 'race' | 'connection' | 'other';

/** Unique key taken, a division that stands for a lost workspace, deadlock, serialisation, lock not available. */
const raceCodes = new Set(['23505', '22012', '40P01', '40001', '55P03']);

/** Connection exceptions, resources, operator intervention (shutdown, start-up). */
const connectionCodes = /^(08|53|57P0)/;

export function failureKind(error: unknown): FailureKind {
  if (!(error instanceof Error)) return 'other';
  const code = 'code' in error ? String(error.code) : '';
  if (raceCodes.has(code)) return 'race';
  // Five characters are PostgreSQL's; what begins with E and is longer is the system's (ECONNRESET).
  if (connectionCodes.test(code) || /^E[A-Z]{4,}$/.test(code)) return 'connection';
  // The driver's own errors have no code.
  return code === '' && /connection|terminat|timeout|client has encountered/i.test(error.message) ? 'connection' : 'other';
}

export const unavailable = (error: unknown): ConcordError =>
  new ConcordError('UNAVAILABLE', 'The database cannot be reached now; try again', { retryAfter: 1000 }, { cause: error });

/** The same statements; when nobody answers the caller is told `UNAVAILABLE`. */
export const answering = (db: Queryable): Queryable => ({
  async query(statement) {
    try {
      return await db.query(statement);
    } catch (error) {
      throw failureKind(error) === 'connection' ? unavailable(error) : error;
    }
  },
});
