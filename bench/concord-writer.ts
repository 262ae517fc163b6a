import { randomUUID } from 'node:crypto';
import { apply, normalize, parsePatch, squash, toWire, type JsonValue, type NormalPatch, type WirePatch } from '@concord/core';
import { ConcordConnection, feedSubscription, snapshotQuery, type EditToPush } from './concord-connection.js';
import { patchOf, type Edit, type JsonObject } from './documents.js';
import type { Endpoint, Writer } from './system.js';

interface FeedResult {
  readonly changes: { readonly changes: readonly { readonly revision: number; readonly patch: WirePatch; readonly patchId: string }[] };
}

interface Waiting {
  readonly edit: Edit;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * A light writer of one document: no store, no live values. Edits of one turn of the event loop go in one push; an edit of the
 * shared document is made on what the feed has brought, and counts as done when both its verdict and its own change are here.
 */
export class ConcordWriter implements Writer {
  private counter = 0;
  private waiting: Waiting[] = [];
  private sendDue = false;
  private sending = false;
  private following: Promise<void> | undefined;
  private readonly returned = new Map<string, Pick<Waiting, 'done' | 'failed'>>();
  private stopFeed: () => void = () => undefined;

  private constructor(
    private readonly connection: ConcordConnection,
    private readonly id: string,
    private document: JsonObject,
    /** Of the document here; while nothing is followed, of the newest own edit acknowledged. */
    private revision: number,
    private readonly cursor: string,
    private readonly squashing: boolean,
  ) {}

  static async open(
    endpoint: Endpoint,
    id: string,
    { squash: squashing = false, ...options }: { readonly squash?: boolean; readonly compressed?: boolean; readonly workspaceId?: string } = {},
  ): Promise<ConcordWriter> {
    const connection = new ConcordConnection(endpoint, options);
    const { snapshot } = await connection.query(snapshotQuery, { ids: [id] });
    const found = snapshot.documents[0];
    if (found === undefined) throw new Error(`there is no document ${id}`);
    const writer = new ConcordWriter(connection, id, found.value, found.revision, snapshot.cursor, squashing);
    if (id.startsWith('hot-')) await writer.follow();
    return writer;
  }

  async edit(edit: Edit): Promise<void> {
    if (edit.kind === 'hot') return await this.editFollowed(edit);
    return await new Promise((done, failed) => {
      this.waiting.push({ edit, done, failed });
      if (this.sendDue || (this.squashing && this.sending)) return;
      this.sendDue = true;
      queueMicrotask(() => void this.send());
    });
  }

  value(): JsonObject {
    return this.document;
  }

  close(): void {
    this.stopFeed();
    this.connection.close();
  }

  private async send(): Promise<void> {
    this.sendDue = false;
    const batch = this.waiting;
    this.waiting = [];
    if (batch.length === 0) return;
    this.sending = true;
    try {
      const patches = batch.map(({ edit }) => patchOf(edit, this.document) as WirePatch);
      const wire = this.squashing && patches.length > 1 ? folded(patches) : patches;
      const revisions = await this.connection.push(wire.map((patch) => this.toPush(patch)));
      this.revision = Math.max(this.revision, revisions.at(-1)!);
      // Nothing is followed: what the writer sees is its own.
      this.document = { ...this.document, views: Math.max(this.document['views'] as number, ...batch.map(({ edit }) => edit.n)) };
      for (const { done } of batch) done();
    } catch (error) {
      for (const { failed } of batch) failed(error);
    } finally {
      this.sending = false;
      if (this.squashing && this.waiting.length > 0) void this.send();
    }
  }

  private toPush(patch: WirePatch): EditToPush {
    return { documentId: this.id, counter: ++this.counter, base: this.revision, action: { patch: patch as unknown as JsonValue } };
  }

  private async editFollowed(edit: Edit): Promise<void> {
    const patchId = randomUUID();
    const own = new Promise<void>((done, failed) => this.returned.set(patchId, { done, failed }));
    await this.connection.push([{ ...this.toPush(patchOf(edit, this.document) as WirePatch), patchId }]);
    await own;
  }

  private follow(): Promise<void> {
    this.following ??= new Promise((resolve, reject) => {
      this.stopFeed = this.connection.subscribe<FeedResult>(
        feedSubscription,
        { after: this.cursor, ids: [this.id], workspaceId: this.connection.workspaceId },
        {
          next: ({ changes: { changes } }) => {
            for (const { revision, patch, patchId } of changes) {
              if (revision <= this.revision) continue;
              this.document = must(apply(this.document, must(parsePatch(patch)))) as JsonObject;
              this.revision = revision;
              this.returned.get(patchId)?.done();
              this.returned.delete(patchId);
            }
            resolve();
          },
          failed: (error) => {
            reject(error);
            for (const { failed } of this.returned.values()) failed(error);
          },
        },
      );
    });
    return this.following;
  }
}

/** Edits that were not yet sent, as one patch where they fold. All set the same field, so any number will do as its value before. */
function folded(patches: readonly WirePatch[]): readonly WirePatch[] {
  const normal = patches.map((patch): NormalPatch => must(normalize({ views: 0 }, must(parsePatch(patch)))));
  return squash(normal).map(({ patch }) => toWire(patch));
}

function must<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } }): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
}
