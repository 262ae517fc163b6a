import type { Limits } from '@concord/core';

/** What was committed, or checked when it was made, is taken as it is: the server's limits may be other than ours, and a creation carries a whole document. */
export const unlimited: Limits = {
  documentBytes: Infinity,
  // The core stops at the depth that its recursion can bear.
  depth: Infinity,
  pointerBytes: Infinity,
  patchOperations: Infinity,
  patchBytes: Infinity,
  pushPatches: Infinity,
  pushBytes: Infinity,
};
