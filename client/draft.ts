import { ConcordError, diff, takeValue, type JsonValue, type NormalPatch } from '@concord/core';

/** A deep copy of a value that may be altered freely. */
export function cloneValue(value: JsonValue): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(cloneValue);
  const copy: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) copy[key] = cloneValue(member);
  return copy;
}

/**
 * The patch that a draft function means: it gets a deep copy of the value, alters it (or returns another value), and the
 * difference is the patch. Changes of texts become insertions and deletions; items of an array are told apart by `id`,
 * `_id` or `key`. A changed number is a replacement, because a draft cannot say that it counts: use `increment`.
 * @throws ConcordError VALUE_INVALID, LIMIT_EXCEEDED for what is not JSON.
 */
export function patchOfDraft(value: JsonValue, draft: (copy: never) => unknown): NormalPatch {
  const copy = cloneValue(value);
  const returned = draft(copy as never);
  if (returned instanceof Promise) {
    throw new ConcordError('INPUT_INVALID', 'A draft function must not be async: read what it needs first, then edit.');
  }
  const checked = takeValue(returned === undefined ? copy : returned);
  if (!checked.ok) throw ConcordError.from(checked.error);
  return diff(value, checked.value, { text: true });
}
