import { ConcordError, defaultLimits, diff, equalValues, takeValue, type Definition, type JsonValue, type NormalPatch, type Origins } from '@concord/core';

/** The copy that a draft function alters, and where each of its containers was copied from. */
class DraftCopy {
  readonly root: unknown;
  private readonly originals = new Map<object, JsonValue>();

  constructor(private readonly value: JsonValue) {
    this.root = this.copy(value);
  }

  originalOf(container: object): JsonValue | undefined {
    return this.originals.get(container);
  }

  isAltered(): boolean {
    const now = takeValue(this.root);
    return !now.ok || !equalValues(this.value, now.value);
  }

  private copy(value: JsonValue): unknown {
    if (value === null || typeof value !== 'object') return value;
    let copied: unknown[] | Record<string, unknown>;
    if (Array.isArray(value)) copied = (value as readonly JsonValue[]).map((item) => this.copy(item));
    else {
      copied = {};
      for (const [key, member] of Object.entries(value)) copied[key] = this.copy(member);
    }
    this.originals.set(copied, value);
    return copied;
  }
}

/** What of the value before is in the value after: an object that was put elsewhere is known again, whatever became of it. */
class TakenOrigins implements Origins {
  private readonly befores = new Map<JsonValue, JsonValue>();
  private readonly left = new Set<JsonValue>();

  add(after: JsonValue, before: JsonValue): void {
    this.befores.set(after, before);
    this.left.add(before);
  }

  of(after: JsonValue): JsonValue | undefined {
    return this.befores.get(after);
  }

  isLeft(before: JsonValue): boolean {
    return this.left.has(before);
  }
}

/**
 * The patch that a draft function means: it gets a deep copy of the value, alters it (or returns another value), and the
 * difference is the patch. What it sets is a value: a changed text or number is a replacement, but where the collection's
 * definition declares it a text or a counter. Items are told apart by `id`, `_id` or `key`; what was taken from one place and put
 * into another is moved.
 * @throws ConcordError VALUE_INVALID, LIMIT_EXCEEDED for what is not JSON, INPUT_INVALID for a function that is async, or of which
 * it cannot be told whether it means what it altered or what it returned.
 */
export function patchOfDraft(value: JsonValue, draft: (copy: never) => unknown, { text, counters }: Definition): NormalPatch {
  const copy = new DraftCopy(value);
  const returned = draft(copy.root as never);
  if (returned instanceof Promise) {
    throw new ConcordError('INPUT_INVALID', 'A draft function must not be async: read what it needs first, then edit.');
  }
  if (returned !== undefined && returned !== copy.root) refuseAmbiguous(returned, copy);
  const origins = new TakenOrigins();
  const taken = takeValue(returned === undefined ? copy.root : returned, defaultLimits, (source, after) => {
    const original = copy.originalOf(source);
    if (original !== undefined) origins.add(after, original);
  });
  if (!taken.ok) throw ConcordError.from(taken.error);
  return diff(value, taken.value, { text, counters, origins });
}

/**
 * An arrow function without braces returns what its expression gives, which is seldom meant: `(note) => note.tags.push('x')` would make
 * the document a number. So a draft either alters the copy or returns another value, and what it returns is neither a part
 * of the copy nor, in place of an object or array, a bare value.
 */
function refuseAmbiguous(returned: unknown, copy: DraftCopy): void {
  const advice = 'An arrow function without braces returns the value of its expression: write (draft) => { … }, or (draft) => void …';
  if (copy.isAltered()) {
    throw new ConcordError('INPUT_INVALID', `The draft function altered the copy and returned something else, ${described(returned)}: which of the two is meant cannot be told. ${advice}. To put a new value in place of the old one, return it and leave the copy as it is.`);
  }
  const isContainer = typeof returned === 'object' && returned !== null;
  if (isContainer ? copy.originalOf(returned) !== undefined : typeof copy.root === 'object' && copy.root !== null) {
    throw new ConcordError('INPUT_INVALID', `The draft function returned ${isContainer ? 'a part of the copy' : described(returned)}, which would become the whole document. ${advice}. If it is meant, edit with [{ op: 'replace', path: '', value: … }].`);
  }
}

function described(value: unknown): string {
  if (typeof value === 'string') return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  if (value === null) return 'null';
  if (typeof value !== 'object') return `the ${typeof value} ${typeof value === 'number' || typeof value === 'boolean' ? value : ''}`.trimEnd();
  return Array.isArray(value) ? 'an array' : 'an object';
}
