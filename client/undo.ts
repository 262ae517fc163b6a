import { apply, invert, ok, rebase, type JsonValue, type NormalPatch, type Result } from '@concord/core';
import { unlimited } from './unlimited.js';

/** Conflicts that are looked at one by one; where one step has more, it is given up as a whole. */
const maxSingleDrops = 32;

/**
 * What undoes the edits of a document, newest first, taken past changes that came in between: each of them runs on the value
 * that those before it leave, the first one on what the app sees. `value` is what the app saw before the changes.
 *
 * An undo counts as *earlier* than what came since, as the edit did that it takes back: what others have set since stands. Where
 * an undo would win nevertheless (it removes or replaces something in which others have worked since) that operation of it is left
 * out, so that nothing of theirs is undone. Fails as `rebase` does.
 */
export function undoPast(value: JsonValue, chain: readonly NormalPatch[], changes: readonly NormalPatch[]): Result<readonly NormalPatch[]> {
  let left = chain;
  for (let drops = 0; ; drops++) {
    const crossed = rebase(changes, left);
    if (!crossed.ok) return crossed;
    const hit = crossed.value.conflicts.find(({ loser, rule }) => loser === 'later' && rule !== 'guardLost');
    if (hit === undefined) return ok(crossed.value.changes);
    const { patch, operation } = hit.winning;
    const without = leaveOut(value, left, patch, drops < maxSingleDrops ? operation : undefined);
    if (!without.ok) return without;
    left = without.value;
  }
}

/** The chain without one operation of one of its patches (undefined: without the patch), the rest told as it runs then. */
function leaveOut(value: JsonValue, chain: readonly NormalPatch[], at: number, operation: number | undefined): Result<readonly NormalPatch[]> {
  const patch = chain[at]!;
  const kept = operation === undefined ? [] : patch.slice(0, operation);
  const out = operation === undefined ? patch : patch.slice(operation, operation + 1);
  const after = operation === undefined ? [] : patch.slice(operation + 1);
  let state = value;
  for (const before of [...chain.slice(0, at), kept]) {
    const applied = apply(state, before, unlimited);
    if (!applied.ok) return applied;
    state = applied.value;
  }
  const back = invert(state, out);
  if (!back.ok) return back;
  const rest = rebase([back.value], [after, ...chain.slice(at + 1)]);
  if (!rest.ok) return rest;
  const [afterwards, ...others] = rest.value.changes;
  return ok([...chain.slice(0, at), [...kept, ...(afterwards ?? [])], ...others]);
}
