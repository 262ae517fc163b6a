import type { JsonValue } from '@concord/core';

/** An edit as Concord's clients push it, as far as a change tells it again. */
export interface PushedEdit {
  readonly documentId: string;
  readonly patchId: string;
  readonly counter: number;
  readonly action: { readonly patch?: JsonValue };
}

/**
 * What the subscription of bench/concord-connection.ts gives for one change. Servers that keep no log tell the same of an edit, in
 * as many bytes: their revision of the document stands for the position.
 */
export function changeBatch(replicaId: string, { documentId, patchId, counter, action }: PushedEdit, revision: number): object {
  const change = { position: revision, documentId, revision, kind: 'PATCH', patch: action.patch, replicaId, counter, patchId };
  return { __typename: 'ChangeBatch', changes: [change], left: [], cursor: cursorAt(revision), upToDate: true };
}

/** Without changes: everything there is has come. */
export const upToDateMark = { __typename: 'ChangeBatch', changes: [], left: [], cursor: cursorAt(1), upToDate: true } as const;

function cursorAt(position: number): string {
  return Buffer.from(`1.${position}`).toString('base64url');
}

const position = Buffer.from('"position"');

/** How many changes a message of the feed has, without reading it: 500 subscribers share one driver. */
export function changesIn(message: Buffer): number {
  let count = 0;
  for (let at = message.indexOf(position); at >= 0; at = message.indexOf(position, at + position.length)) count++;
  return count;
}
