/**
 * The statement that commits a batch. The workspace rows are locked first and give the positions, which makes them gapless and in
 * commit order; the unique keys of `changes` (revision; replica and counter) refuse everything if another node has moved
 * one of the documents. If a workspace is gone or in another epoch, the division refuses everything as well; and if its log
 * was compacted past a position up to which a state is known to be current, because the keys that would tell may be gone.
 *
 * Rows travel as a list for each column, which PostgreSQL reads in less time than records that name their columns; lists that end
 * early stand for nulls. JSON values are the elements of one list in JSON. The lists are unnested side by side in a SELECT, because a
 * FROM would gather each of them in a table of its own first.
 */
function appendStatement({ several, aside }: { readonly several: boolean; readonly aside: boolean }): string {
  const beside = (rows: string): string => (several ? `JOIN moved m ON m.id = ${rows}.workspace_id` : 'CROSS JOIN moved m');
  return `
WITH ${several ? movedSeveral : movedOne}
  RETURNING workspaces.id, workspaces.position - b.changes AS start
), logged AS (
  INSERT INTO changes (workspace_id, position, document_id, revision, kind, collection, title, replica_id, counter, patch_id, principal_id, patch, sent, base, committed_at)
  SELECT m.id, m.start + c.ordinal, c.document_id, c.revision, c.kind, c.collection, c.title, c.replica_id, c.counter, c.patch_id, c.principal_id, c.patch, nullif(c.sent, 'null'), c.base, $1
  FROM (
    SELECT unnest($7::int[]) AS ordinal, unnest($8::text[]) AS document_id, unnest($9::bigint[]) AS revision, unnest($10::change_kind[]) AS kind,
      unnest($11::text[]) AS collection, unnest($12::text[]) AS title, unnest($13::text[]) AS replica_id, unnest($14::bigint[]) AS counter,
      unnest($15::text[]) AS patch_id, unnest($16::text[]) AS principal_id, unnest($17::bigint[]) AS base,
      jsonb_array_elements($18::jsonb) AS patch, jsonb_array_elements($19::jsonb) AS sent${several ? ', unnest($28::text[]) AS workspace_id' : ''}
  ) c
  ${beside('c')}
), heads AS (
  INSERT INTO documents (workspace_id, id, collection, title, value, revision, position, deleted, created_at, updated_at)
  SELECT m.id, h.id, h.collection, h.title, h.value, h.revision, m.start + h.ordinal, h.deleted, $1, $1
  FROM (
    SELECT unnest($20::int[]) AS ordinal, unnest($21::text[]) AS id, unnest($22::text[]) AS collection, unnest($23::text[]) AS title,
      unnest($24::bigint[]) AS revision, unnest($25::boolean[]) AS deleted,
      jsonb_array_elements($26::jsonb) AS value${several ? ', unnest($29::text[]) AS workspace_id' : ''}
  ) h
  ${beside('h')}
  ON CONFLICT (workspace_id, id) DO UPDATE
  SET value = excluded.value, revision = excluded.revision, position = excluded.position, deleted = excluded.deleted, updated_at = excluded.updated_at
)${aside ? asideParts : ''}
SELECT id, start::float8 AS start${aside ? ', NULL::float8 AS position, NULL::text AS loser' : ''} FROM moved
UNION ALL SELECT '', (1 / (CASE WHEN (SELECT count(*) FROM moved) = $2 THEN 1 ELSE 0 END))::float8${aside ? ', NULL, NULL' : ''}${aside ? losers : ''}`;
}

const movedOne = `moved AS (
  UPDATE workspaces SET position = workspaces.position + b.changes
  FROM (SELECT $3::text AS id, $4::bigint AS changes) b
  WHERE workspaces.id = b.id AND workspaces.epoch = $5::int AND workspaces.retained_from <= $6::bigint`;

/**
 * An update locks rows in the order in which it comes upon them, which is not the same at each time: two nodes with the same two
 * workspaces in their batches would wait for each other until PostgreSQL ends one, a second later. So the locks are taken first, by id.
 */
const movedSeveral = `locked AS (
  SELECT id FROM workspaces WHERE id = ANY ($3::text[]) ORDER BY id FOR UPDATE
), moved AS (
  UPDATE workspaces SET position = workspaces.position + b.changes
  FROM unnest($3::text[], $4::bigint[], $5::int[], $6::bigint[]) AS b(id, changes, epoch, known) JOIN locked ON locked.id = b.id
  WHERE workspaces.id = b.id AND workspaces.epoch = b.epoch AND workspaces.retained_from <= b.known`;

/** The replicas whose earlier changes lost something to changes of this batch. */
const losers = `
UNION ALL SELECT DISTINCT workspace_id, NULL::float8, position::float8, losing_replica_id FROM found WHERE losing_replica_id IS NOT NULL AND detail ->> 'loser' = 'earlier'`;

/**
 * Records: `x` conflicts, `s` snapshots. Who made the earlier change of a conflict is in the record where that change is of the same
 * batch, which the statement does not see, else in the log. A value travels in a list of one, because a bare JSON null would become an SQL null. */
const asideParts = `, found AS (
  INSERT INTO conflicts (workspace_id, position, ordinal, document_id, against_revision, rule, detail, created_at, revision,
    losing_replica_id, losing_patch_id, losing_author, winning_replica_id, winning_patch_id, winning_author)
  SELECT m.id, m.start + x.o, x.n, x.d, x.v, x.r, x.j, $1, x.lv,
    CASE WHEN x.j ->> 'loser' = 'earlier' THEN coalesce(x.er, e.replica_id) ELSE x.lr END,
    CASE WHEN x.j ->> 'loser' = 'earlier' THEN coalesce(x.ep, e.patch_id) ELSE x.lp END,
    CASE WHEN x.j ->> 'loser' = 'earlier' THEN coalesce(x.ea, e.principal_id) ELSE x.la END,
    CASE WHEN x.j ->> 'loser' = 'earlier' THEN x.lr ELSE coalesce(x.er, e.replica_id) END,
    CASE WHEN x.j ->> 'loser' = 'earlier' THEN x.lp ELSE coalesce(x.ep, e.patch_id) END,
    CASE WHEN x.j ->> 'loser' = 'earlier' THEN x.la ELSE coalesce(x.ea, e.principal_id) END
  FROM jsonb_to_recordset($27::jsonb -> 'x')
    AS x(w text, o int, n int, d text, v bigint, r text, j jsonb, lv bigint, lr text, lp text, la text, er text, ep text, ea text)
  JOIN moved m ON m.id = x.w
  LEFT JOIN changes e ON e.workspace_id = m.id AND e.document_id = x.d AND e.revision = x.v
  RETURNING workspace_id, position, detail, losing_replica_id
), kept AS (
  INSERT INTO snapshots (workspace_id, document_id, revision, value, created_at)
  SELECT m.id, s.d, s.v, s.j -> 0, $1
  FROM jsonb_to_recordset($27::jsonb -> 's') AS s(w text, d text, v bigint, j jsonb) JOIN moved m ON m.id = s.w
)`;

/** Most batches are of one workspace and have neither conflicts nor snapshots: each table a statement names costs it its start, used or not. */
export const appendStatements = {
  one: { name: 'concord-append', text: appendStatement({ several: false, aside: false }) },
  oneAside: { name: 'concord-append-aside', text: appendStatement({ several: false, aside: true }) },
  several: { name: 'concord-append-several', text: appendStatement({ several: true, aside: true }) },
} as const;

/** A list as PostgreSQL reads it, of numbers, booleans or names that need no quotes. */
export const list = (elements: readonly (number | boolean | string)[]): string => `{${elements.join()}}`;

/** A list of texts. Each is quoted, because a bare NULL is none, and ids may read so. */
export const texts = (elements: readonly (string | null)[]): string => `{${elements.map((text) => (text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`)).join()}}`;
