/**
 * The Concord client: one replica of a workspace in an SQLite file, which works offline.
 *
 *     const replica = await openReplica({ url, token, database: 'notes.db' });
 *     const notes = replica.collection<{ text: string; done: boolean }>('notes');
 *     const { documentId } = notes.create({ text: 'Milk', done: false });
 *     notes.edit(documentId, (note) => { note.done = true; });
 *     notes.query({ where: [{ path: '/done', value: false }] }).subscribe((open) => render(open));
 *     await replica.settled();
 */
export { openReplica, Replica } from './replica.js';
export type { ReplicaOptions, ReplicaFilter, Timers } from './options.js';
export type { ReplicaStatus, StopReason } from './status.js';
export type { ConnectionState } from './connection.js';
export { Collection, type LiveQuery, type Query } from './collection.js';
export type { Where } from './condition.js';
export type { DeepReadonly, DocumentView } from './document-view.js';
export type { DraftFunction, Edited } from './edit.js';
export type { Unsubscribe } from './live.js';
export type { LocalConflict } from './store/conflicts.js';
export { rescueOutbox, type Rescued, type RescuedEdit } from './store/rescue.js';
export type { QuarantinedEdit } from './store/quarantine.js';
export type { Restoration } from './restoration.js';
export type { KeptDocument } from './kept-documents.js';
export type { KeptReason } from './store/kept.js';
export type { Replaced } from './replaced.js';
export type { PendingChange, Withdrawal } from './set-aside.js';
export { patchFromPaths } from './path-patch.js';
export { deleteText, increment, insertText } from './text.js';
export { ConcordError, type CollectionDefinition, type ErrorCode, type PathOperation } from '@concord/core';
// The typed operations of this package, for replica.client or any other GraphQL client.
export * from './generated/graphql.js';
export { graphql } from './generated/gql.js';
export type { UndoScope, Undone } from './undo-stack.js';
