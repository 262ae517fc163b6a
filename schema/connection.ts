import type { ObjectRef } from '@pothos/core';
import { ConcordError } from '@concord/core';
import { builder } from './builder.js';
import type { Page } from './read-port.js';

const PageInfo = builder
  .objectRef<{ readonly hasNextPage: boolean; readonly startCursor: string | null; readonly endCursor: string | null }>('PageInfo')
  .implement({
    description: 'Where a page stands in the whole list.',
    fields: (t) => ({
      hasNextPage: t.exposeBoolean('hasNextPage', { description: 'True: ask again with `after: endCursor`.' }),
      hasPreviousPage: t.boolean({ description: 'Lists are read forwards only: always false.', resolve: () => false }),
      startCursor: t.exposeString('startCursor', { nullable: true, description: 'Cursor of the first row; null on an empty page.' }),
      endCursor: t.exposeString('endCursor', { nullable: true, description: 'Cursor of the last row; null on an empty page.' }),
    }),
  });

/** A Relay-style connection over rows of one type: `edges { cursor node }`, `nodes`, `pageInfo`. */
export function connectionOf<Row>(name: string, node: ObjectRef<typeof builder.$inferSchemaTypes, Row>, of: string) {
  const Edge = builder.objectRef<Page<Row>['rows'][number]>(`${name}Edge`).implement({
    description: `One of ${of}, with its cursor.`,
    fields: (t) => ({
      cursor: t.exposeString('key', { description: 'Give it as `after` to go on behind this row.' }),
      node: t.field({ type: node, description: 'The row.', resolve: ({ row }) => row as never }),
    }),
  });
  return builder.objectRef<Page<Row>>(`${name}Connection`).implement({
    description: `A page of ${of}.`,
    fields: (t) => ({
      edges: t.field({ type: [Edge], description: 'The rows with their cursors.', resolve: ({ rows }) => [...rows] }),
      nodes: t.field({ type: [node], description: 'The rows alone.', resolve: ({ rows }) => rows.map(({ row }) => row) as never }),
      pageInfo: t.field({
        type: PageInfo,
        description: 'Where this page stands.',
        resolve: ({ rows, hasNextPage }) => ({
          hasNextPage,
          startCursor: rows.at(0)?.key ?? null,
          endCursor: rows.at(-1)?.key ?? null,
        }),
      }),
    }),
  });
}

/** `first`, checked: 1 to `max`. */
export function pageSize(first: number | null | undefined, fallback: number, max: number): number {
  const size = first ?? fallback;
  if (size < 1 || size > max) {
    throw new ConcordError('INPUT_INVALID', `first must be 1 to ${max}, got ${size}.`, { path: '/first', limit: max, actual: size });
  }
  return size;
}
