import type { BridgeEntry } from '../bridge.js';
import { bridge, cross } from '../bridge.js';
import type { ReplicaId, Revision } from '../ids.js';
import type { JsonValue } from '../json.js';
import type { NormalPatch } from '../operation.js';
import { rebase } from '../rebase.js';
import type { Tape } from './generate.js';
import { generateDocument, generatePatch } from './generate.js';
import { plainApply } from './plain-apply.js';

/** One edit on its way to the server: frozen once sent, because the server may have it already. */
interface Sent {
  readonly counter: number;
  readonly base: Revision;
  readonly patch: NormalPatch;
}

/** The server of the simulations: one document, one log, the rules of a commit and nothing else. */
export class Sequencer {
  readonly log: BridgeEntry[] = [];
  readonly counters = new Map<ReplicaId, number>();
  value: JsonValue;

  constructor(readonly start: JsonValue) {
    this.value = start;
  }

  /** Takes a batch in the author's order: duplicates are answered, the rest is bridged to the head and appended. */
  push(replica: ReplicaId, batch: readonly Sent[]): void {
    for (const sent of batch) {
      const seen = this.counters.get(replica) ?? 0;
      if (sent.counter <= seen) continue;
      if (sent.counter !== seen + 1) throw new Error('a gap in the counters');
      const over = bridge(this.log, replica, sent.base);
      if (!over.ok) throw new Error(over.error.message);
      const crossed = cross(over.value, sent.patch);
      if (!crossed.ok) throw new Error(crossed.error.message);
      const { committed } = crossed.value;
      this.value = plainApply(this.value, committed);
      this.counters.set(replica, sent.counter);
      this.log.push({
        revision: (this.log.length + 1) as Revision,
        replica,
        patch: committed,
        ...(committed === sent.patch ? {} : { sent: sent.patch }),
        base: sent.base,
      });
    }
  }
}

/** A replica of the simulations: confirmed value, pending patches, what of them was sent and may have been committed. */
export class SimulatedReplica {
  confirmed: JsonValue;
  visible: JsonValue;
  revision = 0 as Revision;
  /** Not yet seen in the log, rebased to `revision`. */
  pending: readonly NormalPatch[] = [];
  /** As first sent, for the first of `pending`; resent unchanged until they come back in the log. */
  private outstanding: Sent[] = [];
  private acknowledged = 0;
  private made = 0;

  constructor(
    readonly id: ReplicaId,
    private readonly server: Sequencer,
  ) {
    this.confirmed = this.visible = server.start;
  }

  edit(tape: Tape): void {
    const patch = generatePatch(tape, this.visible, 1 + tape.draw(3));
    this.visible = plainApply(this.visible, patch);
    this.pending = [...this.pending, patch];
    this.made++;
  }

  /** Sends what was never sent, and again what was sent before; the answer may get lost, the request too. */
  push(tape: Tape): void {
    const firstUnsent = this.outstanding.length;
    const seen = this.made - this.pending.length;
    const fresh = this.pending.slice(firstUnsent, firstUnsent + 1 + tape.draw(3)).map(
      (patch, index): Sent => ({ counter: seen + firstUnsent + index + 1, base: this.revision, patch }),
    );
    this.outstanding.push(...fresh);
    const resendFrom = tape.draw(2) === 0 ? 0 : Math.max(0, Math.min(this.acknowledged - seen, this.outstanding.length));
    const fate = tape.draw(5);
    if (fate === 0) return;
    this.server.push(this.id, this.outstanding.slice(resendFrom));
    if (fate === 1) return;
    this.acknowledged = seen + this.outstanding.length;
  }

  /** Takes some of the log after what it has: its own changes leave pending, past others' the rest is rebased. */
  pull(count: number): void {
    for (const entry of this.server.log.slice(this.revision, this.revision + count)) {
      this.confirmed = plainApply(this.confirmed, entry.patch);
      this.revision = entry.revision;
      if (entry.replica === this.id) {
        this.pending = this.pending.slice(1);
        this.outstanding.shift();
        continue;
      }
      const rebased = rebase(this.pending, [entry.patch]);
      if (!rebased.ok) throw new Error(rebased.error.message);
      this.pending = rebased.value.pending;
      this.visible = plainApply(this.visible, ...rebased.value.changes);
    }
  }
}

/**
 * Two to five replicas of one document that edit, push and pull as the tape says, offline for a while, with lost requests and
 * acks, duplicates and partial pulls; then the faults stop and everything drains.
 */
export function simulate(tape: Tape): { readonly server: Sequencer; readonly replicas: readonly SimulatedReplica[] } {
  const server = new Sequencer(generateDocument(tape));
  const replicas = Array.from(
    { length: 2 + tape.draw(4) },
    (_, index) => new SimulatedReplica(String(index).repeat(32) as ReplicaId, server),
  );
  for (let step = 0; step < 40; step++) {
    const replica = replicas[tape.draw(replicas.length)] as SimulatedReplica;
    const action = tape.draw(4);
    if (action <= 1) replica.edit(tape);
    else if (action === 2) replica.push(tape);
    else replica.pull(1 + tape.draw(4));
  }
  const reliable: Tape = { draw: (bound) => bound - 1 };
  for (const replica of replicas) {
    while (replica.pending.length > 0) {
      replica.push(reliable);
      replica.pull(Infinity);
    }
  }
  for (const replica of replicas) replica.pull(Infinity);
  return { server, replicas };
}
