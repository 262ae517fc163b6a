import type { PatchId, PrincipalId, ReplicaId, Revision } from '@concord/core';
import type { ConflictParty, ConflictRecord } from '@concord/schema';

/** Columns of `conflicts` that tell whose edits met, for a list of columns behind `alias`. */
export const partyColumns = (alias: string): string =>
  ['losing_replica_id', 'losing_patch_id', 'losing_author', 'winning_replica_id', 'winning_patch_id', 'winning_author'].map((column) => `${alias}.${column}`).join(', ') +
  `, ${alias}.revision::float8 AS revision`;

export interface PartyRow {
  readonly revision: number | null;
  readonly losing_replica_id: string | null;
  readonly losing_patch_id: string | null;
  readonly losing_author: string | null;
  readonly winning_replica_id: string | null;
  readonly winning_patch_id: string | null;
  readonly winning_author: string | null;
}

export const partiesOf = (row: PartyRow): Pick<ConflictRecord, 'laterRevision' | 'lostBy' | 'wonBy'> => ({
  laterRevision: row.revision as Revision | null,
  lostBy: partyOf(row.losing_replica_id, row.losing_patch_id, row.losing_author),
  wonBy: partyOf(row.winning_replica_id, row.winning_patch_id, row.winning_author),
});

const partyOf = (replicaId: string | null, patchId: string | null, author: string | null): ConflictParty | null =>
  replicaId === null || patchId === null || author === null ? null : { replicaId: replicaId as ReplicaId, patchId: patchId as PatchId, author: author as PrincipalId };
