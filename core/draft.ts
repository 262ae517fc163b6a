import type { ErrorCode, Failure } from './errors.js';
import { deepFreeze } from './freeze.js';
import type { JsonValue } from './json.js';
import type { Path, Pointer } from './operation.js';
import { formatPointer } from './pointer.js';

export type MutableArray = JsonValue[];
export interface MutableObject {
  [key: string]: JsonValue;
}
export type MutableContainer = MutableArray | MutableObject;

/** Past this many owned containers a linear search costs more than a Set. */
const fewOwned = 12;

/**
 * A document being changed by one patch, copy-on-write: every container on the way to a change is copied once, then
 * changed in place, everything else stays shared with the document before. Dropping the draft undoes everything, which is
 * what makes a patch atomic.
 *
 * Invariant: a container that is owned (copied by this draft, so that nobody else holds it) has only owned ancestors.
 * Whoever lets a value out of the draft (a copy, a literal in a recorded patch) must call `share` on it first.
 *
 * Of a frozen document it makes a frozen one. It knows which containers are new, so that this costs no look at the others.
 *
 * Methods that can fail return undefined and leave `failure`.
 */
export class Draft {
  failure: Failure | undefined;
  /**
   * The path of the last `open` or `read` with array indices as numbers; undefined if the path given was already so.
   * The last segment of a path given to `open` is the caller's to resolve and is still as given.
   */
  typed: (string | number)[] | undefined;
  private few: object[] = [];
  private many: Set<object> | undefined;
  /** What was copied, also where it is no longer owned; undefined: the document is not frozen. */
  private readonly unfrozen: object[] | undefined;

  constructor(public root: JsonValue) {
    this.unfrozen = root !== null && typeof root === 'object' && Object.isFrozen(root) ? [] : undefined;
  }

  /** Takes in a value that nobody holds but the patch: it becomes part of the document as it is. */
  adopt(value: JsonValue): JsonValue {
    return this.unfrozen === undefined ? value : deepFreeze(value);
  }

  /** The document after all changes. The draft must not be changed any more. */
  finish(): JsonValue {
    if (this.unfrozen !== undefined) for (const container of this.unfrozen) Object.freeze(container);
    return this.root;
  }

  /** The container that holds (or will hold) the last segment of `path`, owned and so free to be changed. `path` is not empty. */
  open(path: Path | Pointer): MutableContainer | undefined {
    this.typed = undefined;
    let node = this.root;
    if (node === null || typeof node !== 'object') return this.notContainer(path, 0);
    if (!this.owns(node)) this.root = node = this.own(node);
    const last = path.length - 1;
    for (let depth = 0; depth < last; depth++) {
      const segment = path[depth]!;
      let child: JsonValue;
      if (Array.isArray(node)) {
        const array = node as MutableArray;
        const index = this.index(segment, path, depth);
        if (index < 0) return this.noIndex(segment, path, depth);
        if (index >= array.length) return this.outOfRange(path, depth, array.length - 1);
        child = array[index]!;
        if (child === null || typeof child !== 'object') return this.notContainer(path, depth + 1);
        if (!this.owns(child)) array[index] = child = this.own(child);
      } else {
        const object = node as MutableObject;
        if (!this.hasKey(object, segment, path, depth)) return undefined;
        child = object[segment]!;
        if (child === null || typeof child !== 'object') return this.notContainer(path, depth + 1);
        if (!this.owns(child)) object[segment] = child = this.own(child);
      }
      node = child;
    }
    return node as MutableContainer;
  }

  /** The value at `path`, without owning anything. */
  read(path: Path | Pointer): JsonValue | undefined {
    this.typed = undefined;
    let node = this.root;
    for (let depth = 0; depth < path.length; depth++) {
      const segment = path[depth]!;
      if (node === null || typeof node !== 'object') return this.notContainer(path, depth);
      if (Array.isArray(node)) {
        const array = node as MutableArray;
        const index = this.index(segment, path, depth);
        if (index < 0) return this.noIndex(segment, path, depth);
        if (index >= array.length) return this.outOfRange(path, depth, array.length - 1);
        node = array[index]!;
      } else {
        const object = node as MutableObject;
        if (!this.hasKey(object, segment, path, depth)) return undefined;
        node = object[segment]!;
      }
    }
    return node;
  }

  /** The last segment of `path` if it names something in `parent`: the index of an array or the key of an object. */
  keyOf(parent: MutableContainer, path: Path | Pointer): string | number | undefined {
    const last = path.length - 1;
    const segment = path[last]!;
    if (Array.isArray(parent)) {
      const index = this.index(segment, path, last);
      if (index < 0) return this.noIndex(segment, path, last);
      if (index >= parent.length) return this.outOfRange(path, last, parent.length - 1);
      return index;
    }
    return this.hasKey(parent, segment, path, last) ? segment : undefined;
  }

  /** Whether `key` is an own key of the object; if not, the draft has failed. Narrows the segment to a string. */
  hasKey(object: MutableObject, segment: string | number, path: Path | Pointer, depth: number): segment is string {
    if (typeof segment === 'string' && segment !== '__proto__' && Object.hasOwn(object, segment)) return true;
    if (this.mayBeKey(segment, path, depth)) {
      this.refuse('PATH_NOT_FOUND', `There is no key ${quoted(segment)} in the ${depth === 0 ? 'document' : `object at "${pointerText(path, depth)}"`}; add it first`, path, depth + 1);
    }
    return false;
  }

  /** Whether the segment can name a key of an object at all; if not, the draft has failed. */
  mayBeKey(segment: string | number, path: Path | Pointer, depth: number): segment is string {
    if (typeof segment === 'number') {
      this.refuse('TYPE_MISMATCH', `The path has index ${segment} where the document has an object`, path, depth);
      return false;
    }
    if (segment === '__proto__') {
      this.refuse('VALUE_INVALID', 'The key __proto__ is refused; rename it', path, depth + 1);
      return false;
    }
    return true;
  }

  /**
   * The index that a segment names: a number as it is, a token if it is decimal without leading zeros. -1 if it names
   * none. Remembers in `typed` that the token was an index.
   */
  index(segment: string | number, path: Path | Pointer, depth: number): number {
    if (typeof segment === 'number') return Number.isSafeInteger(segment) ? segment : -1;
    const index = parseIndex(segment);
    if (index >= 0) this.setTyped(path, depth, index);
    return index;
  }

  setTyped(path: Path | Pointer, depth: number, index: number): void {
    this.typed ??= path.slice();
    this.typed[depth] = index;
  }

  /** Makes a value that will also be held outside of the draft safe from later changes in place. */
  share(value: JsonValue): void {
    if (value === null || typeof value !== 'object' || !this.owns(value)) return;
    // Its owned descendants are not known one by one; owning nothing any more is always right and costs some copies.
    this.few = [];
    this.many = undefined;
  }

  refuse(code: ErrorCode, message: string, path: Path | Pointer, end = path.length): undefined {
    this.failure = { code, message, path: pointerText(path, end) };
    return undefined;
  }

  noIndex(segment: string | number, path: Path | Pointer, depth: number): undefined {
    const where = `of the array at "${pointerText(path, depth)}"`;
    if (segment === '-') return this.refuse('RANGE_INVALID', `"-" is the end ${where}; only add, move and copy may write there`, path, depth + 1);
    if (/^[-+]?[0-9]/.test(String(segment))) {
      return this.refuse('RANGE_INVALID', `${quoted(segment)} is not an index ${where}: write a decimal number without sign or leading zeros`, path, depth + 1);
    }
    return this.refuse('TYPE_MISMATCH', `${quoted(segment)} is not an index ${where}; keys are for objects`, path, depth + 1);
  }

  /** `highest` is -1 where no index is allowed. */
  outOfRange(path: Path | Pointer, depth: number, highest: number): undefined {
    const allowed = highest < 0 ? 'it is empty' : `the highest is ${highest}`;
    return this.refuse('RANGE_INVALID', `Index ${String(path[depth])} is outside of the array at "${pointerText(path, depth)}": ${allowed}`, path, depth + 1);
  }

  private notContainer(path: Path | Pointer, depth: number): undefined {
    return this.refuse(
      'PATH_NOT_FOUND',
      `The value at "${pointerText(path, depth)}" is neither object nor array, so it holds no ${quoted(path[depth]!)}`,
      path,
      depth + 1,
    );
  }

  private owns(container: object): boolean {
    if (this.many !== undefined) return this.many.has(container);
    const few = this.few;
    for (let index = few.length - 1; index >= 0; index--) {
      if (few[index] === container) return true;
    }
    return false;
  }

  private own(container: object): MutableContainer {
    // Not `slice`: of a frozen array it copies item by item, some 80 times slower.
    const copy = Array.isArray(container) ? [...(container as MutableArray)] : { ...(container as MutableObject) };
    this.unfrozen?.push(copy);
    if (this.many !== undefined) this.many.add(copy);
    else if (this.few.push(copy) > fewOwned) this.many = new Set(this.few);
    return copy;
  }
}

/** Decimal without sign or leading zeros; -1 for anything else. Indices too long to be safe integers come out as Infinity. */
export function parseIndex(token: string): number {
  const first = token.charCodeAt(0);
  if (token.length === 1) return first >= 0x30 && first <= 0x39 ? first - 0x30 : -1;
  if (!(first >= 0x31 && first <= 0x39)) return -1;
  let index = first - 0x30;
  for (let at = 1; at < token.length; at++) {
    const digit = token.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    index = index * 10 + digit;
  }
  return index > Number.MAX_SAFE_INTEGER ? Infinity : index;
}

/** For messages: a pointer that a person can read to its end. */
function pointerText(path: Path | Pointer, end: number): string {
  const text = formatPointer(path.slice(0, Math.min(end, 130)));
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function quoted(segment: string | number): string {
  if (typeof segment === 'number') return String(segment);
  return JSON.stringify(segment.length > 40 ? `${segment.slice(0, 40)}…` : segment);
}
