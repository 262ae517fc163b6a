import { ConcordError, parseReplicaId, type Counter, type PatchId } from '@concord/core';
import { builder } from './builder.js';
import { ChangeConnection } from './change.js';
import { ConflictConnection } from './conflict.js';
import { connectionOf, pageSize } from './connection.js';
import type { DocumentRecord } from './read-port.js';
import { DocumentOrderInput, documentFilter, documentOrder, filterArguments } from './document-filter.js';
import { documentIdOf, viewerOf, workspaceArgument, workspaceOf } from './request.js';

const ClockEntry = builder.objectRef<{ readonly replicaId: string; readonly counter: Counter; readonly patchId: PatchId }>('ClockEntry').implement({
  description: 'One component of a vector clock.',
  fields: (t) => ({
    replicaId: t.exposeID('replicaId', { description: 'A replica.' }),
    counter: t.expose('counter', { type: 'Counter', description: 'How many of its edits on this document were committed.' }),
    patchId: t.exposeID('patchId', { description: 'Id of the newest of them: whoever resyncs sees by it whether an edit that was never acknowledged is in.' }),
  }),
});

const pageArguments = {
  first: 'How many rows, 1 to 1000.',
  after: 'Cursor of the row to go on behind; from the start when left out.',
} as const;

export const DocumentRef = builder.objectRef<DocumentRecord>('Document').implement({
  description: 'One JSON value with an id, a title and a collection.',
  fields: (t) => ({
    id: t.id({ description: 'Unique in the workspace.', resolve: ({ id }) => id }),
    collection: t.exposeString('collection', { description: 'The collection it was created in.' }),
    title: t.exposeString('title', { description: 'For people.' }),
    value: t.field({ type: 'JSON', nullable: true, description: 'The document itself; null is the JSON value null.', resolve: ({ value }) => value }),
    revision: t.field({ type: 'Revision', description: 'How many changes it has had.', resolve: ({ revision }) => revision }),
    position: t.field({ type: 'Position', description: 'Feed position of its newest change.', resolve: ({ position }) => position }),
    deleted: t.exposeBoolean('deleted', { description: 'True: a tombstone; `restoreDocument` brings it back.' }),
    createdAt: t.field({ type: 'DateTime', description: 'When it was created.', resolve: ({ createdAt }) => createdAt }),
    updatedAt: t.field({ type: 'DateTime', description: 'When it last changed.', resolve: ({ updatedAt }) => updatedAt }),
    clock: t.field({
      type: [ClockEntry],
      description: 'Its vector clock: what a patch made on this revision has in its past.',
      resolve: async ({ workspaceId, id }, _args, context) => {
        const { vector, patchIds } = await context.ports.read.clock(viewerOf(context), workspaceId, id);
        return [...vector].map(([replicaId, counter]) => ({ replicaId, counter, patchId: patchIds.get(replicaId)! }));
      },
    }),
    history: t.field({
      type: ChangeConnection,
      description: 'Its changes, newest first, as far back as they are kept.',
      args: {
        first: t.arg.int({ required: false, description: pageArguments.first }),
        after: t.arg.string({ required: false, description: pageArguments.after }),
      },
      resolve: ({ workspaceId, id }, args, context) =>
        context.ports.read.history(viewerOf(context), workspaceId, id, { first: pageSize(args.first, 20, 1000), after: args.after ?? null }),
    }),
    conflicts: t.field({
      type: ConflictConnection,
      description: 'What the merge dropped or weakened in it, newest first.',
      args: {
        first: t.arg.int({ required: false, description: pageArguments.first }),
        after: t.arg.string({ required: false, description: pageArguments.after }),
      },
      resolve: ({ workspaceId, id }, args, context) =>
        context.ports.read.conflicts(viewerOf(context), workspaceId, {
          documentId: id,
          first: pageSize(args.first, 20, 1000),
          after: args.after ?? null,
        }),
    }),
  }),
});

export const DocumentConnection = connectionOf('Document', DocumentRef, 'the documents');

builder.queryFields((t) => ({
  document: t.field({
    type: DocumentRef,
    nullable: true,
    description: 'One document; null when there is none with this id. A deleted one is returned with `deleted: true`.',
    args: {
      id: t.arg.id({ required: true, description: 'Id of the document.' }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, { id, workspaceId }, context) => {
      const viewer = viewerOf(context);
      return context.ports.read.document(viewer, workspaceOf(viewer, workspaceId), documentIdOf(id));
    },
  }),
  documents: t.field({
    type: DocumentConnection,
    description: 'Documents, filtered by collection, ids and conditions on their values, in the order asked for.',
    args: {
      ...filterArguments(t),
      orderBy: t.arg({ type: DocumentOrderInput, required: false, description: 'By id when left out. Ties are broken by id.' }),
      includeDeleted: t.arg.boolean({ required: false, description: 'Tombstones too. Default: false.' }),
      first: t.arg.int({ required: false, description: 'How many rows, 1 to 1000. Default: 50. A page also ends at about 4 MiB.' }),
      after: t.arg.string({ required: false, description: pageArguments.after }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, args, context) => {
      const viewer = viewerOf(context);
      return context.ports.read.documents(viewer, workspaceOf(viewer, args.workspaceId), {
        filter: documentFilter(args),
        order: documentOrder(args.orderBy),
        first: pageSize(args.first, 50, 1000),
        after: args.after ?? null,
        includeDeleted: args.includeDeleted ?? false,
      });
    },
  }),
  history: t.field({
    type: ChangeConnection,
    description: 'The changes of one document, newest first, as far back as they are kept (RETENTION_DAYS). Empty for an unknown document.',
    args: {
      documentId: t.arg.id({ required: true, description: 'Id of the document.' }),
      first: t.arg.int({ required: false, description: `${pageArguments.first} Default: 20.` }),
      after: t.arg.string({ required: false, description: pageArguments.after }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, args, context) => {
      const viewer = viewerOf(context);
      return context.ports.read.history(viewer, workspaceOf(viewer, args.workspaceId), documentIdOf(args.documentId), {
        first: pageSize(args.first, 20, 1000),
        after: args.after ?? null,
      });
    },
  }),
  losses: t.field({
    type: ConflictConnection,
    description: 'What edits of one replica lost to edits of others, oldest first: so the one who lost hears of it, too. Kept longer than changes.',
    args: {
      replicaId: t.arg.id({ required: true, description: 'The replica that lost.' }),
      since: t.arg({ type: 'Cursor', required: false, description: 'Only what changes after this cursor of the feed found. Left out, or of a history that was rewritten since: all.' }),
      first: t.arg.int({ required: false, description: `${pageArguments.first} Default: 100. A page also ends at about 4 MiB.` }),
      after: t.arg.string({ required: false, description: pageArguments.after }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, args, context) => {
      const viewer = viewerOf(context);
      const replicaId = parseReplicaId(args.replicaId);
      if (!replicaId.ok) throw ConcordError.from(replicaId.error);
      return context.ports.read.losses(viewer, workspaceOf(viewer, args.workspaceId), {
        replicaId: replicaId.value,
        since: args.since ?? null,
        first: pageSize(args.first, 100, 1000),
        after: args.after ?? null,
      });
    },
  }),
  conflicts: t.field({
    type: ConflictConnection,
    description: 'What the merge dropped or weakened, in the whole workspace or in one document, newest first.',
    args: {
      documentId: t.arg.id({ required: false, description: 'Only those of this document.' }),
      first: t.arg.int({ required: false, description: `${pageArguments.first} Default: 20.` }),
      after: t.arg.string({ required: false, description: pageArguments.after }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, args, context) => {
      const viewer = viewerOf(context);
      return context.ports.read.conflicts(viewer, workspaceOf(viewer, args.workspaceId), {
        documentId: args.documentId === null || args.documentId === undefined ? null : documentIdOf(args.documentId),
        first: pageSize(args.first, 20, 1000),
        after: args.after ?? null,
      });
    },
  }),
}));
