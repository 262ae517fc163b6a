import { fail, ok, type Result } from './errors.js';
import type { JsonValue } from './json.js';
import { defaultLimits } from './limits.js';
import type { NormalPatch, Patch } from './operation.js';
import { PatchRun, type RunLimits } from './run-patch.js';

/**
 * The document after a patch, by the rules of RFC 6902 and of the extensions (docs/SEMANTICS.md), for both forms of a patch.
 *
 * Atomic and pure: the document given is never altered and shares every untouched part with the result; a patch that
 * fails changes nothing. Values of the patch become part of the result without being copied, so neither may be altered
 * later. Only own properties count: `constructor` and `toString` are data, `__proto__` is refused.
 *
 * Refuses with `PATH_NOT_FOUND`, `TYPE_MISMATCH`, `RANGE_INVALID`, `NUMBER_OVERFLOW`, `MOVE_INTO_SELF`, `TEST_FAILED`, and with
 * `LIMIT_EXCEEDED` where a value would lie too deep or copies add up to more than a document; `error.operation` and
 * `error.path` name the place. The values themselves are not validated: that is `parsePatch`.
 *
 * Cost: the containers on the way to each change (each copied once a patch) and the values of the patch; never the size of
 * the document. Consecutive text operations at one path cost no walk.
 */
export function apply(document: JsonValue, patch: Patch | NormalPatch, limits: RunLimits = defaultLimits): Result<JsonValue> {
  const run = new PatchRun(document, limits, undefined);
  for (let index = 0; index < patch.length; index++) {
    if (!run.step(patch[index]!)) return fail({ ...run.failure, operation: index });
  }
  return ok(run.finish());
}
