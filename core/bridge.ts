import type { Conflict } from './conflict.js';
import type { Result } from './errors.js';
import { fail, ok } from './errors.js';
import type { ReplicaId, Revision } from './ids.js';
import type { NormalPatch } from './operation.js';
import { rebase } from './rebase.js';

/** One change of the log, as the bridge needs it. */
export interface BridgeEntry {
  readonly revision: Revision;
  readonly replica: ReplicaId;
  /** The patch as committed: it runs on the document at `revision - 1`. */
  readonly patch: NormalPatch;
  /** The patch as its author sent it; absent where it was committed as sent. */
  readonly sent?: NormalPatch;
  /** The revision `sent` was based on. Absent: the base that the bridge is asked for. */
  readonly base?: Revision;
}

/**
 * Other replicas' changes since an author's base, expressed in the author's own context: in the document that holds the
 * base and all of the author's patches so far. The next patch of the author is transformed past them with `cross`.
 */
export interface Bridge {
  readonly others: readonly NormalPatch[];
  /** For each of `others` the revision of the change it comes from, so that a conflict can name its change. */
  readonly revisions: readonly Revision[];
}

/**
 * Builds the bridge for the next patch of `author`, made on the document at `base` with all of the author's own earlier
 * patches on top.
 *
 * The problem it solves: an author who sends p1 and p2 on one base made p2 on `base + p1`, while the log holds the changes
 * of others in a context without p1. A trace, with x another's change and p1, p2 the author's:
 *
 *     log:             base ── x ── p1'        (p1' is p1 past x)
 *     author:          base ── p1 ── p2
 *     others = [x]     at x
 *     others = [x']    at p1', x past p1 as sent: now it runs on base + p1, where p2 was made
 *
 * `log` holds, in order and without a hole, every change after `base`. Where the author sent a patch on an older base
 * than this one and learnt of others' changes before it was committed (its ack was lost, or the change not yet back),
 * that patch has to be told in the newer context, and the log must reach back to the change after that older base:
 * otherwise `CLOCK_STALE`, and the author pulls first. Cost: one step a pair of operations of the author and of others in
 * between; nothing to do where all changes are of others, or all the author's.
 */
export const bridge = (log: readonly BridgeEntry[], author: ReplicaId, base: Revision): Result<Bridge> => {
  const after = log.findIndex((entry) => entry.revision > base);
  if (after === -1) return ok(nothing);
  const chain = authorsChain(log, author, base);
  if (!chain.ok) return chain;

  let own = chain.value;
  let others: NormalPatch[] = [];
  const revisions: Revision[] = [];
  for (const entry of log.slice(after)) {
    if (entry.replica !== author) {
      others.push(entry.patch);
      revisions.push(entry.revision);
      continue;
    }
    const crossed = rebase(own.slice(0, 1), others);
    if (!crossed.ok) return crossed;
    others = [...crossed.value.changes];
    own = own.slice(1);
  }
  return ok({ others, revisions });
};

export interface Crossed {
  /** The patch as it runs at the head: to be committed. */
  readonly committed: NormalPatch;
  /** The bridge for the author's next patch. */
  readonly bridge: Bridge;
  /** `patch` of the earlier side is an index into the bridge's `others` and `revisions`. */
  readonly conflicts: readonly Conflict[];
}

/** Takes the author's next patch, as sent, over the bridge. Fails as `transformBoth` does. */
export const cross = (over: Bridge, patch: NormalPatch): Result<Crossed> => {
  const crossed = rebase([patch], over.others);
  if (!crossed.ok) return crossed;
  const { pending, changes, conflicts } = crossed.value;
  return ok({
    committed: pending[0] as NormalPatch,
    bridge: changes === over.others ? over : { others: changes, revisions: over.revisions },
    conflicts,
  });
};

const nothing: Bridge = { others: [], revisions: [] };

/** The base an entry's patch was sent on; unless the log says, the newest it can have been. */
const baseOf = (entry: BridgeEntry, base: Revision): number => entry.base ?? Math.min(base, entry.revision - 1);

/**
 * The author's patches committed after `base`, each told in the context of `base` and those before it. Replays what the
 * author did: it learnt the log change by change, its own changes left what was pending, and the rest was rebased.
 */
export const authorsChain = (log: readonly BridgeEntry[], author: ReplicaId, base: Revision): Result<readonly NormalPatch[]> => {
  const own = log.filter((entry) => entry.replica === author);
  // A patch still pending at `base` may have been made over another one that was pending then, and so on back.
  let oldest: number = base;
  for (const entry of own.toReversed()) {
    if (entry.revision <= oldest) break;
    oldest = Math.min(oldest, baseOf(entry, base));
  }
  if ((log[0] as BridgeEntry).revision > oldest + 1) {
    return fail({
      code: 'CLOCK_STALE',
      message: `An earlier patch of replica ${author} was made at revision ${oldest}, which the log at hand no longer reaches; pull, rebase and push again.`,
      limit: (log[0] as BridgeEntry).revision - 1,
      actual: oldest,
    });
  }

  const coming = own.filter((entry) => entry.revision > oldest);
  let chain: readonly NormalPatch[] = [];
  let next = 0;
  const joinAt = (revision: number): void => {
    for (let entry = coming[next]; entry !== undefined && baseOf(entry, base) <= revision; entry = coming[++next]) {
      chain = [...chain, entry.sent ?? entry.patch];
    }
  };
  joinAt(oldest);
  for (const entry of log) {
    if (entry.revision <= oldest || entry.revision > base) continue;
    if (entry.replica === author) {
      chain = chain.slice(1);
    } else {
      const rebased = rebase(chain, [entry.patch]);
      if (!rebased.ok) return rebased;
      chain = rebased.value.pending;
    }
    joinAt(entry.revision);
  }
  return ok(chain);
};
