import { fail, ok, type Result } from './errors.js';
import { defaultLimits, type Limits } from './limits.js';
import type { Path, Pointer } from './operation.js';
import { scanText } from './text.js';

/**
 * Splits an RFC 6901 pointer into its unescaped tokens (`~1` is `/`, `~0` is `~`); the empty pointer is the whole document.
 *
 * Refuses with `POINTER_INVALID` what RFC 6901 does not allow, with `VALUE_INVALID` a `__proto__` token, U+0000 and lone
 * surrogates, with `LIMIT_EXCEEDED` more than `limits.pointerBytes` UTF-8 bytes or `limits.depth` tokens. Cost: O(length),
 * after the length was checked.
 */
export function parsePointer(text: string, limits: Pick<Limits, 'depth' | 'pointerBytes'> = defaultLimits): Result<Pointer> {
  if (text.length === 0) return ok([]);
  // The text of a hostile pointer is not repeated in errors beyond what a person can read.
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  const tooLong = (actual: number) =>
    fail({
      code: 'LIMIT_EXCEEDED',
      message: `The pointer has ${actual} bytes, ${limits.pointerBytes} are allowed; keep documents flatter or keys shorter`,
      path: shown,
      limit: limits.pointerBytes,
      actual,
    });
  if (text.length > limits.pointerBytes) return tooLong(text.length);
  if (text.charCodeAt(0) !== 0x2f) {
    return fail({ code: 'POINTER_INVALID', message: `"${shown}" is not a JSON pointer: start it with "/" (or leave it empty for the whole document)`, path: shown });
  }
  if (scanText(text) < 0) {
    return fail({ code: 'VALUE_INVALID', message: 'The pointer holds U+0000 or a lone surrogate; no key may', path: shown });
  }
  if (text.length * 3 > limits.pointerBytes) {
    const bytes = utf8Bytes(text);
    if (bytes > limits.pointerBytes) return tooLong(bytes);
  }
  const tokens = text.slice(1).split('/');
  if (tokens.length > limits.depth) {
    return fail({
      code: 'LIMIT_EXCEEDED',
      message: `The pointer has ${tokens.length} segments, ${limits.depth} are allowed; keep documents flatter`,
      path: shown,
      limit: limits.depth,
      actual: tokens.length,
    });
  }
  const escaped = text.includes('~');
  for (let index = 0; index < tokens.length; index++) {
    let token = tokens[index]!;
    if (escaped && token.includes('~')) {
      if (/~(?![01])/.test(token)) {
        return fail({ code: 'POINTER_INVALID', message: `"${shown}" has a "~" that is neither "~0" nor "~1": write "~0" for "~"`, path: shown });
      }
      // In this order, or "~01" would become "/" instead of "~1".
      token = token.replaceAll('~1', '/').replaceAll('~0', '~');
      tokens[index] = token;
    }
    if (token === '__proto__') {
      return fail({ code: 'VALUE_INVALID', message: 'The key __proto__ is refused; rename it', path: shown });
    }
  }
  return ok(tokens);
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

/** UTF-8 bytes of a well-formed text, unescaped. */
function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff)) bytes += 2;
    else if (unit >= 0x80) bytes += 1;
  }
  return bytes;
}
