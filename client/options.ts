import { randomBytes, randomUUID } from 'node:crypto';
import { ConcordError, type ReplicaId } from '@concord/core';
import { WebSocket } from 'ws';
import { inTime } from './in-time.js';
import type { Where } from './condition.js';
import { heldFilter, type HeldFilter } from './filter.js';

/** What of the workspace a replica holds. Everything is meant when nothing is named. */
export interface ReplicaFilter {
  readonly collection?: string;
  /** At most 1,000. */
  readonly ids?: readonly string[];
  /** All must hold, at most 100. In the form of a query: `{ path: '/done', value: false }`. */
  readonly where?: readonly Where[];
}

/** Timers of the host, so that a simulator can hold the time. */
export interface Timers {
  set(callback: () => void, ms: number): unknown;
  clear(timer: unknown): void;
}

export interface ReplicaOptions {
  /** Address of the server's GraphQL endpoint, `http(s)://host/graphql`. The socket goes to the same place by `ws(s)`. */
  readonly url: string;
  /** `<id>.<secret>` or a JWT; a function is asked anew at each connection. */
  readonly token: string | (() => string | Promise<string>);
  /** Path of the SQLite file; made when there is none. `:memory:` forgets everything at `close`. */
  readonly database: string;
  /** Left out: the principal's default, asked at the first connection and then kept in the file. */
  readonly workspaceId?: string;
  /** Holds only a part of the workspace. Must stay the same for a file, or the replica starts with a new first sync. */
  readonly filter?: ReplicaFilter;
  /** 'full' also survives a loss of power, at about a fifth of the local edits a second. Default: 'normal'. */
  readonly durability?: 'normal' | 'full';
  /** False: opens offline, until `goOnline()`. Default: true. */
  readonly online?: boolean;
  /**
   * Never-sent edits of one document are folded together before they are sent when there are at least this many; fewer
   * edits are sent, with the same result. 0: never. Default: 32.
   */
  readonly squashFrom?: number;
  /** Milliseconds; the clock only dates things for people. Default: `Date.now`. */
  readonly now?: () => number;
  /** 0 to 1, for the jitter of retries. Default: `Math.random`. */
  readonly random?: () => number;
  /** A new random id for an edit or a document. Default: a UUID. */
  readonly newId?: () => string;
  /** 32 random hexadecimal digits. */
  readonly newReplicaId?: () => string;
  readonly timers?: Timers;
  /** A class like `WebSocket` of the package ws, or like the browser's. Default: ws with permessage-deflate. */
  readonly WebSocket?: unknown;
  /** First and longest wait between attempts to connect or to push, in milliseconds. Default: 200 and 30,000. */
  readonly retry?: { readonly firstMs: number; readonly longestMs: number };
  /** A token function, a login, a feed that does not begin, a push or a query without an answer for so long counts as lost; the connection is made anew. Default: 30,000. */
  readonly answerTimeoutMs?: number;
}

/** The options with their defaults. */
export interface Environment {
  readonly url: string;
  readonly token: () => Promise<string>;
  readonly filter: HeldFilter;
  readonly squashFrom: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly newId: () => string;
  readonly newReplicaId: () => ReplicaId;
  readonly timers: Timers;
  readonly WebSocket: unknown;
  readonly retry: { readonly firstMs: number; readonly longestMs: number };
  readonly answerTimeoutMs: number;
}

/** What fits into the first segments of a connection arrives in one round trip, compressed or not: deflating it would only cost CPU. */
const compressFromBytes = 14 * 1024;

/** ws, offering compression; small frames go uncompressed. */
class CompressedWebSocket extends WebSocket {
  constructor(address: string | URL, protocols?: string | string[]) {
    super(address, protocols, { perMessageDeflate: { threshold: compressFromBytes }, maxPayload: 256 * 1024 * 1024 });
    // A socket given up while it connects tells so after graphql-ws has stopped to listen; the close event says all.
    this.on('error', () => undefined);
  }
}

/** Copies the options, which `checkOptions` has seen. */
export function environmentOf(options: ReplicaOptions): Environment {
  const { token, url } = options;
  const answerTimeoutMs = options.answerTimeoutMs ?? 30_000;
  const timers: Timers = options.timers ?? {
    set: (callback, ms) => setTimeout(callback, ms),
    clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
  };
  return {
    url,
    token: async () => (typeof token === 'function' ? await asked(token, timers, answerTimeoutMs) : token),
    filter: heldFilter(options.filter ?? {}),
    squashFrom: options.squashFrom ?? 32,
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
    newId: options.newId ?? randomUUID,
    newReplicaId: (options.newReplicaId ?? (() => randomBytes(16).toString('hex'))) as () => ReplicaId,
    timers,
    WebSocket: options.WebSocket ?? CompressedWebSocket,
    retry: { firstMs: 200, longestMs: 30_000, ...options.retry },
    answerTimeoutMs,
  };
}

/** A login may hang or fail like any other call: it is tried again with the next connection. */
async function asked(token: () => string | Promise<string>, timers: Timers, ms: number): Promise<string> {
  const late = (): ConcordError => new ConcordError('UNAVAILABLE', `The token function did not answer within ${ms} ms. It is asked again; or call setToken().`);
  try {
    return await inTime(Promise.resolve().then(token), timers, ms, late);
  } catch (error) {
    if (error instanceof ConcordError) throw error;
    throw new ConcordError('UNAVAILABLE', `The token function failed: ${error instanceof Error ? error.message : String(error)}`, {}, { cause: error });
  }
}
