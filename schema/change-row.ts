import { GraphQLError } from 'graphql';
import { builder } from './builder.js';
import type { ChangeRecord } from './read-port.js';

/** The scalar `ChangeRow`: a change by the places of its members. Its `committedAt` is in milliseconds since 1970. */
export type ChangeRow = readonly [
  documentId: ChangeRecord['documentId'],
  revision: ChangeRecord['revision'],
  position: ChangeRecord['position'],
  kind: ChangeRecord['kind'],
  patch: ChangeRecord['patch'],
  patchId: ChangeRecord['patchId'],
  counter: ChangeRecord['counter'],
  committedAt: number,
  ...rest: [] | [collection: string, title: string] | [collection: null, title: null, losers: NonNullable<ChangeRecord['losers']>],
];

const notAnInput = (): never => {
  throw new GraphQLError('A ChangeRow is only read, never given.', { extensions: { code: 'INPUT_INVALID' } });
};

builder.scalarType('ChangeRow', {
  description:
    'A change in few bytes, for replicas: `[documentId, revision, position, kind, patch, patchId, counter, committedAt]` and with CREATE also `collection, title`; `committedAt` in milliseconds since 1970. Where earlier changes lost something to it, `null, null` and `losers` follow. Members as in `Change`. More may be added at the end.',
  serialize: (value) => value,
  parseValue: notAnInput,
  parseLiteral: notAnInput,
});

export function changeRow({ documentId, revision, position, kind, patch, patchId, counter, committedAt, collection, title, losers }: ChangeRecord): ChangeRow {
  const at = committedAt.getTime();
  if (kind === 'CREATE') return [documentId, revision, position, kind, patch, patchId, counter, at, collection, title ?? ''];
  // Hardly any change has losers, and the others cost no byte for it.
  if (losers !== undefined) return [documentId, revision, position, kind, patch, patchId, counter, at, null, null, losers];
  return [documentId, revision, position, kind, patch, patchId, counter, at];
}
