import { createHash } from 'node:crypto';
import type { Condition, DocumentId, WorkspaceId } from '@concord/core';
import type { ChangeRecord, DocumentFilter } from '@concord/schema';
import type { Queryable } from '../postgres/queryable.js';
import { conditionsSql } from '../read/conditions-sql.js';
import type { Conditions } from './judged.js';

/** Ids of documents that a reader is known not to hold are remembered up to this many. */
const rememberedOutside = 10_000;

const longestKey = 500;

/** Long lists of ids, or of conditions, stand by their hash, so that a reader does not hold them once more. */
function keyOf(collection: string | null, rest: readonly unknown[] | null): string {
  const text = JSON.stringify([collection, rest]);
  return text.length > longestKey ? createHash('sha256').update(text).digest('base64') : text;
}

/**
 * Partial sync for one reader. Collection and ids of a document never change. `where` looks at the document as it is now: in
 * a batch either all changes of a document are delivered or it is named in `left`. A later change of the same document is
 * judged again, so a reader that has caught up holds exactly the documents that match. A document that comes (back) in is
 * seen by its revision: the reader has none, or an older one, and reads the document.
 */
export class FeedFilter implements Conditions {
  /**
   * Readers with the same key are given the same changes, so batches can be shared among them. Null: what this reader is given
   * depends on the documents as they are now and on what it was told before.
   */
  readonly sharedKey: string | null;
  /** Of what the log is read for. */
  readonly logKey: string;
  /** Of the conditions: readers with the same key see the same documents. */
  readonly key: string;
  private readonly ids: ReadonlySet<DocumentId> | undefined;
  /** Documents last told as left: naming them again with each of their changes would say nothing new. */
  private outside: Set<DocumentId> | undefined;

  constructor(
    /** With the share of the reader; where several read the same, with that of the first. */
    readonly db: Queryable,
    private readonly workspaceId: WorkspaceId,
    private readonly filter: DocumentFilter,
  ) {
    this.ids = filter.ids === undefined ? undefined : new Set(filter.ids);
    this.logKey = keyOf(filter.collection ?? null, this.ids === undefined ? null : [...this.ids].sort());
    this.sharedKey = this.looksAtValues ? null : this.logKey;
    this.key = this.looksAtValues ? keyOf(null, this.where) : '';
  }

  /** The part that the log itself can answer. */
  get logFilter(): DocumentFilter {
    const { collection, ids } = this.filter;
    return { ...(collection === undefined ? {} : { collection }), ...(ids === undefined ? {} : { ids }) };
  }

  get looksAtValues(): boolean {
    return (this.filter.where?.length ?? 0) > 0;
  }

  /** The changes of documents in the collection and among the ids. */
  pass(changes: readonly ChangeRecord[]): readonly ChangeRecord[] {
    const { collection: only } = this.filter;
    if (only === undefined && this.ids === undefined) return changes;
    return changes.filter(({ collection, documentId }) => (only === undefined || collection === only) && (this.ids === undefined || this.ids.has(documentId)));
  }

  /** Null: this reader looks at no values. */
  get conditions(): Conditions | null {
    return this.looksAtValues ? this : null;
  }

  get where(): readonly Condition[] {
    return this.filter.where ?? [];
  }

  /**
   * What the reader is told of these changes, given the documents that match now. Told once it is, `remember` it.
   */
  split(here: readonly ChangeRecord[], matching: ReadonlySet<DocumentId>): Split {
    const left: DocumentId[] = [];
    for (const documentId of documentsOf(here)) if (!matching.has(documentId) && this.outside?.has(documentId) !== true) left.push(documentId);
    return { changes: here.filter(({ documentId }) => matching.has(documentId)), left };
  }

  remember({ changes, left }: Split): void {
    if (this.outside !== undefined) for (const { documentId } of changes) this.outside.delete(documentId);
    if (left.length === 0) return;
    const outside = (this.outside ??= new Set());
    for (const documentId of left) {
      if (outside.size >= rememberedOutside) outside.clear();
      outside.add(documentId);
    }
  }

  async ask(documents: readonly DocumentId[]): Promise<ReadonlySet<DocumentId>> {
    const values: unknown[] = [this.workspaceId, documents];
    const condition = conditionsSql('value', this.where, values);
    const { rows } = await this.db.query<{ id: DocumentId }>({
      text: `SELECT id FROM documents WHERE workspace_id = $1 AND id = ANY($2::text[]) AND ${condition}`,
      values,
    });
    return new Set(rows.map(({ id }) => id));
  }
}

/** The part of a batch that depends on the reader. */
export interface Split {
  readonly changes: readonly ChangeRecord[];
  readonly left: readonly DocumentId[];
}

export const documentsOf = (changes: readonly ChangeRecord[]): ReadonlySet<DocumentId> => new Set(changes.map(({ documentId }) => documentId));
