import type { ErrorCode } from '@concord/core';
import type { ConnectionState } from './connection.js';

/** How a replica is doing. A new object after each change. */
export interface ReplicaStatus {
  readonly connection: ConnectionState;
  /** True: connected, and everything the server has told is here. */
  readonly upToDate: boolean;
  /** Edits made here that have not come back from the server. */
  readonly pending: number;
  /** Edits that the server refused for good; `quarantined()` lists them. */
  readonly quarantined: number;
  /** The last thing that went wrong, until the connection is live again; null: nothing. `UNAVAILABLE` is what being offline looks like. */
  readonly lastError: { readonly code: ErrorCode; readonly message: string } | null;
}
