import { ConcordError } from '@concord/core';

/** How many connections that stay open one caller may have. 0: no limit. */
export interface ConnectionLimits {
  /** Of one network (IPv4 address, IPv6 /64). */
  readonly perAddress: number;
  readonly perPrincipal: number;
  /** How long a socket may stay without a session. */
  readonly anonymousMs: number;
}

/** Without a session there is nothing to stay for. */
const maxAnonymous = 50;
/** Counts connections by who holds them, so that one caller does not use up what the system has of them. */
export class Connections {
  private readonly counts = new Map<string, number>();

  constructor(readonly limits: ConnectionLimits) {}

  /** Null: too many. Otherwise the way to give it back. */
  ofAddress(network: string): (() => void) | null {
    return this.take(`address ${network}`, this.limits.perAddress);
  }

  ofAnonymous(network: string): (() => void) | null {
    return this.take(`anonymous ${network}`, this.limits.perAddress === 0 ? 0 : Math.min(maxAnonymous, this.limits.perAddress));
  }

  /** @throws ConcordError RATE_LIMITED. */
  ofPrincipal(principalId: string): () => void {
    const { perPrincipal } = this.limits;
    const giveBack = this.take(`principal ${principalId}`, perPrincipal);
    if (giveBack !== null) return giveBack;
    throw new ConcordError('RATE_LIMITED', `This principal has ${perPrincipal} sockets and streams open on this server, as many as it may have. Close some.`, { limit: perPrincipal, retryAfter: 5_000 });
  }

  private take(key: string, max: number): (() => void) | null {
    if (max === 0) return nothing;
    const count = this.counts.get(key) ?? 0;
    if (count >= max) return null;
    this.counts.set(key, count + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = (this.counts.get(key) ?? 1) - 1;
      if (left === 0) this.counts.delete(key);
      else this.counts.set(key, left);
    };
  }
}

const nothing = (): void => undefined;
