import { createHash } from 'node:crypto';
import type { DocumentId, WorkspaceId } from '@concord/core';
import type { ChangeRecord, DocumentFilter } from '@concord/schema';
import type { Queryable } from '../postgres/queryable.js';
import { conditionsSql } from '../read/conditions-sql.js';

/** Ids of documents that a reader is known not to hold are remembered up to this many. */
const rememberedOutside = 10_000;

const longestKey = 500;

/** Long lists of ids stand by their hash, so that a reader does not hold them once more. */
function keyOf(collection: string | null, ids: readonly DocumentId[] | null): string {
  const text = JSON.stringify([collection, ids]);
  return text.length > longestKey ? createHash('sha256').update(text).digest('base64') : text;
}

/**
 * Partial sync for one reader. Collection and ids of a document never change. `where` looks at the document as it is now: in
 * a batch either all changes of a document are delivered or it is named in `left`. A later change of the same document is
 * judged again, so a reader that has caught up holds exactly the documents that match. A document that comes (back) in is
 * seen by its revision: the reader has none, or an older one, and reads the document.
 */
export class FeedFilter {
  /**
   * Readers with the same key are given the same changes, so batches can be shared among them. Null: what this reader is given
   * depends on the documents as they are now and on what it was told before.
   */
  readonly key: string | null;
  private readonly ids: ReadonlySet<DocumentId> | undefined;
  /** Documents last told as left: naming them again with each of their changes would say nothing new. */
  private outside: Set<DocumentId> | undefined;

  constructor(
    private readonly db: Queryable,
    private readonly workspaceId: WorkspaceId,
    private readonly filter: DocumentFilter,
  ) {
    this.ids = filter.ids === undefined ? undefined : new Set(filter.ids);
    this.key = this.looksAtValues ? null : keyOf(filter.collection ?? null, this.ids === undefined ? null : [...this.ids].sort());
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

  async split(changes: readonly ChangeRecord[]): Promise<{ readonly changes: readonly ChangeRecord[]; readonly left: readonly DocumentId[] }> {
    const here = this.pass(changes);
    if (!this.looksAtValues || here.length === 0) return { changes: here, left: [] };

    const documents = [...new Set(here.map(({ documentId }) => documentId))];
    const matching = await this.matching(documents);
    const left: DocumentId[] = [];
    const outside = (this.outside ??= new Set());
    for (const documentId of documents) {
      if (matching.has(documentId)) {
        outside.delete(documentId);
      } else if (!outside.has(documentId)) {
        left.push(documentId);
        if (outside.size >= rememberedOutside) outside.clear();
        outside.add(documentId);
      }
    }
    return { changes: here.filter(({ documentId }) => matching.has(documentId)), left };
  }

  private async matching(documents: readonly DocumentId[]): Promise<ReadonlySet<DocumentId>> {
    const values: unknown[] = [this.workspaceId, documents];
    const condition = conditionsSql('value', this.filter.where ?? [], values);
    const { rows } = await this.db.query<{ id: DocumentId }>({
      text: `SELECT id FROM documents WHERE workspace_id = $1 AND id = ANY($2::text[]) AND ${condition}`,
      values,
    });
    return new Set(rows.map(({ id }) => id));
  }
}
