import { apply } from './apply.js';
import type { Result } from './errors.js';
import { fail, ok } from './errors.js';
import type { JsonValue } from './json.js';
import type { NormalPatch, Operation } from './operation.js';
import { valueAt } from './path.js';

/**
 * The patch that undoes `patch`, which was made on `document`: applied right after it, it brings `document` back. `test`
 * operations have nothing to undo.
 *
 * To undo later, take the inverse past what came since as the *earlier* side: `transform(inverse, since, 'left')`. What others have
 * set since then stands. As the later side it would win over them: of `A → B` by oneself and `C` by somebody else it would make `A`.
 * The outer operation wins in either order, so an inverse that removes or replaces what others have worked in since still takes
 * their work along; the conflicts with the loser `later` say where. (The client's undo leaves these operations out; decision 0013.)
 *
 * Fails as `apply` does where the patch does not fit the document, as far as that is looked at: `trusted` says that it fits. Cost:
 * that of `apply`, and of a copy of each container again for every operation that has to look a lost value up; of a trusted patch
 * only what comes before the last of these is applied.
 */
export const invert = (document: JsonValue, patch: NormalPatch, trusted: 'trusted' | undefined = undefined): Result<NormalPatch> => {
  const inverse: Operation[] = [];
  let state = document;
  let applied = 0;
  for (let index = 0; index <= patch.length; index++) {
    const operation = patch[index];
    // Only an operation that loses something needs the state before it; the others run together with the next that does.
    if (operation === undefined && trusted !== undefined) break;
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
