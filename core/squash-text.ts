import type { Operation } from './operation.js';

/**
 * Two text edits of one text, the second made on the result of the first, as one edit. `'nothing'` where the second takes
 * back the first, undefined where they stay two.
 */
export const joinText = (first: Operation, second: Operation): Operation | 'nothing' | undefined => {
  if (first.op === 'str_ins' && second.op === 'str_ins') {
    const within = second.pos - first.pos;
    if (within < 0 || within > first.str.length) return undefined;
    return { ...first, str: first.str.slice(0, within) + second.str + first.str.slice(within) };
  }
  if (first.op === 'str_ins' && second.op === 'str_del') {
    const from = second.pos - first.pos;
    const to = from + second.len;
    if (from >= 0 && to <= first.str.length) {
      const str = first.str.slice(0, from) + first.str.slice(to);
      return str === '' ? 'nothing' : { ...first, str };
    }
    // The deletion takes all of what was inserted and more around it.
    return from <= 0 && to >= first.str.length ? { ...second, len: second.len - first.str.length } : undefined;
  }
  if (first.op === 'str_del' && second.op === 'str_del') {
    if (first.pos < second.pos || first.pos > second.pos + second.len) return undefined;
    return { ...second, len: second.len + first.len };
  }
  return undefined;
};
