import { apply } from './apply.js';
import { fail, ok, type Failure, type Result } from './errors.js';
import type { JsonValue } from './json.js';
import { valueAtPointer } from './matches.js';
import type { WireOperationJson, WirePatch } from './operation.js';
import { parsePatch } from './parse.js';
import { formatPointer, parsePointer } from './pointer.js';

/** One step of a patch of Immer, Mutative or just-diff: RFC 6902, but for paths that are arrays of unescaped keys and indices. */
export interface PathOperation {
  readonly op: string;
  readonly path: string | readonly (string | number)[];
  readonly from?: string | readonly (string | number)[];
  readonly value?: unknown;
}

/**
 * The RFC 6902 patch that `operations`, made on the document `before`, stand for. Beside array paths, which become escaped pointers, it
 * reads what RFC 6902 does not have: a `replace` of the `length` of an array becomes the removals that shorten it, and a member set to
 * `undefined` is removed, because JSON has no such value. Everything else is passed on unchanged and unchecked: `parsePatch` checks it.
 *
 * Refuses with `PATCH_MALFORMED` (not a list of operations; an array made longer by its length), `VALUE_INVALID` (an item of an array
 * set to `undefined`), and with the codes of `parsePatch` and `apply` where a step before one of these does not fit the document;
 * `error.operation` is the index of the step where that was found. Cost: the size of the patch; the document is looked at only for a `length` or an `undefined`.
 */
export function patchFromPaths(before: JsonValue, operations: readonly PathOperation[]): Result<WirePatch> {
  if (!Array.isArray(operations)) return malformed('A patch is an array of operations');
  const conversion = new Conversion(before);
  for (const [index, operation] of (operations as readonly (PathOperation | null)[]).entries()) {
    const failure = isOperation(operation) ? conversion.add(operation) : malformed('An operation is an object with "op" and "path"').error;
    if (failure !== undefined) return fail({ ...failure, operation: index });
  }
  return ok(conversion.patch);
}

class Conversion {
  readonly patch: WireOperationJson[] = [];
  /** How many operations of `patch` the state has in it. */
  private applied = 0;

  constructor(private state: JsonValue) {}

  add(operation: PathOperation): Failure | undefined {
    const { op, value } = operation;
    const path = pointerOf(operation.path);
    const assigns = op === 'add' || op === 'replace';
    if (assigns && value === undefined) return this.unset(path, op);
    if (op === 'replace' && path.endsWith('/length') && typeof value === 'number') {
      const array = this.at(path.slice(0, -'/length'.length));
      if (!array.ok) return array.error;
      if (Array.isArray(array.value)) return this.shorten(path, array.value.length, value);
    }
    // Not looked at here: who applies the patch parses it.
    this.patch.push({ ...operation, path, ...(operation.from === undefined ? {} : { from: pointerOf(operation.from) }) } as WireOperationJson);
    return undefined;
  }

  /** JSON leaves a member that is undefined out. */
  private unset(path: string, op: 'add' | 'replace'): Failure | undefined {
    const parent = this.at(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
    if (!parent.ok) return parent.error;
    if (path === '' || Array.isArray(parent.value)) {
      return { code: 'VALUE_INVALID', message: `${path === '' ? 'The document' : 'An item of an array'} was set to undefined, which JSON does not have; set null, or remove it`, path };
    }
    const key = path.slice(path.lastIndexOf('/') + 1).replaceAll('~1', '/').replaceAll('~0', '~');
    if (op === 'replace' || (typeof parent.value === 'object' && parent.value !== null && Object.hasOwn(parent.value, key))) this.patch.push({ op: 'remove', path });
    return undefined;
  }

  private shorten(path: string, length: number, wanted: number): Failure | undefined {
    if (!Number.isSafeInteger(wanted) || wanted < 0 || wanted > length) {
      return { code: 'PATCH_MALFORMED', message: `The length of an array of ${length} items was set to ${wanted}; it can only be made shorter`, path };
    }
    const array = path.slice(0, -'/length'.length);
    for (let index = length - 1; index >= wanted; index--) this.patch.push({ op: 'remove', path: `${array}/${index}` });
    return undefined;
  }

  /** What is at a pointer after the operations so far. */
  private at(path: string): Result<JsonValue | undefined> {
    const parsed = parsePatch(this.patch.slice(this.applied));
    if (!parsed.ok) return parsed;
    const next = apply(this.state, parsed.value);
    if (!next.ok) return next;
    this.state = next.value;
    this.applied = this.patch.length;
    const pointer = parsePointer(path);
    if (!pointer.ok) return pointer;
    return ok(valueAtPointer(this.state, pointer.value));
  }
}

function pointerOf(path: string | readonly (string | number)[]): string {
  return typeof path === 'string' ? path : formatPointer(path);
}

function isOperation(operation: PathOperation | null): operation is PathOperation {
  if (typeof operation !== 'object' || operation === null || typeof operation.op !== 'string') return false;
  return isPath(operation.path) && (operation.from === undefined || isPath(operation.from));
}

function isPath(path: unknown): path is string | readonly (string | number)[] {
  return typeof path === 'string' || (Array.isArray(path) && path.every((segment) => typeof segment === 'string' || typeof segment === 'number'));
}

function malformed(message: string): { readonly ok: false; readonly error: Failure } {
  return { ok: false, error: { code: 'PATCH_MALFORMED', message } };
}
