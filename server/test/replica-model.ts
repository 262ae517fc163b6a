import { apply, normalize, parsePatch, rebase, toWire, type Cursor, type DocumentId, type JsonValue, type NormalPatch, type PatchId, type Revision } from '@concord/core';
import type { ChangeRecord, Edit } from '@concord/schema';
import { generatePatch, type Tape } from '../../core/test/generate.js';
import { edit, told, type Node, type World } from './engine-world.js';

interface Pending {
  readonly patchId: PatchId;
  readonly counter: number;
  /** Told in the context of `confirmed` and the pending ones before it. */
  patch: NormalPatch;
  sent: boolean;
}

/**
 * A replica of one document in its smallest honest form: confirmed value, pending patches, push in chains on one base, pull
 * with rebase. Answers to pushes are never used: the feed alone moves it, so a lost answer changes nothing.
 */
export class ReplicaModel {
  confirmed: JsonValue = null;
  revision = 0 as Revision;
  pending: Pending[] = [];
  refusals: string[] = [];
  private cursor: Cursor | null = null;
  private counter = 0;

  constructor(
    readonly name: string,
    private readonly world: World,
    private readonly document: DocumentId,
  ) {}

  get visible(): JsonValue {
    return this.pending.reduce<JsonValue>((value, { patch }) => must(apply(value, patch)), this.confirmed);
  }

  make(tape: Tape, length: number): void {
    const patch = generatePatch(tape, this.visible, length);
    this.counter += 1;
    this.pending.push({ patchId: `${this.name}.${this.counter}` as PatchId, counter: this.counter, patch, sent: false });
  }

  /** The oldest pending ones, all on the base the replica has now. */
  edits(count: number): Edit[] {
    return this.pending.slice(0, count).map((pending) => {
      pending.sent = true;
      return edit(this.document, this.name, pending.counter, this.revision, must(parsePatch(toWire(pending.patch))), pending.patchId);
    });
  }

  async push(node: Node, count: number): Promise<void> {
    const edits = this.edits(count);
    for (const verdict of await node.commit.push(this.world.editor, this.world.workspaceId, edits)) {
      if (verdict.type === 'Refused') this.refusals.push(`${told(verdict)} ${verdict.message}`);
    }
  }

  async pull(node: Node, first: number): Promise<boolean> {
    const event = await node.feed.pull(this.world.editor, this.world.workspaceId, { after: this.cursor, first, filter: { ids: [this.document] } });
    if (event.type !== 'ChangeBatch') throw new Error(event.reason);
    for (const change of event.changes) this.take(change);
    this.cursor = event.cursor;
    return event.upToDate;
  }

  private take(change: ChangeRecord): void {
    if (change.revision <= this.revision) return;
    const wire = must(parsePatch(change.patch));
    const patch = must(normalize(this.confirmed, wire));
    this.confirmed = must(apply(this.confirmed, patch));
    this.revision = change.revision;
    if (change.patchId === this.pending[0]?.patchId) {
      this.pending.shift();
      return;
    }
    const rebased = must(rebase(this.pending.map((pending) => pending.patch), [patch]));
    this.pending.forEach((pending, index) => (pending.patch = rebased.pending[index]!));
  }
}

function must<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: { readonly message: string } }): T {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}
