import { principalIdOf, documentIdOf, viewerOf, workspaceArgument, workspaceOf } from './request.js';
import type { AuditEntryRecord, AuditSealRecord } from './administration-port.js';
import { builder } from './builder.js';
import { connectionOf, pageSize } from './connection.js';

const AuditEntryRef = builder.objectRef<AuditEntryRecord>('AuditEntry').implement({
  description: 'Who did what, when, with which outcome.',
  fields: (t) => ({
    at: t.field({ type: 'DateTime', description: 'When.', resolve: ({ at }) => at }),
    principalId: t.id({ nullable: true, description: 'Who. Null: the command line, the retention, or nobody known.', resolve: ({ principalId }) => principalId }),
    action: t.exposeString('action', { description: 'What; docs/OPERATIONS.md lists the actions.' }),
    documentId: t.id({ nullable: true, description: 'The document of an edit.', resolve: ({ documentId }) => documentId }),
    patchId: t.id({ nullable: true, description: 'The edit.', resolve: ({ patchId }) => patchId }),
    position: t.field({ type: 'Position', nullable: true, description: 'Place of a committed edit in the feed.', resolve: ({ position }) => position }),
    outcome: t.exposeString('outcome', { description: '`OK`, or the code with which it was denied.' }),
    detail: t.field({ type: 'JSON', nullable: true, description: 'Ids and names. `count`: so many more of the same were denied between `from` and `until`.', resolve: ({ detail }) => detail }),
  }),
});

const AuditConnection = connectionOf('AuditEntry', AuditEntryRef, 'rows of the audit');

const AuditSealRef = builder.objectRef<AuditSealRecord>('AuditSeal').implement({
  description: 'The newest link of the chain over the audit. Keep its digest where nobody with access to the database can change it: `npm run audit -- verify --expect` compares.',
  fields: (t) => ({
    number: t.float({ description: 'From 1, one more each time.', resolve: ({ number }) => number }),
    at: t.field({ type: 'DateTime', description: 'When it was made.', resolve: ({ at }) => at }),
    position: t.field({ type: 'Position', description: 'It covers the log up to this position.', resolve: ({ position }) => position }),
    digest: t.exposeString('digest', { description: 'A SHA-256 that stands for everything sealed so far.' }),
  }),
});

const AuditFilterInput = builder.inputType('AuditFilter', {
  description: 'Which rows. All that is given must hold.',
  fields: (t) => ({
    action: t.string({ required: false, description: 'What was done: `PATCH`, `SET_ROLE`, say.' }),
    principalId: t.id({ required: false, description: 'Who did it.' }),
    documentId: t.id({ required: false, description: 'Edits of this document.' }),
    outcome: t.string({ required: false, description: '`OK`, or a code.' }),
    since: t.field({ type: 'DateTime', required: false, description: 'At this moment or later.' }),
    until: t.field({ type: 'DateTime', required: false, description: 'Before this moment.' }),
  }),
});

builder.queryFields((t) => ({
  audit: t.field({
    type: AuditConnection,
    description: 'The audit of a workspace, newest first: committed edits, denied ones, members, invitations and tokens. Only an owner may ask.',
    args: {
      filter: t.arg({ type: AuditFilterInput, required: false, description: 'Left out: everything.' }),
      first: t.arg.int({ required: false, description: 'How many rows, 1 to 1000. Default: 100.' }),
      after: t.arg.string({ required: false, description: 'Cursor of the row to go on behind; from the newest when left out.' }),
      workspaceId: t.arg.id({ required: false, description: workspaceArgument }),
    },
    resolve: (_root, { filter, first, after, workspaceId }, context) => {
      const viewer = viewerOf(context);
      const { action, principalId, documentId, outcome, since, until } = filter ?? {};
      return context.ports.administration.audit(viewer, workspaceOf(viewer, workspaceId), {
        filter: {
          ...(action == null ? {} : { action }),
          ...(principalId == null ? {} : { principalId: principalIdOf(principalId) }),
          ...(documentId == null ? {} : { documentId: documentIdOf(documentId) }),
          ...(outcome == null ? {} : { outcome }),
          ...(since == null ? {} : { since }),
          ...(until == null ? {} : { until }),
        },
        first: pageSize(first, 100, 1000),
        after: after ?? null,
      });
    },
  }),
  auditSeal: t.field({
    type: AuditSealRef,
    nullable: true,
    description: 'The newest seal of the audit of a workspace; null before the first. Only an owner may ask.',
    args: { workspaceId: t.arg.id({ required: false, description: workspaceArgument }) },
    resolve: (_root, { workspaceId }, context) => {
      const viewer = viewerOf(context);
      return context.ports.administration.auditSeal(viewer, workspaceOf(viewer, workspaceId));
    },
  }),
}));
