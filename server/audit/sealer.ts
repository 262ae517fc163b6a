import type pg from 'pg';
import type { Logger } from 'pino';
import { sealWorkspace } from './seal.js';

/** Seals in the background what this node has written, and now and then what a node that died has left. */
export interface Sealer {
  /** Costs an entry in a set: call it with every commit. */
  readonly note: (workspaceId: string) => void;
  close(): Promise<void>;
}

const defaultEveryMs = 10_000;
/** Rounds between two looks over all workspaces: about an hour. */
const roundsBetweenSweeps = 360;
const pageWorkspaces = 1_000;
/** Rows of the audit that concern no workspace, failed logins say. */
const noWorkspace = '';

export function createSealer(options: { readonly pool: pg.Pool; readonly log: Logger; readonly now: () => Date; readonly everyMs?: number }): Sealer {
  const { pool, log, now, everyMs = defaultEveryMs } = options;
  const ending = new AbortController();
  let written = new Set<string>([noWorkspace]);
  let rounds = 0;
  let running: Promise<void> | undefined;

  async function seal(workspaceId: string): Promise<void> {
    try {
      await sealWorkspace(pool, workspaceId, now, { signal: ending.signal });
    } catch (error) {
      // Else every round would say so until somebody has looked; the sweep tries again.
      log.error({ err: error, workspaceId }, 'The audit of a workspace could not be sealed.');
    }
  }

  async function round(): Promise<void> {
    const these = written;
    written = new Set([noWorkspace]);
    for (const workspaceId of these) {
      if (ending.signal.aborted) return;
      await seal(workspaceId);
    }
    if (rounds++ % roundsBetweenSweeps !== 0) return;
    for (let after = ''; !ending.signal.aborted; ) {
      const page = await unsealed(pool, after);
      for (const workspaceId of page) if (!ending.signal.aborted) await seal((after = workspaceId));
      if (page.length < pageWorkspaces) return;
    }
  }

  const timer = setInterval(() => {
    running ??= round()
      .catch((error: unknown) => log.warn({ err: error }, 'The audit could not be sealed; it is tried again.'))
      .finally(() => (running = undefined));
  }, everyMs);
  timer.unref();

  return {
    note: (workspaceId) => void written.add(workspaceId),
    async close() {
      clearInterval(timer);
      ending.abort();
      await running;
    },
  };
}

/** Workspaces with changes or rows that no seal covers. */
async function unsealed(pool: pg.Pool, after: string): Promise<readonly string[]> {
  const { rows } = await pool.query<{ id: string }>({
    name: 'concord-unsealed',
    text: `
SELECT w.id FROM workspaces w
WHERE w.id > $1 AND (
  w.position > coalesce((SELECT s.to_position FROM audit_seals s WHERE s.workspace_id = w.id ORDER BY s.number DESC LIMIT 1), w.retained_from)
  OR EXISTS (SELECT 1 FROM audit_entries a WHERE a.workspace_id = w.id AND a.seal IS NULL)
) ORDER BY w.id LIMIT $2`,
    values: [after, pageWorkspaces],
  });
  return rows.map(({ id }) => id);
}
