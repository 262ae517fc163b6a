import type { OperationDefinitionNode } from 'graphql';
import { anonymousBounds, sessionBounds, type CheckedDocument, type Operations, type SentOperation } from '../operations.js';
import type { Charge } from '../rate-limit/charge.js';
import type { Turns } from '../rate-limit/turns.js';

/** What a caller asks for, and who pays for it. */
export interface Asked {
  readonly sent: SentOperation;
  readonly operationName: string | null | undefined;
  readonly variables: Readonly<Record<string, unknown>> | null | undefined;
  readonly isAnonymous: boolean;
  readonly charge: Charge;
}

export interface Admitted {
  readonly checked: CheckedDocument;
  readonly operation: OperationDefinitionNode | null;
  /** Not empty: do not execute. */
  readonly errors: readonly Error[];
}

/** A text that takes longer than a millisecond to check. */
const longCheck = 2;

/**
 * The operation to run, charged for before each piece of work: what cannot be parsed or is not valid has cost as much as what can.
 * @throws ConcordError RATE_LIMITED.
 */
export async function admit(operations: Operations, turns: Turns, { sent, operationName, variables, isAnonymous, charge }: Asked): Promise<Admitted> {
  const cost = operations.costOfCheck(sent);
  await charge.spend(Math.max(1, cost));
  if (cost >= longCheck) await turns.take();
  const checked = operations.check(sent, isAnonymous ? anonymousBounds : sessionBounds);
  if (checked.errors.length > 0) return { checked, operation: null, errors: checked.errors };
  const { operation, error } = operations.select(checked, operationName, variables);
  if (error !== null) return { checked, operation, errors: [error] };
  const fields = operation === null ? 0 : operations.rootFields(checked, operation);
  if (fields > 1) await charge.spend(fields - 1);
  return { checked, operation, errors: [] };
}
