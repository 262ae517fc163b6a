import type pg from 'pg';
import type { Logger } from 'pino';
import type { AuditAct } from '../audit.js';

/** Something that was denied. */
export interface Denial extends Omit<AuditAct, 'action' | 'detail'> {
  readonly action: AuditAct['action'] | 'PUSH';
  readonly documentId?: string;
  readonly patchId?: string | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

interface Kind {
  readonly first: Denial;
  rows: number;
  /** Beyond those that have rows of their own. */
  more: number;
  from: Date;
  until: Date;
}

/** Denials of one kind that have a row each within a minute; the others of the minute share one, with their number. */
const maxRowsOfAKind = 20;
/** Kinds of one principal that are told apart within a minute: who tries many workspaces has one row for the rest. */
const maxKindsOfAPrincipal = 20;
/** Rows that wait to be written; beyond it they are counted. */
const maxWaiting = 10_000;
const defaultWindowMs = 60_000;

/**
 * Writes denied acts and refused edits into the audit, behind the answer: they change nothing, so they are not worth a transaction of
 * the caller's. Equal ones of a principal are told one by one up to a number, then counted by the minute, so that a flood of them
 * fills neither the table nor the memory. Rows are only ever added, as the chain over the audit needs it.
 */
export class Denials {
  private kinds = new Map<string, Kind>();
  private kindsOf = new Map<string, number>();
  private waiting: object[] = [];
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private dropped = 0;

  constructor(
    private readonly db: Pick<pg.Pool, 'query'>,
    private readonly log: Logger,
    private readonly windowMs = defaultWindowMs,
  ) {}

  /** Resolves when it is written, or at once where it is only counted. Never rejects. */
  add(denial: Denial, at: Date): Promise<void> {
    this.timer ??= setTimeout(() => this.endWindow(), this.windowMs).unref();
    const kind = this.kindOf(denial, at);
    kind.until = at;
    if (kind.rows < maxRowsOfAKind) {
      kind.rows += 1;
      return this.enqueue(denial, at);
    }
    if (kind.more === 0) kind.from = at;
    kind.more += 1;
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.endWindow();
    await this.writing;
  }

  private kindOf(denial: Denial, at: Date): Kind {
    const principal = denial.principalId ?? '';
    const exact = `${principal} ${denial.action} ${denial.outcome} ${denial.workspaceId ?? ''}`;
    let kind = this.kinds.get(exact);
    if (kind !== undefined) return kind;
    const known = this.kindsOf.get(principal) ?? 0;
    const tells = known < maxKindsOfAPrincipal;
    const key = tells ? exact : `${principal} …`;
    kind = this.kinds.get(key);
    if (kind === undefined) {
      kind = { first: tells ? denial : { ...denial, workspaceId: null }, rows: tells ? 0 : maxRowsOfAKind, more: 0, from: at, until: at };
      this.kinds.set(key, kind);
      this.kindsOf.set(principal, known + 1);
    }
    return kind;
  }

  private endWindow(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const ended = this.kinds;
    this.kinds = new Map();
    this.kindsOf = new Map();
    for (const { first, more, from, until } of ended.values()) {
      if (more === 0) continue;
      const { workspaceId, principalId, action, outcome } = first;
      void this.enqueue({ workspaceId, principalId, action, outcome, detail: { count: more, from: from.toISOString(), until: until.toISOString() } }, until);
    }
  }

  private enqueue({ workspaceId, principalId, action, outcome, documentId, patchId, detail }: Denial, at: Date): Promise<void> {
    if (this.waiting.length >= maxWaiting) {
      this.dropped += 1;
      return Promise.resolve();
    }
    this.waiting.push({ w: workspaceId ?? '', t: at, a: principalId ?? '', k: action, d: documentId, i: patchId, o: outcome, j: detail });
    this.writing ??= this.write();
    return this.writing;
  }

  private async write(): Promise<void> {
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const rows = this.waiting.splice(0, 1000);
      try {
        await this.db.query({
          name: 'concord-audit-denials',
          // What names a workspace that does not exist concerns none: whoever makes up names fills no audit with them.
          text: `
INSERT INTO audit_entries (workspace_id, at, principal_id, action, document_id, patch_id, outcome, detail)
SELECT coalesce(workspaces.id, ''), t, a, k, d, i, o, j
FROM jsonb_to_recordset($1::jsonb) AS r(w text, t timestamptz, a text, k text, d text, i text, o text, j jsonb) LEFT JOIN workspaces ON workspaces.id = r.w`,
          values: [JSON.stringify(rows)],
        });
      } catch (error) {
        this.log.error({ err: error, rows: rows.length }, 'Denials could not be written into the audit.');
      }
    }
    if (this.dropped > 0) this.log.warn({ dropped: this.dropped }, 'More was denied than the audit could take.');
    this.dropped = 0;
    this.writing = undefined;
  }
}
