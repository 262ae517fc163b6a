import { formatPointer, type JsonObject, type JsonValue, type Path, type WireOperationJson } from '@concord/core';

export type Side = 'A' | 'B';

/** What one side does to one document while both are offline. */
export type PlannedEdit =
  | { readonly kind: 'patch'; readonly what: string; readonly operations: readonly WireOperationJson[] }
  | { readonly kind: 'delete'; readonly what: string };

interface Places {
  readonly arrays: Path[];
  readonly texts: Path[];
  readonly fields: Path[];
}

/**
 * Edits that collide on purpose, made from what the document really holds: both sides insert into the same slot of the
 * same array, type into the same text, set the same field, count the same counter; one moves what the other edits; now
 * and then one deletes the document under the other. `random` gives numbers in [0, 1).
 */
export function planEdits(value: JsonValue, side: Side, random: () => number): readonly PlannedEdit[] {
  const places: Places = { arrays: [], texts: [], fields: [] };
  collect(value, [], places);
  const edits: PlannedEdit[] = [{ kind: 'patch', what: 'count', operations: [{ op: 'inc', path: '/concordDemo/visits', value: side === 'A' ? 1 : 10 }] }];
  const patch = (what: string, operations: readonly WireOperationJson[]): void => void edits.push({ kind: 'patch', what, operations });

  const array = places.arrays[0];
  if (array) patch('array insert', [{ op: 'add', path: formatPointer([...array, 0]), value: `inserted by ${side}` }]);
  const text = places.texts[0];
  if (text) patch('text edit', side === 'A' ? [typed(text, 0, 'A writes: ')] : [typed(text, 3, '[B]')]);
  const field = places.fields[0];
  if (field) patch('field edit', [{ op: 'replace', path: formatPointer(field), value: `set by ${side}` }]);
  patch('notes', [{ op: 'add', path: '/concordDemo/notes/-', value: { by: side, text: 'offline' } }]);
  if (side === 'A') patch('move', [{ op: 'move', from: '/concordDemo/draft', path: '/concordDemo/final' }]);
  else patch('edit of what the other moves', [{ op: 'str_ins', path: '/concordDemo/draft/text', pos: 5, str: ' dear' }]);
  if (random() < 0.03) edits.push({ kind: 'delete', what: 'delete' });
  return edits;
}

/** What every shared document gets before the sides part, so that there is something to count and to move. */
export const sharedPart: readonly WireOperationJson[] = [
  { op: 'add', path: '/concordDemo', value: { visits: 0, notes: [], draft: { text: 'Hello reader' } } },
];

/** Documents that can take `sharedPart`: objects at the root. */
export const isShared = (value: JsonValue): boolean => typeof value === 'object' && value !== null && !Array.isArray(value) && !('concordDemo' in value);

const typed = (path: Path, pos: number, str: string): WireOperationJson => ({ op: 'str_ins', path: formatPointer(path), pos, str });

/** Only ASCII texts are typed into, so that an offset never splits a character. */
function collect(value: JsonValue, path: Path, places: Places): void {
  if (places.arrays.length > 3 || path.length > 6) return;
  if (typeof value === 'string') {
    if (value.length > 12 && /^[\x20-\x7e]+$/.test(value)) places.texts.push(path);
    else if (path.length > 0) places.fields.push(path);
  } else if (Array.isArray(value)) {
    places.arrays.push(path);
  } else if (typeof value === 'object' && value !== null) {
    // Sorted, because object keys have no order: both sides must pick the same places.
    for (const key of Object.keys(value).sort()) if (key !== 'concordDemo') collect((value as JsonObject)[key] as JsonValue, [...path, key], places);
  }
}
