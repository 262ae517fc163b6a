import { conflictRules, formatPointer, restoreLost, toWire, type ConflictRule } from '@concord/core';
import { builder } from './builder.js';
import type { ConflictBatch } from './feed-port.js';
import type { ConflictParty, ConflictRecord } from './read-port.js';
import { connectionOf } from './connection.js';

const LoserEnum = builder.enumType('ConflictLoser', {
  description: 'Which of two concurrent changes lost an operation.',
  values: {
    EARLIER: { value: 'earlier', description: 'The change with the lower revision lost.' },
    LATER: { value: 'later', description: 'The change with the higher revision lost.' },
  } as const,
});

const ConflictRuleEnum = builder.enumType('ConflictRule', {
  description: 'The rule of the merge that decided.',
  values: Object.fromEntries(Object.entries(conflictRules).map(([rule, description]) => [rule, { value: rule, description }])) as {
    [Rule in ConflictRule]: { value: Rule; description: string };
  },
});

const ConflictPartyRef = builder.objectRef<ConflictParty>('ConflictParty').implement({
  description: 'One of the two edits that met in a conflict.',
  fields: (t) => ({
    replicaId: t.exposeID('replicaId', { description: 'The replica that made it.' }),
    patchId: t.exposeID('patchId', { description: 'Its id.' }),
    author: t.exposeID('author', { description: 'The principal.' }),
  }),
});

const partyNote = 'Null in a verdict, and where the log no longer had the change when the conflict was found.';

export const ConflictRef = builder.objectRef<ConflictRecord>('Conflict').implement({
  description: 'An operation that the merge had to drop or weaken. Nothing is lost silently: the value is here and can be put back.',
  fields: (t) => ({
    documentId: t.id({ description: 'The document.', resolve: ({ documentId }) => documentId }),
    revision: t.field({
      type: 'Revision',
      nullable: true,
      description: 'Revision of the earlier of the two changes.',
      resolve: ({ againstRevision }) => againstRevision,
    }),
    position: t.field({ type: 'Position', description: 'Position of the later change, whose commit found the conflict.', resolve: ({ position }) => position }),
    ordinal: t.exposeInt('ordinal', { description: 'Number of the conflict within that change, from 0.' }),
    rule: t.field({ type: ConflictRuleEnum, description: 'The rule of the merge that decided.', resolve: ({ conflict }) => conflict.rule }),
    explanation: t.string({ description: 'The rule in words, to show to a person.', resolve: ({ conflict }) => conflictRules[conflict.rule] }),
    loser: t.field({ type: LoserEnum, description: 'Which change lost.', resolve: ({ conflict }) => conflict.loser }),
    path: t.field({ type: 'Pointer', description: 'Where the losing operation acted, as its patch told it.', resolve: ({ conflict }) => formatPointer(conflict.path) }),
    place: t.field({
      type: 'Pointer',
      nullable: true,
      description: 'The same place in the document that holds both changes; null when that place is gone.',
      resolve: ({ conflict }) => (conflict.place === undefined ? null : formatPointer(conflict.place)),
    }),
    restore: t.field({
      type: 'JSON',
      nullable: true,
      description: 'A patch that puts the lost value back, made for the revision right after the conflict; null when there is nothing or no place to put back.',
      resolve: ({ conflict }) => {
        const patch = restoreLost(conflict);
        return patch === undefined ? null : (toWire(patch));
      },
    }),
    lost: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The value that was lost; null also when the operation carried none (a removal, a move).',
      resolve: ({ conflict }) => conflict.lost ?? null,
    }),
    losing: t.field({ type: 'JSON', description: 'The operation that lost, RFC 6902.', resolve: ({ conflict }) => toWire([conflict.losing.op])[0] as never }),
    winning: t.field({ type: 'JSON', description: 'The operation that won, RFC 6902.', resolve: ({ conflict }) => toWire([conflict.winning.op])[0] as never }),
    laterRevision: t.field({ type: 'Revision', nullable: true, description: 'Revision of the later of the two changes.', resolve: ({ laterRevision }) => laterRevision }),
    lostBy: t.field({ type: ConflictPartyRef, nullable: true, description: `The edit that lost. ${partyNote}`, resolve: ({ lostBy }) => lostBy }),
    wonBy: t.field({ type: ConflictPartyRef, nullable: true, description: `The edit that won. ${partyNote}`, resolve: ({ wonBy }) => wonBy }),
    detail: t.field({ type: 'JSON', description: 'The conflict in the form in which an edit reports it.', resolve: ({ conflict }) => conflict as never }),
    createdAt: t.field({ type: 'DateTime', description: 'When the later change was committed.', resolve: ({ createdAt }) => createdAt }),
  }),
});

export const ConflictConnection = connectionOf('Conflict', ConflictRef, 'the conflicts');

export const ConflictBatchRef = builder.objectRef<ConflictBatch>('ConflictBatch').implement({
  description: 'Conflicts in the order of the changes that found them.',
  fields: (t) => ({
    conflicts: t.field({ type: [ConflictRef], description: 'Oldest first; empty in a batch that only says that you have them all.', resolve: ({ conflicts }) => [...conflicts] }),
    cursor: t.field({ type: 'Cursor', description: 'Stands after the last of them: give it as `after` to go on from here.', resolve: ({ cursor }) => cursor }),
    upToDate: t.exposeBoolean('upToDate', { description: 'True: at this moment no newer conflict is known.' }),
  }),
});
