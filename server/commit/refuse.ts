import { clockErrorCodes, type ClockVerdict, type ErrorCode, type Failure, type Limits } from '@concord/core';
import type { Stamp } from '@concord/schema';
import type { DocumentState } from './document-state.js';

/** Why an edit is refused; `expected` with `CLOCK_GAP`, and with `CLOCK_STALE` of a counter that is taken. */
export type Refusal = Failure & { readonly expected?: number };

export interface RefusedDecision {
  readonly kind: 'refused';
  readonly failure: Refusal;
}

export const refuse = (code: ErrorCode, message: string, details: Partial<Refusal> = {}): RefusedDecision => ({ kind: 'refused', failure: { ...details, code, message } });

export const tooLarge = (actual: number, limits: Limits): RefusedDecision =>
  refuse('LIMIT_EXCEEDED', `The document would be larger than ${limits.documentBytes} bytes when serialised (documentBytes); split it over several documents`, {
    limitName: 'documentBytes',
    limit: limits.documentBytes,
    actual,
  });

/** The counter was taken by a change that was compacted away: by this edit, or by another one. The log no longer tells. */
export const refuseCompacted = (edit: { readonly documentId: string }, { replicaId, counter }: Stamp, newest: number): RefusedDecision =>
  refuse(
    'CLOCK_STALE',
    `Counter ${counter} of replica ${replicaId} on document ${edit.documentId} was committed so long ago that its change is no longer kept; read the document, which has it, and go on from counter ${newest + 1}`,
    { expected: newest + 1 },
  );

/** The refusal of a verdict that is not one of success, with what to do about it. */
export function refuseClock(verdict: ClockVerdict, edit: { readonly documentId: string }, stamp: Stamp, state: DocumentState): RefusedDecision {
  const code = clockErrorCodes[verdict.kind];
  if (code === null) throw new Error(`invariant: ${verdict.kind} is not a refusal`);
  switch (verdict.kind) {
    case 'resync':
      return refuse(code, `The history of the workspace is in epoch ${verdict.epoch}, the edit names epoch ${stamp.clock.epoch}; resync`);
    case 'cloned':
      return refuse(code, `Another patch of replica ${stamp.replicaId} has counter ${stamp.counter} on document ${edit.documentId}; take a new replica id`);
    case 'retired':
      return refuse(code, `Replica ${stamp.replicaId} is not known on document ${edit.documentId} and cannot start with counter ${stamp.counter}; take a new replica id`);
    case 'future':
      return refuse(code, `The clock names changes after revision ${state.revision} of document ${edit.documentId}, which this server never made; resync`);
    case 'gap':
      return refuse(code, `Counter ${stamp.counter} of replica ${stamp.replicaId} on document ${edit.documentId} leaves a gap; send from ${verdict.expected}`, { expected: verdict.expected });
    case 'not-a-prefix':
      return refuse(code, `No state of document ${edit.documentId} ever had the clock that was sent; resync`);
    case 'stale':
      return refuse(code, `The edit was made before revision ${verdict.oldest} of document ${edit.documentId}, which the retained history no longer reaches; resync`);
    case 'duplicate':
    case 'fast-forward':
    case 'concurrent':
      throw new Error(`invariant: ${verdict.kind} is not a refusal`);
  }
}
