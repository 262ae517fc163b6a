import type { Prisma } from './generated/prisma/client.js';

/** What is done about rights, beside edits. */
export type AuditAction =
  | 'LOGIN'
  | 'CREATE_TOKEN'
  | 'REVOKE_TOKEN'
  | 'SET_ROLE'
  | 'REMOVE_MEMBER'
  | 'LEAVE_WORKSPACE'
  | 'INVITE'
  | 'WITHDRAW_INVITATION'
  | 'ACCEPT_INVITATION'
  | 'CREATE_WORKSPACE'
  | 'CREATE_PRINCIPAL';

/** An act at the edges: who did what to the rights, with which outcome. Committed edits are audited by the log itself. */
export interface AuditAct {
  /** Null: the act concerns no workspace (a login, say). */
  readonly workspaceId: string | null;
  /** Null: nobody known (a failed login). */
  readonly principalId: string | null;
  readonly action: AuditAction;
  /** `OK` or an error code. */
  readonly outcome: string;
  /** Ids and names, never a secret. */
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}

/** The row of an act; give it to `auditEntry.create` in the transaction of the act. */
export const auditRow = (act: AuditAct, at: Date): Prisma.AuditEntryCreateInput => ({
  workspaceId: act.workspaceId ?? '',
  principalId: act.principalId ?? '',
  at,
  action: act.action,
  outcome: act.outcome,
  detail: { ...act.detail },
});
