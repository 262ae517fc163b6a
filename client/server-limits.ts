import { defaultLimits, type Limits } from '@concord/core';

/** What was committed, or checked when it was made, is taken as it is: the server's limits may be other than ours, and a creation carries a whole document. */
export const serverLimits: Limits = {
  ...defaultLimits,
  patchOperations: Infinity,
  patchBytes: Infinity,
  documentBytes: Infinity,
  depth: 100_000,
};
