import { ConcordError, type Cursor, type Position } from '@concord/core';

/** What a cursor stands for. */
export interface Place {
  readonly epoch: number;
  readonly position: Position;
}

export const formatCursor = ({ epoch, position }: Place): Cursor => Buffer.from(`${epoch}.${position}`).toString('base64url') as Cursor;

/** @throws ConcordError CURSOR_INVALID for what `formatCursor` never made. */
export function parseCursor(cursor: Cursor): Place {
  const match = /^([1-9]\d{0,9})\.(0|[1-9]\d{0,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  const epoch = Number(match?.[1]);
  const position = Number(match?.[2]);
  if (match === null || !Number.isSafeInteger(position) || formatCursor({ epoch, position: position as Position }) !== cursor) {
    throw new ConcordError('CURSOR_INVALID', `${cursor} is not a cursor of this server; give one that a batch or a snapshot carried`);
  }
  return { epoch, position: position as Position };
}

export const cursorAhead = (cursor: Cursor): ConcordError =>
  new ConcordError('CURSOR_INVALID', `Cursor ${cursor} is ahead of the newest change of the workspace; it is of another workspace or server`);
