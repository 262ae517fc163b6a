import { builder } from './builder.js';
import { FeedEventUnion } from './change.js';
import { ConflictBatchRef } from './conflict.js';
import { pageSize } from './connection.js';
import type { SnapshotPage } from './feed-port.js';
import type { DocumentRecord } from './read-port.js';
import { DocumentRef } from './document.js';
import { documentFilter, filterArguments } from './document-filter.js';
import { documentIdOf, viewerOf, workspaceArgument, workspaceOf } from './request.js';

const SnapshotPageRef = builder.objectRef<SnapshotPage>('SnapshotPage').implement({
  description: 'A page of the living documents, for a replica that starts or resyncs.',
  fields: (t) => ({
    documents: t.field({ type: [DocumentRef], description: 'By id.', resolve: ({ documents }) => [...documents] }),
    cursor: t.field({ type: 'Cursor', description: 'Taken before the first page and the same on every page: follow the feed from it after the last.', resolve: ({ cursor }) => cursor }),
    epoch: t.exposeInt('epoch', { description: 'Epoch of the history: give it in the clock of every edit made on these documents.' }),
    history: t.exposeID('history', { description: 'Id of that history. Keep it with the documents: another one later means another server, or another database.' }),
    next: t.exposeString('next', { nullable: true, description: 'Give it as `after` for the next page; null on the last.' }),
  }),
});

builder.queryFields((t) => ({
  changes: t.field({
    type: FeedEventUnion,
    description: 'One page of the feed, for pulling without a subscription.',
    args: {
      after: t.arg({ type: 'Cursor', required: false, description: 'Exclusive. Left out: from the start of the log, or a `Resync` once changes were compacted away.' }),
      first: t.arg.int({ required: false, description: 'How many changes at most, 1 to 1000. Default: 500.' }),
      ...filterArguments(t),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, args, context) => {
      const viewer = viewerOf(context);
      return context.ports.feed.pull(viewer, workspaceOf(viewer, args.workspaceId), {
        after: args.after ?? null,
        first: pageSize(args.first, 500, 1000),
        filter: documentFilter(args),
      });
    },
  }),
  snapshot: t.field({
    type: SnapshotPageRef,
    description: 'The living documents, a page at a time, with the cursor to follow the feed from.',
    args: {
      after: t.arg.string({ required: false, description: '`next` of the page before.' }),
      first: t.arg.int({ required: false, description: 'How many documents, 1 to 5000. Default: 1000. A page also ends at about 4 MiB.' }),
      ...filterArguments(t),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, args, context) => {
      const viewer = viewerOf(context);
      return context.ports.feed.snapshot(viewer, workspaceOf(viewer, args.workspaceId), {
        after: args.after ?? null,
        first: pageSize(args.first, 1000, 5000),
        filter: documentFilter(args),
      });
    },
  }),
}));

builder.subscriptionFields((t) => ({
  changes: t.field({
    type: FeedEventUnion,
    description: 'The feed: every change after the cursor, once, in order, then each new one as it is committed. Your own changes come too.',
    args: {
      after: t.arg({ type: 'Cursor', required: false, description: 'Exclusive. Left out: only what comes from now on.' }),
      ...filterArguments(t),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    subscribe: (_root, args, context) => {
      const viewer = viewerOf(context);
      return context.ports.feed.follow(viewer, workspaceOf(viewer, args.workspaceId), { after: args.after ?? null, filter: documentFilter(args) });
    },
    resolve: (event) => event,
  }),
  conflicts: t.field({
    type: ConflictBatchRef,
    description: 'Every conflict after the cursor, once, in order, then each new one as it is committed. Conflicts are kept longer than changes: the cursor does not expire.',
    args: {
      documentId: t.arg.id({ required: false, description: 'Of this document only.' }),
      after: t.arg({ type: 'Cursor', required: false, description: 'Exclusive; of a batch of conflicts or of the feed. Left out: only what comes from now on.' }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    subscribe: (_root, args, context) => {
      const viewer = viewerOf(context);
      const documentId = args.documentId == null ? null : documentIdOf(args.documentId);
      return context.ports.feed.conflicts(viewer, workspaceOf(viewer, args.workspaceId), { documentId, after: args.after ?? null });
    },
    resolve: (batch) => batch,
  }),
  document: t.field({
    type: DocumentRef,
    nullable: true,
    description: 'One document now, then again after each of its changes; null while there is none with this id.',
    args: {
      id: t.arg.id({ required: true, description: 'Id of the document.' }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    subscribe: (_root, args, context) => {
      const viewer = viewerOf(context);
      return context.ports.feed.watch(viewer, workspaceOf(viewer, args.workspaceId), documentIdOf(args.id));
    },
    resolve: (document: DocumentRecord | null) => document,
  }),
}));
