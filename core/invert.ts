import { apply } from './apply.js';
import type { Result } from './errors.js';
import { fail, ok } from './errors.js';
import type { JsonValue } from './json.js';
import type { NormalPatch, Operation } from './operation.js';
import { valueAt } from './path.js';

/**
 * The patch that undoes `patch`, which was made on `document`: applied right after it, it brings `document` back. To undo
 * later, transform the inverse past everything that came since (`transform(inverse, since, 'right')`): it then undoes
 * what is left of the patch and nothing of the others' work. `test` operations have nothing to undo.
 *
 * Fails as `apply` does where the patch does not fit the document. Cost: that of `apply`, and of a copy of each container
 * again for every operation that has to look a lost value up.
 */
export const invert = (document: JsonValue, patch: NormalPatch): Result<NormalPatch> => {
  const inverse: Operation[] = [];
  let state = document;
  let applied = 0;
  for (let index = 0; index <= patch.length; index++) {
    const operation = patch[index];
    // Only an operation that loses something needs the state before it; the others run together with the next that does.
    if (operation === undefined || loses(operation)) {
      const next = apply(state, patch.slice(applied, index));
      if (!next.ok) return fail({ ...next.error, operation: applied + (next.error.operation ?? 0) });
      state = next.value;
      applied = index;
      if (operation === undefined) break;
    }
    const undo = undoOf(operation, state);
    if (undo !== undefined) inverse.push(undo);
    else if (operation.op !== 'test') {
      const refused = apply(state, [operation]);
      return refused.ok
        ? fail({ code: 'INTERNAL', message: 'An operation that applies has no inverse.', operation: index })
        : fail({ ...refused.error, operation: index });
    }
  }
  return ok(inverse.reverse());
};

const loses = (operation: Operation): boolean =>
  operation.op === 'replace' || operation.op === 'remove' || operation.op === 'str_del';

/** Undefined for a guard, and where there is nothing at the operation's path. */
const undoOf = (operation: Operation, before: JsonValue): Operation | undefined => {
  const { path } = operation;
  switch (operation.op) {
    case 'add':
    case 'insert':
      return { op: 'remove', path };
    case 'replace': {
      const value = valueAt(before, path);
      return value === undefined ? undefined : { op: 'replace', path, value };
    }
    case 'remove': {
      const value = valueAt(before, path);
      if (value === undefined) return undefined;
      return { op: typeof path.at(-1) === 'number' ? 'insert' : 'add', path, value };
    }
    case 'move':
      return { op: 'move', from: path, path: operation.from };
    case 'inc':
      return { op: 'inc', path, value: -operation.value };
    case 'str_ins':
      return { op: 'str_del', path, pos: operation.pos, len: operation.str.length };
    case 'str_del': {
      const text = valueAt(before, path);
      if (typeof text !== 'string') return undefined;
      return { op: 'str_ins', path, pos: operation.pos, str: text.slice(operation.pos, operation.pos + operation.len) };
    }
    case 'test':
      return undefined;
  }
};
