import { ConcordError, type Limits, type PatchId, type PrincipalId, type ReplicaId, type WorkspaceId } from '@concord/core';
import type { CommitPort, Edit, Refused, UnreadableEdit, Verdict, Viewer } from '@concord/schema';
import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Rights } from '../auth/rights.js';
import { requireRole } from '../read/require-role.js';
import type { Reach } from './load.js';
import { documentKey, type Heads } from './heads.js';
import { CommitLoop } from './group.js';
import type { Push, Task } from './commit.js';
import type { PublishedChange } from './verdict.js';
import { Denials } from '../audit/denials.js';

export interface CommitOptions {
  readonly pool: pg.Pool;
  /** For what is told of refusals: commits do not wait for it. */
  readonly auditPool: pg.Pool;
  readonly log: Logger;
  readonly limits: Limits;
  readonly rights: Rights;
  readonly heads: Heads;
  /** How far behind the head an edit's base may be; beyond it the answer is `CLOCK_STALE`. */
  readonly reach: Reach;
  /** Bytes of documents and of their logs that one batch reads at a time. */
  readonly loadBytes: number;
  readonly now: () => Date;
  readonly randomId: () => string;
  readonly committed: (changes: readonly PublishedChange[]) => void;
  readonly ambiguous: () => void;
  /** Told of each batch. */
  readonly batch: ((edits: number, milliseconds: number) => void) | undefined;
}

/** Two loops, each with the workspaces of its half: one can prepare while the other's statement runs. */
const loops = 2;

export interface Commit extends CommitPort {
  close(): Promise<void>;
}

export function createCommit(options: CommitOptions): Commit {
  const { pool, log, limits, rights, heads, reach, loadBytes } = options;
  const audit = new Denials(options.auditPool, log);
  const parts = {
    heads,
    limits,
    reach,
    loadBytes,
    now: options.now,
    newPatchId: () => options.randomId() as PatchId,
    committed: options.committed,
    refused: ({ workspaceId, viewer }: Push, { documentId, patchId, code, path, operation }: Refused, at: Date) =>
      void audit.add({ workspaceId, principalId: viewer.principalId, action: 'PUSH', documentId, patchId, outcome: code, detail: path === undefined ? null : { path, operation } }, at),
  };
  const shards = Array.from({ length: loops }, () => new CommitLoop(pool, parts, log, options.ambiguous, options.batch));
  const replicas = new ServerReplicas();

  return {
    async push(viewer: Viewer, workspaceId: WorkspaceId, edits: readonly (Edit | UnreadableEdit)[]): Promise<readonly Verdict[]> {
      await requireRole(rights, viewer, workspaceId, 'EDITOR').catch((error: unknown) => {
        if (error instanceof ConcordError) void audit.add({ workspaceId, principalId: viewer.principalId, action: 'PUSH', outcome: error.code, detail: { edits: edits.length } }, options.now());
        throw error;
      });
      if (edits.length > limits.pushPatches) {
        throw new ConcordError('LIMIT_EXCEEDED', `A push may have ${limits.pushPatches} edits, this one has ${edits.length}; send it in parts`, {
          limit: limits.pushPatches,
          actual: edits.length,
        });
      }
      if (edits.length === 0) return [];
      return new Promise((answer, reject) => {
        const push: Push = {
          viewer,
          workspaceId,
          serverReplica: replicas.of(viewer.principalId),
          verdicts: new Array<Verdict | undefined>(edits.length).fill(undefined),
          refused: new Set(),
          attempts: new Map(),
          missing: edits.length,
          answer,
          reject,
        };
        const tasks = edits.map((edit, index): Task => ({ push, index, edit, key: documentKey(workspaceId, edit.documentId) }));
        shards[shardOf(workspaceId)]!.enqueue(push, tasks);
      });
    },
    async close() {
      await Promise.all(shards.map((shard) => shard.close()));
      await audit.close();
    },
  };
}

function shardOf(workspaceId: WorkspaceId): number {
  let hash = 0;
  for (let index = 0; index < workspaceId.length; index++) hash = (hash * 31 + workspaceId.charCodeAt(index)) | 0;
  return Math.abs(hash) % loops;
}

/** The replica that edits without a clock are made by: the same for a principal on every node, and nobody's own. */
class ServerReplicas {
  private readonly known = new Map<PrincipalId, ReplicaId>();

  of(principalId: PrincipalId): ReplicaId {
    let replica = this.known.get(principalId);
    if (replica === undefined) {
      replica = createHash('sha256').update(`concord server replica\n${principalId}`).digest('hex').slice(0, 32) as ReplicaId;
      if (this.known.size > 10_000) this.known.clear();
      this.known.set(principalId, replica);
    }
    return replica;
  }
}
