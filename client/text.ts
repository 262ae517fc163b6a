import type { WireOperationJson } from '@concord/core';

/** Puts `text` into the string at `path` before the UTF-16 offset `pos`. Concurrent insertions and deletions in the same string merge. */
export const insertText = (path: string, pos: number, text: string): WireOperationJson => ({ op: 'str_ins', path, pos, str: text });

/** Takes `length` UTF-16 code units out of the string at `path`, from the offset `pos` on. */
export const deleteText = (path: string, pos: number, length: number): WireOperationJson => ({ op: 'str_del', path, pos, len: length });

/** Adds to the whole number at `path`; concurrent increments add up. Negative numbers subtract. */
export const increment = (path: string, by = 1): WireOperationJson => ({ op: 'inc', path, value: by });
