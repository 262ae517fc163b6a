import type { JsonValue } from '../json.js';
import type { Operation, Path } from '../operation.js';
import { plainApply } from './plain-apply.js';

/** What `everyOperation` may put and which keys it may set. */
export interface World {
  readonly document: JsonValue;
  readonly keys: readonly string[];
  readonly values: readonly JsonValue[];
  /** Also every move marked as a restoring one. */
  readonly marked?: boolean;
}

/** Every single operation that is valid in a small document, out of a small stock of keys and values: no sampling. */
export const everyOperation = ({ document, keys, values, marked = false }: World): readonly Operation[] => {
  const operations: Operation[] = [];
  const { elements, slots } = everyPlace(document, keys);
  for (const path of slots) {
    for (const value of values) {
      operations.push(typeof path.at(-1) === 'number' ? { op: 'insert', path, value } : { op: 'add', path, value });
    }
  }
  for (const { path, value } of elements) {
    for (const to of values) operations.push({ op: 'replace', path, value: to });
    if (typeof value === 'number') operations.push({ op: 'inc', path, value: 1 }, { op: 'inc', path, value: 5 });
    if (typeof value === 'string') operations.push(...everyTextEdit(path, value));
    if (path.length === 0) continue;
    operations.push({ op: 'remove', path });
    for (const to of everyPlace(plainApply(document, [{ op: 'remove', path }]), keys).slots) {
      if (JSON.stringify(to) === JSON.stringify(path)) continue;
      operations.push({ op: 'move', from: path, path: to });
      if (marked) operations.push({ op: 'move', from: path, path: to, restoring: true });
    }
  }
  return operations;
};

const everyTextEdit = (path: Path, text: string): Operation[] => {
  const offsets = [0];
  for (const character of text) offsets.push((offsets.at(-1) as number) + character.length);
  return offsets.flatMap((pos) => [
    { op: 'str_ins' as const, path, pos, str: '+' },
    { op: 'str_ins' as const, path, pos, str: '😀' },
    { op: 'str_ins' as const, path, pos, str: '+', replacing: 'a' },
    { op: 'str_ins' as const, path, pos, str: '+', replacing: 'b' },
    ...offsets.filter((end) => end > pos).map((end) => ({ op: 'str_del' as const, path, pos, len: end - pos })),
  ]);
};

/** Every element, the root first, and every place where something could be put. */
export const everyPlace = (
  document: JsonValue,
  keys: readonly string[],
): { readonly elements: readonly { readonly path: Path; readonly value: JsonValue }[]; readonly slots: readonly Path[] } => {
  const elements: { path: Path; value: JsonValue }[] = [];
  const slots: Path[] = [];
  const visit = (path: Path, value: JsonValue): void => {
    elements.push({ path, value });
    if (Array.isArray(value)) {
      const array = value as readonly JsonValue[];
      array.forEach((item, index) => visit([...path, index], item));
      for (let slot = 0; slot <= array.length; slot++) slots.push([...path, slot]);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) visit([...path, key], item);
      for (const key of keys) if (!Object.hasOwn(value, key)) slots.push([...path, key]);
    }
  };
  visit([], document);
  return { elements, slots };
};
