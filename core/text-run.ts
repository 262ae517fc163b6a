import { splitsPair } from './text.js';

const chunkLength = 512;
const longestChunk = 2048;

/**
 * A text under many edits in a row. `text.slice(0, n) + …` costs the length of the text for every edit; here an edit costs
 * the length of a chunk, and the text is put together once, at the end.
 *
 * Chunk borders never cut a surrogate pair: the first cut avoids it and edits that would cut one are refused.
 */
export class TextRun {
  length: number;
  private readonly chunks: string[];
  /** The chunk of the last edit and the offset it starts at: edits of people are near each other. */
  private at = 0;
  private start = 0;

  constructor(text: string) {
    this.length = text.length;
    this.chunks = cut(text);
  }

  /** False, and nothing changed, if the offset cuts a surrogate pair. `offset` is from 0 to `length`. */
  insert(offset: number, text: string): boolean {
    this.seek(offset);
    const chunk = this.chunks[this.at]!;
    const within = offset - this.start;
    if (splitsPair(chunk, within)) return false;
    const longer = chunk.slice(0, within) + text + chunk.slice(within);
    this.length += text.length;
    if (longer.length <= longestChunk) this.chunks[this.at] = longer;
    else this.chunks.splice(this.at, 1, ...cut(longer));
    return true;
  }

  /** False, and nothing changed, if either end cuts a surrogate pair. `offset + count` is at most `length`. */
  delete(offset: number, count: number): boolean {
    this.seek(offset);
    let chunk = this.chunks[this.at]!;
    let within = offset - this.start;
    if (splitsPair(chunk, within)) return false;
    if (within + count <= chunk.length) {
      if (splitsPair(chunk, within + count)) return false;
      this.chunks[this.at] = chunk.slice(0, within) + chunk.slice(within + count);
      this.length -= count;
      return true;
    }
    this.seek(offset + count);
    if (splitsPair(this.chunks[this.at]!, offset + count - this.start)) return false;
    this.seek(offset);
    this.length -= count;
    let left = count;
    let at = this.at;
    while (left > 0) {
      chunk = this.chunks[at]!;
      within = at === this.at ? offset - this.start : 0;
      const here = Math.min(left, chunk.length - within);
      this.chunks[at] = chunk.slice(0, within) + chunk.slice(within + here);
      left -= here;
      at += 1;
    }
    return true;
  }

  toString(): string {
    return this.chunks.join('');
  }

  /** Makes `at` the chunk that holds the offset, or ends at it. */
  private seek(offset: number): void {
    while (offset < this.start) {
      this.at -= 1;
      this.start -= this.chunks[this.at]!.length;
    }
    while (offset > this.start + this.chunks[this.at]!.length) {
      this.start += this.chunks[this.at]!.length;
      this.at += 1;
    }
  }
}

/** At least one chunk, which may be empty. */
function cut(text: string): string[] {
  const chunks: string[] = [];
  let start = 0;
  do {
    let end = Math.min(start + chunkLength, text.length);
    if (splitsPair(text, end)) end += 1;
    chunks.push(text.slice(start, end));
    start = end;
  } while (start < text.length);
  return chunks;
}
