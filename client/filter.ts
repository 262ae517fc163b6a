import { formatPointer, matches, type Condition } from '@concord/core';
import { conditionsOf } from './condition.js';
import type { DocumentState } from './document-state.js';
import type { ConditionInput } from './generated/graphql.js';
import type { ReplicaFilter } from './options.js';

/** What of the workspace the replica holds, with its conditions checked. */
export interface HeldFilter {
  readonly collection?: string;
  readonly ids?: readonly string[];
  readonly where?: readonly Condition[];
}

/** A copy, which the app cannot alter. */
export const heldFilter = ({ collection, ids, where }: ReplicaFilter): HeldFilter => ({
  ...(collection === undefined ? {} : { collection }),
  ...(ids === undefined ? {} : { ids: [...ids] }),
  ...(where === undefined ? {} : { where: conditionsOf(where, '/filter/where') }),
});

/** A filter as arguments of the GraphQL API. */
export function wireFilter({ collection, ids, where }: HeldFilter): {
  readonly collection?: string;
  readonly ids?: readonly string[];
  readonly where?: readonly ConditionInput[];
} {
  return {
    ...(collection === undefined ? {} : { collection }),
    ...(ids === undefined ? {} : { ids }),
    ...(where === undefined
      ? {}
      : {
          where: where.map(({ path, operator, value }) => ({
            path: formatPointer(path),
            operator,
            ...(operator === 'EXISTS' || operator === 'ABSENT' ? {} : { value }),
          })),
        }),
  };
}

/** Whether the feed of a replica with this filter tells of the document as the app sees it. */
export function inFilter({ collection, ids, where }: HeldFilter, state: DocumentState): boolean {
  if (collection !== undefined && state.collection !== collection) return false;
  if (ids !== undefined && !ids.includes(state.id)) return false;
  return where === undefined || where.every((condition) => matches(state.value, condition));
}
