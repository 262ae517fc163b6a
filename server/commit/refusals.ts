import type { PrincipalId, WorkspaceId } from '@concord/core';
import type { Refused } from '@concord/schema';
import type { Logger } from 'pino';
import type { Queryable } from '../postgres/queryable.js';

/** Refusals that wait to be written; more than this are dropped and counted, so that a flood of them costs no memory. */
const longest = 10_000;

/**
 * Writes refused edits into the audit, on their own and behind the reply: a refusal changes nothing, so it is not worth a
 * transaction of the caller's.
 */
export class RefusalAudit {
  private waiting: object[] = [];
  private dropped = 0;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly db: Queryable,
    private readonly log: Logger,
  ) {}

  add(workspaceId: WorkspaceId, principalId: PrincipalId, refusal: Refused, at: Date): void {
    if (this.waiting.length >= longest) {
      this.dropped += 1;
      return;
    }
    const { documentId, patchId, code, path, operation } = refusal;
    this.waiting.push({ w: workspaceId, t: at, a: principalId, d: documentId, i: patchId, o: code, j: path === undefined ? null : { path, operation } });
    this.writing ??= this.write();
  }

  async close(): Promise<void> {
    await this.writing;
  }

  private async write(): Promise<void> {
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const rows = this.waiting.splice(0, 1000);
      try {
        await this.db.query({
          name: 'concord-audit-refusals',
          text: `
INSERT INTO audit_entries (workspace_id, at, principal_id, action, document_id, patch_id, outcome, detail)
SELECT w, t, a, 'PUSH', d, i, o, j FROM jsonb_to_recordset($1::jsonb) AS r(w text, t timestamptz, a text, d text, i text, o text, j jsonb)`,
          values: [JSON.stringify(rows)],
        });
      } catch (error) {
        this.log.error({ err: error, rows: rows.length }, 'Refusals could not be written into the audit.');
      }
    }
    if (this.dropped > 0) this.log.warn({ dropped: this.dropped }, 'More edits were refused than the audit could take.');
    this.dropped = 0;
    this.writing = undefined;
  }
}
