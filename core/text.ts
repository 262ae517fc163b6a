/**
 * UTF-8 bytes of a text between JSON quotes, as `JSON.stringify` would write it, or minus that number when the text cannot
 * be held the same everywhere (it holds U+0000 or a lone surrogate). One pass.
 */
export function scanText(text: string): number {
  let bytes = text.length;
  let invalid = false;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x20 && unit < 0x80) {
      if (unit === 0x22 || unit === 0x5c) bytes += 1;
    } else if (unit < 0x20) {
      const short = unit === 0x08 || unit === 0x09 || unit === 0x0a || unit === 0x0c || unit === 0x0d;
      bytes += short ? 1 : 5;
      if (unit === 0) invalid = true;
    } else if (unit < 0x800) {
      bytes += 1;
    } else if (unit < 0xd800 || unit > 0xdfff) {
      bytes += 2;
    } else if (unit < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))) {
      bytes += 2; // two code units become four bytes
      index += 1;
    } else {
      bytes += 5; // written as \udXXX
      invalid = true;
    }
  }
  return invalid ? -bytes : bytes;
}

/** Whether an edit at this UTF-16 offset would cut a surrogate pair in two. Offsets at either end never do. */
export function splitsPair(text: string, offset: number): boolean {
  return isLowSurrogate(text.charCodeAt(offset)) && isHighSurrogate(text.charCodeAt(offset - 1));
}

/** NaN (past the end of a text) is neither. */
function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** UTF-8 bytes of a well-formed text, unescaped. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff)) bytes += 2;
    else if (unit >= 0x80) bytes += 1;
  }
  return bytes;
}
