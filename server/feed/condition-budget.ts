import { ConcordError, type PrincipalId } from '@concord/core';

interface Reader {
  readonly principalId: PrincipalId;
}

/** How many conditions the running subscriptions of a principal have together: each is looked at for each change. */
export class ConditionBudget {
  private readonly held = new Map<PrincipalId, number>();
  private readonly of = new WeakMap<Reader, number>();

  constructor(private readonly max: number) {}

  /** @throws ConcordError LIMIT_EXCEEDED when so many more are too many. */
  check(principalId: PrincipalId, conditions: number): void {
    const actual = (this.held.get(principalId) ?? 0) + conditions;
    if (conditions === 0 || actual <= this.max) return;
    throw new ConcordError('LIMIT_EXCEEDED', `Your running subscriptions would have ${actual} conditions together; ${this.max} are allowed. End some, or subscribe with fewer conditions.`, {
      path: '/where',
      limit: this.max,
      actual,
    });
  }

  take(reader: Reader, conditions: number): void {
    if (conditions === 0) return;
    this.of.set(reader, conditions);
    this.held.set(reader.principalId, (this.held.get(reader.principalId) ?? 0) + conditions);
  }

  giveBack(reader: Reader): void {
    const conditions = this.of.get(reader);
    if (conditions === undefined) return;
    this.of.delete(reader);
    const left = (this.held.get(reader.principalId) ?? 0) - conditions;
    if (left > 0) this.held.set(reader.principalId, left);
    else this.held.delete(reader.principalId);
  }
}
