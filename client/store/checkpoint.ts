import type { Database } from 'better-sqlite3';
import { ConcordError, parseWorkspaceId, type Cursor, type ReplicaId, type WorkspaceId } from '@concord/core';

/** What a replica knows of itself and of the server: few single values, each read once and then held. */
export interface Meta {
  readonly replicaId: ReplicaId;
  /** Id of the history that the documents are of. Null until the server has told it. */
  readonly historyId: string | null;
  /** Whose file it is. Null until the server has told it. */
  readonly principalId: string | null;
  /** The history that the app has decided to take, until its snapshot is here; null: none. */
  readonly taking: string | null;
  /** Null until the server has told it, unless it was given. */
  readonly workspaceId: WorkspaceId | null;
  readonly epoch: number;
  /** The feed up to here is in `documents`. Null: the first sync has not been finished. */
  readonly checkpoint: Cursor | null;
  /** What was lost to changes after this cursor is still to be asked for: they came by a resync. Null: nothing is. */
  readonly lossesSince: Cursor | null;
  /** What of the workspace this replica holds, as canonical JSON. */
  readonly filter: string;
  /** Number of the newest snapshot; rows of an older one that it did not touch are gone from the server. */
  readonly round: number;
}

const defaults: Omit<Meta, 'replicaId'> = { historyId: null, principalId: null, taking: null, workspaceId: null, epoch: 1, checkpoint: null, lossesSince: null, filter: '{}', round: 0 };

export class Checkpoint {
  private current: Meta;
  private readonly put;

  /** `newReplicaId` is asked when the file is new. */
  constructor(database: Database, newReplicaId: () => ReplicaId) {
    this.put = database.prepare<[string, string]>('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
    const rows = database.prepare<[], { key: string; value: string }>('SELECT key, value FROM meta').all();
    const stored = Object.fromEntries(rows.map(({ key, value }) => [key, JSON.parse(value) as unknown])) as Partial<Meta>;
    this.current = { ...defaults, ...stored, replicaId: stored.replicaId ?? newReplicaId() };
    if (stored.replicaId === undefined) this.put.run('replicaId', JSON.stringify(this.current.replicaId));
  }

  get(): Meta {
    return this.current;
  }

  /** Within the caller's transaction. Undo by `restore` when that fails. */
  set(values: Partial<Meta>): void {
    for (const [key, value] of Object.entries(values)) this.put.run(key, JSON.stringify(value));
    this.current = { ...this.current, ...values };
  }

  /** Within the caller's transaction: the file is nobody's any more, and of no history. */
  clear(replicaId: ReplicaId, workspaceId: WorkspaceId | null): void {
    const { filter, round } = this.current;
    this.set({ ...defaults, filter, round, replicaId, workspaceId });
  }

  /** Within the caller's transaction: the file is of this workspace from now on. @throws ConcordError INPUT_INVALID where it is of another, or this is no id. */
  bindWorkspace(given: string): void {
    const parsed = parseWorkspaceId(given);
    if (!parsed.ok) throw ConcordError.from(parsed.error);
    const { workspaceId } = this.current;
    if (workspaceId === parsed.value) return;
    if (workspaceId !== null) {
      throw new ConcordError('INPUT_INVALID', `The file holds the workspace ${workspaceId}, not ${given}. Give each workspace a file of its own.`);
    }
    this.set({ workspaceId: parsed.value });
  }

  restore(before: Meta): void {
    this.current = before;
  }
}
