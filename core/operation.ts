import type { JsonValue } from './json.js';

/**
 * Patches exist in two forms.
 *
 * `Patch` is RFC 6902 as parsed from the wire: its pointers are split into tokens, which are always strings, so whether
 * `"0"` names a key or an index is not yet known.
 *
 * `NormalPatch` is the form that transforms: it was normalised against the document it was made on, so every segment is
 * typed (array index = number, object key = string) and every operation is valid in the state left by those before it.
 */
export type Patch = readonly WireOperation[];
export type NormalPatch = readonly Operation[];

/** Reference tokens of an RFC 6901 pointer, unescaped. Empty means the whole document. */
export type Pointer = readonly string[];
/** Typed place in a document: index of an array as number, key of an object as string. Empty means the whole document. */
export type Path = readonly (string | number)[];

/** One RFC 6902 step, or one of the extensions `inc`, `str_ins`, `str_del`. Offsets are UTF-16 code units. */
export type WireOperation =
  | { readonly op: 'add'; readonly path: Pointer; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: Pointer }
  | { readonly op: 'replace'; readonly path: Pointer; readonly value: JsonValue }
  | { readonly op: 'move'; readonly from: Pointer; readonly path: Pointer; readonly restoring?: true }
  | { readonly op: 'copy'; readonly from: Pointer; readonly path: Pointer }
  | { readonly op: 'test'; readonly path: Pointer; readonly value: JsonValue }
  | { readonly op: 'inc'; readonly path: Pointer; readonly value: number }
  | { readonly op: 'str_ins'; readonly path: Pointer; readonly pos: number; readonly str: string; readonly replacing?: string }
  | { readonly op: 'str_del'; readonly path: Pointer; readonly pos: number; readonly len: number };

/**
 * One step of the normal form. `add` sets a key that was absent, `insert` opens a slot in an array, `move.path` counts in
 * the state after the removal of `from` (as RFC 6902 does). `restoring` marks a move that a rule of the transform made to
 * bring an item home; it must survive every transform and the log. So must `replacing`: it marks an insertion that puts a new
 * text in the place of this old one, whose range the same patch deletes (`markCorrections`). `test` is a guard: it never changes content and is
 * not transformed against, only mapped and evaluated (docs/SEMANTICS.md, guards).
 */
export type Operation =
  | { readonly op: 'add'; readonly path: Path; readonly value: JsonValue }
  | { readonly op: 'insert'; readonly path: Path; readonly value: JsonValue }
  | { readonly op: 'replace'; readonly path: Path; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: Path }
  | { readonly op: 'move'; readonly from: Path; readonly path: Path; readonly restoring?: true }
  | { readonly op: 'inc'; readonly path: Path; readonly value: number }
  | { readonly op: 'str_ins'; readonly path: Path; readonly pos: number; readonly str: string; readonly replacing?: string }
  | { readonly op: 'str_del'; readonly path: Path; readonly pos: number; readonly len: number }
  | { readonly op: 'test'; readonly path: Path; readonly value: JsonValue };

/** RFC 6902 JSON as it travels: the same operations with pointers as strings. */
export type WirePatch = readonly WireOperationJson[];
export type WireOperationJson =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'copy'; readonly from: string; readonly path: string }
  | { readonly op: 'move'; readonly from: string; readonly path: string; readonly restoring?: true }
  | { readonly op: 'inc'; readonly path: string; readonly value: number }
  | { readonly op: 'str_ins'; readonly path: string; readonly pos: number; readonly str: string; readonly replacing?: string }
  | { readonly op: 'str_del'; readonly path: string; readonly pos: number; readonly len: number };
