// What the chain over the audit is made of, computed by PostgreSQL where the rows are, so that sealing reads nothing over the wire.
// Each row becomes one JSON array, in which no field can run into the next, and that a SHA-256. Moments go in as milliseconds,
// which no time zone alters.

const digestOf = (...fields: readonly string[]): string => `sha256(convert_to(jsonb_build_array(${fields.join(', ')})::text, 'UTF8'))`;
const milliseconds = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::bigint`;

/** What a change did. It is kept when the change is compacted away, so that the seal can be checked without it. */
export const changeContentSql = digestOf('revision', 'collection', 'title', 'replica_id', 'counter', 'patch', 'sent', 'base');

const changeFactsSql = digestOf('position', milliseconds('committed_at'), 'principal_id', 'kind::text', 'document_id', 'patch_id');
const compactedFactsSql = digestOf('position', milliseconds('at'), 'principal_id', 'action', 'document_id', 'patch_id');
const entrySql = digestOf('id', milliseconds('at'), 'principal_id', 'action', 'document_id', 'patch_id', 'outcome', 'detail');

const allOf = (digests: string, order: string): string => `encode(sha256(coalesce(string_agg(${digests}, ''::bytea ORDER BY ${order}), ''::bytea)), 'hex')`;

/** One row: how many changes of the workspace there are after one position up to another, in the log or compacted, the newest moment, and their digest. */
export const changesDigestSql = (workspaceId: string, from: string, to: string): string => `
SELECT count(*)::int AS count, max(at) AS newest, ${allOf('digest', 'position')} AS digest FROM (
  SELECT position, committed_at AS at, sha256(${changeFactsSql} || ${changeContentSql}) AS digest
  FROM changes WHERE workspace_id = ${workspaceId} AND position > ${from} AND position <= ${to}
  UNION ALL
  SELECT position, at, sha256(${compactedFactsSql} || content) AS digest
  FROM audit_entries WHERE workspace_id = ${workspaceId} AND position > ${from} AND position <= ${to}
) rows`;

/** One row: the same of rows of `audit_entries`. */
export const entriesDigestSql = (rows: string): string => `SELECT count(*)::int AS count, max(at) AS newest, ${allOf(entrySql, 'id')} AS digest FROM ${rows}`;
