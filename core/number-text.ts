/** A number in a JSON text that no double holds as it is written. */
export interface LossyNumber {
  readonly token: string;
  /** Its place, as a JSON pointer into the text. */
  readonly path: string;
}

/** 2^53 + 1, the first whole number that a double does not hold, has so many digits. */
const digitsOfTheFirst = 16;
/** As many as `toPrecision` takes; nobody writes a double with more, nor with so many zeros. */
const mostDigits = 100;
const longestToken = 400;
/** A pointer is no longer than 4 kB, so no key of a document is. */
const longestKey = 4_096;
const strideBytes = 32 * 1024;

/**
 * The first whole number beyond 2^53 of a JSON text in UTF-8 that would not be kept as it is written; null: there is none. `JSON.parse`
 * rounds such numbers without a word, so they must be looked for in the text. Costs next to nothing for a text without a long run of
 * digits, one walk for another.
 */
export function lossyNumberIn(json: Uint8Array): LossyNumber | null {
  for (const found of lookForLossyNumber(json)) if (found !== null) return found;
  return null;
}

/** The same in strides, for a text that may be large: yields null between two of them. */
export function* lookForLossyNumber(json: Uint8Array): Generator<LossyNumber | null, void> {
  if (!hasLongNumber(json)) return;
  let nextStride = strideBytes;
  for (let at = 0; at < json.length; at++) {
    if (at >= nextStride) {
      nextStride = at + strideBytes;
      yield null;
    }
    const byte = json[at]!;
    if (byte === quote) {
      at = endOfString(json, at);
    } else if (byte === 0x2d || isDigit(byte)) {
      const start = at;
      while (at + 1 < json.length && isInNumber(json[at + 1]!)) at++;
      if (at + 1 - start < digitsOfTheFirst) continue;
      const token = ascii(json, start, Math.min(at + 1, start + longestToken + 1));
      if (isHeld(token)) continue;
      yield { token, path: pathAt(json, start) };
      return;
    }
  }
}

/**
 * Whether a number is kept as it is written. True for every fraction, which rounds as everywhere; for a whole number, when its double has
 * the same digits, rounded to as many: what any program writes for a double of its own is kept.
 */
export function isHeld(token: string): boolean {
  const value = Number(token);
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return true;
  if (!Number.isFinite(value) || token.length > longestToken) return false;
  const { digits, exponent } = significant(token);
  if (exponent < 0 || digits.length < digitsOfTheFirst) return true;
  if (digits.length > mostDigits) return false;
  const held = significant(value.toPrecision(digits.length));
  return held.digits === digits && held.exponent === exponent;
}

/** What to say of it. */
export const lossyNumberMessage = (token: string): string =>
  `the whole number ${token.length > 40 ? `${token.slice(0, 40)}…` : token} cannot be held exactly: numbers are IEEE doubles, and it would become ${Number(token)}. Send it as a text`;

/** Value = digits × 10^exponent, without zeros at either end of the digits. */
function significant(token: string): { readonly digits: string; readonly exponent: number } {
  const [mantissa = '', power = '0'] = token.replace(/^-/, '').split(/e/i);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const all = `${whole}${fraction}`.replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  return { digits, exponent: Number(power) - fraction.length + all.length - digits.length };
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isDigitOrPoint = (byte: number): boolean => isDigit(byte) || byte === 0x2e;
/** Digits, point, sign, e and E. */
const isInNumber = (byte: number): boolean => isDigitOrPoint(byte) || byte === 0x2b || byte === 0x2d || byte === 0x45 || byte === 0x65;
const ascii = (json: Uint8Array, from: number, to: number): string => String.fromCharCode(...json.subarray(from, to));

/** A run of so many digits cannot hide between the places that are looked at. */
function hasLongNumber(json: Uint8Array): boolean {
  for (let at = digitsOfTheFirst - 1; at < json.length; at += digitsOfTheFirst) {
    if (!isDigitOrPoint(json[at]!)) continue;
    let start = at;
    while (start > 0 && isDigitOrPoint(json[start - 1]!)) start--;
    let end = at + 1;
    while (end < json.length && isDigitOrPoint(json[end]!)) end++;
    if (end - start >= digitsOfTheFirst) return true;
  }
  return false;
}

/** Index of the closing quote. */
function endOfString(json: Uint8Array, start: number): number {
  let end = start;
  do end = json.indexOf(quote, end + 1);
  while (end > 0 && isEscaped(json, end));
  return end < 0 ? json.length : end;
}

function isEscaped(json: Uint8Array, at: number): boolean {
  let slashes = 0;
  while (json[at - 1 - slashes] === backslash) slashes++;
  return slashes % 2 === 1;
}

/** The JSON pointer of what begins at `offset`. Only for a text that is refused. */
function pathAt(json: Uint8Array, offset: number): string {
  const path: (string | number)[] = [];
  let text = '';
  for (let at = 0; at < offset; at++) {
    const place = path.at(-1);
    switch (json[at]) {
      case openObject:
        path.push('');
        break;
      case openList:
        path.push(0);
        break;
      case closeObject:
      case closeList:
        path.pop();
        break;
      case comma:
        if (typeof place === 'number') path[path.length - 1] = place + 1;
        break;
      case colon:
        path[path.length - 1] = text;
        break;
      case quote: {
        const end = endOfString(json, at);
        if (end - at <= longestKey) text = String(JSON.parse(new TextDecoder().decode(json.subarray(at, end + 1))));
        at = end;
        break;
      }
      default:
    }
  }
  return path.map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
