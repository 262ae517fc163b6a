import type { CommitPort, Context, Ports } from '@concord/schema';
import { ConcordError, type Limits } from '@concord/core';
import type { Authenticator, Session } from './auth/authenticate.js';
import type { RateLimit } from './rate-limit.js';

/** Makes the context of one GraphQL operation, which has been charged for. @throws ConcordError SHUTTING_DOWN. */
export type ContextOf = (session: Session | null) => Promise<Context>;

export function createContextOf(options: {
  readonly ports: Ports;
  readonly authenticator: Authenticator;
  readonly rateLimit: RateLimit;
  readonly randomId: () => string;
  readonly isStopping: () => boolean;
  readonly limits: Limits;
}): ContextOf {
  const { authenticator, rateLimit, randomId, isStopping, limits } = options;
  const commit: CommitPort = {
    async push(viewer, workspaceId, edits) {
      await rateLimit.edits(viewer.principalId, edits.length);
      return options.ports.commit.push(viewer, workspaceId, edits);
    },
  };
  const ports: Ports = { ...options.ports, commit };
  return async (session) => {
    if (isStopping()) throw new ConcordError('SHUTTING_DOWN', 'The server is stopping; connect again in a moment.', { retryAfter: 1_000 });
    return { viewer: session === null ? null : await authenticator.viewer(session), ports, newId: randomId, limits };
  };
}
