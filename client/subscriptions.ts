import { retryable, type ConcordError, type Cursor } from '@concord/core';
import type { DocumentNode, ExecutionResult } from 'graphql';
import { backoff } from './backoff.js';
import type { Environment } from './options.js';
import { resumable, type Resuming } from './resuming.js';
import { graphqlError, type ResultSink, type Socket } from './transport.js';

/** One subscription of the app, over as many connections as it takes. */
interface Kept {
  readonly document: DocumentNode;
  /** With the cursor seen last, where there is one. */
  variables: Record<string, unknown>;
  readonly resuming: Resuming | undefined;
  readonly sink: ResultSink;
  /** Ends it on the connection that it runs on. */
  stop: (() => void) | undefined;
  retry: unknown;
  attempts: number;
}

/**
 * Subscriptions of the app outlive connections: made without one, they begin with the next; on each new one they begin again, behind
 * the cursor that was seen last where the operation has one. They end when the app says so, when the server ends them, and with an
 * error that waiting does not heal.
 */
export class Subscriptions {
  private readonly kept = new Set<Kept>();
  private socket: Socket | undefined;

  constructor(
    private readonly environment: Pick<Environment, 'timers' | 'random' | 'retry'>,
    private readonly surroundings: {
      /** Where the replica stands in the feed of a workspace; null: nowhere yet, or it is of another one. */
      cursor(workspaceId: unknown): Cursor | null;
      /** Why no connection will come by itself. */
      refusal(): ConcordError | undefined;
    },
  ) {}

  /** Returns the way to end it. */
  add(operation: { readonly document: DocumentNode; readonly variables: Record<string, unknown> }, sink: ResultSink): () => void {
    const refusal = this.surroundings.refusal();
    if (refusal !== undefined) {
      sink.error(refusal);
      return () => undefined;
    }
    const { document, variables, resuming } = resumable(operation.document, operation.variables);
    const kept: Kept = { document, variables, resuming, sink, stop: undefined, retry: undefined, attempts: 0 };
    this.kept.add(kept);
    if (this.socket === undefined) this.beginWhereReplicaStands(kept);
    else this.begin(kept, this.socket);
    return () => this.end(kept);
  }

  connected(socket: Socket): void {
    this.socket = socket;
    for (const kept of [...this.kept]) this.begin(kept, socket);
  }

  disconnected(): void {
    this.socket = undefined;
    for (const kept of this.kept) this.leave(kept);
  }

  /** No connection will come by itself. */
  refused(error: ConcordError): void {
    for (const kept of [...this.kept]) {
      this.end(kept);
      kept.sink.error(error);
    }
  }

  close(): void {
    for (const kept of [...this.kept]) {
      this.end(kept);
      kept.sink.complete();
    }
  }

  /** "From now on", said while there is no connection, means from what is here now. */
  private beginWhereReplicaStands({ resuming, variables }: Kept): void {
    if (resuming === undefined || variables[resuming.variable] != null) return;
    const cursor = this.surroundings.cursor(variables['workspaceId']);
    if (cursor !== null) variables[resuming.variable] = cursor;
  }

  private begin(kept: Kept, socket: Socket): void {
    if (!this.kept.has(kept) || this.socket !== socket) return;
    let open = true;
    const current = (): boolean => open && this.kept.has(kept) && this.socket === socket;
    const failed = (error: ConcordError): void => {
      if (!current()) return;
      open = false;
      this.failed(kept, error, socket);
    };
    kept.stop = socket.subscribe(kept, {
      next: (result) => {
        if (result.errors !== undefined && result.errors.length > 0 && result.data == null) return failed(graphqlError(result.errors));
        if (!current()) return;
        kept.attempts = 0;
        this.remember(kept, result);
        kept.sink.next(result);
      },
      error: failed,
      complete: () => {
        if (!current()) return;
        this.end(kept);
        kept.sink.complete();
      },
    });
  }

  private remember({ resuming, variables }: Kept, { data }: ExecutionResult): void {
    if (resuming === undefined) return;
    const event = data?.[resuming.key] as { readonly cursor?: unknown } | null | undefined;
    if (typeof event?.cursor === 'string') variables[resuming.variable] = event.cursor;
  }

  private failed(kept: Kept, error: ConcordError, socket: Socket): void {
    kept.stop = undefined;
    if (!retryable(error.code)) {
      this.end(kept);
      kept.sink.error(error);
      return;
    }
    const wait = error.details.retryAfter ?? backoff(kept.attempts++, this.environment);
    kept.retry = this.environment.timers.set(() => this.begin(kept, socket), wait);
  }

  private leave(kept: Kept): void {
    this.environment.timers.clear(kept.retry);
    const { stop } = kept;
    kept.stop = undefined;
    stop?.();
  }

  private end(kept: Kept): void {
    if (this.kept.delete(kept)) this.leave(kept);
  }
}
