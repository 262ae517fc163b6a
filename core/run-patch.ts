import { Draft, type MutableContainer, type MutableObject } from './draft.js';
import type { Failure } from './errors.js';
import type { JsonValue } from './json.js';
import type { Limits } from './limits.js';
import type { Operation, Path, Pointer, WireOperation } from './operation.js';
import { TextRun } from './text-run.js';
import { splitsPair } from './text.js';
import { depthOf, equalValues, jsonBytes } from './value.js';

export type RunLimits = Pick<Limits, 'depth' | 'documentBytes'>;

/** Below this length slicing a text is cheaper than keeping it in chunks. */
const shortText = 2048;

/**
 * Runs operations on a draft, one after the other, and records each in normal form if asked to. The one interpreter
 * behind `apply` and `normalize`, so that both always agree. It reads both forms of a patch: a token against an array is an
 * index, a number against an object is refused.
 *
 * `step` returns false when it refuses; the run is then over and `failure` tells why (without the operation's index).
 */
export class PatchRun {
  private readonly draft: Draft;
  private refusal: Failure | undefined;
  /** Where the last text operation was, so that the next one on the same text need not walk there again. */
  private text: { path: Path | Pointer; typed: Path; parent: MutableObject; key: string | number; chunks: TextRun | undefined } | undefined;
  /** Serialised bytes that copies have added: what bounds a patch that doubles a value again and again. */
  private copiedBytes = 0;

  constructor(
    document: JsonValue,
    private readonly limits: RunLimits,
    private readonly record: Operation[] | undefined,
  ) {
    this.draft = new Draft(document);
  }

  get failure(): Failure {
    const failure = this.refusal ?? this.draft.failure;
    if (failure === undefined) throw new Error('invariant: failure of a run that did not fail');
    return failure;
  }

  /** The document after all steps. */
  finish(): JsonValue {
    this.flushText();
    return this.draft.root;
  }

  step(operation: WireOperation | Operation): boolean {
    if (operation.op === 'str_ins' || operation.op === 'str_del') return this.editText(operation);
    if (this.text !== undefined) this.flushText();
    switch (operation.op) {
      case 'add':
      case 'insert':
        return this.depthAllowed(operation.value, operation.path) && this.add(operation);
      case 'replace':
        return this.depthAllowed(operation.value, operation.path) && this.replace(operation);
      case 'remove':
        return this.remove(operation);
      case 'move':
        return this.move(operation);
      case 'copy':
        return this.copy(operation);
      case 'test':
        return this.test(operation);
      case 'inc':
        return this.increment(operation);
    }
  }

  private add(operation: { readonly op: 'add' | 'insert'; readonly path: Path | Pointer; readonly value: JsonValue }): boolean {
    const { path, value } = operation;
    if (path.length === 0) {
      this.draft.root = value;
      this.record?.push({ op: 'replace', path: [], value });
      return true;
    }
    const placed = this.place(path, value);
    if (placed === undefined) return false;
    if (operation.op === 'insert' && placed !== 'insert') {
      return this.fail('TYPE_MISMATCH', 'insert needs an array to insert into', path);
    }
    this.record?.push({ op: placed, path: this.typedPath(path), value });
    return true;
  }

  /** Puts a value where RFC 6902 `add` would; says which operation of the normal form that was. `path` is not empty. */
  private place(path: Path | Pointer, value: JsonValue): 'add' | 'insert' | 'replace' | undefined {
    const draft = this.draft;
    const parent = draft.open(path);
    if (parent === undefined) return undefined;
    const last = path.length - 1;
    const segment = path[last]!;
    if (Array.isArray(parent)) {
      const array = parent;
      let slot: number;
      if (segment === '-') {
        slot = array.length;
        draft.setTyped(path, last, slot);
      } else {
        slot = draft.index(segment, path, last);
        if (slot < 0) return draft.noIndex(segment, path, last);
        if (slot > array.length) return draft.outOfRange(path, last, array.length);
      }
      if (slot === array.length) array.push(value);
      else array.splice(slot, 0, value);
      return 'insert';
    }
    if (!draft.mayBeKey(segment, path, last)) return undefined;
    const object = parent;
    const existed = Object.hasOwn(object, segment);
    object[segment] = value;
    return existed ? 'replace' : 'add';
  }

  private replace(operation: { readonly op: 'replace'; readonly path: Path | Pointer; readonly value: JsonValue }): boolean {
    const { path, value } = operation;
    if (path.length === 0) this.draft.root = value;
    else {
      const parent = this.draft.open(path);
      if (parent === undefined) return false;
      const key = this.existing(parent, path);
      if (key === undefined) return false;
      (parent as MutableObject)[key] = value;
    }
    this.record?.push({ op: 'replace', path: this.typedPath(path), value });
    return true;
  }

  private remove(operation: { readonly op: 'remove'; readonly path: Path | Pointer }): boolean {
    const { path } = operation;
    if (path.length === 0) {
      return this.fail('PATCH_MALFORMED', 'The whole document cannot be removed; replace it with null or delete the document', path);
    }
    if (this.take(path) === undefined) return false;
    this.record?.push({ op: 'remove', path: this.typedPath(path) });
    return true;
  }

  /** Removes the value at `path` (not empty) and returns it. */
  private take(path: Path | Pointer): JsonValue | undefined {
    const parent = this.draft.open(path);
    return parent === undefined ? undefined : this.takeFrom(parent, path);
  }

  private takeFrom(parent: MutableContainer, path: Path | Pointer): JsonValue | undefined {
    const key = this.existing(parent, path);
    if (key === undefined) return undefined;
    const value = (parent as MutableObject)[key]!;
    if (!Array.isArray(parent)) delete (parent)[key];
    else if (key === parent.length - 1) parent.pop();
    else parent.splice(key as number, 1);
    return value;
  }

  private move(operation: { readonly op: 'move'; readonly from: Path | Pointer; readonly path: Path | Pointer; readonly restoring?: true }): boolean {
    const draft = this.draft;
    const { from, path } = operation;
    if (samePath(from, path)) return draft.read(from) !== undefined;
    if (from.length === 0) return this.intoItself(path);
    if (startsWith(from, path) && this.isKey(path)) return this.moveUp(operation);

    const source = draft.open(from);
    if (source === undefined) return false;
    // `path` counts after the removal of `from`: where an array closes the gap, a path that goes on from `from` names a
    // place in the next item, not in the moved one.
    if (!Array.isArray(source) && startsWith(path, from)) {
      return this.existing(source, from) !== undefined && this.intoItself(path);
    }
    const value = this.takeFrom(source, from);
    if (value === undefined) return false;
    const typedFrom = this.typedPath(from);
    // A value that goes deeper takes its own depth along; one that rises or stays cannot pass the limit.
    if (path.length > from.length && !this.depthAllowed(value, path)) return false;
    const placed = this.place(path, value);
    if (placed === undefined) return false;
    if (this.record !== undefined) {
      const typedPath = this.typedPath(path);
      if (placed === 'replace') this.record.push({ op: 'remove', path: beforeRemoval(typedPath, typedFrom) });
      this.record.push(
        operation.restoring === true
          ? { op: 'move', from: typedFrom, path: typedPath, restoring: true }
          : { op: 'move', from: typedFrom, path: typedPath },
      );
    }
    return true;
  }

  /** Whether the place is the whole document or under a key, rather than a slot of an array. */
  private isKey(path: Path | Pointer): boolean {
    return path.length === 0 || !Array.isArray(this.draft.read(path.slice(0, -1)));
  }

  /** A move onto a container that holds the item: that container is replaced by the item. */
  private moveUp(operation: { readonly from: Path | Pointer; readonly path: Path | Pointer }): boolean {
    const value = this.draft.read(operation.from);
    if (value === undefined) return false;
    this.draft.share(value);
    return this.replace({ op: 'replace', path: operation.path, value });
  }

  private intoItself(path: Path | Pointer): false {
    return this.fail('MOVE_INTO_SELF', 'A value cannot be moved into itself; choose a path outside of it', path);
  }

  private copy(operation: { readonly op: 'copy'; readonly from: Path | Pointer; readonly path: Path | Pointer }): boolean {
    const { from, path } = operation;
    const value = this.draft.read(from);
    if (value === undefined) return false;
    const room = this.limits.documentBytes - this.copiedBytes;
    this.copiedBytes += jsonBytes(value, room);
    if (this.copiedBytes > this.limits.documentBytes) {
      this.refusal = {
        ...failure('LIMIT_EXCEEDED', `The copies of the patch add up to more than ${this.limits.documentBytes} bytes; copy less`, this.draft, path),
        limit: this.limits.documentBytes,
        actual: this.copiedBytes,
      };
      return false;
    }
    this.draft.share(value);
    return this.depthAllowed(value, path) && this.add({ op: 'add', path, value });
  }

  private test(operation: { readonly op: 'test'; readonly path: Path | Pointer; readonly value: JsonValue }): boolean {
    const found = this.draft.read(operation.path);
    if (found === undefined) {
      this.refusal = { ...this.draft.failure!, code: 'TEST_FAILED', message: `The test failed: ${this.draft.failure!.message}` };
      return false;
    }
    const typed = this.typedPath(operation.path);
    if (!equalValues(found, operation.value)) {
      return this.fail('TEST_FAILED', `The test failed: the value there is ${glimpse(found)}, not ${glimpse(operation.value)}`, operation.path);
    }
    this.record?.push({ op: 'test', path: typed, value: operation.value });
    return true;
  }

  private increment(operation: { readonly op: 'inc'; readonly path: Path | Pointer; readonly value: number }): boolean {
    const { path, value } = operation;
    const before = this.draft.read(path);
    if (before === undefined) return false;
    if (typeof before !== 'number') return this.fail('TYPE_MISMATCH', `inc needs a number; the value there is ${glimpse(before)}`, path);
    const sum = before + value;
    if (!Number.isSafeInteger(value) || !Number.isSafeInteger(before) || !Number.isSafeInteger(sum)) {
      if (!Number.isInteger(before)) return this.fail('TYPE_MISMATCH', `inc needs a whole number; the value there is ${before}`, path);
      return this.fail('NUMBER_OVERFLOW', `${before} + ${value} leaves the safe integers (2^53-1); keep counters smaller`, path);
    }
    const typed = this.typedPath(path);
    if (path.length === 0) this.draft.root = sum;
    else {
      const parent = this.draft.open(path)!;
      (parent as MutableObject)[path[path.length - 1]!] = sum;
    }
    if (value !== 0) this.record?.push({ op: 'inc', path: typed, value });
    return true;
  }

  private editText(
    operation:
      | { readonly op: 'str_ins'; readonly path: Path | Pointer; readonly pos: number; readonly str: string }
      | { readonly op: 'str_del'; readonly path: Path | Pointer; readonly pos: number; readonly len: number },
  ): boolean {
    const { path, pos } = operation;
    let at = this.text;
    if (at === undefined || !samePath(at.path, path)) {
      if (at !== undefined) this.flushText();
      at = this.openText(path);
      if (at === undefined) return false;
    } else if (at.chunks === undefined) {
      const text = at.parent[at.key] as string;
      if (text.length > shortText) at.chunks = new TextRun(text);
    }
    const text = at.chunks === undefined ? (at.parent[at.key] as string) : undefined;
    const length = text === undefined ? at.chunks!.length : text.length;
    const len = operation.op === 'str_del' ? operation.len : 0;
    // Written so that NaN fails too.
    if (!(pos >= 0 && len >= 0 && pos + len <= length)) {
      return this.fail('RANGE_INVALID', `Offset ${pos}${len > 0 ? ` + ${len}` : ''} is outside of the text of ${length} UTF-16 units`, path);
    }
    let whole: boolean;
    if (text === undefined) {
      whole = operation.op === 'str_ins' ? at.chunks!.insert(pos, operation.str) : at.chunks!.delete(pos, len);
    } else {
      whole = !splitsPair(text, pos) && (len === 0 || !splitsPair(text, pos + len));
      if (whole) {
        at.parent[at.key] =
          operation.op === 'str_ins' ? text.slice(0, pos) + operation.str + text.slice(pos) : text.slice(0, pos) + text.slice(pos + len);
      }
    }
    if (!whole) return this.fail('RANGE_INVALID', `An edit at ${pos}${len > 0 ? ` to ${pos + len}` : ''} would cut a character of two UTF-16 units`, path);
    if (this.record !== undefined) {
      if (operation.op === 'str_ins') {
        if (operation.str !== '') this.record.push({ op: 'str_ins', path: at.typed, pos, str: operation.str });
      } else if (len !== 0) {
        this.record.push({ op: 'str_del', path: at.typed, pos, len });
      }
    }
    return true;
  }

  private openText(path: Path | Pointer): PatchRun['text'] {
    const draft = this.draft;
    let found: JsonValue | undefined;
    let parent: MutableObject;
    let key: string | number = '';
    if (path.length === 0) {
      // A stand-in parent, so that a document that is one text needs no case of its own below.
      found = draft.root;
      parent = { '': found };
    } else {
      const container = draft.open(path);
      if (container === undefined) return undefined;
      const existing = this.existing(container, path);
      if (existing === undefined) return undefined;
      parent = container as MutableObject;
      key = existing;
      found = parent[key]!;
    }
    if (typeof found !== 'string') {
      this.fail('TYPE_MISMATCH', `Text can only be edited in a text; the value there is ${glimpse(found)}`, path);
      return undefined;
    }
    this.text = { path, typed: this.record === undefined ? [] : this.typedPath(path), parent, key, chunks: undefined };
    return this.text;
  }

  private flushText(): void {
    const text = this.text;
    if (text === undefined) return;
    this.text = undefined;
    if (text.chunks !== undefined) text.parent[text.key] = text.chunks.toString();
    if (text.path.length === 0) this.draft.root = text.parent['']!;
  }

  /** The last segment of `path` if it names something in `parent`: the index of an array or the key of an object. */
  private existing(parent: MutableContainer, path: Path | Pointer): string | number | undefined {
    const draft = this.draft;
    const last = path.length - 1;
    const segment = path[last]!;
    if (Array.isArray(parent)) {
      const index = draft.index(segment, path, last);
      if (index < 0) return draft.noIndex(segment, path, last);
      if (index >= parent.length) return draft.outOfRange(path, last, parent.length - 1);
      return index;
    }
    return draft.hasKey(parent, segment, path, last) ? segment : undefined;
  }

  private typedPath(path: Path | Pointer): Path {
    // The whole document has no segments, and nothing was opened to get there.
    return path.length === 0 ? path : (this.draft.typed ?? path);
  }

  private depthAllowed(value: JsonValue, path: Path | Pointer): boolean {
    const limit = this.limits.depth;
    if (path.length <= limit && (value === null || typeof value !== 'object')) return true;
    const depth = path.length > limit ? path.length : path.length + depthOf(value, limit + 1 - path.length);
    if (depth <= limit) return true;
    this.refusal = {
      ...failure('LIMIT_EXCEEDED', `The value would lie deeper than ${limit} containers; keep documents flatter`, this.draft, path),
      limit,
      actual: depth,
    };
    return false;
  }

  private fail(code: Failure['code'], message: string, path: Path | Pointer): false {
    this.refusal = failure(code, message, this.draft, path);
    return false;
  }
}

function failure(code: Failure['code'], message: string, draft: Draft, path: Path | Pointer): Failure {
  draft.refuse(code, message, path);
  return draft.failure!;
}

/** A place in the state before `from` was removed, given in the state after it. */
function beforeRemoval(path: Path, from: Path): Path {
  const level = from.length - 1;
  const gap = from[level]!;
  const segment = path[level];
  if (typeof gap !== 'number' || typeof segment !== 'number' || segment < gap) return path;
  for (let depth = 0; depth < level; depth++) {
    if (path[depth] !== from[depth]) return path;
  }
  const shifted = path.slice();
  shifted[level] = segment + 1;
  return shifted;
}

function startsWith(path: Path | Pointer, start: Path | Pointer): boolean {
  if (path.length < start.length) return false;
  for (let depth = start.length - 1; depth >= 0; depth--) {
    if (path[depth] !== start[depth]) return false;
  }
  return true;
}

function samePath(a: Path | Pointer, b: Path | Pointer): boolean {
  return a === b || (a.length === b.length && startsWith(a, b));
}

function glimpse(value: JsonValue): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (value === null || typeof value !== 'object') return String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}
