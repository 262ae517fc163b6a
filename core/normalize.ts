import { fail, ok, type Result } from './errors.js';
import type { JsonValue } from './json.js';
import { defaultLimits } from './limits.js';
import type { NormalPatch, Operation, Patch } from './operation.js';
import { PatchRun, type RunLimits } from './run-patch.js';

/** A patch in normal form and the document it leads to. */
export interface Normalized {
  readonly patch: NormalPatch;
  readonly document: JsonValue;
}

/**
 * The normal form of a patch made on `document` (docs/SEMANTICS.md, normal form): segments typed, `-` a number, `add` told apart from
 * `insert` and `replace`, `copy` a literal, a move onto an existing key a removal and a move, a move onto a container of the
 * item (or onto the root) a replacement. What changes nothing by its form is left out: a move onto itself, an empty text, `inc`
 * by 0. `test` operations are evaluated here and kept at their place as guards.
 *
 * Applying the result gives what applying the patch gives; normalising a normal form gives the same again. The result may
 * have more operations than the patch, at most twice as many. Refuses as `apply` does, at the same cost.
 */
export function normalize(document: JsonValue, patch: Patch, limits: RunLimits = defaultLimits): Result<NormalPatch> {
  const normalized = normalizeAndApply(document, patch, limits);
  return normalized.ok ? ok(normalized.value.patch) : normalized;
}

/** `normalize` and `apply` in one pass, for callers that need both. */
export function normalizeAndApply(document: JsonValue, patch: Patch | NormalPatch, limits: RunLimits = defaultLimits): Result<Normalized> {
  const record: Operation[] = [];
  const run = new PatchRun(document, limits, record);
  for (let index = 0; index < patch.length; index++) {
    if (!run.step(patch[index]!)) return fail({ ...run.failure, operation: index });
  }
  return ok({ patch: record, document: run.finish() });
}
