import { ConcordError, type DocumentId, type Failure, type PatchId } from '@concord/core';
import { backoff } from './backoff.js';
import type { DocumentState } from './document-state.js';
import type { PushMutation } from './generated/graphql.js';
import type { Environment } from './options.js';
import type { Sent } from './push-batch.js';
import type { Store } from './store/store.js';
import { renumbered, withdraw } from './withdraw.js';

export type Verdict = PushMutation['push']['verdicts'][number];
type Refused = Extract<Verdict, { readonly __typename: 'Refused' }>;
export type Restart = 'resync' | 'new-replica-id';

/** How often one edit may be put right (renumbered, fetched anew) before it counts as refused. */
const mostRepairs = 3;

/** What is left to do after the verdicts on a batch. */
export interface Consequences {
  readonly toFetch: ReadonlySet<DocumentId>;
  readonly restart: Restart | undefined;
}

/**
 * Acts on what the server says to edits, and remembers it as long as it matters. An acknowledged edit stays in the outbox
 * until the feed brings it back; here it is only remembered not to be sent again.
 */
export class Verdicts {
  private readonly acknowledged = new Set<PatchId>();
  /** Documents that must wait before they are tried again. */
  private readonly blocked = new Map<DocumentId, { readonly until: number; readonly attempts: number }>();
  private readonly repairs = new Map<PatchId, number>();

  constructor(
    private readonly store: Store,
    private readonly environment: Pick<Environment, 'now' | 'random' | 'retry'>,
    /** Whether a document is in the filter of the replica; if not, its edits do not come back by the feed. */
    private readonly inFilter: (state: DocumentState) => boolean,
  ) {}

  isAcknowledged(patchId: PatchId): boolean {
    return this.acknowledged.has(patchId);
  }

  /** Milliseconds until the document may be tried again; 0: now. */
  blockedFor(id: DocumentId): number {
    const blocked = this.blocked.get(id);
    return blocked === undefined ? 0 : Math.max(0, blocked.until - this.environment.now());
  }

  /** The feed has brought the edit back. */
  returned(patchId: PatchId): void {
    this.acknowledged.delete(patchId);
    this.repairs.delete(patchId);
  }

  /** The connection has ended: what comes back by the next one is seen by its feed. */
  forgetAcknowledged(): void {
    this.acknowledged.clear();
  }

  take(batch: readonly Sent[], verdicts: readonly Verdict[]): Consequences {
    const toFetch = new Set<DocumentId>();
    const settledOutside = new Set<DocumentId>();
    let restart: Restart | undefined;
    for (const [index, sent] of batch.entries()) {
      const verdict = verdicts[index];
      if (verdict === undefined) throw new ConcordError('INTERNAL', `The server gave ${verdicts.length} verdicts for ${batch.length} edits.`);
      const state = this.store.read(sent.id);
      // Gone from the outbox: the feed was faster than the reply.
      if (state === undefined || !state.pending.some(({ patchId }) => patchId === sent.edit.patchId)) continue;
      if (verdict.__typename === 'Committed') {
        this.blocked.delete(sent.id);
        if (verdict.revision <= state.revision && state.revision > 0) {
          // The feed has passed it already. Not acknowledged until it was fetched: if that fails, it is asked for again.
          toFetch.add(sent.id);
          continue;
        }
        this.acknowledged.add(sent.edit.patchId);
        if (state.left || !this.inFilter(state)) settledOutside.add(sent.id);
        continue;
      }
      restart = this.refuse(sent, verdict, toFetch) ?? restart;
    }
    for (const id of settledOutside) this.dropIfAcknowledged(id);
    return { toFetch, restart };
  }

  /** Sets an edit aside with the reason, and what cannot be without it. */
  withdraw({ id, edit }: Sent, reason: Failure): void {
    const state = this.store.read(id);
    if (state === undefined) return;
    const withdrawn = withdraw(state, edit.patchId, reason);
    this.repairs.delete(edit.patchId);
    this.blocked.delete(id);
    const at = new Date(this.environment.now()).toISOString();
    this.store.transact(() => {
      this.store.quarantine.add(state, withdrawn.refused, at);
      if (withdrawn.state === undefined) this.store.delete(id);
      else this.store.write(withdrawn.state);
      this.store.carryRestores(state, withdrawn.moves);
      for (const conflict of withdrawn.conflicts) this.store.addConflict(conflict, at);
    });
  }

  /** A document outside of the filter: nothing comes back, the acknowledgement is the last word. */
  dropIfAcknowledged(id: DocumentId): void {
    const state = this.store.read(id);
    if (state === undefined || !state.pending.every(({ patchId }) => this.acknowledged.has(patchId))) return;
    for (const { patchId } of state.pending) this.acknowledged.delete(patchId);
    this.store.transact(() => this.store.delete(id));
  }

  private refuse(sent: Sent, verdict: Refused, toFetch: Set<DocumentId>): Restart | undefined {
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
        // The counter belongs to an edit from so long ago that the server no longer keeps it, and this replica has forgotten it too.
        if (sent.first && typeof verdict.expected === 'number' && this.mayRepair(sent)) {
          this.renumber(sent.id, verdict.expected);
          return undefined;
        }
        if (this.mayRepair(sent)) {
          toFetch.add(sent.id);
          return undefined;
        }
        break;
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
}
