import { formatPointer, matches } from '@concord/core';
import type { DocumentState } from './document-state.js';
import type { ConditionInput } from './generated/graphql.js';
import type { ReplicaFilter } from './options.js';

/** A filter as arguments of the GraphQL API. */
export function wireFilter({ collection, ids, where }: ReplicaFilter): {
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
export function inFilter({ collection, ids, where }: ReplicaFilter, state: DocumentState): boolean {
  if (collection !== undefined && state.collection !== collection) return false;
  if (ids !== undefined && !ids.includes(state.id)) return false;
  return where === undefined || where.every((condition) => matches(state.value, condition));
}
