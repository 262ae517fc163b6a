import { builder } from './builder.js';
import { changeRow } from './change-row.js';
import { connectionOf } from './connection.js';
import type { ChangeBatch, FeedEvent, Resync } from './feed-port.js';
import type { ChangeRecord } from './read-port.js';

export const ChangeKindEnum = builder.enumType('ChangeKind', {
  description: 'What a change did.',
  values: {
    CREATE: { description: 'Created the document.' },
    PATCH: { description: 'Applied a patch.' },
    DELETE: { description: 'Made the document a tombstone.' },
    RESTORE: { description: 'Brought a tombstone back.' },
  } as const,
});

export const ChangeRef = builder.objectRef<ChangeRecord>('Change').implement({
  description: 'A patch after commit: it has its place in the document (revision) and in the workspace (position).',
  fields: (t) => ({
    documentId: t.id({ description: 'The document.', resolve: ({ documentId }) => documentId }),
    revision: t.field({ type: 'Revision', description: 'The document has this revision after the change.', resolve: ({ revision }) => revision }),
    position: t.field({ type: 'Position', description: 'Place in the feed.', resolve: ({ position }) => position }),
    kind: t.field({ type: ChangeKindEnum, description: 'What it did.', resolve: ({ kind }) => kind }),
    patch: t.field({
      type: 'JSON',
      description: 'As committed: RFC 6902 with `inc`, `str_ins`, `str_del`; apply it to the previous revision. CREATE: one `add` of the whole document; DELETE and RESTORE: empty.',
      resolve: ({ patch }) => patch as never,
    }),
    collection: t.exposeString('collection', { description: 'Collection of the document.' }),
    title: t.exposeString('title', { nullable: true, description: 'Title of the document, with CREATE only.' }),
    replicaId: t.id({ description: 'The replica that made it. Your own changes come back too: they are the acknowledgement.', resolve: ({ replicaId }) => replicaId }),
    counter: t.field({ type: 'Counter', description: 'Number of the edit among those of its replica on this document.', resolve: ({ counter }) => counter }),
    patchId: t.id({ description: 'Id given by the author; unchanged by rebasing.', resolve: ({ patchId }) => patchId }),
    author: t.id({ description: 'The principal.', resolve: ({ principalId }) => principalId }),
    committedAt: t.field({ type: 'DateTime', description: 'When it was committed.', resolve: ({ committedAt }) => committedAt }),
    losers: t.idList({ description: 'Replicas whose earlier changes lost something to this one: where yours is among them, ask `losses` before you store the batch. In the feed only.', resolve: ({ losers }) => [...(losers ?? [])] }),
  }),
});

export const ChangeConnection = connectionOf('Change', ChangeRef, 'the changes, newest first');

const ChangeBatchRef = builder.objectRef<ChangeBatch>('ChangeBatch').implement({
  description: 'Changes in order, without a hole since the cursor before.',
  fields: (t) => ({
    changes: t.field({ type: [ChangeRef], description: 'In order of position. Empty in a mere up-to-date mark, and where a filter has let nothing through so far: only `upToDate` tells that there is no more.', resolve: ({ changes }) => [...changes] }),
    rows: t.field({
      type: ['ChangeRow'],
      description: 'The same changes in less than half the bytes. Ask for one of the two.',
      resolve: ({ changes }) => changes.map(changeRow),
    }),
    left: t.idList({ description: 'Documents that no longer match the filter of this subscription: drop them.', resolve: ({ left }) => [...left] }),
    cursor: t.field({ type: 'Cursor', description: 'Stands after this batch. Store it together with the rows.', resolve: ({ cursor }) => cursor }),
    upToDate: t.exposeBoolean('upToDate', { description: 'True: nothing newer is known at this moment.' }),
  }),
});

const ResyncReasonEnum = builder.enumType('ResyncReason', {
  description: 'Why a cursor cannot be continued.',
  values: {
    EPOCH_CHANGED: { description: 'The history was rewritten (restored from a backup, or purged).' },
    OTHER_HISTORY: { description: 'The cursor stands on a change that this workspace never had: another server, another database, or an older backup. Do not drop what you hold; let a person decide.' },
    CURSOR_EXPIRED: { description: 'The changes after the cursor are no longer kept.' },
  } as const,
});

const ResyncRef = builder.objectRef<Resync>('Resync').implement({
  description: 'The cursor cannot be continued. Unless the reason is `OTHER_HISTORY`: read `snapshot`, rebase what is pending, then follow from its cursor.',
  fields: (t) => ({
    reason: t.field({ type: ResyncReasonEnum, description: 'Why.', resolve: ({ reason }) => reason }),
  }),
});

export const FeedEventUnion = builder.unionType('FeedEvent', {
  description: 'What a reader of the feed is told.',
  types: [ChangeBatchRef, ResyncRef],
  resolveType: (event: FeedEvent) => event.type,
});
