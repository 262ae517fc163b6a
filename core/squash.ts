import { apply } from './apply.js';
import type { Limits } from './limits.js';
import { defaultLimits } from './limits.js';
import type { NormalPatch, Operation, Path } from './operation.js';
import { Writers } from './squash-writers.js';
import { joinText } from './squash-text.js';
import { jsonBytes } from './value.js';

/** One patch in place of `count` consecutive ones. */
export interface Squashed {
  readonly patch: NormalPatch;
  readonly count: number;
}

/**
 * Fewer patches with the same result: each of the given patches follows the one before it, and so do the returned ones.
 * For patches that were **never sent** only. Once a patch was sent, what is under its counter is frozen: the server may
 * have it already.
 *
 * Typing becomes one insertion, counters are summed, edits of a value that the run itself wrote go into that value, what
 * was added and removed again vanishes. Operations stay operations: nothing is diffed, so moves, counters and text edits
 * still merge as such. A patch with `test` operations is a barrier and stays alone, and no squashed patch grows past the
 * limits. A patch that nothing was joined to comes back as the same reference; one that cancelled out is empty.
 *
 * Cost: one pass over the operations.
 */
export const squash = (
  patches: readonly NormalPatch[],
  limits: Pick<Limits, 'patchOperations' | 'patchBytes'> = defaultLimits,
): readonly Squashed[] => {
  const squashed: Squashed[] = [];
  let fold: Fold | undefined;
  let first = 0;
  const close = (end: number): void => {
    if (fold !== undefined) {
      const count = end - first;
      squashed.push({ patch: count === 1 ? (patches[first] as NormalPatch) : fold.finish(), count });
    }
    fold = undefined;
    first = end;
  };
  patches.forEach((patch, index) => {
    if (patch.some(({ op }) => op === 'test')) {
      close(index);
      squashed.push({ patch, count: 1 });
      first = index + 1;
      return;
    }
    const bytes = patch.reduce((sum, operation) => sum + bytesOf(operation), 0);
    if (fold !== undefined && (fold.size + patch.length > limits.patchOperations || fold.bytes + bytes > limits.patchBytes)) {
      close(index);
    }
    fold ??= new Fold();
    for (const operation of patch) fold.add(operation);
  });
  close(patches.length);
  return squashed;
};

/** A little more than the operation takes on the wire. */
const bytesOf = (operation: Operation): number => {
  let bytes = 40 + pathBytes(operation.path);
  if (operation.op === 'move') bytes += 24 + pathBytes(operation.from);
  return bytes + contentBytes(operation);
};

const contentBytes = (operation: Operation): number => {
  if ('value' in operation) return jsonBytes(operation.value);
  return operation.op === 'str_ins' ? jsonBytes(operation.str) + 12 : 24;
};

/** Escapes of keys in a pointer at most double them; a UTF-16 unit takes at most three bytes. */
const pathBytes = (path: Path): number => path.reduce<number>((sum, segment) => sum + 1 + 6 * String(segment).length, 0);

/** An operation of the fold, with the later ones that go into the value it carries. */
interface Entry {
  operation: Operation;
  readonly at: number;
  /** Told from the carried value's root; run on it once, at the end. */
  readonly inner: Operation[];
}

/**
 * One pass over a run of operations. `writers` knows, for places whose paths nothing has shifted since, the last entry
 * that wrote there. An operation may join such an entry although others came in between, because those lie elsewhere.
 */
class Fold {
  bytes = 0;
  /** Entries left. */
  size = 0;
  private readonly entries: (Entry | undefined)[] = [];
  private writers = new Writers<Entry>();

  finish(): NormalPatch {
    const patch: Operation[] = [];
    for (const entry of this.entries) {
      if (entry === undefined) continue;
      const { operation, inner } = entry;
      if (inner.length === 0 || !('value' in operation)) {
        patch.push(operation);
        continue;
      }
      const value = apply(operation.value, inner);
      if (!value.ok) throw new Error(`invariant: the patches do not follow each other: ${value.error.message}`);
      patch.push({ ...operation, value: value.value } as Operation);
    }
    return patch;
  }

  add(operation: Operation): void {
    if (this.intoLiteral(operation)) return;
    const { path } = operation;
    switch (operation.op) {
      case 'move':
        this.push(operation);
        this.writers = new Writers();
        return;
      case 'insert':
        this.writers.forgetInside(path.slice(0, -1));
        this.writers.set(path, this.push(operation));
        return;
      case 'add':
        this.writers.set(path, this.push(operation));
        return;
      case 'replace':
        this.dropAtAndInside(path);
        this.writers.set(path, this.push(operation));
        return;
      case 'remove':
        this.remove(operation);
        return;
      case 'inc':
      case 'str_ins':
      case 'str_del':
        this.edit(operation);
        return;
      case 'test':
        throw new Error('invariant: a guard is a barrier and never reaches the fold');
    }
  }

  /** Whether the operation lies in a value that an entry carries, and so has gone into it. */
  private intoLiteral(operation: Operation): boolean {
    const { path } = operation;
    const found = this.writers.outermost(path, carriesValue);
    if (found === undefined) return false;
    const { entry, depth } = found;
    if (operation.op === 'move') {
      if (path.length <= depth || operation.from.length <= depth) return false;
      for (let level = 0; level < depth; level++) if (operation.from[level] !== path[level]) return false;
      this.bytes += contentBytes(operation);
      entry.inner.push({ ...operation, from: operation.from.slice(depth), path: path.slice(depth) });
      return true;
    }
    // At the place itself, putting and removing are about the slot and not about the value in it.
    if (path.length === depth && (operation.op === 'remove' || operation.op === 'insert')) return false;
    this.bytes += contentBytes(operation);
    if (path.length === depth && operation.op === 'replace') {
      entry.inner.length = 0;
      entry.operation = { ...entry.operation, value: operation.value } as Operation;
      return true;
    }
    entry.inner.push({ ...operation, path: path.slice(depth) });
    return true;
  }

  private remove(operation: Operation): void {
    const { path } = operation;
    const last = this.writers.get(path);
    if (typeof path.at(-1) === 'number') {
      // Later entries count the inserted item, so it can only vanish if there are none.
      if (last?.operation.op === 'insert' && last.at === this.entries.length - 1) this.drop(last);
      else {
        this.dropAtAndInside(path);
        this.push(operation);
      }
      this.writers.forgetInside(path.slice(0, -1));
      return;
    }
    this.dropAtAndInside(path);
    if (last?.operation.op !== 'add') this.push(operation);
  }

  private edit(operation: Extract<Operation, { op: 'inc' | 'str_ins' | 'str_del' }>): void {
    const last = this.writers.get(operation.path);
    const joined = last === undefined ? undefined : join(last.operation, operation);
    if (last === undefined || joined === undefined) {
      this.writers.set(operation.path, this.push(operation));
      return;
    }
    this.bytes += contentBytes(operation);
    if (joined === 'nothing') {
      this.drop(last);
      this.writers.forget(operation.path);
    } else last.operation = joined;
  }

  private push(operation: Operation): Entry {
    const entry: Entry = { operation, at: this.entries.length, inner: [] };
    this.entries.push(entry);
    this.size++;
    this.bytes += bytesOf(operation);
    return entry;
  }

  private drop(entry: Entry): void {
    this.entries[entry.at] = undefined;
    this.size--;
    while (this.entries.length > 0 && this.entries.at(-1) === undefined) this.entries.pop();
  }

  /**
   * What was written at and inside a place that is now replaced or removed need not be written. An insertion stays: entries
   * that are no longer known by their place may count the inserted item.
   */
  private dropAtAndInside(path: Path): void {
    for (const entry of this.writers.takeAtAndInside(path)) if (entry.operation.op !== 'insert') this.drop(entry);
  }
}

const carriesValue = ({ operation }: Entry): boolean =>
  operation.op === 'add' || operation.op === 'insert' || operation.op === 'replace';

/** Two edits of one leaf as one; undefined where they stay two. */
const join = (first: Operation, second: Operation): Operation | 'nothing' | undefined => {
  if (first.op === 'inc' && second.op === 'inc') {
    const value = first.value + second.value;
    if (!Number.isSafeInteger(value)) return undefined;
    return value === 0 ? 'nothing' : { op: 'inc', path: first.path, value };
  }
  return joinText(first, second);
};

