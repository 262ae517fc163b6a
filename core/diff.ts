import { diffArrays } from './diff-array.js';
import { diffText } from './diff-text.js';
import { defaultIdentities, isAnother, type Identity } from './identity.js';
import type { JsonArray, JsonObject, JsonValue } from './json.js';
import type { NormalPatch, Operation, Path } from './operation.js';
import type { PathPatterns } from './path-patterns.js';
import { isObject } from './value.js';

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
}

/**
 * A patch that leads from one document to the other: `apply(before, diff(before, after))` equals `after`.
 *
 * Small, not minimal: parts shared by reference are skipped at once; arrays are aligned, by the names of their items where
 * they have them (then with moves), else by their fewest insertions and deletions, up to 1,000 of them, past which the array
 * is replaced. It cannot know intent: an increment comes out as a replacement, a renamed key as a removal and an addition.
 *
 * Values of `after` become part of the patch without being copied. Never fails. Cost: the size of what is not shared, and
 * for an array its length times its edits.
 */
export function diff(before: JsonValue, after: JsonValue, options: DiffOptions = {}): NormalPatch {
  const patch: Operation[] = [];
  diffValues(before, after, [], { patch, text: options.text ?? false, counters: options.counters, identities: options.identity === undefined ? defaultIdentities : [options.identity] });
  return patch;
}

/** What the parts of one diff share. */
export interface DiffRun {
  readonly patch: Operation[];
  readonly text: boolean | PathPatterns;
  readonly counters: PathPatterns | undefined;
  readonly identities: readonly Identity[];
}

/** Adds to the patch what leads from `before` to `after` at `path`. */
export function diffValues(before: JsonValue, after: JsonValue, path: Path, run: DiffRun): void {
  if (before === after) return;
  if (Array.isArray(before)) {
    if (Array.isArray(after)) {
      diffArrays(before as JsonArray, after as JsonArray, path, run);
      return;
    }
  } else if (isObject(before) && isObject(after)) {
    // The document itself is the same whatever its members say: it has its own id.
    if (path.length === 0 || !isAnother(before, after, run.identities)) {
      diffObjects(before, after, path, run);
      return;
    }
  } else if (typeof before === 'string' && typeof after === 'string') {
    if (run.text === true || (run.text !== false && run.text.matches(path))) {
      diffText(before, after, path, run);
      return;
    }
  } else if (Number.isSafeInteger(before) && Number.isSafeInteger(after) && run.counters?.matches(path) === true) {
    const by = (after as number) - (before as number);
    if (Number.isSafeInteger(by)) {
      run.patch.push({ op: 'inc', path, value: by });
      return;
    }
  }
  run.patch.push({ op: 'replace', path, value: after });
}

function diffObjects(before: JsonObject, after: JsonObject, path: Path, run: DiffRun): void {
  const keys = Object.keys(before);
  let kept = 0;
  for (const key of keys) if (Object.hasOwn(after, key)) kept += 1;
  const newKeys = Object.keys(after);
  if (kept === 0 && keys.length > 0 && newKeys.length > 0) {
    run.patch.push({ op: 'replace', path, value: after });
    return;
  }
  for (const key of keys) {
    if (Object.hasOwn(after, key)) {
      if (before[key] !== after[key]) diffValues(before[key]!, after[key]!, [...path, key], run);
    } else run.patch.push({ op: 'remove', path: [...path, key] });
  }
  if (newKeys.length === kept) return;
  for (const key of newKeys) {
    if (!Object.hasOwn(before, key)) run.patch.push({ op: 'add', path: [...path, key], value: after[key]! });
  }
}
