import type { Counter, Cursor, JsonValue, Position, Revision } from '@concord/core';
import type { ChangeKind } from './generated/graphql.js';

/** The scalar `ChangeRow` of the schema: a change by the places of its members. */
export type ChangeRow = readonly [
  documentId: string,
  revision: Revision,
  position: Position,
  kind: ChangeKind,
  patch: JsonValue,
  patchId: string,
  counter: Counter,
  /** Milliseconds since 1970. */
  committedAt: number,
  collection?: string | null,
  title?: string | null,
  losers?: readonly string[],
];

/** A change as a replica takes it from the feed. */
export interface RemoteChange {
  readonly documentId: string;
  readonly revision: Revision;
  readonly position: Position;
  readonly kind: ChangeKind;
  readonly patch: JsonValue;
  readonly patchId: string;
  readonly counter: Counter;
  /** ISO 8601. */
  readonly committedAt: string;
  /** With CREATE only, else empty. */
  readonly collection: string;
  readonly title: string;
  /** Replicas whose earlier changes lost something to it; mostly there are none. */
  readonly losers?: readonly string[];
}

/** Changes in order of position, and the cursor that stands after them. */
export interface RemoteBatch {
  readonly changes: readonly RemoteChange[];
  readonly left: readonly string[];
  readonly cursor: Cursor;
}

export const changeOf = ([documentId, revision, position, kind, patch, patchId, counter, committedAt, collection, title, losers = []]: ChangeRow): RemoteChange => ({
  documentId,
  revision,
  position,
  kind,
  patch,
  patchId,
  counter,
  committedAt: new Date(committedAt).toISOString(),
  collection: collection ?? '',
  title: title ?? '',
  losers,
});
