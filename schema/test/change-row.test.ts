import { execute, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { Counter, Cursor, DocumentId, PatchId, Position, PrincipalId, ReplicaId, Revision, WorkspaceId } from '@concord/core';
import type { ChangeRow } from '../change-row.js';
import { schema, type ChangeRecord, type Context, type FeedEvent } from '../index.js';

const kinds = ['CREATE', 'PATCH', 'DELETE', 'RESTORE'] as const;

const changes = kinds.map(
  (kind, index): ChangeRecord => ({
    workspaceId: 'main' as WorkspaceId,
    position: (index + 7) as Position,
    documentId: 'note-1' as DocumentId,
    revision: (index + 1) as Revision,
    kind,
    collection: 'notes',
    title: kind === 'CREATE' ? 'First' : null,
    replicaId: '0'.repeat(32) as ReplicaId,
    counter: (index + 2) as Counter,
    patchId: `p-${index}` as PatchId,
    principalId: 'ada' as PrincipalId,
    patch: kind === 'CREATE' ? [{ op: 'add', path: '', value: { n: 1 } }] : kind === 'PATCH' ? [{ op: 'inc', path: '/n', value: 1 }] : [],
    committedAt: new Date(Date.UTC(2026, 10, 22, 10, 0, index, 125)),
  }),
);

const event: FeedEvent = { type: 'ChangeBatch', changes, left: [], cursor: '1.10' as Cursor, upToDate: true };
const viewer = { principalId: 'ada' as PrincipalId, name: 'Ada', credential: { tokenId: null, expiresAt: null }, memberships: new Map([['main' as WorkspaceId, { workspaceId: 'main' as WorkspaceId, name: 'Main', role: 'VIEWER' as const, isDefault: true }]]) };
const contextValue = { viewer, newId: () => 'id', ports: { feed: { pull: () => Promise.resolve(event) } } } as unknown as Context;

interface Named {
  readonly documentId: string;
  readonly revision: number;
  readonly position: number;
  readonly kind: string;
  readonly patch: unknown;
  readonly patchId: string;
  readonly counter: number;
  readonly committedAt: string;
  readonly collection: string;
  readonly title: string | null;
}

describe('The rows of a batch', () => {
  it('say what its changes say, by place, and names with a creation only', async () => {
    const document = parse('{ changes { ... on ChangeBatch { rows changes { documentId revision position kind patch patchId counter committedAt collection title } } } }');
    const { data, errors } = await execute({ schema, document, contextValue });
    expect(errors).toBeUndefined();
    const { changes: told } = data as unknown as { readonly changes: { readonly rows: readonly ChangeRow[]; readonly changes: readonly Named[] } };
    expect(told.rows).toHaveLength(kinds.length);
    expect(told.rows).toEqual(
      told.changes.map(({ documentId, revision, position, kind, patch, patchId, counter, committedAt, collection, title }) => [
        documentId, revision, position, kind, patch, patchId, counter, Date.parse(committedAt), ...(kind === 'CREATE' ? [collection, title] : []),
      ]),
    );
  });
});
