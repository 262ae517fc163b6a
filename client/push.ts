import { ConcordError, defaultLimits, type DocumentId, type PatchId } from '@concord/core';
import { backoff } from './backoff.js';
import type { DocumentState } from './document-state.js';
import type { EditInput } from './generated/graphql.js';
import type { Environment } from './options.js';
import { turn } from './pull.js';
import { chooseBatch, editInput, type Sent } from './push-batch.js';
import type { Store } from './store/store.js';
import { Verdicts, type Restart, type Verdict } from './verdicts.js';

/** The server commits what waits together, so a few at once keep it busy while answers travel. */
const mostBatchesInFlight = 4;
/** After a refusal that concerns the caller or its program, and not an edit. */
const callerRetryMs = 60_000;

export interface PushSurroundings {
  send(edits: readonly EditInput[]): Promise<readonly Verdict[]>;
  /** The document must be fetched anew before its edits can be sent again. */
  fetch(id: DocumentId): Promise<void>;
  /** The whole replica must take a snapshot, or a new id; the feed starts again after that. */
  restart(why: Restart): void;
  failed(error: ConcordError): void;
}

/**
 * Sends what waits in the outbox: of each document oldest first, many documents in a batch, a few batches at a time but never
 * two with the same document, always with the same ids. It runs only while the feed is live, so that edits whose
 * acknowledgement was lost have come back before they could be sent again.
 */
export class Push {
  private readonly verdicts: Verdicts;
  private surroundings: PushSurroundings | undefined;
  /** Documents in a batch that is on its way: each is in one at most. */
  private readonly inFlight = new Set<DocumentId>();
  private batchesInFlight = 0;
  private scheduled = false;
  private drainWaiters: (() => void)[] = [];
  /** While it runs nothing is sent. */
  private pause: unknown;
  /** Only wakes up for a document that was blocked. */
  private alarm: unknown;
  private attempts = 0;
  private refused: ConcordError | undefined;
  /** Halved while the server refuses a whole push, so that the one edit at fault is found. */
  private batchEdits = defaultLimits.pushPatches;

  constructor(
    private readonly store: Store,
    private readonly environment: Environment,
    inFilter: (state: DocumentState) => boolean,
  ) {
    this.verdicts = new Verdicts(store, environment, inFilter);
  }

  /** What the server refused a push with, where only a person can put it right; undefined while it is tried again. */
  get refusal(): ConcordError | undefined {
    return this.refused;
  }

  start(surroundings: PushSurroundings): void {
    this.surroundings = surroundings;
    this.wake();
  }

  stop(): void {
    this.surroundings = undefined;
    this.environment.timers.clear(this.pause);
    this.environment.timers.clear(this.alarm);
    this.pause = undefined;
    this.refused = undefined;
    this.verdicts.forgetAcknowledged();
    this.attempts = 0;
  }

  /** There may be something to send. Edits made in one turn of the event loop go together. */
  wake(): void {
    if (this.surroundings === undefined || this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.fill();
    });
  }

  /** Resolves when no batch is on its way any more. */
  async drained(): Promise<void> {
    while (this.batchesInFlight > 0) await new Promise<void>((resolve) => this.drainWaiters.push(resolve));
  }

  /** The feed has brought an edit back, and the outbox is without it. */
  returned(patchId: PatchId): void {
    this.verdicts.returned(patchId);
  }

  /** A document outside of the filter: nothing comes back, the acknowledgement is the last word. */
  dropIfAcknowledged(id: DocumentId): void {
    this.verdicts.dropIfAcknowledged(id);
  }

  private fill(): void {
    if (this.surroundings === undefined || this.pause !== undefined || this.batchesInFlight >= mostBatchesInFlight) return;
    const batch = this.chosen();
    if (batch.length === 0) return;
    void this.run(this.surroundings, batch);
    // The next one is chosen after this one has left, while the server works on it.
    if (this.batchesInFlight < mostBatchesInFlight) void turn().then(() => this.wake());
  }

  /** Nothing, and another attempt later, where the file cannot be read or written now. */
  private chosen(): Sent[] {
    try {
      return this.choose();
    } catch (error) {
      this.surroundings?.failed(error instanceof ConcordError ? error : new ConcordError('INTERNAL', `The edits that wait could not be sent: ${String(error)}`, {}, { cause: error }));
      this.pauseFor(backoff(this.attempts++, this.environment));
      return [];
    }
  }

  private choose(): Sent[] {
    let wait = Infinity;
    const batch = chooseBatch(this.store, {
      mostEdits: this.batchEdits,
      squashFrom: this.environment.squashFrom,
      waits: (id) => {
        if (this.inFlight.has(id)) return true;
        const blockedFor = this.verdicts.blockedFor(id);
        if (blockedFor > 0) wait = Math.min(wait, blockedFor);
        return blockedFor > 0;
      },
      isAcknowledged: (patchId) => this.verdicts.isAcknowledged(patchId),
    });
    if (wait !== Infinity) {
      this.environment.timers.clear(this.alarm);
      this.alarm = this.environment.timers.set(() => this.wake(), wait);
    }
    return batch;
  }

  private async run(surroundings: PushSurroundings, batch: readonly Sent[]): Promise<void> {
    const ids = new Set(batch.map(({ id }) => id));
    for (const id of ids) this.inFlight.add(id);
    this.batchesInFlight++;
    let goOn = false;
    try {
      goOn = await this.sendBatch(surroundings, batch);
    } catch (error) {
      if (!(error instanceof ConcordError)) this.setAsideUnsendable(batch);
      if (this.surroundings === surroundings) {
        surroundings.failed(error instanceof ConcordError ? error : new ConcordError('INTERNAL', String(error), {}, { cause: error }));
        this.pauseFor(backoff(this.attempts++, this.environment));
      }
    } finally {
      this.batchesInFlight--;
      for (const id of ids) this.inFlight.delete(id);
      const waiters = this.drainWaiters;
      this.drainWaiters = [];
      for (const resolve of waiters) resolve();
      // Also when it was started anew while this answer was waited for.
      if (goOn || this.surroundings !== surroundings) this.wake();
    }
  }

  /** The batch could not be written as a message: what is at fault is set aside, so that the others are sent. */
  private setAsideUnsendable(batch: readonly Sent[]): void {
    for (const sent of batch) {
      try {
        JSON.stringify(editInput(sent, 0 as DocumentState['revision'], 0));
      } catch (error) {
        this.store.setAside(sent.id, error);
      }
    }
  }

  /** True: go on with the next batch. */
  private async sendBatch(surroundings: PushSurroundings, batch: readonly Sent[]): Promise<boolean> {
    const { epoch } = this.store.checkpoint.get();
    let verdicts: readonly Verdict[];
    try {
      verdicts = await surroundings.send(batch.map((sent) => editInput(sent, this.store.read(sent.id)!.revision, epoch)));
    } catch (error) {
      if (!(error instanceof ConcordError)) throw error;
      return this.refusedWhole(surroundings, batch, error);
    }
    if (this.surroundings !== surroundings) return false;
    this.batchEdits = Math.min(defaultLimits.pushPatches, this.batchEdits * 2);
    const { toFetch, restart } = this.verdicts.take(batch, verdicts);
    if (restart !== undefined) {
      surroundings.restart(restart);
      return false;
    }
    for (const id of toFetch) await surroundings.fetch(id);
    this.attempts = 0;
    return this.surroundings === surroundings;
  }

  /** The server refused the push as a whole; nothing of it is committed, or it is unknown whether. */
  private refusedWhole(surroundings: PushSurroundings, batch: readonly Sent[], error: ConcordError): boolean {
    if (this.surroundings !== surroundings) return false;
    switch (error.code) {
      case 'UNAVAILABLE':
      case 'RATE_LIMITED':
      case 'INTERNAL':
      case 'LAGGED':
      case 'SHUTTING_DOWN':
        surroundings.failed(error);
        this.pauseFor(error.details.retryAfter ?? backoff(this.attempts++, this.environment));
        return false;
      case 'OTHER_HISTORY':
      case 'OTHER_PRINCIPAL':
        // Ends the connection; the next one finds out what there is to decide.
        surroundings.failed(error);
        return false;
      case 'UNAUTHENTICATED':
      case 'FORBIDDEN':
      case 'WORKSPACE_NOT_FOUND':
      case 'PERSISTED_QUERY_ONLY':
        // The connection ends with its token, and may have a new one: whether that is refused too is for it to say.
        if (error.code !== 'UNAUTHENTICATED') this.refused = error;
        surroundings.failed(error);
        this.pauseFor(callerRetryMs);
        return false;
      default:
        if (batch.length > 1) this.batchEdits = Math.max(1, Math.floor(batch.length / 2));
        else this.verdicts.withdraw(batch[0]!, { ...error.details, code: error.code, message: error.message });
        return true;
    }
  }

  private pauseFor(ms: number): void {
    this.environment.timers.clear(this.pause);
    this.pause = this.environment.timers.set(() => {
      this.pause = undefined;
      this.refused = undefined;
      this.wake();
    }, ms);
  }
}
