import type { DocumentId } from '@concord/core';

/**
 * How much the rows in `documents` may be behind the outbox, so that a query does not have to write more than that first: some
 * 200 ms of work.
 */
const mostBytes = 8 * 1024 * 1024;
/** What an edit writes at once where there is more. */
const sliceBytes = 256 * 1024;
/** What a row costs beside its value. */
const rowBytes = 4096;

/** Which rows in `documents` are behind the outbox. The document edited last is the last of them. */
export class Unshown {
  private readonly bytesOf = new Map<DocumentId, number>();
  private bytes = 0;

  /** `bytes`: of the value as JSON, about. */
  add(id: DocumentId, bytes: number): void {
    this.delete(id);
    this.bytesOf.set(id, rowBytes + bytes);
    this.bytes += rowBytes + bytes;
  }

  delete(id: DocumentId): void {
    this.bytes -= this.bytesOf.get(id) ?? 0;
    this.bytesOf.delete(id);
  }

  all(): readonly DocumentId[] {
    return [...this.bytesOf.keys()];
  }

  /** Documents to be shown before `edited` is edited: none, or some of those that were left alone the longest. */
  tooMany(edited: DocumentId): readonly DocumentId[] {
    const due: DocumentId[] = [];
    if (this.bytes <= mostBytes) return due;
    let left = this.bytes;
    for (const [id, bytes] of this.bytesOf) {
      if (left <= mostBytes - sliceBytes) break;
      if (id === edited) continue;
      due.push(id);
      left -= bytes;
    }
    return due;
  }
}
