import { ConcordError, defaultLimits, squash, toWire, type Counter, type DocumentId, type Failure, type JsonValue, type PatchId } from '@concord/core';
import { backoff } from './backoff.js';
import type { DocumentState, PendingEdit } from './document-state.js';
import type { EditInput, PushMutation } from './generated/graphql.js';
import type { Environment } from './options.js';
import type { Store } from './store/store.js';
import { renumbered, withdraw } from './withdraw.js';

type Verdict = PushMutation['push']['verdicts'][number];
type Refused = Extract<Verdict, { readonly __typename: 'Refused' }>;

/** How often one edit may be put right (renumbered, fetched anew) before it counts as refused. */
const mostRepairs = 3;
/** The server commits what waits together, so a few at once keep it busy while answers travel. */
const mostBatchesInFlight = 4;
/** After a refusal that concerns the caller and not an edit. */
const callerRetryMs = 60_000;

export interface PushSurroundings {
  send(edits: readonly EditInput[]): Promise<readonly Verdict[]>;
  /** The document must be fetched anew before its edits can be sent again. */
  fetch(id: DocumentId): Promise<void>;
  /** The whole replica must take a snapshot, or a new id; the feed starts again after that. */
  restart(why: 'resync' | 'new-replica-id'): void;
  failed(error: ConcordError): void;
}

interface Sent {
  readonly id: DocumentId;
  readonly edit: PendingEdit;
}

/**
 * Sends what waits in the outbox: of each document oldest first, many documents in a batch, a few batches at a time but never
 * two with the same document, always with the same ids. It runs only while the feed is live, so that edits whose acknowledgement was lost have come back before
 * they could be sent again.
 *
 * An acknowledged edit stays in the outbox until the feed brings it back; here it is only remembered not to be sent again.
 */
export class Push {
  private readonly acknowledged = new Map<PatchId, DocumentId>();
  /** Documents that must wait before they are tried again. */
  private readonly blocked = new Map<DocumentId, { readonly until: number; readonly attempts: number }>();
  private readonly repairs = new Map<PatchId, number>();
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
  /** Halved while the server refuses a whole push, so that the one edit at fault is found. */
  private batchEdits = defaultLimits.pushPatches;

  constructor(
    private readonly store: Store,
    private readonly environment: Environment,
    /** Whether a document is in the filter of the replica; if not, its edits do not come back by the feed. */
    private readonly inFilter: (state: DocumentState) => boolean,
  ) {}

  start(surroundings: PushSurroundings): void {
    this.surroundings = surroundings;
    this.wake();
  }

  stop(): void {
    this.surroundings = undefined;
    this.environment.timers.clear(this.pause);
    this.environment.timers.clear(this.alarm);
    this.pause = undefined;
    this.acknowledged.clear();
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

  returned(patchId: PatchId): void {
    this.acknowledged.delete(patchId);
    this.repairs.delete(patchId);
  }

  private fill(): void {
    while (this.surroundings !== undefined && this.pause === undefined && this.batchesInFlight < mostBatchesInFlight) {
      const batch = this.collect();
      if (batch.length === 0) return;
      void this.run(this.surroundings, batch);
    }
  }

  private async run(surroundings: PushSurroundings, batch: readonly Sent[]): Promise<void> {
    const ids = new Set(batch.map(({ id }) => id));
    for (const id of ids) this.inFlight.add(id);
    this.batchesInFlight++;
    let goOn = false;
    try {
      goOn = await this.sendBatch(surroundings, batch);
    } catch (error) {
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

  /** True: go on with the next batch. */
  private async sendBatch(surroundings: PushSurroundings, batch: readonly Sent[]): Promise<boolean> {
    const { epoch } = this.store.checkpoint.get();
    let verdicts: readonly Verdict[];
    try {
      verdicts = await surroundings.send(batch.map(({ id, edit }) => editInput(this.store.read(id)!, edit, epoch, this.conflictsOf(id, edit))));
    } catch (error) {
      if (!(error instanceof ConcordError)) throw error;
      return this.refusedWhole(surroundings, batch, error);
    }
    if (this.surroundings !== surroundings) return false;
    this.attempts = 0;
    this.batchEdits = Math.min(defaultLimits.pushPatches, this.batchEdits * 2);
    return await this.take(surroundings, batch, verdicts);
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
      case 'UNAUTHENTICATED':
      case 'FORBIDDEN':
      case 'WORKSPACE_NOT_FOUND':
        surroundings.failed(error);
        this.pauseFor(callerRetryMs);
        return false;
      default:
        if (batch.length > 1) {
          this.batchEdits = Math.max(1, Math.floor(batch.length / 2));
          return true;
        }
        this.withdraw(batch[0]!, { ...error.details, code: error.code, message: error.message });
        return true;
    }
  }

  private pauseFor(ms: number): void {
    this.environment.timers.clear(this.pause);
    this.pause = this.environment.timers.set(() => {
      this.pause = undefined;
      this.wake();
    }, ms);
  }

  /** Chooses what to send next and freezes it: numbered and marked as sent in the file before it leaves. */
  private collect(): Sent[] {
    const now = this.environment.now();
    const batch: Sent[] = [];
    const changed: DocumentState[] = [];
    let bytes = 0;
    let wait = Infinity;
    for (const id of this.store.waiting) {
      if (this.inFlight.has(id)) continue;
      const blocked = this.blocked.get(id);
      if (blocked !== undefined && blocked.until > now) {
        wait = Math.min(wait, blocked.until - now);
        continue;
      }
      const state = this.store.read(id);
      if (state === undefined || state.pending.every(({ patchId }) => this.acknowledged.has(patchId))) continue;
      const room = this.batchEdits - batch.length;
      const { frozen, chosen, size } = this.freeze(state, room, defaultLimits.pushBytes * 0.9 - bytes, batch.length === 0);
      if (frozen !== state) changed.push(frozen);
      for (const edit of chosen) batch.push({ id, edit });
      bytes += size;
      if (batch.length >= this.batchEdits || bytes >= defaultLimits.pushBytes * 0.8) break;
    }
    if (changed.length > 0) this.store.transact(() => changed.forEach((state) => this.store.writePending(state)));
    if (wait !== Infinity) {
      this.environment.timers.clear(this.alarm);
      this.alarm = this.environment.timers.set(() => this.wake(), wait);
    }
    return batch;
  }

  private freeze(
    state: DocumentState,
    room: number,
    bytesLeft: number,
    atLeastOne: boolean,
  ): { readonly frozen: DocumentState; readonly chosen: readonly PendingEdit[]; readonly size: number } {
    const all = squashed(state.pending, this.environment.squashFrom);
    const pending = [...all];
    const chosen: PendingEdit[] = [];
    let size = 0;
    let touched = all !== state.pending;
    let counter = state.counter;
    for (const [index, edit] of all.entries()) {
      if (edit.counter !== null) counter = Math.max(counter, edit.counter);
      if (this.acknowledged.has(edit.patchId)) continue;
      const bytes = sizeOf(edit);
      const enough = chosen.length >= room || size + bytes > bytesLeft;
      if (enough && !(atLeastOne && chosen.length === 0)) break;
      let frozen = edit;
      if (edit.counter === null || !edit.sent) {
        if (edit.counter === null) counter++;
        frozen = { ...edit, sent: true, counter: edit.counter ?? (counter as Counter) };
        pending[index] = frozen;
        touched = true;
      }
      chosen.push(frozen);
      size += bytes;
    }
    return { frozen: touched ? { ...state, pending } : state, chosen, size };
  }

  private conflictsOf(id: DocumentId, { patchId }: PendingEdit): NonNullable<EditInput['conflicts']> {
    return this.store.conflicts.ofEdit(id, patchId).map(({ revision, conflict }) => ({ revision, conflict: conflict as unknown as JsonValue }));
  }

  /** Acts on the verdicts. True: go on with the next batch. */
  private async take(surroundings: PushSurroundings, batch: readonly Sent[], verdicts: readonly Verdict[]): Promise<boolean> {
    const toFetch = new Set<DocumentId>();
    const settledOutside = new Set<DocumentId>();
    let restart: 'resync' | 'new-replica-id' | undefined;
    for (const [index, sent] of batch.entries()) {
      const verdict = verdicts[index];
      if (verdict === undefined) throw new ConcordError('INTERNAL', `The server gave ${verdicts.length} verdicts for ${batch.length} edits.`);
      const state = this.store.read(sent.id);
      // Gone from the outbox: the feed was faster than the reply.
      if (state === undefined || !state.pending.some(({ patchId }) => patchId === sent.edit.patchId)) continue;
      if (verdict.__typename === 'Committed') {
        this.acknowledged.set(sent.edit.patchId, sent.id);
        this.blocked.delete(sent.id);
        if (verdict.revision <= state.revision && state.revision > 0) toFetch.add(sent.id);
        else if (state.left || !this.inFilter(state)) settledOutside.add(sent.id);
        continue;
      }
      restart = this.refuse(sent, verdict, toFetch) ?? restart;
    }
    for (const id of settledOutside) this.dropIfAcknowledged(id);
    if (restart !== undefined) {
      surroundings.restart(restart);
      return false;
    }
    for (const id of toFetch) await surroundings.fetch(id);
    return this.surroundings === surroundings;
  }

  private refuse(sent: Sent, verdict: Refused, toFetch: Set<DocumentId>): 'resync' | 'new-replica-id' | undefined {
    const { code } = verdict;
    if (verdict.retryable) {
      const attempts = (this.blocked.get(sent.id)?.attempts ?? 0) + 1;
      const wait = verdict.retryAfter ?? backoff(attempts, this.environment);
      this.blocked.set(sent.id, { until: this.environment.now() + wait, attempts });
      return undefined;
    }
    switch (code) {
      // The edit that it depends on was refused in the same push, and has taken care of it.
      case 'PATCH_DEPENDS_ON_REFUSED':
        return undefined;
      case 'EPOCH_CHANGED':
        return 'resync';
      case 'REPLICA_CLONED':
      case 'REPLICA_RETIRED':
        return 'new-replica-id';
      case 'CLOCK_FUTURE':
        if (this.mayRepair(sent)) return 'resync';
        break;
      case 'CLOCK_STALE':
      case 'CLOCK_NOT_A_PREFIX':
        if (this.mayRepair(sent)) {
          toFetch.add(sent.id);
          return undefined;
        }
        break;
      case 'CLOCK_GAP':
        if (typeof verdict.expected === 'number' && this.mayRepair(sent)) {
          this.renumber(sent.id, verdict.expected);
          return undefined;
        }
        break;
      default:
        break;
    }
    this.withdraw(sent, {
      code,
      message: verdict.message,
      ...(typeof verdict.path === 'string' ? { path: verdict.path } : {}),
      ...(typeof verdict.operation === 'number' ? { operation: verdict.operation } : {}),
      ...(typeof verdict.limit === 'number' ? { limit: verdict.limit } : {}),
      ...(typeof verdict.actual === 'number' ? { actual: verdict.actual } : {}),
    });
    return undefined;
  }

  private mayRepair({ edit }: Sent): boolean {
    const repairs = (this.repairs.get(edit.patchId) ?? 0) + 1;
    this.repairs.set(edit.patchId, repairs);
    return repairs <= mostRepairs;
  }

  /** The server expects another counter than the one sent: earlier edits were refused, or it has lost them. */
  private renumber(id: DocumentId, expected: number): void {
    const state = this.store.read(id);
    if (state === undefined) return;
    this.store.transact(() => this.store.write({ ...state, counter: expected - 1, pending: state.pending.map(renumbered) }));
  }

  private withdraw({ id, edit }: Sent, reason: Failure): void {
    const state = this.store.read(id);
    if (state === undefined) return;
    const withdrawn = withdraw(state, edit.patchId, reason);
    this.repairs.delete(edit.patchId);
    const at = new Date(this.environment.now()).toISOString();
    this.store.transact(() => {
      for (const { edit: refused, reason: why } of withdrawn.refused) this.store.quarantine.add(id, refused, why, at);
      if (withdrawn.state === undefined) this.store.delete(id);
      else this.store.write(withdrawn.state);
    });
  }

  /** A document outside of the filter: nothing comes back, the acknowledgement is the last word. */
  dropIfAcknowledged(id: DocumentId): void {
    const state = this.store.read(id);
    if (state === undefined || !state.pending.every(({ patchId }) => this.acknowledged.has(patchId))) return;
    for (const { patchId } of state.pending) this.acknowledged.delete(patchId);
    this.store.transact(() => this.store.delete(id));
  }
}

/** Folds runs of never-sent patches, where there are enough of them to be worth it. The folded one keeps the first one's ids. */
function squashed(pending: readonly PendingEdit[], from: number): readonly PendingEdit[] {
  const first = pending.findIndex(({ sent }) => !sent);
  if (from === 0 || first < 0 || pending.length - first < from) return pending;
  const result: PendingEdit[] = pending.slice(0, first);
  for (let start = first; start < pending.length; ) {
    let end = start;
    while (end < pending.length && pending[end]!.kind === 'PATCH' && !pending[end]!.sent) end++;
    if (end === start) {
      result.push(pending[start++]!);
      continue;
    }
    const run = pending.slice(start, end);
    let taken = 0;
    for (const { patch, count } of squash(run.map((edit) => edit.patch))) {
      const head = run[taken]!;
      result.push(count === 1 ? head : { ...head, patch });
      taken += count;
    }
    start = end;
  }
  return result;
}

const sizes = new WeakMap<object, number>();

function sizeOf({ patch }: PendingEdit): number {
  const known = sizes.get(patch);
  if (known !== undefined) return known;
  const size = JSON.stringify(patch).length + 300;
  sizes.set(patch, size);
  return size;
}

/** `conflicts`: what rebasing the edit here has cost; the server sees only the rebased edit. */
function editInput(state: DocumentState, edit: PendingEdit, epoch: number, conflicts: EditInput['conflicts']): EditInput {
  return {
    ...(conflicts?.length ? { conflicts } : {}),
    documentId: state.id,
    patchId: edit.patchId,
    counter: edit.counter!,
    clock: { epoch, base: state.revision },
    action: actionOf(edit),
  };
}

function actionOf(edit: PendingEdit): EditInput['action'] {
  switch (edit.kind) {
    case 'CREATE': {
      const [operation] = edit.patch;
      return {
        create: {
          collection: edit.collection,
          title: edit.title,
          value: operation?.op === 'replace' ? operation.value : null,
        },
      };
    }
    case 'PATCH':
      return { patch: toWire(edit.patch) as unknown as JsonValue };
    case 'DELETE':
      return { delete: true };
    case 'RESTORE':
      return { restore: true };
  }
}
