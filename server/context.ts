import type { CommitPort, Context, Ports } from '@concord/schema';
import { ConcordError, type Limits } from '@concord/core';
import type { Authenticator, Session } from './auth/authenticate.js';
import { openCall } from './read/call.js';
import type { RateLimit } from './rate-limit.js';
import { paced, type Turns } from './rate-limit/turns.js';

/** Makes the context of one GraphQL operation, which has been charged for. `left` is aborted when the caller has gone. @throws ConcordError SHUTTING_DOWN. */
export type ContextOf = (session: Session | null, left?: AbortSignal) => Promise<Context>;

export function createContextOf(options: {
  readonly ports: Ports;
  readonly authenticator: Authenticator;
  readonly rateLimit: RateLimit;
  readonly randomId: () => string;
  readonly isStopping: () => boolean;
  readonly limits: Limits;
  readonly turns: Turns;
}): ContextOf {
  const { authenticator, rateLimit, randomId, isStopping, limits, turns } = options;
  const commit: CommitPort = {
    async push(viewer, workspaceId, edits) {
      await rateLimit.edits(viewer.principalId, edits.length);
      return options.ports.commit.push(viewer, workspaceId, edits);
    },
  };
  const ports: Ports = { ...options.ports, commit };
  return async (session, left) => {
    if (isStopping()) throw new ConcordError('SHUTTING_DOWN', 'The server is stopping; connect again in a moment.', { retryAfter: 1_000 });
    const viewer = session === null ? null : await authenticator.viewer(session);
    if (viewer !== null) openCall(viewer, left);
    return { viewer, ports, newId: randomId, paced: () => paced(turns), limits };
  };
}
