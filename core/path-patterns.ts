import { fail, ok, type Result } from './errors.js';
import type { Path, Pointer } from './operation.js';
import { parsePointer } from './pointer.js';

/** Places of a document, told by patterns: JSON pointers in which the token `*` stands for any one key or index. */
export class PathPatterns {
  private readonly byLength = new Map<number, Pointer[]>();

  constructor(patterns: readonly Pointer[]) {
    for (const pattern of patterns) {
      const same = this.byLength.get(pattern.length);
      if (same === undefined) this.byLength.set(pattern.length, [pattern]);
      else same.push(pattern);
    }
  }

  matches(path: Path): boolean {
    const patterns = this.byLength.get(path.length);
    return patterns?.some((pattern) => pattern.every((token, depth) => token === '*' || token === String(path[depth]))) === true;
  }
}

/** @returns `INPUT_INVALID` for what is not a list of texts, else what `parsePointer` refuses; `error.path` is the place in the list. */
export function parsePatterns(list: unknown): Result<readonly Pointer[]> {
  if (!Array.isArray(list)) return fail({ code: 'INPUT_INVALID', message: 'Give a list of JSON pointers, like ["/body", "/items/*/label"]', path: '' });
  const patterns: Pointer[] = [];
  for (const [index, text] of (list as readonly unknown[]).entries()) {
    if (typeof text !== 'string') {
      return fail({ code: 'INPUT_INVALID', message: `${typeof text} is not a JSON pointer; give a text like "/items/*/label"`, path: `/${index}` });
    }
    const parsed = parsePointer(text);
    if (!parsed.ok) return fail({ ...parsed.error, path: `/${index}` });
    patterns.push(parsed.value);
  }
  return ok(patterns);
}
