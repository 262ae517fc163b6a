import type { Draft, MutableObject } from './draft.js';
import type { JsonValue } from './json.js';
import type { Path, Pointer } from './operation.js';
import { samePath } from './path.js';
import { TextRun } from './text-run.js';
import { splitsPair } from './text.js';
import { glimpse } from './value.js';

export type TextOperation =
  | { readonly op: 'str_ins'; readonly path: Path | Pointer; readonly pos: number; readonly str: string; readonly replacing?: string }
  | { readonly op: 'str_del'; readonly path: Path | Pointer; readonly pos: number; readonly len: number };

/** Below this length slicing a text is cheaper than keeping it in chunks. */
const shortText = 2048;

/** The text that is being edited: where it is, and its chunks once a second edit in a row has met it. */
interface OpenText {
  readonly path: Path | Pointer;
  readonly typed: Path;
  readonly parent: MutableObject;
  readonly key: string | number;
  chunks: TextRun | undefined;
}

/**
 * The text operations of one patch. People type, so edits come in runs at one place: the place is found once for a run, and
 * from the second edit on a long text is kept in chunks. Until `close`, the draft does not have the edits of the run.
 */
export class TextEdits {
  private open: OpenText | undefined;

  constructor(private readonly draft: Draft) {}

  /** Does one edit; returns the typed path of the text, or undefined where the draft has failed. Offsets are never clamped. */
  edit(operation: TextOperation): Path | undefined {
    const { path, pos } = operation;
    let at = this.open;
    if (at === undefined || !samePath(at.path, path)) {
      this.close();
      at = this.find(path);
      if (at === undefined) return undefined;
      this.open = at;
    } else if (at.chunks === undefined) {
      const text = at.parent[at.key] as string;
      if (text.length > shortText) at.chunks = new TextRun(text);
    }
    const text = at.chunks ?? (at.parent[at.key] as string);
    const len = operation.op === 'str_del' ? operation.len : 0;
    // Written so that NaN fails too.
    if (!(pos >= 0 && len >= 0 && pos + len <= text.length)) {
      const count = len > 0 ? ` + ${len}` : '';
      return this.draft.refuse('RANGE_INVALID', `Offset ${pos}${count} is outside of the text of ${text.length} UTF-16 units`, path);
    }
    if (!(typeof text === 'string' ? this.slice(at, text, operation) : this.change(text, operation))) {
      const end = len > 0 ? ` to ${pos + len}` : '';
      return this.draft.refuse('RANGE_INVALID', `An edit at ${pos}${end} would cut a character of two UTF-16 units`, path);
    }
    return at.typed;
  }

  /** Puts the edits of the run into the draft. Whoever reads or changes the draft otherwise calls this first. */
  close(): void {
    const at = this.open;
    if (at === undefined) return;
    this.open = undefined;
    if (at.chunks !== undefined) at.parent[at.key] = at.chunks.toString();
    if (at.path.length === 0) this.draft.root = at.parent['']!;
  }

  private slice(at: OpenText, text: string, operation: TextOperation): boolean {
    const { pos } = operation;
    if (splitsPair(text, pos)) return false;
    if (operation.op === 'str_ins') {
      at.parent[at.key] = text.slice(0, pos) + operation.str + text.slice(pos);
    } else {
      if (splitsPair(text, pos + operation.len)) return false;
      at.parent[at.key] = text.slice(0, pos) + text.slice(pos + operation.len);
    }
    return true;
  }

  private change(chunks: TextRun, operation: TextOperation): boolean {
    return operation.op === 'str_ins' ? chunks.insert(operation.pos, operation.str) : chunks.delete(operation.pos, operation.len);
  }

  private find(path: Path | Pointer): OpenText | undefined {
    const draft = this.draft;
    let found: JsonValue;
    let parent: MutableObject;
    let key: string | number = '';
    if (path.length === 0) {
      // A stand-in parent, so that a document that is one text needs no case of its own above.
      found = draft.root;
      parent = { '': found };
    } else {
      const container = draft.open(path);
      if (container === undefined) return undefined;
      const existing = draft.keyOf(container, path);
      if (existing === undefined) return undefined;
      parent = container as MutableObject;
      key = existing;
      found = parent[key]!;
    }
    if (typeof found !== 'string') {
      return draft.refuse('TYPE_MISMATCH', `Text can only be edited in a text; the value there is ${glimpse(found)}`, path);
    }
    return { path, typed: path.length === 0 ? path : (draft.typed ?? path), parent, key, chunks: undefined };
  }
}
