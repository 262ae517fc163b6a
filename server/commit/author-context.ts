import { apply, authorsChain, bridge, ok, type BridgeEntry, type JsonValue, type NormalPatch, type ReplicaId, type Result, type Revision } from '@concord/core';
import { tailStart, valueAt, type DocumentState, type Lane, type LoggedChange, type Need } from './document-state.js';

/**
 * Where the author of an edit on `base` stands, given that others committed since: the lane of the author's patch before
 * this one where there is one, else built from the log.
 *
 * Fails as the transform does (fuel), and with `CLOCK_STALE` where the log does not reach back to the author's own patches. A need is returned when the log or the value at the base is not in memory.
 */
export function authorLane(state: DocumentState, author: ReplicaId, base: Revision): Result<Lane> | { readonly need: Need } {
  const known = state.lanes.get(author);
  if (known !== undefined && known.base === base) {
    const extended = extend(known, state, author);
    if (extended !== undefined) return ok(extended);
  }

  const oldest = oldestOwnBase(state, author, base);
  // A tail that cannot be longer is told by the bridge: `CLOCK_STALE`.
  if (oldest < tailStart(state) && !state.tailEnds) return { need: { kind: 'tail', from: oldest as Revision } };
  const start = valueAt(state, base);
  if (start === undefined) return { need: { kind: 'value', at: base } };

  const log = state.tail.slice(Math.max(0, oldest - tailStart(state))).map(bridgeEntry);
  const others = bridge(log, author, base);
  if (!others.ok) return others;
  const own = authorsChain(log, author, base);
  if (!own.ok) return own;
  let context: JsonValue = start;
  for (const patch of own.value) {
    const next = apply(context, withoutGuards(patch));
    if (!next.ok) return next;
    context = next.value;
  }
  return ok({ base, upTo: state.revision, bridge: others.value, context });
}

/** The lane with the changes since: all of them by others, or it is not this author's any more. */
function extend(lane: Lane, state: DocumentState, author: ReplicaId): Lane | undefined {
  if (lane.upTo === state.revision) return lane;
  const from = lane.upTo - tailStart(state);
  if (from < 0) return undefined;
  const since = state.tail.slice(from);
  if (since.some((change) => change.replicaId === author)) return undefined;
  return {
    ...lane,
    upTo: state.revision,
    bridge: {
      others: [...lane.bridge.others, ...since.map((change) => change.patch)],
      revisions: [...lane.bridge.revisions, ...since.map((change) => change.revision)],
    },
  };
}

/** Patches of the author that came into the log after `base` may have been sent on older bases: the bridge starts there. */
function oldestOwnBase(state: DocumentState, author: ReplicaId, base: Revision): number {
  let oldest: number = base;
  for (let index = state.tail.length - 1; index >= 0; index--) {
    const change = state.tail[index]!;
    if (change.revision <= oldest) break;
    if (change.replicaId === author) oldest = Math.min(oldest, change.base);
  }
  return oldest;
}

const bridgeEntry = (change: LoggedChange): BridgeEntry => ({
  revision: change.revision,
  replica: change.replicaId,
  patch: change.patch,
  base: change.base,
  ...(change.sent === null ? {} : { sent: change.sent }),
});

/** Guards were judged at the commit; in a context told anew they need not hold and change nothing. */
export const withoutGuards = (patch: NormalPatch): NormalPatch =>
  patch.some((operation) => operation.op === 'test') ? patch.filter((operation) => operation.op !== 'test') : patch;
