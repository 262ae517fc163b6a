import { maxCorrectedText } from './correction.js';
import { fail, ok, type ErrorCode, type Failure, type Result } from './errors.js';
import { defaultLimits, type Limits } from './limits.js';
import type { Patch, Pointer, WireOperation } from './operation.js';
import type { JsonValue } from './json.js';
import { formatPointer, parsePointer } from './pointer.js';
import { scanText } from './text.js';
import { ValueCheck } from './value.js';

/**
 * Reads a patch from parsed JSON: RFC 6902 and the extensions `inc`, `str_ins`, `str_del`, strictly. Unknown members are
 * ignored (RFC 6902 section 4), missing ones are named. `str_del` may carry the deleted text as `str` in place of `len`;
 * only its length is kept. Values are made canonical as by `checkValue`, or copied as by `takeValue` where the caller keeps the JSON.
 *
 * Refuses with `PATCH_MALFORMED`, and with the codes of `parsePointer` and `checkValue`; `NUMBER_OVERFLOW` for an `inc` that is no
 * safe integer; `LIMIT_EXCEEDED` for too many operations or bytes. `error.operation` is the index of the operation.
 * Whether the patch fits a document is not looked at: that is `normalize`. Cost: one walk, bounded by the limits.
 */
export function parsePatch(json: unknown, limits: Limits = defaultLimits, values: 'check' | 'take' = 'check'): Result<Patch> {
  if (!Array.isArray(json)) {
    return fail({ code: 'PATCH_MALFORMED', message: `A patch is an array of operations; ${described(json)} came instead` });
  }
  if (json.length > limits.patchOperations) {
    return fail({
      code: 'LIMIT_EXCEEDED',
      message: `The patch has ${json.length} operations, ${limits.patchOperations} are allowed (patchOperations); split it`,
      limitName: 'patchOperations',
      limit: limits.patchOperations,
      actual: json.length,
    });
  }
  const parser = new OperationParser(limits, values);
  const patch: WireOperation[] = [];
  for (let index = 0; index < json.length; index++) {
    const operation = parser.parse(json[index]);
    if (operation === undefined) return fail({ ...parser.failure!, operation: index });
    if (parser.bytes > limits.patchBytes) {
      return fail({
        code: 'LIMIT_EXCEEDED',
        message: `The patch has more than ${limits.patchBytes} bytes (patchBytes); split it`,
        operation: index,
        limitName: 'patchBytes',
        limit: limits.patchBytes,
        actual: parser.bytes,
      });
    }
    patch.push(operation);
  }
  return ok(patch);
}

/** Bytes of the braces, names and quotes of one operation beside its pointers, values and texts. */
const frameBytes = 24;

/** The members an operation may have. None of these names is inherited by objects, so reading them directly is safe. */
interface Members {
  readonly op?: unknown;
  readonly path?: unknown;
  readonly from?: unknown;
  readonly value?: unknown;
  readonly pos?: unknown;
  readonly str?: unknown;
  readonly len?: unknown;
  readonly restoring?: unknown;
  readonly replacing?: unknown;
}

class OperationParser {
  failure: Failure | undefined;
  /** Serialised bytes so far: exact for values and pointers, approximate for the frame around them. */
  bytes = 0;
  /** Patches often stay at one place: the tokens of the last pointer are shared, not split again. */
  private lastText: string | undefined;
  private lastPointer: Pointer = [];

  constructor(
    private readonly limits: Limits,
    private readonly values: 'check' | 'take',
  ) {}

  parse(json: unknown): WireOperation | undefined {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      return this.refuse('PATCH_MALFORMED', `An operation is an object; ${described(json)} came instead`);
    }
    this.bytes += frameBytes;
    const source = json as Members;
    const op = source.op;
    if (typeof op !== 'string') return this.missing('op', 'the name of the operation', op);
    const path = this.pointer(source, 'path');
    if (path === undefined) return undefined;
    switch (op) {
      case 'add':
      case 'replace':
      case 'test': {
        const value = this.value(source, path);
        return value === undefined ? undefined : { op, path, value };
      }
      case 'remove':
        return { op, path };
      case 'move': {
        const from = this.pointer(source, 'from');
        if (from === undefined) return undefined;
        return source.restoring === true ? { op, from, path, restoring: true } : { op, from, path };
      }
      case 'copy': {
        const from = this.pointer(source, 'from');
        return from === undefined ? undefined : { op, from, path };
      }
      case 'inc':
        return this.increment(source, path);
      case 'str_ins': {
        const pos = this.count(source, 'pos', path);
        if (pos === undefined) return undefined;
        const str = this.text(source, path);
        if (str === undefined) return undefined;
        return source.replacing === undefined ? { op, path, pos, str } : this.correction(source.replacing, { op, path, pos, str });
      }
      case 'str_del':
        return this.deletion(source, path);
      default:
        return this.refuse(
          'PATCH_MALFORMED',
          `There is no operation ${described(op)}; add, remove, replace, move, copy, test, inc, str_ins and str_del are`,
          path,
        );
    }
  }

  private increment(source: Members, path: Pointer): WireOperation | undefined {
    const value = source.value;
    if (typeof value !== 'number') return this.missing('value', 'a whole number to add', value, path);
    if (!Number.isInteger(value)) {
      return this.refuse('VALUE_INVALID', `inc adds whole numbers (sums of fractions depend on their order); ${value} came instead`, path);
    }
    if (!Number.isSafeInteger(value)) return this.refuse('NUMBER_OVERFLOW', `inc adds safe integers (at most 2^53-1); ${value} came instead`, path);
    return { op: 'inc', path, value: value === 0 ? 0 : value };
  }

  private correction(replacing: unknown, insertion: Extract<WireOperation, { op: 'str_ins' }>): WireOperation | undefined {
    const { path } = insertion;
    if (typeof replacing !== 'string' || replacing.length > maxCorrectedText) {
      return this.refuse('PATCH_MALFORMED', `The member "replacing" is the old text, of at most ${maxCorrectedText} UTF-16 code units; ${described(replacing)} came instead`, path);
    }
    const bytes = scanText(replacing);
    if (bytes < 0) return this.refuse('VALUE_INVALID', 'replacing holds U+0000 or a lone surrogate; send whole characters', path);
    this.bytes += bytes;
    return { ...insertion, replacing };
  }

  private deletion(source: Members, path: Pointer): WireOperation | undefined {
    const pos = this.count(source, 'pos', path);
    if (pos === undefined) return undefined;
    if (source.len === undefined && source.str !== undefined) {
      const str = this.text(source, path);
      return str === undefined ? undefined : { op: 'str_del', path, pos, len: str.length };
    }
    const len = this.count(source, 'len', path);
    return len === undefined ? undefined : { op: 'str_del', path, pos, len };
  }

  private pointer(source: Members, name: 'path' | 'from'): Pointer | undefined {
    const text = name === 'path' ? source.path : source.from;
    if (typeof text !== 'string') return this.missing(name, 'a JSON pointer', text);
    this.bytes += text.length;
    if (text === this.lastText) return this.lastPointer;
    const pointer = parsePointer(text, this.limits);
    if (!pointer.ok) {
      this.failure = pointer.error;
      return undefined;
    }
    this.lastText = text;
    this.lastPointer = pointer.value;
    return pointer.value;
  }

  private value(source: Members, path: Pointer): JsonValue | undefined {
    const value = source.value;
    if (value === undefined) return this.missing('value', 'a JSON value (null is one)', value, path);
    if (value === null || typeof value === 'boolean') {
      this.bytes += 5;
      return value;
    }
    const check = new ValueCheck({ depth: this.limits.depth, documentBytes: this.limits.patchBytes }, this.values);
    const checked = check.run(value, path.length);
    if (checked === undefined) this.failure = this.refusalOf(check, path);
    this.bytes += check.bytes;
    return checked;
  }

  /** A value is measured against what a patch may hold. */
  private refusalOf(check: ValueCheck, path: Pointer): Failure {
    const refusal = check.refusal(path);
    if (refusal.limitName !== 'documentBytes') return refusal;
    return { ...refusal, limitName: 'patchBytes', message: `The patch has more than ${this.limits.patchBytes} bytes (patchBytes); split it` };
  }

  private count(source: Members, name: 'pos' | 'len', path: Pointer): number | undefined {
    const value = name === 'pos' ? source.pos : source.len;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value === 0 ? 0 : value;
    return this.missing(name, 'a number of UTF-16 code units, 0 or more', value, path);
  }

  private text(source: Members, path: Pointer): string | undefined {
    const text = source.str;
    if (typeof text !== 'string') return this.missing('str', 'a text', text, path);
    this.bytes += text.length;
    if (this.bytes > this.limits.patchBytes) return text; // refused by the caller, unread
    const bytes = scanText(text);
    if (bytes < 0) return this.refuse('VALUE_INVALID', 'str holds U+0000 or a lone surrogate; send whole characters', path);
    this.bytes += bytes - text.length;
    return text;
  }

  private missing(name: string, needed: string, came: unknown, path?: Pointer): undefined {
    const what = came === undefined ? `The operation has no member "${name}"` : `The member "${name}" is ${described(came)}`;
    return this.refuse('PATCH_MALFORMED', `${what}; give ${needed}`, path);
  }

  private refuse(code: ErrorCode, message: string, path?: Pointer): undefined {
    this.failure = { code, message, ...(path === undefined ? {} : { path: formatPointer(path) }) };
    return undefined;
  }
}

function described(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === undefined) return 'nothing';
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
