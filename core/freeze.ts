/**
 * Freezes a value with everything in it, and returns it. A frozen container is taken for frozen all through, so that a value that
 * shares its parts with one that was frozen before costs only what is new in it. Only for values that nobody else made and still
 * holds: what comes from a caller is copied first (`takeValue`).
 */
export function deepFreeze<T>(value: T): T {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value;
  Object.freeze(value);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) deepFreeze(value[index] as unknown);
  } else {
    for (const key of Object.keys(value)) deepFreeze((value as Record<string, unknown>)[key]);
  }
  return value;
}
