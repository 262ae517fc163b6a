import { ConcordError, type PatchId, type WorkspaceId } from '@concord/core';
import type { Logger } from 'pino';
import type pg from 'pg';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { cannotWrite, failureKind, outageOf, unavailable, type FailureKind } from '../postgres/failure.js';
import type { DocumentKey } from './heads.js';
import { CommitConnection } from './connection.js';
import { FairQueue } from './fair-queue.js';
import { commit, deliver, refuseAsBug, refusedChains, WorkspaceGone, type CommitParts, type Push, type Task } from './commit.js';
import { noSuchWorkspace } from '../read/require-role.js';

/** Edits that one batch takes at most: beyond it a larger statement gains nothing and every push waits longer. */
const batchEdits = 300;
/** Edits that may wait before a push is turned away: several seconds of work. */
const waitingEdits = 50_000;
const attempts = 8;
/** Where the database has said that it cannot write: once more on another connection, which may lead to one that can. */
const attemptsWithoutWriting = 2;
/** After a lost race another node is at work on the same documents: for so long their batches lock first and do not race. */
const contestedMs = 250;

/**
 * Group commit: whatever waits while one statement runs goes into the next. There is no timer: a push that finds nothing
 * running starts at once, and under load batches grow by themselves.
 */
export class CommitLoop {
  private readonly queue = new FairQueue<{ readonly push: Push; readonly tasks: readonly Task[] }>();
  private waiting = 0;
  private running: Promise<void> | undefined;
  private closed = false;
  private readonly contested = new Map<DocumentKey, number>();
  private readonly connection: CommitConnection;
  /** The last batch was given up because the database is away: the next is tried once, so that no push waits for others to fail. */
  private away = false;

  constructor(
    pool: pg.Pool,
    private readonly parts: CommitParts,
    private readonly log: Logger,
    /** Called when a commit may have happened without this process knowing: the feed looks for itself. */
    private readonly ambiguous: () => void,
    private readonly batch: ((edits: number, milliseconds: number) => void) | undefined,
  ) {
    this.connection = new CommitConnection(pool);
  }

  /** @throws ConcordError UNAVAILABLE when too much waits, SHUTTING_DOWN. */
  enqueue(push: Push, tasks: readonly Task[]): void {
    if (this.closed) throw new ConcordError('SHUTTING_DOWN', 'The server is stopping; send the push again to another node or later');
    if (this.waiting > waitingEdits) {
      throw new ConcordError('UNAVAILABLE', `${this.waiting} edits are waiting to be committed; send the push again later`, { retryAfter: 1000 });
    }
    this.queue.add({ push, tasks });
    this.waiting += tasks.length;
    this.running ??= this.run();
  }

  /** Finishes what waits. Later pushes are refused. */
  async close(): Promise<void> {
    this.closed = true;
    await this.running;
  }

  private async run(): Promise<void> {
    // Pushes that arrive in the same turn of the event loop, on other sockets, share the first statement.
    await nextTurn();
    while (this.queue.length > 0) {
      const tasks: Task[] = [];
      while (this.queue.length > 0 && (tasks.length === 0 || tasks.length + this.queue.peek()!.tasks.length <= batchEdits)) {
        tasks.push(...this.queue.take()!.tasks);
      }
      this.waiting -= tasks.length;
      const startedAt = performance.now();
      await this.commitAll(tasks);
      this.batch?.(tasks.length, performance.now() - startedAt);
    }
    this.connection.release();
    this.running = undefined;
  }

  /** Every push of the batch is answered or rejected when this resolves. Never rejects. */
  private async commitAll(given: readonly Task[]): Promise<void> {
    const tasks = [...given];
    let locked = this.isContested(tasks);
    for (let attempt = 1; ; attempt++) {
      let open = undecided(tasks);
      if (open.length === 0) return;
      try {
        if (locked) await this.commitLocked(open, (more) => tasks.push(...more));
        else await commit(this.connection, open, this.parts, attempt === 1);
        this.away = false;
        return;
      } catch (error) {
        // With what has joined.
        open = undecided(tasks);
        // What was refused is decided anew together with the rest.
        for (const push of new Set(open.map((task) => task.push))) push.refused = refusedChains(tasks, push);
        const kind = failureKind(error);
        if (kind === 'race' && attempt < attempts) {
          // From now on under the locks of the workspaces: nobody else can move, so the next attempt holds.
          locked = true;
          this.markContested(open);
          continue;
        }
        if (kind === 'connection') {
          this.ambiguous();
          if (attempt < this.attemptsAfter(error)) {
            this.log.warn({ err: error, attempt, edits: open.length, patchIds: patchIdsOf(open) }, 'The database did not take a commit; trying again.');
            await delay(Math.min(25 * 2 ** attempt, 1000));
            continue;
          }
        }
        this.away = kind === 'connection';
        await this.giveUp(open, error, kind);
        return;
      }
    }
  }

  private attemptsAfter(error: unknown): number {
    if (this.away) return 1;
    return cannotWrite(outageOf(error)) ? attemptsWithoutWriting : attempts;
  }

  /** What waits first and is all of these workspaces. */
  private takeFor(workspaces: ReadonlySet<WorkspaceId>, most: number): readonly Task[] {
    const taken: Task[] = [];
    for (;;) {
      const next = this.queue.peek();
      if (next === undefined || !workspaces.has(next.push.workspaceId) || taken.length + next.tasks.length > most) break;
      this.queue.take();
      taken.push(...next.tasks);
    }
    this.waiting -= taken.length;
    return taken;
  }

  private isContested(tasks: readonly Task[]): boolean {
    if (this.contested.size === 0) return false;
    const now = performance.now();
    for (const [key, until] of this.contested) if (until < now) this.contested.delete(key);
    return tasks.some(({ key }) => this.contested.has(key));
  }

  private markContested(tasks: readonly Task[]): void {
    const until = performance.now() + contestedMs;
    for (const { key } of tasks) this.contested.set(key, until);
  }

  /**
   * The pessimistic way, for when another node commits to the same documents: lock, catch up with the other node, decide, append.
   * `joined` is told of what came while the locks were waited for and goes with it.
   */
  private async commitLocked(given: readonly Task[], joined: (more: readonly Task[]) => void): Promise<void> {
    const { connection } = this;
    const workspaces = new Set(given.map(({ push }) => push.workspaceId));
    const tasks = [...given];
    try {
      await connection.query({ text: 'BEGIN' });
      await connection.query({
        name: 'concord-lock-workspaces',
        text: 'SELECT id FROM workspaces WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE',
        values: [[...workspaces]],
      });
      const more = this.takeFor(workspaces, batchEdits - tasks.length);
      joined(more);
      tasks.push(...more);
      const held = heldBack(this.parts, tasks);
      const moved = await commit(connection, held.tasks, held.parts, false);
      await connection.query({ text: 'COMMIT' });
      if (moved) this.markContested(tasks);
      held.release();
    } catch (error) {
      // A connection that broke has ended its transaction; on another one this would be one of its own, which is nothing.
      if (failureKind(error) !== 'connection') await connection.query({ text: 'ROLLBACK' }).catch((failure: Error) => connection.drop(failure));
      for (const { key } of tasks) this.parts.heads.forget(key);
      throw error;
    }
  }

  /**
   * What cannot be committed must not take down what can (I6): the batch is tried again push by push, and a push document by
   * document. A single document of a larger push is refused then, a push of one document rejected.
   */
  private async giveUp(open: readonly Task[], error: unknown, kind: FailureKind): Promise<void> {
    const pushes = [...new Set(open.map(({ push }) => push))];
    const keys = [...new Set(open.map(({ key }) => key))];
    if (kind !== 'connection' && !(error instanceof WorkspaceGone && pushes.length === 1)) {
      if (pushes.length > 1) {
        for (const push of pushes) await this.commitAll(open.filter((task) => task.push === push));
        return;
      }
      if (keys.length > 1) {
        for (const key of keys) await this.commitAll(open.filter((task) => task.key === key));
        return;
      }
    }
    if (!(error instanceof WorkspaceGone)) this.log.error({ err: error, edits: open.length, documents: keys.slice(0, 10), patchIds: patchIdsOf(open) }, 'Edits were not committed.');
    for (const push of pushes) {
      const tasks = open.filter((task) => task.push === push);
      if (kind === 'other' && tasks.length < push.verdicts.length && !(error instanceof WorkspaceGone)) for (const task of tasks) refuseAsBug(task);
      else push.reject(rejection(error, kind, push));
    }
  }
}

/** A log line names so many patches at most; `edits` says how many there were. */
const maxLoggedPatches = 20;

/** By which a line of the log is found for a patch. An edit without a stamp has the id that its first attempt gave it. */
function patchIdsOf(tasks: readonly Task[]): readonly PatchId[] {
  return tasks.slice(0, maxLoggedPatches).flatMap(({ edit, push, index }) => edit.stamp?.patchId ?? push.attempts.get(index)?.patchId ?? []);
}

const undecided = (tasks: readonly Task[]): readonly Task[] => tasks.filter(({ push, index }) => push.verdicts[index] === undefined);

interface HeldBack {
  readonly tasks: readonly Task[];
  readonly parts: CommitParts;
  /** After the COMMIT: tells all of it. */
  release(): void;
}

/** Verdicts, publications and audits of a transaction, held back until its COMMIT. The tasks need not be all of their pushes. */
function heldBack(parts: CommitParts, tasks: readonly Task[]): HeldBack {
  const acts: (() => void)[] = [];
  const stands = new Map<Push, Push>();
  for (const { push } of tasks) {
    if (!stands.has(push)) stands.set(push, { ...push, verdicts: [...push.verdicts], refused: new Set(push.refused), answer: () => undefined });
  }
  return {
    tasks: tasks.map((task) => ({ ...task, push: stands.get(task.push)! })),
    parts: {
      ...parts,
      committed: (changes) => void acts.push(() => parts.committed(changes)),
      refused: (push, refusal, at) => void acts.push(() => parts.refused(push, refusal, at)),
    },
    release() {
      for (const act of acts) act();
      for (const task of tasks) {
        const verdict = stands.get(task.push)?.verdicts[task.index];
        if (verdict !== undefined) deliver(task, verdict);
      }
    },
  };
}

function rejection(error: unknown, kind: FailureKind, push: Push): Error {
  if (error instanceof WorkspaceGone) {
    return noSuchWorkspace(push.workspaceId);
  }
  if (kind === 'other') return error instanceof Error ? error : new Error(String(error));
  return unavailable(error);
}
