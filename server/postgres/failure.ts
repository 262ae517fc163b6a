import { ConcordError } from '@concord/core';
import type { Queryable } from './queryable.js';

/** What an error of the driver means for the caller: somebody was first, the database is away or cannot take it now, or something else. */
export type FailureKind = 'race' | 'connection' | 'other';

/** Why the database cannot serve now. Each passes by itself or when its operator acts; no restart of the server is needed. */
export type Outage = keyof typeof outages;

const outages = {
  UNREACHABLE: 'The database cannot be reached now; try again',
  STARTING: 'The database is starting or stopping; try again in a moment',
  TOO_MANY_CONNECTIONS: 'The database accepts no more connections; try again later. Its operator raises max_connections or the limit of the role or the database, or lowers POOL_SIZE',
  OUT_OF_RESOURCES: 'The database has run out of memory or of another resource; try again later',
  READ_ONLY: 'The database takes no changes now, because it is a standby or set to read-only; reading goes on. Try again later',
  DISK_FULL: 'The database cannot write, because its disk is full or fails; reading goes on. Try again when its operator has made room',
  REFUSED: 'The database refuses the connection of this server; try again when its operator has corrected the user, the password or the database',
} as const;

/** Unique key taken, a division that stands for a lost workspace, deadlock, serialisation, lock not available. */
const raceCodes = new Set(['23505', '22012', '40P01', '40001', '55P03']);

const outageCodes: readonly (readonly [RegExp, Outage])[] = [
  [/^25006$/, 'READ_ONLY'],
  [/^(53100|58030)$/, 'DISK_FULL'],
  [/^(53300|P2037)$/, 'TOO_MANY_CONNECTIONS'],
  [/^53/, 'OUT_OF_RESOURCES'],
  [/^(57P01|57P02|57P03)$/, 'STARTING'],
  [/^(28000|28P01|3D000)$/, 'REFUSED'],
  // Prisma's own: not reached, timed out, closed, no connection in time, no transaction in time.
  [/^(08|57P0|P1001$|P1002$|P1008$|P1017$|P2024$|P2028$)/, 'UNREACHABLE'],
];

const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL']);

/** The driver's errors without a code, and what Prisma leaves of a Unix socket that is not there. */
const driverMessages = /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|timeout expired|Query read timeout|Cannot use a pool after)|^connect E[A-Z]+ /m;

/** What Prisma makes of a socket that broke; it leaves the code out. */
const prismaKinds: ReadonlySet<unknown> = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout']);

/** How many errors may be wrapped around the driver's own. */
const wrappings = 6;

/** Null: not an outage. Looks through what Prisma and others wrap around the driver's error. */
export function outageOf(error: unknown): Outage | null {
  let current = error;
  for (let depth = 0; depth < wrappings && typeof current === 'object' && current !== null; depth++) {
    const { code, originalCode, kind, message, syscall, meta, cause } = current as Readonly<Record<string, unknown>>;
    const outage = ofCode(code) ?? ofCode(originalCode);
    if (outage !== null) return outage;
    if (typeof code === 'string' && (networkCodes.has(code) || (syscall === 'connect' && /^E[A-Z]+$/.test(code)))) return 'UNREACHABLE';
    if (prismaKinds.has(kind) || (typeof message === 'string' && driverMessages.test(message))) return 'UNREACHABLE';
    current = typeof meta === 'object' && meta !== null && 'driverAdapterError' in meta ? meta.driverAdapterError : cause;
  }
  return null;
}

const ofCode = (code: unknown): Outage | null => (typeof code === 'string' ? (outageCodes.find(([pattern]) => pattern.test(code))?.[1] ?? null) : null);

export function failureKind(error: unknown): FailureKind {
  if (!(error instanceof Error)) return 'other';
  if ('code' in error && raceCodes.has(String(error.code))) return 'race';
  return outageOf(error) === null ? 'other' : 'connection';
}

/** True: the statement was answered by a database that cannot write; asking again at once does not help, a new connection may. */
export const cannotWrite = (outage: Outage | null): boolean => outage === 'READ_ONLY' || outage === 'DISK_FULL';

/** The UNAVAILABLE that callers see. */
export const unavailable = (error: unknown): ConcordError =>
  new ConcordError('UNAVAILABLE', `${outages[outageOf(error) ?? 'UNREACHABLE']}.`, { retryAfter: 1000 }, { cause: error });

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
