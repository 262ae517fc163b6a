import { hash } from 'node:crypto';
import { ConcordError, type Cursor, type PatchId, type Position } from '@concord/core';
import type { Resync } from '@concord/schema';

/** What a cursor stands for. */
export interface Place {
  readonly epoch: number;
  readonly position: Position;
  /** Id of the workspace's history. */
  readonly history: string;
  /** Of the change at the position. Null: there is none, or it is no longer known. */
  readonly patchId: PatchId | null;
}

/** What a cursor says of the place it was made at. */
export interface NamedPlace {
  readonly epoch: number;
  readonly position: Position;
  /** Digest of the history's id. Null: the cursor was made before cursors named a history. */
  readonly history: string | null;
  /** Digest of the patch id of the change at the position. Null: not known when it was made. */
  readonly change: string | null;
}

/** The newest place of a workspace, as a cursor is held against it. */
export type Head = Pick<Place, 'epoch' | 'history'> & { readonly head: Position };

const digest = (text: string): string => hash('sha256', text).slice(0, 16);

export const formatCursor = ({ epoch, position, history, patchId }: Place): Cursor =>
  cursorOf({ epoch, position, history: digest(history), change: patchId === null ? null : digest(patchId) });

export const cursorOf = ({ epoch, position, history, change }: NamedPlace): Cursor =>
  Buffer.from(history === null ? `${epoch}.${position}` : `${epoch}.${position}.${history}.${change ?? ''}`).toString('base64url') as Cursor;

/** @throws ConcordError CURSOR_INVALID for what `formatCursor` never made. */
export function parseCursor(cursor: Cursor): NamedPlace {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const match = /^([1-9]\d{0,9})\.(0|[1-9]\d{0,15})(?:\.([0-9a-f]{16})\.([0-9a-f]{16})?)?$/.exec(text);
  const epoch = Number(match?.[1]);
  const position = Number(match?.[2]);
  if (match === null || !Number.isSafeInteger(position) || Buffer.from(text).toString('base64url') !== cursor) {
    throw new ConcordError('CURSOR_INVALID', `${cursor} is not a cursor of this server; give one that a batch or a snapshot carried`);
  }
  return { epoch, position: position as Position, history: match[3] ?? null, change: match[4] ?? null };
}

/**
 * Why a cursor cannot be continued here; null: it can, as far as is known. `there` is the patch id at its position, null where that
 * was compacted away. A cursor that is ahead is of a history that this database does not hold: it is another one, or an older backup.
 */
export function mismatch(cursor: NamedPlace, { epoch, head, history }: Head, there: PatchId | null): Resync['reason'] | null {
  if (cursor.history === null) return 'CURSOR_EXPIRED';
  if (cursor.history !== digest(history) || cursor.epoch > epoch) return 'OTHER_HISTORY';
  if (cursor.epoch < epoch) return 'EPOCH_CHANGED';
  if (cursor.position > head) return 'OTHER_HISTORY';
  return there !== null && cursor.change !== null && cursor.change !== digest(there) ? 'OTHER_HISTORY' : null;
}

export const otherHistory = (): ConcordError =>
  new ConcordError(
    'OTHER_HISTORY',
    'The cursor stands on a change that this workspace never had: it is of another server or database, or this one was restored from an older backup. Keep what you hold; connect to the right server, or decide to take this history',
  );
