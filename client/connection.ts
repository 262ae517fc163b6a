import { ConcordError } from '@concord/core';
import { backoff } from './backoff.js';
import type { Environment } from './options.js';
import { openSocket, type Socket } from './transport.js';

/**
 *     offline ──goOnline──▶ connecting ──accepted──▶ catching-up ──nothing newer──▶ live
 *        ▲                      │                        │                           │
 *        └──── goOffline, or the connection ends: then again after a wait ───────────┘
 */
export type ConnectionState = 'offline' | 'connecting' | 'catching-up' | 'live';

/** After a refusal that only a person can put right, the server is not asked more often than this. */
const refusedRetryMs = 60_000;

/** Keeps one connection as long as it is wanted. */
export class Connection {
  private current: ConnectionState = 'offline';
  private run: AbortController | undefined;
  private socketNow: Socket | undefined;
  private attempts = 0;
  /** The token of the next attempt may be another one than was refused: a good one may have run out, or there is a new one since. */
  private newTokenLikely = false;
  private refused: ConcordError | undefined;
  private finished: Promise<void> = Promise.resolve();
  private past = { sent: 0, received: 0 };

  constructor(
    private readonly environment: Environment,
    /** Works with the socket until it ends, then throws why. */
    private readonly session: (socket: Socket) => Promise<never>,
    private readonly onChange: (state: ConnectionState, error: ConcordError | undefined) => void,
  ) {}

  get state(): ConnectionState {
    return this.current;
  }

  /** What the server refused the last attempt with, where only a person can put it right; undefined while it is tried again. */
  get refusal(): ConcordError | undefined {
    return this.refused;
  }

  /** @throws ConcordError UNAVAILABLE while there is no connection, or why it was refused. */
  socket(): Socket {
    if (this.socketNow === undefined) throw this.refused ?? new ConcordError('UNAVAILABLE', 'The replica is offline: try again when its status is live.');
    return this.socketNow;
  }

  /** Whether there is to be one: not before `start`, not after `stop`. */
  get wanted(): boolean {
    return this.run !== undefined;
  }

  /** Connects at once, also when it is waiting for the next attempt. */
  start(): void {
    if (this.run !== undefined && this.current !== 'offline') return;
    this.begin();
  }

  private begin(): void {
    this.run?.abort();
    const run = new AbortController();
    this.run = run;
    this.refused = undefined;
    this.attempts = 0;
    const before = this.finished;
    this.finished = before.then(() => this.loop(run.signal));
  }

  /** Resolves when nothing of the connection runs any more. */
  async stop(): Promise<void> {
    this.run?.abort();
    this.run = undefined;
    this.refused = undefined;
    this.socketNow?.close();
    await this.finished;
  }

  /** The next attempt has another token. It is made at once where none is accepted yet: the attempt under way may hang on the old one. */
  tokenChanged(): void {
    if (this.run !== undefined && (this.current === 'offline' || this.current === 'connecting')) this.begin();
    else this.newTokenLikely = true;
  }

  /** The session has caught up. */
  live(): void {
    this.attempts = 0;
    this.newTokenLikely = true;
    this.change('live');
  }

  /** Bytes as they travelled, over all connections. */
  bytes(): { readonly sent: number; readonly received: number } {
    const now = this.socketNow?.bytes() ?? { sent: 0, received: 0 };
    return { sent: this.past.sent + now.sent, received: this.past.received + now.received };
  }

  private async loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const error = await this.connectOnce(signal);
      if (signal.aborted) return this.change('offline');
      const wait = this.retryAfter(error);
      this.refused = wait === undefined ? error : undefined;
      this.change('offline', error);
      await this.wait(wait ?? refusedRetryMs * (1 + this.environment.random() / 2), signal);
      this.refused = undefined;
    }
  }

  private async connectOnce(signal: AbortSignal): Promise<ConcordError> {
    let socket: Socket | undefined;
    try {
      this.change('connecting');
      socket = await openSocket(this.environment, signal);
      if (signal.aborted) return new ConcordError('UNAVAILABLE', 'The replica went offline.');
      this.socketNow = socket;
      this.change('catching-up');
      const session = this.session(socket).catch((error: unknown) => error);
      const first = await Promise.race([session, socket.closed]);
      socket.close();
      // Two sessions must never work on the file at once.
      await session;
      throw first;
    } catch (error) {
      if (error instanceof ConcordError) return error;
      return new ConcordError('INTERNAL', `The replica met an unexpected error: ${error instanceof Error ? error.message : String(error)}`, {}, { cause: error });
    } finally {
      socket?.close();
      this.socketNow = undefined;
      if (socket !== undefined) {
        const { sent, received } = socket.bytes();
        this.past = { sent: this.past.sent + sent, received: this.past.received + received };
      }
    }
  }

  /** Milliseconds; undefined: it is for a person to put right. */
  private retryAfter(error: ConcordError): number | undefined {
    const { newTokenLikely } = this;
    this.newTokenLikely = false;
    if (error.code === 'UNAUTHENTICATED' && newTokenLikely) return backoff(0, this.environment);
    switch (error.code) {
      case 'UNAUTHENTICATED':
      case 'FORBIDDEN':
      case 'OTHER_HISTORY':
      case 'OTHER_PRINCIPAL':
      case 'WORKSPACE_NOT_FOUND':
      case 'INPUT_INVALID':
      case 'PERSISTED_QUERY_ONLY':
        return undefined;
      default:
        return error.details.retryAfter ?? backoff(this.attempts++, this.environment);
    }
  }

  private wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.environment.timers.clear(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.environment.timers.set(done, ms);
      signal.addEventListener('abort', done);
    });
  }

  private change(state: ConnectionState, error?: ConcordError): void {
    if (this.current === state && error === undefined) return;
    this.current = state;
    this.onChange(state, error);
  }
}
