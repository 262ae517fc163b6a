import { ConcordError, type Conflict, type Cursor, type DocumentId, type PatchId, type Position, type Revision, type WorkspaceId } from '@concord/core';
import type { ChangeBatch, ConflictBatch, ConflictRecord, FeedEvent, Resync } from '@concord/schema';
import type { Queryable } from '../postgres/queryable.js';
import { partiesOf, partyColumns, type PartyRow } from '../read/conflict-parties.js';
import { pageBytes, sizeSql } from '../read/size-sql.js';
import { cursorOf, mismatch, otherHistory, parseCursor, type Head } from './cursor.js';
import { Derived } from './derived.js';

export interface ConflictPage {
  readonly conflicts: readonly ConflictRecord[];
  /** All conflicts up to here were read; those of one change are never parted. */
  readonly to: Position;
}

/** The conflicts found by the changes after a position and up to another, oldest first; a page ends at 500 or at about 4 MiB. */
export async function readConflictsBetween(db: Queryable, workspaceId: WorkspaceId, documentId: DocumentId | null, after: Position, to: Position): Promise<ConflictPage> {
  const { rows } = await db.query<PartyRow & { position: Position; ordinal: number; document: DocumentId; against: Revision; detail: Conflict; created_at: Date; last: Position }>({
    name: 'concord-conflicts-between',
    text: `
WITH page AS (
  SELECT position, sum(size) OVER (ORDER BY position, ordinal) AS total, row_number() OVER (ORDER BY position, ordinal) AS n FROM (
    SELECT position, ordinal, ${sizeSql('detail')} AS size FROM conflicts
    WHERE workspace_id = $1 AND ($2::text IS NULL OR document_id = $2) AND position > $3 AND position <= $4 ORDER BY position, ordinal LIMIT 500
  ) sized
), cut AS (SELECT coalesce(min(position) FILTER (WHERE n = 500 OR total >= ${pageBytes}), $4) AS last FROM page)
SELECT c.position::float8 AS position, c.ordinal, c.document_id AS document, c.against_revision::float8 AS against, c.detail, c.created_at, ${partyColumns('c')}, cut.last::float8 AS last
FROM conflicts c, cut
WHERE c.workspace_id = $1 AND ($2::text IS NULL OR c.document_id = $2) AND c.position > $3 AND c.position <= cut.last
ORDER BY c.position, c.ordinal`,
    values: [workspaceId, documentId, after, to],
  });
  return {
    conflicts: rows.map((row) => ({ position: row.position, ordinal: row.ordinal, documentId: row.document, againstRevision: row.against, conflict: row.detail, createdAt: row.created_at, ...partiesOf(row) })),
    to: rows[0]?.last ?? to,
  };
}

/**
 * The conflicts after a cursor, each once, in order, then each new one. Conflicts stand in the transaction of their change, so
 * the feed tells up to where they can be read, and the first event of a follower that begins at the head tells where to go
 * over from the old ones to the new ones.
 */
export class ConflictStream extends Derived<ConflictBatch> {
  private changes: ChangeBatch | null = null;
  private from = 0 as Position;
  private to = 0 as Position;
  /** Whether the reader knows that it has them all. */
  private announced = false;

  constructor(
    changes: AsyncIterator<FeedEvent>,
    /** Null: only what comes from now on. */
    private readonly after: Cursor | null,
    private readonly read: (changes: ChangeBatch, after: Position, to: Position) => Promise<ConflictPage>,
    /** Where the workspace stands, from the database, and its change at a position: a cursor may be newer than what this node has heard of. */
    private readonly newest: (position: Position) => Promise<{ readonly head: Head; readonly patchId: PatchId | null }>,
  ) {
    super(changes);
  }

  protected async follow(): Promise<IteratorResult<ConflictBatch>> {
    for (;;) {
      if (this.changes === null || this.from >= this.to) {
        const event = await this.event();
        if (event === null) return { done: true, value: undefined };
        // Conflicts are kept when changes are compacted away: from the last cursor none is missed.
        if (event.type === 'Resync') throw resynced(event.reason);
        await this.take(event);
      }
      const { changes, upToDate } = this.changes!;
      // Nothing changed where this reader looks, and so nothing is in conflict there.
      if (this.announced && changes.length === 0) {
        this.from = this.to;
        continue;
      }
      const { conflicts, to } = this.from < this.to ? await this.read(this.changes!, this.from, this.to) : { conflicts: [], to: this.to };
      this.from = to;
      const all = upToDate && to >= this.to;
      if (conflicts.length === 0 && (!all || this.announced)) continue;
      this.announced = all;
      return { done: false, value: { conflicts, cursor: this.cursorAt(to), upToDate: all } };
    }
  }

  private async take(event: ChangeBatch): Promise<void> {
    const { position } = parseCursor(event.cursor);
    if (this.changes === null) this.from = this.after === null ? position : await this.start(this.after);
    this.changes = event;
    this.to = Math.max(this.from, position) as Position;
  }

  private async start(after: Cursor): Promise<Position> {
    const place = parseCursor(after);
    const { head, patchId } = await this.newest(place.position);
    const reason = mismatch(place, head, patchId);
    if (reason !== null) throw resynced(reason);
    return place.position;
  }

  /** In the middle of a batch the change is not at hand, and may be gone from the log: the cursor then names the history alone. */
  private cursorAt(position: Position): Cursor {
    const { cursor } = this.changes!;
    const batch = parseCursor(cursor);
    if (batch.position === position) return cursor;
    // It is ahead of what this node has heard of.
    if (this.after !== null && parseCursor(this.after).position === position) return this.after;
    return cursorOf({ ...batch, position, change: null });
  }
}

function resynced(reason: Resync['reason']): ConcordError {
  switch (reason) {
    case 'EPOCH_CHANGED':
      return rewritten();
    case 'OTHER_HISTORY':
      return otherHistory();
    case 'CURSOR_EXPIRED':
      return lagged();
  }
}

const lagged = (): ConcordError => new ConcordError('LAGGED', 'The feed has moved on further than is kept; subscribe again from the last cursor');

const rewritten = (): ConcordError => new ConcordError('EPOCH_CHANGED', 'The history was rewritten; read the conflicts again, then subscribe without a cursor');
