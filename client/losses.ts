import { parseConflict, restoreLost, type Conflict, type DocumentId, type PatchId } from '@concord/core';
import type { LossesAt } from './advance.js';
import type { RemoteChange } from './change-row.js';
import type { LossesQuery } from './generated/graphql.js';
import type { FoundConflict } from './store/conflicts.js';
import { unlimited } from './unlimited.js';

type Page = LossesQuery['losses'];

/** Reads a page of the losses of this replica since its stored cursor, behind a row of an earlier page. */
export type AskLosses = (after: string | null) => Promise<Page>;

/**
 * What edits made here lost to later edits of others, which only the server knows. The feed names the replicas that lost something to a
 * change; a replica that finds itself named asks before it stores the batch, so that the cursor never passes a loss. One read serves
 * as many batches as it covers.
 */
export class Losses {
  /** By position of the change that won: read, and not yet stored. */
  private known = new Map<number, readonly FoundConflict[]>();

  async of(changes: readonly RemoteChange[], replicaId: string, ask: AskLosses): Promise<LossesAt> {
    const mine = changes.filter(({ losers }) => losers?.includes(replicaId));
    const last = mine.at(-1);
    if (last === undefined) return new Map();
    if (!mine.every(({ position }) => this.known.has(position))) this.known = await read(ask, last.position);
    const told = new Map(mine.map(({ position }) => [position, this.known.get(position) ?? []]));
    for (const { position } of mine) this.known.delete(position);
    return told;
  }
}

/** All of them, for a resync. */
export async function readLosses(ask: AskLosses): Promise<readonly FoundConflict[]> {
  return [...(await read(ask, Infinity, true)).values()].flat();
}

async function read(ask: AskLosses, upTo: number, later = false): Promise<Map<number, readonly FoundConflict[]>> {
  const known = new Map<number, FoundConflict[]>();
  for (let after: string | null = null; ; ) {
    const { nodes, pageInfo }: Page = await ask(after);
    for (const node of nodes) {
      // What the later edit lost, its author has found while rebasing.
      if (node.loser === 'LATER' && !later) continue;
      known.set(node.position, [...(known.get(node.position) ?? []), foundOf(node)].flatMap((loss) => loss ?? []));
    }
    const last = nodes.at(-1);
    after = pageInfo.endCursor ?? null;
    if (!pageInfo.hasNextPage || last === undefined || after === null) return known;
    if (last.position > upTo) {
      // The page may have cut through them.
      known.delete(last.position);
      return known;
    }
  }
}

function foundOf({ documentId, revision, laterRevision, loser, detail, createdAt, lostBy, wonBy }: Page['nodes'][number]): FoundConflict | undefined {
  const parsed = parseConflict(detail, unlimited);
  if (!parsed.ok || lostBy === null) return undefined;
  const conflict: Conflict = parsed.value;
  const mineIsEarlier = loser === 'EARLIER';
  return {
    documentId: documentId as DocumentId,
    revision: (mineIsEarlier ? laterRevision : revision),
    patchId: lostBy.patchId as PatchId,
    side: mineIsEarlier ? 'earlier' : 'later',
    otherPatchId: (wonBy?.patchId as PatchId | undefined) ?? null,
    author: wonBy?.author ?? null,
    conflict,
    restore: restoreLost(conflict) ?? null,
    committedAt: createdAt,
  };
}
