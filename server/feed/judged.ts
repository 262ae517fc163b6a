import { matchesAll, type Condition, type DocumentId, type JsonValue, type Position, type WorkspaceId } from '@concord/core';
import type { PublishedChange } from '../commit/verdict.js';
import type { Queryable } from '../postgres/queryable.js';
import { sizeSql } from '../read/size-sql.js';

/** Conditions that live readers look at values with. Equal ones have the same key. */
export interface Conditions {
  readonly key: string;
  readonly where: readonly Condition[];
  /** For documents whose values are not in memory. */
  ask(documents: readonly DocumentId[]): Promise<ReadonlySet<DocumentId>>;
}

/** Bytes of values that are held for those who look at them, as text, and of what was found about them. */
const heldBytes = 16 * 1024 * 1024;
/** Bytes of values that are read at once; larger ones stay in the database, and each filter asks it. */
const readBytes = 4 * 1024 * 1024;
const verdictBytes = 64;
/** A document that changes faster than it is read is asked for in the database instead. */
const maxLoads = 3;

/** What is known of a document at its newest change. */
interface Known {
  readonly position: Position;
  /** Null: not read yet. */
  readonly value: { readonly json: JsonValue } | null;
  readonly isLarge: boolean;
  bytes: number;
  /** By the key of the conditions. */
  readonly verdicts: Map<string, boolean>;
}

/**
 * Which of the documents that changed match which conditions now: looked at once for each distinct filter, in memory, and not by a
 * statement for each subscriber. A commit of this node brings the values with it; those of another are read once for all filters.
 */
export class Judged {
  private readers = 0;
  private readonly known = new Map<DocumentId, Known>();
  private readonly loading = new Map<DocumentId, Promise<void>>();
  private bytes = 0;

  constructor(
    private readonly db: Queryable,
    private readonly workspaceId: WorkspaceId,
  ) {}

  join(): void {
    this.readers += 1;
  }

  leave(): void {
    this.readers -= 1;
    if (this.readers === 0) this.clear();
  }

  /** A change that is the newest of the workspace. */
  took({ record, after }: PublishedChange): void {
    if (this.readers === 0) return;
    this.keep(record.documentId, { position: record.position, value: after === undefined ? null : { json: after.value }, isLarge: false, bytes: verdictBytes + (after?.bytes ?? 0), verdicts: new Map() });
  }

  /** Nothing that is known holds any more. */
  clear(): void {
    this.known.clear();
    this.bytes = 0;
  }

  /** Those that match; null: that is not known without asking the database. */
  matchingNow(documents: Iterable<DocumentId>, conditions: Conditions): ReadonlySet<DocumentId> | null {
    const matching = new Set<DocumentId>();
    for (const id of documents) {
      const known = this.known.get(id);
      if (known === undefined || known.value === null) return null;
      if (this.verdict(known, known.value.json, conditions)) matching.add(id);
    }
    return matching;
  }

  async matching(documents: ReadonlySet<DocumentId>, conditions: Conditions): Promise<ReadonlySet<DocumentId>> {
    for (let loads = 0; loads < maxLoads; loads++) {
      const unread = [...documents].filter((id) => !this.isRead(id));
      if (unread.length === 0) break;
      await this.load(unread);
    }
    const matching = new Set<DocumentId>();
    const unknown: DocumentId[] = [];
    for (const id of documents) {
      const known = this.known.get(id);
      if (known?.value == null) unknown.push(id);
      else if (this.verdict(known, known.value.json, conditions)) matching.add(id);
    }
    return unknown.length === 0 ? matching : new Set([...matching, ...(await conditions.ask(unknown))]);
  }

  private isRead(id: DocumentId): boolean {
    const known = this.known.get(id);
    return known !== undefined && (known.value !== null || known.isLarge);
  }

  private verdict(known: Known, value: JsonValue, { key, where }: Conditions): boolean {
    let verdict = known.verdicts.get(key);
    if (verdict === undefined) {
      verdict = matchesAll(value, where);
      known.verdicts.set(key, verdict);
      known.bytes += verdictBytes;
      this.bytes += verdictBytes;
    }
    return verdict;
  }

  private async load(ids: readonly DocumentId[]): Promise<void> {
    const asked = ids.filter((id) => !this.loading.has(id));
    if (asked.length > 0) {
      const reading = this.read(asked).finally(() => asked.forEach((id) => this.loading.delete(id)));
      for (const id of asked) this.loading.set(id, reading);
    }
    await Promise.all(ids.map((id) => this.loading.get(id) ?? Promise.resolve()));
  }

  private async read(ids: readonly DocumentId[]): Promise<void> {
    const { rows } = await this.db.query<{ id: DocumentId; position: Position; value: JsonValue; large: boolean; size: number }>({
      name: 'concord-feed-values',
      text: `
SELECT id, position, CASE WHEN upto <= ${readBytes} THEN value END AS value, upto > ${readBytes} AS large, size FROM (
  SELECT id, position::float8 AS position, value, ${sizeSql('value')}::float8 AS size, sum(${sizeSql('value')}) OVER (ORDER BY id) AS upto
  FROM documents WHERE workspace_id = $1 AND id = ANY($2::text[])
) sized`,
      values: [this.workspaceId, ids],
    });
    if (this.readers === 0) return;
    for (const { id, position, value, large, size } of rows) {
      const known = this.known.get(id);
      // It changed again while it was read.
      if (known !== undefined && (known.position > position || known.value !== null)) continue;
      this.keep(id, { position, value: large ? null : { json: value }, isLarge: large, bytes: verdictBytes + (large ? 0 : size), verdicts: new Map() });
    }
  }

  private keep(id: DocumentId, known: Known): void {
    this.forget(id);
    this.known.set(id, known);
    this.bytes += known.bytes;
    for (const oldest of this.known.keys()) {
      if (this.bytes <= heldBytes || oldest === id) break;
      this.forget(oldest);
    }
  }

  private forget(id: DocumentId): void {
    this.bytes -= this.known.get(id)?.bytes ?? 0;
    this.known.delete(id);
  }
}
