import type { JsonValue } from '../json.js';
import type { NormalPatch, Operation, Path } from '../operation.js';

type Mutable = null | boolean | number | string | Mutable[] | { [key: string]: Mutable };

/**
 * The plainest apply there can be, for the laws of the transform: clones, mutates, and checks that every operation of
 * the normal form is valid where it stands (a key added is absent, an index is there, a text range lies inside). Written
 * apart from core/apply.ts on purpose, so that a fault in one cannot hide a fault of the transform.
 */
export const plainApply = (document: JsonValue, ...patches: readonly NormalPatch[]): JsonValue => {
  const root: { value: Mutable } = { value: structuredClone(document) as Mutable };
  for (const patch of patches) for (const operation of patch) step(root, operation);
  return root.value;
};

export class Misfit extends Error {}

const demand = (holds: boolean, operation: Operation, why: string): void => {
  if (!holds) throw new Misfit(`${why}: ${JSON.stringify(operation)}`);
};

const has = (container: object, key: string): boolean => Object.prototype.hasOwnProperty.call(container, key);

const child = (container: Mutable | undefined, segment: string | number, operation: Operation): Mutable => {
  if (Array.isArray(container)) {
    demand(typeof segment === 'number' && segment >= 0 && segment < container.length, operation, 'no such index');
    return container[segment as number] as Mutable;
  }
  demand(typeof container === 'object' && container !== null, operation, 'not a container');
  demand(typeof segment === 'string' && has(container as object, segment), operation, 'no such key');
  return (container as { [key: string]: Mutable })[segment as string] as Mutable;
};

const parentOf = (root: { value: Mutable }, path: Path, operation: Operation): Mutable => {
  let at: Mutable = root.value;
  for (const segment of path.slice(0, -1)) at = child(at, segment, operation);
  return at;
};

const put = (root: { value: Mutable }, path: Path, value: Mutable, operation: Operation): void => {
  const parent = parentOf(root, path, operation);
  const segment = path.at(-1);
  if (Array.isArray(parent)) {
    demand(typeof segment === 'number' && segment >= 0 && segment <= parent.length, operation, 'no such slot');
    parent.splice(segment as number, 0, value);
    return;
  }
  demand(typeof parent === 'object' && parent !== null && typeof segment === 'string', operation, 'no such place');
  demand(!has(parent as object, segment as string), operation, 'the key is taken');
  (parent as { [key: string]: Mutable })[segment as string] = value;
};

const take = (root: { value: Mutable }, path: Path, operation: Operation): Mutable => {
  const parent = parentOf(root, path, operation);
  const segment = path.at(-1);
  demand(segment !== undefined, operation, 'the root cannot be taken');
  const value = child(parent, segment as string | number, operation);
  if (Array.isArray(parent)) parent.splice(segment as number, 1);
  else delete (parent as { [key: string]: Mutable })[segment as string];
  return value;
};

const change = (
  root: { value: Mutable },
  path: Path,
  operation: Operation,
  to: (value: Mutable) => Mutable,
): void => {
  if (path.length === 0) {
    root.value = to(root.value);
    return;
  }
  const parent = parentOf(root, path, operation);
  const segment = path.at(-1) as string | number;
  const value = to(child(parent, segment, operation));
  if (Array.isArray(parent)) parent[segment as number] = value;
  else (parent as { [key: string]: Mutable })[segment as string] = value;
};

const splitsPair = (text: string, at: number): boolean =>
  at > 0 && at < text.length && /[\ud800-\udbff]/.test(text[at - 1] as string) && /[\udc00-\udfff]/.test(text[at] as string);

const step = (root: { value: Mutable }, operation: Operation): void => {
  switch (operation.op) {
    case 'add':
    case 'insert':
      demand(
        (operation.op === 'insert') === (typeof operation.path.at(-1) === 'number'),
        operation,
        'add is for keys, insert for slots',
      );
      put(root, operation.path, structuredClone(operation.value) as Mutable, operation);
      return;
    case 'replace':
      change(root, operation.path, operation, () => structuredClone(operation.value) as Mutable);
      return;
    case 'remove':
      take(root, operation.path, operation);
      return;
    case 'move':
      put(root, operation.path, take(root, operation.from, operation), operation);
      return;
    case 'inc':
      change(root, operation.path, operation, (value) => {
        demand(typeof value === 'number', operation, 'not a number');
        return (value as number) + operation.value;
      });
      return;
    case 'str_ins':
      change(root, operation.path, operation, (value) => {
        demand(typeof value === 'string', operation, 'not a string');
        const text = value as string;
        demand(operation.pos >= 0 && operation.pos <= text.length, operation, 'offset out of range');
        demand(!splitsPair(text, operation.pos), operation, 'splits a pair');
        return text.slice(0, operation.pos) + operation.str + text.slice(operation.pos);
      });
      return;
    case 'str_del':
      change(root, operation.path, operation, (value) => {
        demand(typeof value === 'string', operation, 'not a string');
        const text = value as string;
        const end = operation.pos + operation.len;
        demand(operation.pos >= 0 && operation.len >= 0 && end <= text.length, operation, 'range out of range');
        demand(!splitsPair(text, operation.pos) && !splitsPair(text, end), operation, 'splits a pair');
        return text.slice(0, operation.pos) + text.slice(end);
      });
      return;
    case 'test':
      change(root, operation.path, operation, (value) => value);
      return;
  }
};
