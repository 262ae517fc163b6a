import { fail, ok, type Result } from './errors.js';
import { defaultLimits, type Limits } from './limits.js';
import type { Path, Pointer } from './operation.js';
import { scanText, utf8Bytes } from './text.js';

/**
 * Splits an RFC 6901 pointer into its unescaped tokens (`~1` is `/`, `~0` is `~`); the empty pointer is the whole document.
 *
 * Refuses with `POINTER_INVALID` what RFC 6901 does not allow, with `VALUE_INVALID` a `__proto__` token, U+0000 and lone
 * surrogates, with `LIMIT_EXCEEDED` more than `limits.pointerBytes` UTF-8 bytes or `limits.depth` tokens. Cost: O(length),
 * after the length was checked.
 */
export function parsePointer(text: string, limits: Pick<Limits, 'depth' | 'pointerBytes'> = defaultLimits): Result<Pointer> {
  if (text.length > limits.pointerBytes) return tooLong(text, text.length, limits.pointerBytes);
  if (text.length > 0 && text.charCodeAt(0) !== 0x2f) {
    return refuse('POINTER_INVALID', `"${shown(text)}" is not a JSON pointer: start it with "/" (or leave it empty for the whole document)`, text);
  }
  const tokens: string[] = [];
  let start = 1;
  let plain = true;
  let escaped = false;
  for (let index = 1; index <= text.length; index++) {
    const unit = index === text.length ? 0x2f : text.charCodeAt(index);
    if (unit === 0x2f) {
      if (tokens.length === limits.depth) return tooDeep(text, limits.depth);
      let token = text.slice(start, index);
      start = index + 1;
      if (escaped) {
        escaped = false;
        if (/~(?![01])/.test(token)) {
          return refuse('POINTER_INVALID', `"${shown(text)}" has a "~" that is neither "~0" nor "~1": write "~0" for "~"`, text);
        }
        // In this order, or "~01" would become "/" instead of "~1".
        token = token.replaceAll('~1', '/').replaceAll('~0', '~');
      }
      if (token === '__proto__') return refuse('VALUE_INVALID', 'The key __proto__ is refused; rename it', text);
      tokens.push(token);
    } else if (unit === 0x7e) escaped = true;
    else if (unit < 0x20 || unit > 0x7e) plain = false;
  }
  if (!plain) {
    if (scanText(text) < 0) return refuse('VALUE_INVALID', 'The pointer holds U+0000 or a lone surrogate; no key may', text);
    const bytes = utf8Bytes(text);
    if (bytes > limits.pointerBytes) return tooLong(text, bytes, limits.pointerBytes);
  }
  return ok(tokens);
}

function tooLong(text: string, actual: number, limit: number): Result<never> {
  const message = `The pointer has ${actual} bytes, ${limit} are allowed (pointerBytes); keep documents flatter or keys shorter`;
  return fail({ code: 'LIMIT_EXCEEDED', message, path: shown(text), limitName: 'pointerBytes', limit, actual });
}

function tooDeep(text: string, limit: number): Result<never> {
  const actual = text.split('/').length - 1;
  const message = `The pointer has ${actual} segments, ${limit} are allowed (depth); keep documents flatter`;
  return fail({ code: 'LIMIT_EXCEEDED', message, path: shown(text), limitName: 'depth', limit, actual });
}

function refuse(code: 'POINTER_INVALID' | 'VALUE_INVALID', message: string, text: string): Result<never> {
  return fail({ code, message, path: shown(text) });
}

/** A hostile pointer is not repeated beyond what a person can read. */
function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** The RFC 6901 text of a place: `~` and `/` escaped, an index in decimal. Empty for the whole document. */
export function formatPointer(path: Path | Pointer): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `/${segment}`;
    else if (segment.includes('~') || segment.includes('/')) text += `/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    else text += `/${segment}`;
  }
  return text;
}
