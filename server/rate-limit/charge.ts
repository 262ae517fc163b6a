import type { RateLimit } from '../rate-limit.js';

/** What one request costs its caller, charged before the work that it pays for. */
export interface Charge {
  /** @throws ConcordError RATE_LIMITED, and then nothing was taken. */
  spend(operations: number): Promise<void>;
}

const passed = Promise.resolve();

/**
 * Of one request or message. What has been paid on its arrival is not paid again by what it turns out to be: a request with one small
 * operation costs one.
 */
export function openCharge(rateLimit: RateLimit, caller: Caller): Charge & { arrive(): Promise<void> } {
  let prepaid = 0;
  const take = (count: number): Promise<void> => (caller.principalId === null ? rateLimit.anonymous(networkOf(caller.address), count) : rateLimit.operations(caller.principalId, count));
  return {
    async arrive() {
      await take(1);
      prepaid = 1;
    },
    spend(operations) {
      const owed = operations - prepaid;
      prepaid = Math.max(0, prepaid - operations);
      return owed > 0 ? take(owed) : passed;
    },
  };
}

/** Who is charged: the principal, or the address of one without a session. */
export interface Caller {
  readonly principalId: string | null;
  readonly address: string;
}

/** What one subscriber of a provider is given: an IPv4 address, or the first half of an IPv6 address, in which it may choose the rest. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const [head = '', tail] = address.split('%')[0]!.toLowerCase().split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = tail === undefined ? first : [...first, ...Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0'), ...last];
  return `${groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
