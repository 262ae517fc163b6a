import type { NormalPatch, Operation, Patch, WireOperation, WireOperationJson, WirePatch } from './operation.js';
import { formatPointer } from './pointer.js';

/**
 * The patch as it travels and is logged: RFC 6902 JSON with pointers as texts. `insert` becomes `add` and an index becomes
 * decimal, so whether `"0"` was a key or an index is found again by `normalize` against the same document:
 * normalising what was parsed from here gives the same normal patch. Values are shared, not copied. Never fails.
 */
export function toWire(patch: Patch | NormalPatch): WirePatch {
  return patch.map(wireOperation);
}

function wireOperation(operation: WireOperation | Operation): WireOperationJson {
  const path = formatPointer(operation.path);
  switch (operation.op) {
    case 'insert':
      return { op: 'add', path, value: operation.value };
    case 'add':
    case 'replace':
    case 'test':
      return { op: operation.op, path, value: operation.value };
    case 'inc':
      return { op: 'inc', path, value: operation.value };
    case 'remove':
      return { op: 'remove', path };
    case 'copy':
      return { op: 'copy', from: formatPointer(operation.from), path };
    case 'move': {
      const from = formatPointer(operation.from);
      return operation.restoring === true ? { op: 'move', from, path, restoring: true } : { op: 'move', from, path };
    }
    case 'str_ins':
      return { op: 'str_ins', path, pos: operation.pos, str: operation.str, ...(operation.replacing === undefined ? {} : { replacing: operation.replacing }) };
    case 'str_del':
      return { op: 'str_del', path, pos: operation.pos, len: operation.len };
  }
}
