import { fail, ok, type Failure, type Result } from './errors.js';
import type { JsonArray, JsonObject, JsonValue } from './json.js';
import { deepestDepth, defaultLimits, type Limits } from './limits.js';
import { formatPointer } from './pointer.js';
import { scanText } from './text.js';

/** Told of each container that was taken, and of the copy that was made of it. */
export type OnTaken = (source: object, copy: JsonArray | JsonObject) => void;

type ValueLimits = Pick<Limits, 'depth' | 'documentBytes'>;

/**
 * Takes a value in: promises that every replica (TypeScript, JSONB, SQLite, C) holds it the same, or says why not.
 *
 * -0 becomes 0; everything else is kept as it is, so the same reference comes back when nothing had to change, and
 * containers are copied only on the way to a changed number. The input is never altered and must not be altered later.
 *
 * Refuses with `VALUE_INVALID`: U+0000 and lone surrogates in strings and keys, the key `__proto__`, numbers that are not
 * finite, and what JSON cannot say (undefined, functions, bigint, symbols, class instances, holes in arrays). Refuses with
 * `LIMIT_EXCEEDED`: more than `limits.depth` containers within each other (so cycles too) and more than
 * `limits.documentBytes` when serialised. `error.path` is the place inside the value. Cost: one walk, bounded by the limits.
 */
export function checkValue(value: unknown, limits: ValueLimits = defaultLimits): Result<JsonValue> {
  const check = new ValueCheck(limits);
  const checked = check.run(value, 0);
  return checked === undefined || check.isTooLarge() ? fail(check.refusal([])) : ok(checked);
}

/**
 * Takes a value in from a caller who keeps it: a deep and frozen copy, which nobody can alter later, or why there is none. Refuses as
 * `checkValue` does, but that members which are undefined are left out, as JSON does (in an array they are refused). Every member
 * is read once, so that what was checked is what was copied. `onTaken` is told which container became which.
 */
export function takeValue(value: unknown, limits: ValueLimits = defaultLimits, onTaken?: OnTaken): Result<JsonValue> {
  const check = new ValueCheck(limits, 'take', onTaken);
  const taken = check.run(value, 0);
  return taken === undefined || check.isTooLarge() ? fail(check.refusal([])) : ok(taken);
}

/**
 * The walk behind `checkValue` and `takeValue`, for callers that add up several values against one limit: `bytes` grows with every run.
 * After a run that returned undefined, `refusal` tells why.
 */
export class ValueCheck {
  /** Serialised UTF-8 bytes of everything run so far, as `JSON.stringify` would write it. */
  bytes = 0;
  private failure: Failure | undefined;
  /** Segments from the refused place outwards: filled while the refusal unwinds, so that a value that passes pays nothing. */
  private readonly trail: (string | number)[] = [];

  private readonly depth: number;

  constructor(
    private readonly limits: ValueLimits,
    private readonly mode: 'check' | 'take' = 'check',
    private readonly onTaken?: OnTaken,
  ) {
    this.depth = Math.min(limits.depth, deepestDepth);
  }

  /** The canonical value, or undefined when it is refused. `above` is the number of containers the value will lie in. */
  run(value: unknown, above: number): JsonValue | undefined {
    switch (typeof value) {
      case 'string':
        return this.text(value, 'string') ? value : undefined;
      case 'number':
        if (!Number.isFinite(value)) return this.invalid(`${String(value)} is not a JSON number; send a finite number or null`);
        this.bytes += numberBytes(value);
        return value === 0 ? 0 : value;
      case 'boolean':
        this.bytes += value ? 4 : 5;
        return value;
      case 'object':
        if (value === null) {
          this.bytes += 4;
          return null;
        }
        if (above >= this.depth) {
          return this.refuse({
            code: 'LIMIT_EXCEEDED',
            message: `The value lies deeper than ${this.depth} containers (depth); flatten it (a cycle is infinitely deep)`,
            limitName: 'depth',
            limit: this.depth,
            actual: above + 1,
          });
        }
        if (this.bytes > this.limits.documentBytes) return this.tooLarge();
        return Array.isArray(value) ? this.array(value, above) : this.object(value, above);
      default:
        return this.invalid(notJson(value));
    }
  }

  /** Why the last run failed. `within` is the place of the value, put before the place inside it. */
  refusal(within: readonly (string | number)[]): Failure {
    if (this.failure === undefined) throw new Error('invariant: refusal() after a run that passed');
    return { ...this.failure, path: formatPointer([...within, ...this.trail.reverse()]) };
  }

  private array(source: readonly unknown[], above: number): JsonValue | undefined {
    let copy: JsonValue[] | undefined = this.mode === 'take' ? [] : undefined;
    this.bytes += source.length === 0 ? 2 : source.length + 1;
    if (this.bytes > this.limits.documentBytes) return this.tooLarge();
    for (let index = 0; index < source.length; index++) {
      const item = source[index];
      const checked = this.run(item, above + 1);
      if (checked === undefined) return this.unwind(index);
      if (copy === undefined && !Object.is(checked, item)) copy = source.slice() as JsonValue[];
      if (copy !== undefined) copy[index] = checked;
    }
    if (this.mode === 'take') return this.taken(source, Object.freeze(copy as JsonArray));
    return copy ?? (source as JsonArray);
  }

  private object(source: object, above: number): JsonValue | undefined {
    if (!isPlain(source)) return this.invalid(instanceMessage(source));
    const taking = this.mode === 'take';
    let copy: Record<string, JsonValue> | undefined = taking ? {} : undefined;
    const keys = Object.keys(source);
    this.bytes += keys.length === 0 ? 2 : 2 * keys.length + 1;
    if (this.bytes > this.limits.documentBytes) return this.tooLarge();
    for (const key of keys) {
      if (key === '__proto__') {
        this.invalid('The key __proto__ is refused; rename it');
        return this.unwind(key);
      }
      let member: unknown;
      try {
        member = (source as Record<string, unknown>)[key];
      } catch (error) {
        this.invalid(`The member cannot be read (${String(error)}); send a plain object`);
        return this.unwind(key);
      }
      if (taking && member === undefined) continue;
      if (!this.text(key, 'key')) return this.unwind(key);
      const checked = this.run(member, above + 1);
      if (checked === undefined) return this.unwind(key);
      if (copy === undefined && !Object.is(checked, member)) copy = { ...(source as JsonObject) };
      if (copy !== undefined) copy[key] = checked;
    }
    if (taking) return this.taken(source, Object.freeze(copy as JsonObject));
    return copy ?? (source as JsonObject);
  }

  private taken(source: object, copy: JsonArray | JsonObject): JsonValue {
    this.onTaken?.(source, copy);
    return copy;
  }

  private text(text: string, what: 'string' | 'key'): boolean {
    // A text has at least one byte a code unit, so an oversize one is refused before it is read.
    if (this.bytes + text.length > this.limits.documentBytes + 2) {
      this.bytes += text.length;
      this.tooLarge();
      return false;
    }
    const bytes = scanText(text);
    if (bytes < 0) {
      this.invalid(`The ${what} holds U+0000 or a lone surrogate; remove it or send bytes as base64`);
      return false;
    }
    this.bytes += bytes + 2;
    return true;
  }

  /** Whether what was run so far is too large together; if so, `refusal` tells it. The walk itself looks only now and then. */
  isTooLarge(): boolean {
    if (this.bytes > this.limits.documentBytes) this.tooLarge();
    return this.failure !== undefined;
  }

  private tooLarge(): undefined {
    return this.refuse({
      code: 'LIMIT_EXCEEDED',
      message: `The value is larger than ${this.limits.documentBytes} bytes when serialised (documentBytes); split it over several documents`,
      limitName: 'documentBytes',
      limit: this.limits.documentBytes,
      actual: this.bytes,
    });
  }

  private invalid(message: string): undefined {
    return this.refuse({ code: 'VALUE_INVALID', message });
  }

  private refuse(failure: Failure): undefined {
    this.failure = failure;
    return undefined;
  }

  private unwind(segment: string | number): undefined {
    this.trail.push(segment);
    return undefined;
  }
}

function notJson(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'undefined is not JSON; leave it out or send null';
    case 'bigint':
      return 'A BigInt is not JSON; send a number up to 2^53-1, or a text';
    default:
      return `A ${typeof value} is not JSON; leave it out or send null`;
  }
}

function instanceMessage(value: object): string {
  if (value instanceof Date) return 'A Date is not JSON; send the text that its toISOString() gives';
  if (value instanceof Map) return 'A Map is not JSON; send Object.fromEntries(map)';
  if (value instanceof Set) return 'A Set is not JSON; send the array [...set]';
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return 'Bytes are not JSON; send them as base64';
  return 'An instance of a class is not JSON; send a plain object';
}

/** A value that came from JSON.parse, a literal, or another realm's literal: its prototype chain is at most one long. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

function numberBytes(value: number): number {
  if (value >= 0 && value < 10 && Number.isInteger(value)) return 1;
  return value === 0 ? 1 : String(value).length;
}

/**
 * Serialised UTF-8 bytes of a value, exactly as `JSON.stringify` would write it, without writing it. Stops once it is
 * past `enough` and then returns some number above it, so the cost is O(min(size, enough)) even where parts are shared.
 */
export function jsonBytes(value: JsonValue, enough = Infinity): number {
  if (typeof value === 'string') return Math.abs(scanText(value)) + 2;
  if (typeof value === 'number') return numberBytes(value);
  if (value === null || value === true) return 4;
  if (value === false) return 5;
  if (Array.isArray(value)) {
    const items = value as JsonArray;
    let bytes = items.length === 0 ? 2 : items.length + 1;
    for (let index = 0; index < items.length && bytes <= enough; index++) bytes += jsonBytes(items[index]!, enough - bytes);
    return bytes;
  }
  const object = value as JsonObject;
  const keys = Object.keys(object);
  let bytes = keys.length === 0 ? 2 : 2 * keys.length + 1;
  for (let index = 0; index < keys.length && bytes <= enough; index++) {
    const key = keys[index]!;
    bytes += Math.abs(scanText(key)) + 2;
    bytes += jsonBytes(object[key]!, enough - bytes);
  }
  return bytes;
}

/** Containers within each other: 0 for a scalar, 1 for `[]`. Stops once it is past `enough`, so a hostile depth cannot overflow the stack. */
export function depthOf(value: JsonValue, enough: number): number {
  if (value === null || typeof value !== 'object') return 0;
  if (enough <= 0) return 1;
  let deepest = 0;
  if (Array.isArray(value)) {
    for (const item of value as JsonArray) {
      if (item === null || typeof item !== 'object') continue;
      deepest = Math.max(deepest, depthOf(item, enough - 1));
      if (deepest >= enough) break;
    }
  } else {
    const object = value as JsonObject;
    for (const key of Object.keys(object)) {
      const member = object[key]!;
      if (member === null || typeof member !== 'object') continue;
      deepest = Math.max(deepest, depthOf(member, enough - 1));
      if (deepest >= enough) break;
    }
  }
  return deepest + 1;
}

export const isObject = (value: JsonValue | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Whether two values are the same JSON: deep, the order of keys ignored, numbers by value. Shared subtrees cost nothing.
 * The one equality both ends use wherever a rule asks for equal values.
 */
export function equalValues(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a)) {
    const left = a as JsonArray;
    if (!Array.isArray(b)) return false;
    const right = b as JsonArray;
    if (left.length !== right.length) return false;
    for (let index = 0; index < left.length; index++) {
      if (!equalValues(left[index]!, right[index]!)) return false;
    }
    return true;
  }
  if (Array.isArray(b)) return false;
  const left = a as JsonObject;
  const right = b as JsonObject;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(right, key) || !equalValues(left[key]!, right[key]!)) return false;
  }
  return true;
}

/**
 * The one text of a value: no spaces, keys sorted by UTF-16 code units, numbers as JavaScript prints them (the form of
 * RFC 8785). Two values have the same text exactly when `equalValues` holds, so this is what is hashed and compared.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) {
    let text = '[';
    const items = value as JsonArray;
    for (let index = 0; index < items.length; index++) {
      text += index === 0 ? canonicalJson(items[index]!) : `,${canonicalJson(items[index]!)}`;
    }
    return `${text}]`;
  }
  const object = value as JsonObject;
  let text = '{';
  for (const key of Object.keys(object).sort()) {
    if (text.length > 1) text += ',';
    text += `${JSON.stringify(key)}:${canonicalJson(object[key]!)}`;
  }
  return `${text}}`;
}

/** A value in a message: scalars as they are, long texts cut, containers by name. */
export function glimpse(value: JsonValue): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (value === null || typeof value !== 'object') return String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}
