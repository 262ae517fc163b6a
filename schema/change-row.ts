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
  ...names: [] | [collection: string, title: string],
];

const notAnInput = (): never => {
  throw new GraphQLError('A ChangeRow is only read, never given.', { extensions: { code: 'INPUT_INVALID' } });
};

builder.scalarType('ChangeRow', {
  description:
    'A change in few bytes, for replicas: `[documentId, revision, position, kind, patch, patchId, counter, committedAt]` and with CREATE also `collection, title`; `committedAt` in milliseconds since 1970. Members as in `Change`. More may be added at the end.',
  serialize: (value) => value,
  parseValue: notAnInput,
  parseLiteral: notAnInput,
});

export function changeRow({ documentId, revision, position, kind, patch, patchId, counter, committedAt, collection, title }: ChangeRecord): ChangeRow {
  const at = committedAt.getTime();
  return kind === 'CREATE'
    ? [documentId, revision, position, kind, patch, patchId, counter, at, collection, title ?? '']
    : [documentId, revision, position, kind, patch, patchId, counter, at];
}
