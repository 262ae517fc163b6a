/** Default limits. Each is refused with `LIMIT_EXCEEDED`, the limit and the actual size; the server may be configured lower or higher. */
export interface Limits {
  /** Serialised UTF-8 bytes of a document's value. */
  readonly documentBytes: number;
  /** Containers within containers, of documents and of pointers. */
  readonly depth: number;
  /** UTF-8 bytes of a JSON pointer. */
  readonly pointerBytes: number;
  readonly patchOperations: number;
  /** Serialised UTF-8 bytes of a patch. At least `patchBytesFor` a document: what may be created may be edited. */
  readonly patchBytes: number;
  readonly pushPatches: number;
  readonly pushBytes: number;
}

export const defaultLimits: Limits = {
  documentBytes: 1024 * 1024,
  depth: 128,
  pointerBytes: 4096,
  patchOperations: 1000,
  patchBytes: 1088 * 1024,
  pushPatches: 500,
  pushBytes: 4 * 1024 * 1024,
};

/** What a patch must be allowed so that each value of a document, and the document itself, can be set by one: itself, a path, and names around it. */
export const patchBytesFor = (documentBytes: number): number => documentBytes + 64 * 1024;

/** Conflicts that an author may report with one edit. */
export const mostReportedConflicts = 100;

/**
 * No configured depth goes past this: deeper values overflow the stack of functions that walk them, `JSON.stringify` of some
 * engines among them, at 3,000 to 5,000 containers.
 */
export const deepestDepth = 1000;
