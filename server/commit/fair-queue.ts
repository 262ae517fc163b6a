import type { PrincipalId } from '@concord/core';

interface Waiting {
  readonly push: { readonly viewer: { readonly principalId: PrincipalId } };
}

/**
 * What waits to be committed: each principal has its turn, and its own pushes stay in order. So who sends many large pushes at once waits
 * for them, and nobody else does.
 */
export class FairQueue<Entry extends Waiting> {
  private readonly principals = new Map<PrincipalId, Entry[]>();
  private count = 0;

  get length(): number {
    return this.count;
  }

  add(entry: Entry): void {
    const { principalId } = entry.push.viewer;
    const own = this.principals.get(principalId);
    if (own === undefined) this.principals.set(principalId, [entry]);
    else own.push(entry);
    this.count += 1;
  }

  /** What `take` would give. */
  peek(): Entry | undefined {
    for (const [entry] of this.principals.values()) return entry;
    return undefined;
  }

  take(): Entry | undefined {
    for (const [principalId, own] of this.principals) {
      const entry = own.shift();
      this.principals.delete(principalId);
      // Behind those who wait by now.
      if (own.length > 0) this.principals.set(principalId, own);
      this.count -= 1;
      return entry;
    }
    return undefined;
  }
}
