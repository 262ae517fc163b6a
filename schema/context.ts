import type { Limits } from '@concord/core';
import type { AdministrationPort } from './administration-port.js';
import type { CommitPort } from './commit-port.js';
import type { FeedPort } from './feed-port.js';
import type { ReadPort } from './read-port.js';
import type { Viewer } from './viewer.js';

/** What a resolver is given. The server implements the ports; the schema knows nothing else of it. */
export interface Context {
  /** Who is calling; null before authentication, when every field but `__schema` refuses with `UNAUTHENTICATED`. */
  readonly viewer: Viewer | null;
  readonly ports: Ports;
  /** A new random document id, for `createDocument` without one. */
  newId(): string;
  /** For work in a loop that may be long: each call returns undefined while it may go on, else what to wait for so that others have their turn. */
  paced(): () => Promise<void> | undefined;
  /** What documents and patches may measure on this server. */
  readonly limits: Limits;
}

export interface Ports {
  readonly commit: CommitPort;
  readonly read: ReadPort;
  readonly feed: FeedPort;
  readonly administration: AdministrationPort;
}
