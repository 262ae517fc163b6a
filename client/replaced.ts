import { apply, formatPointer, type JsonValue, type NormalPatch, type PatchId, type Path } from '@concord/core';
import { withoutGuards, type DocumentState } from './document-state.js';
import { unlimited } from './unlimited.js';

/** What was at a place before an operation of a patch; without a value where nothing was. */
export interface Replaced {
  /** A JSON pointer; of a move, where the item came from. */
  readonly path: string;
  readonly value?: JsonValue;
}

/** For each of the wanted pending edits what it wrote over, in one pass over the outbox of the document. */
export function replacedByEach(state: DocumentState, wanted: ReadonlySet<PatchId>): ReadonlyMap<PatchId, readonly Replaced[]> {
  const replaced = new Map<PatchId, readonly Replaced[]>();
  // An own creation began with nothing, whatever the server has under the id.
  let value = state.pending[0]?.kind === 'CREATE' ? null : (state.confirmed ?? null);
  for (const { patchId, kind, patch } of state.pending) {
    if (replaced.size === wanted.size) break;
    const step = replacedBy(value, withoutGuards(patch));
    // What follows on an edit that does not apply was made on a value that nobody knows.
    if (step === undefined) break;
    value = step.value;
    if (wanted.has(patchId)) replaced.set(patchId, kind === 'CREATE' ? [] : step.replaced);
  }
  return replaced;
}

function replacedBy(before: JsonValue, patch: NormalPatch): { readonly value: JsonValue; readonly replaced: readonly Replaced[] } | undefined {
  const replaced: Replaced[] = [];
  let value = before;
  for (const operation of patch) {
    const path = operation.op === 'move' ? operation.from : operation.path;
    const found = operation.op === 'insert' ? undefined : valueAt(value, path);
    replaced.push({ path: formatPointer(path), ...(found === undefined ? {} : { value: found }) });
    const applied = apply(value, [operation], unlimited);
    if (!applied.ok) return undefined;
    value = applied.value;
  }
  return { value, replaced };
}

function valueAt(document: JsonValue, path: Path): JsonValue | undefined {
  let at: JsonValue | undefined = document;
  for (const segment of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return undefined;
    at = (at as { readonly [segment: string | number]: JsonValue })[segment];
  }
  return at;
}
