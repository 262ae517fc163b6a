import { paced, type Turns } from '../rate-limit/turns.js';

/** JSON up to this size is parsed at once, which takes under 5 ms whatever is in it. */
export const pieceBytes = 64 * 1024;
/** A document may be 128 levels deep; around it are an edit, a push and a batch. */
const maxDepth = 160;
/** Bytes that are looked at between two looks at the clock. */
const strideBytes = 32 * 1024;

const [quote, comma, colon, backslash] = [0x22, 0x2c, 0x3a, 0x5c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/** An object or a list that has begun and not ended. */
interface Open {
  readonly start: number;
  readonly isObject: boolean;
  /** Where what was not taken into `made` begins. */
  from: number;
  /** Its members so far, once it has turned out to be large. */
  made: Record<string, unknown> | unknown[] | null;
  /** A large member has just ended: a comma or the end must follow. */
  isAfterLarge: boolean;
  /** A comma came last. */
  isAfterComma: boolean;
  /** Of the newest key. */
  keyStart: number;
  keyEnd: number;
}

/**
 * `JSON.parse` of a text that may be large and hostile, in pieces with turns in between: a body of a few megabytes of brackets holds
 * the event loop for seconds otherwise. The result is that of `JSON.parse`.
 * @throws SyntaxError as `JSON.parse` does, RangeError for what is nested deeper than any input.
 */
export async function parseLargeJson(bytes: Buffer, turns: Turns, mostPieceBytes = pieceBytes): Promise<unknown> {
  if (bytes.length <= mostPieceBytes) return JSON.parse(bytes.toString());
  const pause = paced(turns);
  const opened: Open[] = [];
  let root: unknown;
  let end = -1;
  let stringStart = -1;
  let stringEnd = -1;
  let inString = false;
  let nextStride = strideBytes;
  for (let at = 0; at < bytes.length; at++) {
    if (at >= nextStride) {
      nextStride = at + strideBytes;
      const waits = pause();
      if (waits !== undefined) await waits;
    }
    if (inString) {
      at = bytes.indexOf(quote, at);
      if (at < 0) throw new SyntaxError('Unterminated string in JSON');
      inString = isEscaped(bytes, at);
      stringEnd = at + 1;
      continue;
    }
    const byte = bytes[at]!;
    switch (byte) {
      case quote:
        stringStart = at;
        inString = true;
        break;
      case openList:
      case openObject:
        if (end >= 0) throw unexpected(at);
        if (opened.length >= maxDepth) throw new RangeError(`It is nested deeper than ${maxDepth} levels.`);
        opened.push({ start: at, isObject: byte === openObject, from: at + 1, made: null, isAfterLarge: false, isAfterComma: false, keyStart: -1, keyEnd: -1 });
        break;
      case colon: {
        const open = opened.at(-1);
        if (open === undefined) throw unexpected(at);
        open.keyStart = stringStart;
        open.keyEnd = stringEnd;
        break;
      }
      case comma: {
        const open = opened.at(-1);
        if (open === undefined) throw unexpected(at);
        if (open.isAfterLarge || at - open.from >= mostPieceBytes) {
          takeMembers(bytes, open, at);
          open.from = at + 1;
          open.isAfterComma = true;
          open.isAfterLarge = false;
        }
        break;
      }
      case closeList:
      case closeObject: {
        const open = opened.pop();
        if (open === undefined || open.isObject !== (byte === closeObject)) throw unexpected(at);
        const outer = opened.at(-1);
        if (open.made === null && at - open.start < mostPieceBytes && outer !== undefined) break;
        takeMembers(bytes, open, at);
        if (outer === undefined) {
          if (bytes.toString('latin1', 0, open.start).trim() !== '') throw unexpected(0);
          root = open.made;
          end = at;
        } else {
          takeLarge(bytes, outer, open, at);
        }
        nextStride = at;
        break;
      }
    }
  }
  if (opened.length > 0 || inString) throw new SyntaxError('Unexpected end of JSON input');
  // A text or a number alone.
  if (end < 0) return JSON.parse(bytes.toString());
  if (isBlank(bytes, end + 1, bytes.length)) return root;
  throw unexpected(end + 1);
}

/** Takes what lies between `from` and `to` into `made`: whole members, or nothing where a large one was taken already. */
function takeMembers(bytes: Buffer, open: Open, to: number): void {
  open.made ??= open.isObject ? {} : [];
  if (isBlank(bytes, open.from, to)) {
    if (open.isAfterLarge || (!open.isAfterComma && isClosing(bytes, to))) return;
    throw unexpected(to);
  }
  if (open.isAfterLarge) throw unexpected(open.from);
  addAll(open, bytes.toString('utf8', open.from, to));
}

/** Takes the members before a large one, and the large one. */
function takeLarge(bytes: Buffer, outer: Open, large: Open, at: number): void {
  if (outer.isAfterLarge) throw unexpected(large.start);
  outer.made ??= outer.isObject ? {} : [];
  const memberStart = outer.isObject ? outer.keyStart : large.start;
  if (memberStart < outer.from) throw unexpected(large.start);
  const before = bytes.toString('utf8', outer.from, memberStart).trimEnd();
  if (before.trimStart() !== '') {
    if (!before.endsWith(',')) throw unexpected(memberStart);
    addAll(outer, before.slice(0, -1), true);
  }
  if (outer.isObject) {
    const between = bytes.toString('latin1', outer.keyEnd, large.start).trim();
    if (between !== ':') throw unexpected(large.start);
    setMember(outer.made as Record<string, unknown>, JSON.parse(bytes.toString('utf8', outer.keyStart, outer.keyEnd)) as string, large.made);
  } else {
    (outer.made as unknown[]).push(large.made);
  }
  outer.from = at + 1;
  outer.isAfterLarge = true;
  outer.isAfterComma = false;
}

function addAll({ made, isObject }: Open, members: string, notEmpty = false): void {
  if (notEmpty && members.trim() === '') throw new SyntaxError('Unexpected token , in JSON');
  if (isObject) {
    for (const [key, value] of Object.entries(JSON.parse(`{${members}}`) as Record<string, unknown>)) setMember(made as Record<string, unknown>, key, value);
  } else {
    for (const value of JSON.parse(`[${members}]`) as unknown[]) (made as unknown[]).push(value);
  }
}

function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  // As JSON.parse does: an own member, which is refused later.
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

/** Whether the quote at an index is part of its string. */
function isEscaped(bytes: Buffer, at: number): boolean {
  let slashes = 0;
  while (bytes[at - 1 - slashes] === backslash) slashes += 1;
  return slashes % 2 === 1;
}

const isClosing = (bytes: Buffer, at: number): boolean => bytes[at] === closeList || bytes[at] === closeObject;

function isBlank(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return false;
  }
  return true;
}

const unexpected = (at: number): SyntaxError => new SyntaxError(`Unexpected token in JSON at position ${at}`);
