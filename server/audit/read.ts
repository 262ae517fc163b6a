import { ConcordError, type DocumentId, type PatchId, type PrincipalId, type WorkspaceId } from '@concord/core';
import type { AuditEntryRecord, AuditFilter, AuditRequest, AuditSealRecord, Page } from '@concord/schema';
import type pg from 'pg';

/** Where a page ended in each of the two tables that the audit is read from. Null: it had not begun there. */
interface Key {
  /** Moment and id of the last row of `audit_entries`. */
  readonly entry: { readonly at: number; readonly id: string } | null;
  /** Position of the last change. */
  readonly position: number | null;
}

interface Row {
  readonly id: string;
  readonly at: Date;
  readonly principalId: string;
  readonly action: string;
  readonly documentId: string | null;
  readonly patchId: string | null;
  readonly outcome: string;
  readonly detail: AuditEntryRecord['detail'];
  readonly position: number | null;
}

const editActions = new Set(['CREATE', 'PATCH', 'DELETE', 'RESTORE']);

/**
 * A page of the audit, newest first: acts, denials and compacted edits from `audit_entries`, the edits of the log from `changes`. Each is
 * read in its own order, by an index, and the two are merged by time; so a page costs the same however long the log is.
 */
export async function readAudit(pool: pg.Pool, workspaceId: WorkspaceId, { filter, first, after }: AuditRequest): Promise<Page<AuditEntryRecord>> {
  const key = after === null ? { entry: null, position: null } : parseKey(after);
  const [entries, changes] = await Promise.all([readEntries(pool, workspaceId, filter, first, key), readChanges(pool, workspaceId, filter, first, key.position)]);
  const rows: { row: AuditEntryRecord; key: string }[] = [];
  let last: Key = key;
  let e = 0;
  let c = 0;
  while (rows.length < first && (e < entries.length || c < changes.length)) {
    const entry = entries[e];
    const change = changes[c];
    if (change !== undefined && (entry === undefined || change.at >= entry.at)) {
      c += 1;
      last = { ...last, position: change.position };
      rows.push({ row: recordOf(change), key: formatKey(last) });
    } else if (entry !== undefined) {
      e += 1;
      last = { ...last, entry: { at: entry.at.getTime(), id: entry.id } };
      rows.push({ row: recordOf(entry), key: formatKey(last) });
    }
  }
  return { rows, hasNextPage: e < entries.length || c < changes.length };
}

/** The newest link of the chain. */
export async function readSeal(pool: pg.Pool, workspaceId: WorkspaceId): Promise<AuditSealRecord | null> {
  const { rows } = await pool.query<AuditSealRecord>({
    name: 'concord-read-seal',
    text: 'SELECT number::float8 AS number, at, to_position::float8 AS position, digest FROM audit_seals WHERE workspace_id = $1 ORDER BY number DESC LIMIT 1',
    values: [workspaceId],
  });
  return rows[0] ?? null;
}

async function readEntries(pool: pg.Pool, workspaceId: WorkspaceId, filter: AuditFilter, first: number, { entry, position }: Key): Promise<readonly Row[]> {
  const values: unknown[] = [workspaceId];
  const parts = ['workspace_id = $1', ...conditions(filter, 'at', values)];
  if (filter.action !== undefined) parts.push(`action = $${values.push(filter.action)}`);
  if (filter.outcome !== undefined) parts.push(`outcome = $${values.push(filter.outcome)}`);
  if (entry !== null) parts.push(`(at, id) < ($${values.push(new Date(entry.at))}, $${values.push(entry.id)}::bigint)`);
  // What was shown as a change of the log may have been compacted since.
  if (position !== null) parts.push(`(position IS NULL OR position < $${values.push(position)}::bigint)`);
  const { rows } = await pool.query<Row>(
    `SELECT id::text AS id, at, principal_id AS "principalId", action, document_id AS "documentId", patch_id AS "patchId", outcome, detail, position::float8 AS position
     FROM audit_entries WHERE ${parts.join(' AND ')} ORDER BY at DESC, id DESC LIMIT $${values.push(first + 1)}`,
    values,
  );
  return rows;
}

async function readChanges(pool: pg.Pool, workspaceId: WorkspaceId, filter: AuditFilter, first: number, after: Key['position']): Promise<readonly Row[]> {
  if ((filter.outcome !== undefined && filter.outcome !== 'OK') || (filter.action !== undefined && !editActions.has(filter.action))) return [];
  const values: unknown[] = [workspaceId];
  const parts = ['workspace_id = $1', ...conditions(filter, 'committed_at', values)];
  if (filter.action !== undefined) parts.push(`kind = $${values.push(filter.action)}::change_kind`);
  if (after !== null) parts.push(`position < $${values.push(after)}::bigint`);
  const { rows } = await pool.query<Row>(
    `SELECT '' AS id, committed_at AS at, principal_id AS "principalId", kind::text AS action, document_id AS "documentId", patch_id AS "patchId", 'OK' AS outcome, NULL AS detail, position::float8 AS position
     FROM changes WHERE ${parts.join(' AND ')} ORDER BY position DESC LIMIT $${values.push(first + 1)}`,
    values,
  );
  return rows;
}

function conditions({ principalId, documentId, since, until }: AuditFilter, moment: string, values: unknown[]): string[] {
  return [
    ...(principalId === undefined ? [] : [`principal_id = $${values.push(principalId)}`]),
    ...(documentId === undefined ? [] : [`document_id = $${values.push(documentId)}`]),
    ...(since === undefined ? [] : [`${moment} >= $${values.push(since)}`]),
    ...(until === undefined ? [] : [`${moment} < $${values.push(until)}`]),
  ];
}

const recordOf = ({ at, principalId, action, documentId, patchId, outcome, detail, position }: Row): AuditEntryRecord => ({
  at,
  principalId: principalId === '' ? null : (principalId as PrincipalId),
  action,
  documentId: documentId as DocumentId | null,
  patchId: patchId as PatchId | null,
  outcome,
  detail,
  position: position as AuditEntryRecord['position'],
});

const formatKey = ({ entry, position }: Key): string => `${entry === null ? '' : `${entry.at}.${entry.id}`}_${position ?? ''}`;

function parseKey(key: string): Key {
  const match = /^(?:(\d{1,15})\.(\d{1,18}))?_(\d{1,16})?$/.exec(key);
  if (match === null) throw new ConcordError('CURSOR_INVALID', 'The row key given as `after` is not one of this list; give an `endCursor` of the same query');
  const [, at, id, position] = match;
  return { entry: at === undefined || id === undefined ? null : { at: Number(at), id }, position: position === undefined ? null : Number(position) };
}
