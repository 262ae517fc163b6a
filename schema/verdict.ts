import { retryable, type Counter } from '@concord/core';
import { builder } from './builder.js';
import { ConflictRef } from './conflict.js';
import type { Committed, Refused, Verdict } from './commit-port.js';
import { ErrorCodeEnum } from './edit.js';

export const CommittedRef = builder.objectRef<Committed>('Committed').implement({
  description: 'The edit is in the log, exactly once.',
  fields: (t) => ({
    documentId: t.id({ description: 'The document.', resolve: ({ documentId }) => documentId }),
    patchId: t.id({ description: 'The edit.', resolve: ({ patchId }) => patchId }),
    revision: t.field({ type: 'Revision', description: 'The document has this revision after it.', resolve: ({ revision }) => revision }),
    position: t.field({ type: 'Position', description: 'Its place in the feed.', resolve: ({ position }) => position }),
    duplicate: t.exposeBoolean('duplicate', { description: 'True: an earlier push had committed it already.' }),
    patch: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The patch as committed, where concurrent changes altered it. Null: as sent, or no longer kept.',
      resolve: ({ patch }) => patch as never,
    }),
    conflicts: t.field({ type: [ConflictRef], description: 'What the merge dropped or weakened, on either side.', resolve: ({ conflicts }) => [...conflicts] }),
  }),
});

export const RefusedRef = builder.objectRef<Refused>('Refused').implement({
  description: 'Nothing was written for this edit.',
  fields: (t) => ({
    documentId: t.id({ description: 'The document.', resolve: ({ documentId }) => documentId }),
    patchId: t.id({
      description: 'The edit; for one made without a stamp, an id that only this answer has.',
      resolve: ({ patchId }, _args, context) => patchId ?? context.newId(),
    }),
    code: t.field({ type: ErrorCodeEnum, description: 'Stable code; docs/ERRORS.md tells cause and cure.', resolve: ({ code }) => code }),
    message: t.exposeString('message', { description: 'What happened, where, and what to do.' }),
    retryable: t.boolean({ description: 'True: send the same edit again later. False: it will be refused again unchanged.', resolve: ({ code }) => retryable(code) }),
    path: t.string({ nullable: true, description: 'Where, as a JSON pointer.', resolve: ({ path }) => path ?? null }),
    operation: t.int({ nullable: true, description: 'Index of the operation in the patch.', resolve: ({ operation }) => operation ?? null }),
    limit: t.float({ nullable: true, description: 'The limit that was exceeded.', resolve: ({ limit }) => limit ?? null }),
    actual: t.float({ nullable: true, description: 'What it was instead.', resolve: ({ actual }) => actual ?? null }),
    expected: t.field({ type: 'Counter', nullable: true, description: 'With CLOCK_GAP: the counter the server expects next. With CLOCK_STALE: the same, when the counter of this edit was taken by a change that is no longer kept.', resolve: ({ expected }) => (expected ?? null) as Counter | null }),
    retryAfter: t.int({ nullable: true, description: 'With RATE_LIMITED: milliseconds to wait.', resolve: ({ retryAfter }) => retryAfter ?? null }),
  }),
});

export const VerdictUnion = builder.unionType('Verdict', {
  description: 'What became of one edit.',
  types: [CommittedRef, RefusedRef],
  resolveType: (verdict: Verdict) => verdict.type,
});
