import { fail, ok, type Result } from './errors.js';
import { parseCounter, parseReplicaId, type Counter, type ReplicaId } from './ids.js';

/**
 * For each replica, how many of its edits of one document are in the past; a replica that is not there has none. Along the
 * log of a document the clocks form a chain: each change adds one to one component.
 */
export type VectorClock = ReadonlyMap<ReplicaId, Counter>;

/** How one clock stands to another: in its past, in its future, the same, or neither saw all that the other saw. */
export type ClockOrder = 'equal' | 'before' | 'after' | 'concurrent';

/**
 * Reads `{"<replica id>": counter, …}`, an object of parsed JSON. Refuses with `CLOCK_MALFORMED`, naming the component.
 * A counter of 0 is refused: a replica without edits is left out, so that a clock has one form.
 */
export function parseClock(json: unknown): Result<VectorClock> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return fail({ code: 'CLOCK_MALFORMED', message: 'A vector clock is an object from replica ids to counters' });
  }
  const clock = new Map<ReplicaId, Counter>();
  for (const [id, count] of Object.entries(json)) {
    const replica = parseReplicaId(id);
    if (!replica.ok) return replica;
    const counter = parseCounter(count);
    if (!counter.ok) return fail({ ...counter.error, path: `/${id}` });
    clock.set(replica.value, counter.value);
  }
  return ok(clock);
}

/** The clock as JSON, replica ids sorted: equal clocks have equal text. */
export function formatClock(clock: VectorClock): Readonly<Record<string, number>> {
  return Object.fromEntries([...clock].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A partial order: `before` means that everything in `a` is in `b`, and `b` has more. Cost: the components of both. */
export function compareClocks(a: VectorClock, b: VectorClock): ClockOrder {
  let less = false;
  let more = false;
  for (const [replica, counter] of a) {
    const other = b.get(replica) ?? 0;
    if (counter > other) more = true;
    else if (counter < other) less = true;
  }
  for (const replica of b.keys()) {
    if (!a.has(replica)) less = true;
  }
  if (less) return more ? 'concurrent' : 'before';
  return more ? 'after' : 'equal';
}

/** The least clock that has both in its past: commutative, associative, idempotent. */
export function mergeClocks(a: VectorClock, b: VectorClock): VectorClock {
  const merged = new Map(a);
  for (const [replica, counter] of b) {
    if (counter > (merged.get(replica) ?? 0)) merged.set(replica, counter);
  }
  return merged;
}

/** The clock after one more edit of a replica. */
export function tickClock(clock: VectorClock, replica: ReplicaId): VectorClock {
  return new Map(clock).set(replica, ((clock.get(replica) ?? 0) + 1) as Counter);
}
