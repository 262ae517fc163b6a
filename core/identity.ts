import type { JsonObject, JsonValue } from './json.js';

/** What names a value, so that it is known again elsewhere or changed; undefined: it has no name. */
export type Identity = (item: JsonValue) => string | undefined;

/** By one member, where it is a text or a number. */
export const identityBy = (member: string): Identity => (item) => {
  if (item === null || typeof item !== 'object' || !Object.hasOwn(item, member)) return undefined;
  const name = (item as JsonObject)[member];
  return typeof name === 'string' || typeof name === 'number' ? `${typeof name} ${name}` : undefined;
};

/** Tried in this order. */
export const defaultIdentities: readonly Identity[] = ['id', '_id', 'key'].map(identityBy);

/** Whether both are named, by the same member, and otherwise: the one is then not the other changed, but another one in its place. */
export const isAnother = (before: JsonValue, after: JsonValue, identities: readonly Identity[]): boolean => {
  for (const identity of identities) {
    const name = identity(before);
    if (name === undefined) continue;
    const now = identity(after);
    if (now !== undefined) return now !== name;
  }
  return false;
};
