import { Draft, type MutableContainer, type MutableObject } from './draft.js';
import type { Failure } from './errors.js';
import type { JsonValue } from './json.js';
import { deepestDepth, type Limits } from './limits.js';
import type { Operation, Path, Pointer, WireOperation } from './operation.js';
import { beforeRemoval, samePath, startsWith } from './path.js';
import { TextEdits, type TextOperation } from './text-edits.js';
import { depthOf, equalValues, glimpse, jsonBytes } from './value.js';

export type RunLimits = Pick<Limits, 'depth' | 'documentBytes'>;

/**
 * Runs operations on a draft, one after the other, and records each in normal form if asked to. The one interpreter
 * behind `apply` and `normalize`, so that both always agree. It reads both forms of a patch: a token against an array is an
 * index, a number against an object is refused.
 *
 * `step` returns false when it refuses; the run is then over and `failure` tells why (without the operation's index).
 */
export class PatchRun {
  private readonly draft: Draft;
  private readonly texts: TextEdits;
  /** Serialised bytes that copies have added: what bounds a patch that doubles a value again and again. */
  private copiedBytes = 0;

  constructor(
    document: JsonValue,
    private readonly limits: RunLimits,
    private readonly record: Operation[] | undefined,
  ) {
    this.draft = new Draft(document);
    this.texts = new TextEdits(this.draft);
  }

  get failure(): Failure {
    const failure = this.draft.failure;
    if (failure === undefined) throw new Error('invariant: failure of a run that did not fail');
    return failure;
  }

  /** The document after all steps. */
  finish(): JsonValue {
    this.texts.close();
    return this.draft.finish();
  }

  step(operation: WireOperation | Operation): boolean {
    if (operation.op === 'str_ins' || operation.op === 'str_del') return this.editText(operation);
    this.texts.close();
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
    const { path } = operation;
    const value = this.draft.adopt(operation.value);
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
    const { path } = operation;
    const value = this.draft.adopt(operation.value);
    if (path.length === 0) this.draft.root = value;
    else {
      const parent = this.draft.open(path);
      if (parent === undefined) return false;
      const key = this.draft.keyOf(parent, path);
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
    const key = this.draft.keyOf(parent, path);
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
      return this.draft.keyOf(source, from) !== undefined && this.intoItself(path);
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
      // The last item of an array moved to its end.
      if (samePath(typedFrom, typedPath)) return true;
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
      const limit = this.limits.documentBytes;
      return this.tooLarge(`The copies of the patch add up to more than ${limit} bytes (documentBytes); copy less`, path, { limitName: 'documentBytes', limit, actual: this.copiedBytes });
    }
    this.draft.share(value);
    return this.depthAllowed(value, path) && this.add({ op: 'add', path, value });
  }

  private test(operation: { readonly op: 'test'; readonly path: Path | Pointer; readonly value: JsonValue }): boolean {
    const found = this.draft.read(operation.path);
    if (found === undefined) {
      this.draft.failure = { ...this.failure, code: 'TEST_FAILED', message: `The test failed: ${this.failure.message}` };
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

  private editText(operation: TextOperation): boolean {
    const path = this.texts.edit(operation);
    if (path === undefined) return false;
    if (this.record === undefined) return true;
    if (operation.op === 'str_ins') {
      if (operation.str === '') return true;
      const { pos, str, replacing } = operation;
      this.record.push(replacing === undefined ? { op: 'str_ins', path, pos, str } : { op: 'str_ins', path, pos, str, replacing });
    } else if (operation.len !== 0) {
      this.record.push({ op: 'str_del', path, pos: operation.pos, len: operation.len });
    }
    return true;
  }

  private typedPath(path: Path | Pointer): Path {
    // The whole document has no segments, and nothing was opened to get there.
    return path.length === 0 ? path : (this.draft.typed ?? path);
  }

  private depthAllowed(value: JsonValue, path: Path | Pointer): boolean {
    const limit = Math.min(this.limits.depth, deepestDepth);
    if (path.length <= limit && (value === null || typeof value !== 'object')) return true;
    const depth = path.length > limit ? path.length : path.length + depthOf(value, limit + 1 - path.length);
    if (depth <= limit) return true;
    return this.tooLarge(`The value would lie deeper than ${limit} containers (depth); keep documents flatter`, path, { limitName: 'depth', limit, actual: depth });
  }

  private tooLarge(message: string, path: Path | Pointer, limit: Pick<Failure, 'limitName' | 'limit' | 'actual'>): false {
    this.draft.refuse('LIMIT_EXCEEDED', message, path);
    this.draft.failure = { ...this.failure, ...limit };
    return false;
  }

  private fail(code: Failure['code'], message: string, path: Path | Pointer): false {
    this.draft.refuse(code, message, path);
    return false;
  }
}
