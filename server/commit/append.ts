import type { JsonValue, Position, PrincipalId, WorkspaceId } from '@concord/core';
import type { Queryable, Statement } from '../postgres/queryable.js';
import { documentKey, type DocumentKey } from './heads.js';
import type { FoundConflict } from './decide.js';
import type { DocumentState, LoggedChange } from './document-state.js';

/** A change that was decided and is to be logged. */
export interface NewChange {
  readonly state: DocumentState;
  readonly change: LoggedChange;
  /** `change.patch` as JSON. */
  readonly text: string;
  readonly conflicts: readonly FoundConflict[];
  readonly principalId: PrincipalId;
  /** The value after this change; the document's row gets that of its last change in the batch. */
  readonly value: JsonValue;
}

/**
 * The whole commit of a batch. The workspace rows are locked first and give the positions, which makes them gapless and in
 * commit order; the unique keys of `changes` (revision; replica and counter) refuse everything if another node has moved
 * one of the documents. If a workspace is gone or in another epoch, the division refuses everything as well; and if its log
 * was compacted past a position up to which a state is known to be current, because the keys that would tell may be gone.
 *
 * Records: `w` workspaces where there are several, `c` changes, `h` heads, `x` conflicts, `s` snapshots. A value travels in a list of one, because
 * a bare JSON null would become an SQL null.
 */
function appendStatement({ moved, several, aside }: { readonly moved: string; readonly several: boolean; readonly aside: boolean }): string {
  /** Records of a kind beside the row of their workspace `m`, which they name only where there are several. */
  const records = (kind: string, columns: string): string =>
    `jsonb_to_recordset($1::jsonb -> '${kind}') AS ${kind}(${several ? 'w text, ' : ''}${columns}) ${several ? `JOIN moved m ON m.id = ${kind}.w` : 'CROSS JOIN moved m'}`;
  return `
WITH ${moved}
  RETURNING workspaces.id, workspaces.position - b.n AS start
), logged AS (
  INSERT INTO changes (workspace_id, position, document_id, revision, kind, collection, title, replica_id, counter, patch_id, principal_id, patch, sent, base, committed_at)
  SELECT m.id, m.start + c.o, c.d, c.v, c.k::change_kind, c.l, c.t, c.r, c.n, c.i, c.a, c.p, c.q, c.b, $2
  FROM ${records('c', 'o int, d text, v bigint, k text, l text, t text, r text, n bigint, i text, a text, p jsonb, q jsonb, b bigint')}
), heads AS (
  INSERT INTO documents (workspace_id, id, collection, title, value, revision, position, deleted, created_at, updated_at)
  SELECT m.id, h.d, h.l, h.t, h.j -> 0, h.v, m.start + h.o, h.x, $2, $2
  FROM ${records('h', 'd text, l text, t text, j jsonb, v bigint, o int, x boolean')}
  ON CONFLICT (workspace_id, id) DO UPDATE
  SET value = excluded.value, revision = excluded.revision, position = excluded.position, deleted = excluded.deleted, updated_at = excluded.updated_at
)${
    aside
      ? `, found AS (
  INSERT INTO conflicts (workspace_id, position, ordinal, document_id, against_revision, rule, detail, created_at)
  SELECT m.id, m.start + x.o, x.n, x.d, x.v, x.r, x.j, $2
  FROM ${records('x', 'o int, n int, d text, v bigint, r text, j jsonb')}
), kept AS (
  INSERT INTO snapshots (workspace_id, document_id, revision, value, created_at)
  SELECT m.id, s.d, s.v, s.j -> 0, $2
  FROM ${records('s', 'd text, v bigint, j jsonb')}
)`
      : ''
  }
SELECT id, start::float8 AS start FROM moved
UNION ALL SELECT '', (1 / (CASE WHEN (SELECT count(*) FROM moved) = $3 THEN 1 ELSE 0 END))::float8`;
}

/** `$4` the workspace, `$5` how many changes, `$6` its epoch, `$7` up to where the states are known to be current. */
const movedOne = `moved AS (
  UPDATE workspaces SET position = workspaces.position + b.n
  FROM (SELECT $4::text AS w, $5::bigint AS n) b
  WHERE workspaces.id = b.w AND workspaces.epoch = $6 AND workspaces.retained_from <= $7`;

/**
 * An update locks rows in the order in which it comes upon them, which is not the same at each time: two nodes with the same two
 * workspaces in their batches would wait for each other until PostgreSQL ends one, a second later. So the locks are taken first, by id.
 */
const movedSeveral = `locked AS (
  SELECT id FROM workspaces WHERE id IN (SELECT b.w FROM jsonb_to_recordset($1::jsonb -> 'w') AS b(w text)) ORDER BY id FOR UPDATE
), moved AS (
  UPDATE workspaces SET position = workspaces.position + b.n
  FROM jsonb_to_recordset($1::jsonb -> 'w') AS b(w text, n bigint, e int, k bigint) JOIN locked ON locked.id = b.w
  WHERE workspaces.id = b.w AND workspaces.epoch = b.e AND workspaces.retained_from <= b.k`;

/** Most batches are of one workspace and have neither conflicts nor snapshots: each table a statement names costs it its start, used or not. */
const statements = {
  one: { name: 'concord-append', text: appendStatement({ moved: movedOne, several: false, aside: false }) },
  oneAside: { name: 'concord-append-aside', text: appendStatement({ moved: movedOne, several: false, aside: true }) },
  several: { name: 'concord-append-several', text: appendStatement({ moved: movedSeveral, several: true, aside: true }) },
} as const;

/** Every so many revisions, and at the latest after so many bytes of patches, the value is kept as a snapshot, so that an old base is rebuilt from little. */
const snapshotEvery = { small: 128, large: 1024, largeBytes: 64 * 1024, patchBytes: 1024 * 1024 };

/** What a batch does to a workspace: `n` changes on top of states that are of its `epoch` and known to be current up to `knownAt`. */
interface Moved {
  n: number;
  epoch: number;
  knownAt: number;
}

/** Positions of the workspaces before the batch. Each change's own `position` has been set. */
export type Starts = ReadonlyMap<WorkspaceId, Position>;

/**
 * Logs a batch in one statement and sets the position of each change.
 * @throws the driver's error: 23505 when another node was first, 22012 when a workspace is gone, of another epoch or compacted further than a state is known.
 */
export async function append(db: Queryable, changes: readonly NewChange[], committedAt: Date): Promise<Starts> {
  const workspaces = new Map<WorkspaceId, Moved>();
  const heads = new Map<DocumentKey, { change: NewChange; offset: number; first: number }>();
  const offsets: number[] = [];
  const several = changes.some(({ state }) => state.workspaceId !== changes[0]?.state.workspaceId);
  const within = (id: WorkspaceId): string => (several ? `"w":"${id}",` : '');
  let logged = '';
  let found = '';
  for (const change of changes) {
    const { workspaceId, documentId, epoch, knownAt, facts } = change.state;
    const workspace = workspaces.get(workspaceId);
    const offset = workspace === undefined ? 1 : ++workspace.n;
    if (workspace === undefined) {
      workspaces.set(workspaceId, { n: 1, epoch, knownAt });
    } else {
      workspace.epoch = Math.min(workspace.epoch, epoch);
      workspace.knownAt = Math.min(workspace.knownAt, knownAt);
    }
    offsets.push(offset);
    change.state.sinceSnapshot += change.text.length;
    const key = documentKey(workspaceId, documentId);
    heads.set(key, { change, offset, first: heads.get(key)?.first ?? change.change.revision });

    const { kind, replicaId, counter, patchId, revision, base, sent } = change.change;
    // Ids hold no character that JSON escapes; what may hold one is stringified.
    logged += `${logged === '' ? '' : ','}{${within(workspaceId)}"o":${offset},"d":"${documentId}","v":${revision},"k":"${kind}","l":${JSON.stringify(facts?.collection)},${
      kind === 'CREATE' ? `"t":${JSON.stringify(facts?.title)},` : ''
    }"r":"${replicaId}","n":${counter},"i":"${patchId}","a":"${change.principalId}","p":${change.text},${sent === null ? '' : `"q":${JSON.stringify(sent)},`}"b":${base}}`;
    change.conflicts.forEach(({ againstRevision, conflict }, ordinal) => {
      found += `${found === '' ? '' : ','}{${within(workspaceId)}"o":${offset},"n":${ordinal},"d":"${documentId}","v":${againstRevision},"r":"${conflict.rule}","j":${JSON.stringify(conflict)}}`;
    });
  }

  let rows = '';
  let snapshots = '';
  for (const { change, offset, first } of heads.values()) {
    const { state } = change;
    const text = JSON.stringify(change.value);
    rows += `${rows === '' ? '' : ','}{${within(state.workspaceId)}"d":"${state.documentId}","l":${JSON.stringify(state.facts?.collection)},"t":${JSON.stringify(state.facts?.title)},"j":[${text}],"v":${change.change.revision},"o":${offset},"x":${state.deleted}}`;
    state.valueBytes = Buffer.byteLength(text);
    const every = state.valueBytes > snapshotEvery.largeBytes ? snapshotEvery.large : snapshotEvery.small;
    if (state.sinceSnapshot > snapshotEvery.patchBytes || Math.floor(change.change.revision / every) > Math.floor((first - 1) / every)) {
      state.sinceSnapshot = 0;
      snapshots += `${snapshots === '' ? '' : ','}{${within(state.workspaceId)}"d":"${state.documentId}","v":${change.change.revision},"j":[${text}]}`;
    }
  }

  const aside = found === '' && snapshots === '' ? '' : `,"x":[${found}],"s":[${snapshots}]`;
  const result = await db.query<{ id: WorkspaceId; start: number }>(statementOf(workspaces, `"c":[${logged}],"h":[${rows}]${aside}`, aside !== '', committedAt));
  const starts = new Map<WorkspaceId, Position>(result.rows.map(({ id, start }) => [id, start as Position]));
  changes.forEach((change, index) => {
    change.change.position = ((starts.get(change.state.workspaceId) ?? 0) + offsets[index]!) as Position;
    change.state.knownAt = change.change.position;
  });
  return starts;
}

function statementOf(workspaces: ReadonlyMap<WorkspaceId, Moved>, records: string, aside: boolean, committedAt: Date): Statement {
  const [first, ...others] = workspaces;
  if (first === undefined) throw new Error('invariant: a batch without changes is not appended');
  if (others.length === 0) {
    const [id, { n, epoch, knownAt }] = first;
    return { ...(aside ? statements.oneAside : statements.one), values: [`{${records}}`, committedAt, 1, id, n, epoch, knownAt] };
  }
  const moved = [...workspaces].map(([w, { n, epoch, knownAt }]) => `{"w":"${w}","n":${n},"e":${epoch},"k":${knownAt}}`);
  return { ...statements.several, values: [`{"w":[${moved.join()}],${records}}`, committedAt, workspaces.size] };
}
