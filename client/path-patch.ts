import { ConcordError, patchFromPaths as convert, type JsonValue, type PathOperation, type WirePatch } from '@concord/core';

/**
 * The patch that `edit` takes, from one that Immer, Mutative or just-diff made on the value `before`:
 *
 *     const [after, operations] = produceWithPatches(note.value, (draft) => { draft.done = true; });
 *     notes.edit(note.id, patchFromPaths(note.value, operations));
 *
 * Array paths become JSON pointers, an assigned `length` becomes removals, a member set to `undefined` is removed.
 * @throws ConcordError PATCH_MALFORMED, VALUE_INVALID, with `details.operation`; the values are checked by `edit`.
 */
export function patchFromPaths(before: unknown, operations: readonly PathOperation[]): WirePatch {
  const converted = convert(before as JsonValue, operations);
  if (!converted.ok) throw ConcordError.from(converted.error);
  return converted.value;
}
