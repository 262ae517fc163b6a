import type { JsonValue, Position, PrincipalId, ReplicaId, Revision, WorkspaceId } from '@concord/core';
import type { Queryable, Statement } from '../postgres/queryable.js';
import { appendStatements, list, texts } from './append-statement.js';
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
  /** Replicas whose earlier changes lost something to it; known once it is logged, and absent where there are none. */
  losers?: readonly ReplicaId[];
}

/** Every so many revisions, and at the latest after so many bytes of patches, the value is kept as a snapshot, so that an old base is rebuilt from little. */
const snapshotEvery = { small: 128, large: 1024, largeBytes: 64 * 1024, patchBytes: 1024 * 1024 };

/** What a batch does to a workspace: so many changes on top of states that are of its `epoch` and known to be current up to `knownAt`. */
interface Moved {
  changes: number;
  epoch: number;
  knownAt: number;
}

interface Head {
  /** Its last one of the batch. */
  readonly change: NewChange;
  readonly ordinal: number;
  /** `change.value` as JSON. */
  readonly text: string;
}

/** Positions of the workspaces before the batch. Each change's own `position` has been set. */
export type Starts = ReadonlyMap<WorkspaceId, Position>;

/**
 * Logs a batch in one statement and sets the position of each change.
 * @throws the driver's error: 23505 when another node was first, 22012 when a workspace is gone, of another epoch or compacted further than a state is known.
 */
export async function append(db: Queryable, changes: readonly NewChange[], committedAt: Date): Promise<Starts> {
  const workspaces = new Map<WorkspaceId, Moved>();
  const last = new Map<DocumentKey, { readonly change: NewChange; readonly ordinal: number; readonly first: Revision }>();
  const ordinals: number[] = [];
  const conflicts: string[] = [];
  const inBatch = new ChangesInBatch(changes);
  for (const change of changes) {
    const { workspaceId, documentId, epoch, knownAt } = change.state;
    const moved = workspaces.get(workspaceId) ?? { changes: 0, epoch, knownAt };
    workspaces.set(workspaceId, moved);
    moved.epoch = Math.min(moved.epoch, epoch);
    moved.knownAt = Math.min(moved.knownAt, knownAt);
    const ordinal = ++moved.changes;
    ordinals.push(ordinal);
    change.state.sinceSnapshot += change.text.length;
    const key = documentKey(workspaceId, documentId);
    last.set(key, { change, ordinal, first: last.get(key)?.first ?? change.change.revision });
    for (const [n, found] of change.conflicts.entries()) conflicts.push(conflictRecord(change, ordinal, n, { ...found, earlier: inBatch.find(change, found) }));
  }

  const heads: Head[] = [];
  const snapshots: string[] = [];
  for (const { change, ordinal, first } of last.values()) {
    const { state } = change;
    const { revision } = change.change;
    const text = JSON.stringify(change.value);
    heads.push({ change, ordinal, text });
    state.valueBytes = Buffer.byteLength(text);
    const every = state.valueBytes > snapshotEvery.largeBytes ? snapshotEvery.large : snapshotEvery.small;
    if (state.sinceSnapshot > snapshotEvery.patchBytes || Math.floor(revision / every) > Math.floor((first - 1) / every)) {
      state.sinceSnapshot = 0;
      snapshots.push(`{"w":"${state.workspaceId}","d":${JSON.stringify(state.documentId)},"v":${revision},"j":[${text}]}`);
    }
  }

  const result = await db.query<AppendRow>(statementOf({ workspaces, changes, ordinals, heads, conflicts, snapshots }, committedAt));
  const starts = new Map<WorkspaceId, Position>();
  const losers = new Map<string, ReplicaId[]>();
  for (const { id, start, position, loser } of result.rows) {
    if (start !== null) starts.set(id, start as Position);
    else if (typeof position === 'number' && typeof loser === 'string') losers.set(`${id}/${position}`, [...(losers.get(`${id}/${position}`) ?? []), loser]);
  }
  changes.forEach((change, index) => {
    change.change.position = ((starts.get(change.state.workspaceId) ?? 0) + ordinals[index]!) as Position;
    change.state.knownAt = change.change.position;
    const told = losers.size === 0 ? undefined : losers.get(`${change.state.workspaceId}/${change.change.position}`);
    if (told !== undefined) change.losers = told;
  });
  return starts;
}

/** Of a workspace its position before the batch; or, with `start` null, a replica that lost something to the change at a position. */
interface AppendRow {
  readonly id: WorkspaceId;
  readonly start: number | null;
  readonly position?: number | null;
  readonly loser?: ReplicaId | null;
}

/** A conflict, with the earlier change where it is of the same batch. */
interface FoundInBatch extends FoundConflict {
  readonly earlier: NewChange | undefined;
}

/** The changes of a batch by document and revision; looked through only where there is a conflict. */
class ChangesInBatch {
  private byRevision: Map<string, NewChange> | undefined;

  constructor(private readonly changes: readonly NewChange[]) {}

  find({ state }: NewChange, { againstRevision }: FoundConflict): NewChange | undefined {
    this.byRevision ??= new Map(this.changes.map((one) => [keyOf(one.state, one.change.revision), one]));
    return this.byRevision.get(keyOf(state, againstRevision));
  }
}

const keyOf = ({ workspaceId, documentId }: NewChange['state'], revision: number): string => `${revision} ${documentKey(workspaceId, documentId)}`;

/** The id of a workspace holds no character that JSON escapes; that of a document may. */
function conflictRecord({ state, change, principalId }: NewChange, ordinal: number, n: number, { againstRevision, conflict, earlier }: FoundInBatch): string {
  const place = `"w":"${state.workspaceId}","o":${ordinal},"n":${n},"d":${JSON.stringify(state.documentId)},"v":${againstRevision},"r":"${conflict.rule}"`;
  const later = `"lv":${change.revision},"lr":"${change.replicaId}","lp":"${change.patchId}","la":"${principalId}"`;
  const known = earlier === undefined ? '' : `,"er":"${earlier.change.replicaId}","ep":"${earlier.change.patchId}","ea":"${earlier.principalId}"`;
  return `{${place},"j":${JSON.stringify(conflict)},${later}${known}}`;
}

interface Batch {
  readonly workspaces: ReadonlyMap<WorkspaceId, Moved>;
  readonly changes: readonly NewChange[];
  /** Of each change among those of its workspace in the batch, from 1. */
  readonly ordinals: readonly number[];
  readonly heads: readonly Head[];
  /** Records as JSON. */
  readonly conflicts: readonly string[];
  readonly snapshots: readonly string[];
}

function statementOf({ workspaces, changes, ordinals, heads, conflicts, snapshots }: Batch, committedAt: Date): Statement {
  const isCreation = ({ change }: NewChange): boolean => change.kind === 'CREATE';
  const rows = [
    list(ordinals),
    texts(changes.map(({ state }) => state.documentId)),
    list(changes.map(({ change }) => change.revision)),
    list(changes.map(({ change }) => change.kind)),
    texts(changes.map(({ state }) => collectionOf(state))),
    // Null for all is nothing to be read.
    changes.some(isCreation) ? texts(changes.map((change) => (isCreation(change) ? titleOf(change.state) : null))) : '{}',
    texts(changes.map(({ change }) => change.replicaId)),
    list(changes.map(({ change }) => change.counter)),
    texts(changes.map(({ change }) => change.patchId)),
    texts(changes.map(({ principalId }) => principalId)),
    list(changes.map(({ change }) => change.base)),
    `[${changes.map(({ text }) => text).join()}]`,
    changes.some(({ change }) => change.sent !== null) ? JSON.stringify(changes.map(({ change }) => change.sent)) : '[]',
    list(heads.map(({ ordinal }) => ordinal)),
    texts(heads.map(({ change }) => change.state.documentId)),
    texts(heads.map(({ change }) => collectionOf(change.state))),
    texts(heads.map(({ change }) => titleOf(change.state))),
    list(heads.map(({ change }) => change.change.revision)),
    list(heads.map(({ change }) => change.state.deleted)),
    `[${heads.map(({ text }) => text).join()}]`,
  ];
  const hasAside = conflicts.length > 0 || snapshots.length > 0;
  const aside = `{"x":[${conflicts.join()}],"s":[${snapshots.join()}]}`;
  const [first, ...others] = workspaces;
  if (first === undefined) throw new Error('invariant: a batch without changes is not appended');
  if (others.length === 0) {
    const [id, moved] = first;
    const values = [committedAt, 1, id, moved.changes, moved.epoch, moved.knownAt, ...rows];
    return hasAside ? { ...appendStatements.oneAside, values: [...values, aside] } : { ...appendStatements.one, values };
  }
  const moved = [...workspaces.values()];
  return {
    ...appendStatements.several,
    values: [
      committedAt,
      moved.length,
      texts([...workspaces.keys()]),
      list(moved.map((of) => of.changes)),
      list(moved.map(({ epoch }) => epoch)),
      list(moved.map(({ knownAt }) => knownAt)),
      ...rows,
      aside,
      texts(changes.map(({ state }) => state.workspaceId)),
      texts(heads.map(({ change }) => change.state.workspaceId)),
    ],
  };
}

const collectionOf = ({ facts }: DocumentState): string => factsOf(facts).collection;
const titleOf = ({ facts }: DocumentState): string => factsOf(facts).title;

function factsOf(facts: DocumentState['facts']): NonNullable<DocumentState['facts']> {
  if (facts === null) throw new Error('invariant: a document with a change has a collection and a title');
  return facts;
}
