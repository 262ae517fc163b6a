import { compareArrays } from './diff-array.js';
import { coarsen } from './diff-coarse.js';
import { Emission } from './diff-emit.js';
import { findMoves } from './diff-moves.js';
import { diffText } from './diff-text.js';
import { isContainer, Place, Slot } from './diff-tree.js';
import { defaultIdentities, isAnother, type Identity } from './identity.js';
import type { JsonObject, JsonValue } from './json.js';
import { defaultLimits, type Limits } from './limits.js';
import type { NormalPatch, Operation } from './operation.js';
import type { PathPatterns } from './path-patterns.js';
import { isObject, jsonBytes } from './value.js';

export interface DiffOptions {
  /**
   * Which changed strings are said as `str_ins` and `str_del`, so that concurrent edits of the same text merge; true: all. The others
   * are values, and said as one `replace`. Default: none.
   */
  readonly text?: boolean | PathPatterns;
  /** Which changed whole numbers are said as `inc` by the difference, so that concurrent ones add up. Default: none. */
  readonly counters?: PathPatterns;
  /**
   * What names a value: an item with the same name is the same item, changed or moved; an object in the place of one with
   * another name is another one and replaces it, so that their members do not mix. Undefined: the value has no name. Used for
   * an array only where every item has a name and no two the same. Default: the member `id`, `_id` or `key`.
   */
  readonly identity?: Identity;
  /** Which container of `before` one of `after` is, where the caller has followed them. Default: not known. */
  readonly origins?: Origins;
  /** What one patch may hold. A difference that would be more is said coarser: containers with many changes are replaced. */
  readonly limits?: Pick<Limits, 'patchOperations' | 'patchBytes'>;
}

/** Where the containers of `after` come from. */
export interface Origins {
  of(after: JsonValue): JsonValue | undefined;
  /** Whether a container of `before` is somewhere in `after`. */
  isLeft(before: JsonValue): boolean;
}

/**
 * A patch that leads from one document to the other: `apply(before, diff(before, after))` equals `after`.
 *
 * Small, not minimal: parts shared by reference are skipped at once; arrays are aligned, by the names of their items where
 * they have them, else by their fewest insertions and deletions; what was taken from one place and put into another is moved. What is
 * put in the place of several items or characters is inserted between them before they go, so that what others insert at the
 * edges of the range stays there.
 *
 * Values of `after` become part of the patch without being copied. Never fails. Cost: the size of what is not shared, and
 * for an array its length times its edits, up to a bound.
 */
export function diff(before: JsonValue, after: JsonValue, options: DiffOptions = {}): NormalPatch {
  const limits = options.limits ?? defaultLimits;
  const fits = (patch: NormalPatch): boolean => patch.length <= limits.patchOperations && jsonBytes(patch, limits.patchBytes) <= limits.patchBytes;
  const excluded = new Set<JsonValue>();
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const run = new DiffRun(options, excluded);
    const root = run.compareRoot(before, after);
    findMoves(run);
    const emission = new Emission();
    if (emission.run(root, run.edit)) {
      if (fits(emission.patch)) return emission.patch;
      break;
    }
    for (const value of emission.stuck) excluded.add(value);
  }
  // Without moves nothing waits for anything else.
  return coarsen(limits.patchOperations, fits, (level) => {
    const run = new DiffRun(options, excluded);
    const root = run.compareRoot(before, after);
    level(root, run.edit);
    const emission = new Emission();
    emission.run(root, run.edit);
    return emission.patch;
  });
}

/** Moves that wait for each other are given up, those that are found to at each attempt; then all. */
const maxAttempts = 5;

/** What the parts of one diff share. */
export class DiffRun {
  /** What goes and what is new, as far as nobody has looked whether it was moved. */
  readonly gone: Place[] = [];
  readonly fresh: Slot[] = [];
  readonly identities: readonly Identity[];
  readonly origins: Origins | undefined;

  constructor(
    private readonly options: DiffOptions,
    /** Containers that must not be moved, nor what is in them. */
    readonly excluded: ReadonlySet<JsonValue>,
  ) {
    this.identities = options.identity === undefined ? defaultIdentities : [options.identity];
    this.origins = options.origins;
  }

  compareRoot(before: JsonValue, after: JsonValue): Slot {
    const root = new Slot(after, undefined, '');
    root.stays = true;
    compare(new Place(before, undefined, ''), root, this);
    return root;
  }

  isAnother(before: JsonValue, after: JsonValue): boolean {
    return isObject(before) && isObject(after) && isAnother(before, after, this.identities);
  }

  /** Whether what is at a place now is what was there, changed, and not something else that was put there. */
  isSame(before: JsonValue, after: JsonValue): boolean {
    if (!isContainer(before) || !isContainer(after)) return !isContainer(before) && !isContainer(after);
    if (Array.isArray(before) !== Array.isArray(after) || this.isAnother(before, after)) return false;
    const origin = this.origins?.of(after);
    return origin === undefined ? this.origins?.isLeft(before) !== true : origin === before;
  }

  /** Of a value that is not looked into: the operations that make it what it is after. */
  readonly edit = (slot: Slot): readonly Operation[] => {
    const { after } = slot;
    const before = slot.place!.value;
    const { text = false, counters } = this.options;
    const path = slot.path();
    if (typeof before === 'string' && typeof after === 'string') {
      if (text === true || (text !== false && text.matches(path))) return diffText(before, after, path);
    } else if (Number.isSafeInteger(before) && Number.isSafeInteger(after) && counters?.matches(path) === true) {
      const by = (after as number) - (before as number);
      if (Number.isSafeInteger(by)) return [{ op: 'inc', path, value: by }];
    }
    return [{ op: 'replace', path, value: after }];
  };
}

/** Finds what has to be done to make what is at a place what it is after. */
export function compare(place: Place, slot: Slot, run: DiffRun): void {
  const before = place.value;
  const { after } = slot;
  slot.place = place;
  if (before === after) return;
  if (Array.isArray(before) && Array.isArray(after)) compareArrays(place, slot, run);
  else if (isObject(before) && isObject(after)) compareObjects(place, slot, run);
  else slot.replaced = true;
}

function compareObjects(place: Place, slot: Slot, run: DiffRun): void {
  const before = place.value as JsonObject;
  const after = slot.after as JsonObject;
  const keys = Object.keys(after);
  const oldKeys = Object.keys(before);
  const kept = oldKeys.filter((key) => Object.hasOwn(after, key));
  const isBare = (value: JsonValue): boolean => !isContainer(value);
  if (kept.length === 0 && oldKeys.length > 0 && keys.length > 0 && Object.values(before).every(isBare) && Object.values(after).every(isBare)) {
    slot.replaced = true;
    return;
  }
  const slots: Slot[] = [];
  const gone: Place[] = [];
  const goes = (key: string): Place => {
    const child = place.child(key);
    child.gone = true;
    gone.push(child);
    run.gone.push(child);
    return child;
  };
  if (kept.length < oldKeys.length) for (const key of oldKeys) if (!Object.hasOwn(after, key)) goes(key);
  for (const key of keys) {
    const had = Object.hasOwn(before, key);
    if (had && before[key] === after[key]) continue;
    const child = new Slot(after[key]!, slot, key);
    if (had && run.isSame(before[key]!, child.after)) {
      child.stays = true;
      compare(place.child(key), child, run);
      if (child.inner === undefined && !child.replaced) continue;
    } else {
      if (had) child.instead = goes(key);
      run.fresh.push(child);
    }
    slots.push(child);
  }
  if (slots.length > 0 || gone.length > 0) slot.inner = { slots, gone, shifts: false, start: 0, rest: 0 };
}

