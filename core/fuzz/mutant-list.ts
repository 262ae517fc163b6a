/** One rule of the merge, broken. */
export interface Mutant {
  readonly name: string;
  /** Inside core/. */
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
}

const places = 'transform/places.ts';
const pair = 'transform/pair.ts';
const same = 'transform/same-target.ts';
const text = 'transform/text.ts';
const move = 'transform/move.ts';
const moves = 'transform/move-move.ts';
const grid = 'transform/grid.ts';
const note = 'transform/conflict-note.ts';

export const mutants: readonly Mutant[] = [
  { name: 'the item right after a removed one stays', file: places, find: 'index <= gone', replace: 'index <= gone + 1' },
  { name: 'an element at the slot of an insertion stays', file: places, find: 'index < opened', replace: 'index <= opened' },
  { name: 'shifts reach into other arrays', file: places, find: 'sharedLength(path, removed) === level', replace: 'true' },
  { name: 'an insertion shifts other arrays', file: places, find: 'sharedLength(path, slot) >= level', replace: 'true' },
  { name: 'ties of slots go to the later one', file: places, find: 'pathComesFirst && samePath', replace: '!pathComesFirst && samePath' },
  { name: 'a carried path loses its inside', file: places, find: 'if (path.length === from.length) return to;', replace: 'return to;' },
  { name: 'inserts at one slot do not tie', file: same, find: "shiftedTo(later, elementAfterInsertion(later.path, earlier.path))", replace: 'later' },
  { name: 'a replacement stays at the slot of an insertion', file: same, find: 'shiftedTo(element, elementAfterInsertion(element.path, insert.path))', replace: 'element' },
  { name: 'a list that both began is begun twice', file: same, find: 'if (equal && isContainer(earlier.value))', replace: 'if (Math.random() < 0)' },
  { name: 'an equal new leaf is set by nobody', file: same, find: 'if (equal && isContainer(earlier.value))', replace: 'if (equal)' },
  { name: 'an equal value is set by nobody', file: same, find: "'replaceReplaceEqual' : 'replaceReplace', dropped, later);", replace: "'replaceReplaceEqual' : 'replaceReplace', dropped, equalValues(earlier.value, later.value) ? dropped : later);" },
  { name: 'equal values are told as a conflict', file: note, find: 'equalValues(lost, stands)', replace: 'false' },
  { name: 'a value that was given up is told', file: note, find: 'for (const older of track.given) older.superseded = true;', replace: '' },
  { name: 'a value that the later patch changes again counts as standing', file: note, find: 'note.stands = operation.value;', replace: '' },
  { name: 'a lost item goes back where something else is', file: 'conflict-item.ts', find: 'return track.slot ? track.place : undefined;', replace: 'return track.place;' },
  { name: 'the earlier replacement wins', file: same, find: "'replaceReplaceEqual' : 'replaceReplace', dropped, later);", replace: "'replaceReplaceEqual' : 'replaceReplace', earlier, dropped);" },
  { name: 'both replacements are kept', file: same, find: "'replaceReplaceEqual' : 'replaceReplace', dropped, later);", replace: "'replaceReplaceEqual' : 'replaceReplace', earlier, later);" },
  { name: 'a replaced and removed item is not made anew', file: same, find: "cell.settle('removeReplace', dropped, { op, path: later.path, value: later.value });", replace: "cell.settle('removeReplace', earlier, dropped);" },
  { name: 'two removals remove two', file: same, find: "cell.settle('removeRemove', dropped, dropped)", replace: "cell.settle('removeRemove', earlier, later)" },
  { name: 'a counter survives the later replacement', file: same, find: "        cell.settle('editReplaced', dropped, later);", replace: "        cell.settle('editReplaced', earlier, dropped);" },
  { name: 'a guard on a removed place stays', file: same, find: "cell.settle('guardLost', earlier, dropped);", replace: "cell.settle('guardLost', earlier, later);" },
  { name: 'text at the same offset: the later comes first', file: text, find: 'earlier.pos <= later.pos', replace: 'earlier.pos < later.pos' },
  { name: 'a correction made by both is made twice', file: text, find: 'if (isSameCorrection(earlier, later))', replace: 'if (Math.random() < 0)' },
  { name: 'any text that both type is a correction', file: text, find: 'earlier.replacing !== undefined && ', replace: '' },
  { name: 'the mark of a correction is lost on the way', file: text, find: '{ ...edit, pos }', replace: "{ op: 'str_ins', path: edit.path, pos, str: edit.str }" },
  { name: 'text inside of a deletion is deleted with it', file: text, find: 'pos: deletion.pos + str.length, len: end - pos', replace: 'pos: deletion.pos, len: end - pos' },
  { name: 'text at the end of a deletion does not shift', file: text, find: 'insertAt(insertion, pos - deletion.len)', replace: 'insertion' },
  { name: 'overlapping deletions delete twice', file: text, find: 'later.len - overlap', replace: 'later.len' },
  { name: 'text at the start of a deletion splits it', file: text, find: 'if (pos <= deletion.pos)', replace: 'if (pos < deletion.pos)' },
  { name: 'removals inside of a replacement survive', file: pair, find: "cell.settleEither(inner.op === 'test' ? 'guardLost' : 'insideReplaced', outerIsEarlier, outer, dropped);", replace: "cell.settleEither('insideReplaced', outerIsEarlier, outer, inner);" },
  { name: 'an insertion does not shift what is inside of later items', file: pair, find: 'withIndex(inner.path, level, index + 1)', replace: 'inner.path' },
  { name: 'a removal before does not shift', file: pair, find: "operation.op === 'remove' ? -1 : 0", replace: '0' },
  { name: 'a move to its own place wins', file: pair, find: "if (later.op === 'move' && samePath(later.from, later.path)) return cell.settle('shift', earlier, dropped);", replace: '' },
  { name: 'edits do not follow a move', file: move, find: 'return path !== other.path && cell', replace: 'return false && path !== other.path && cell' },
  { name: 'a moved item that was removed stays', file: move, find: "{ op: 'remove', path: move.path });\n    return", replace: "[]);\n    return" },
  { name: 'a child moved out of what is removed stays', file: move, find: "[{ op: 'remove', path: move.path }, wipe]);", replace: 'wipe);' },
  { name: 'a move into what is removed is not taken back', file: move, find: "cell.settleEither('moveInto', moveIsEarlier, dropped, [restoring(move), wipe]);", replace: "cell.settleEither('moveInto', moveIsEarlier, dropped, wipe);" },
  { name: 'a restoring move is restored again', file: move, find: "    if (move.restoring === true) {\n      cell.settleEither(", replace: '    if (Math.random() < 0) {\n      cell.settleEither(' },
  { name: 'a new key does not take the place of a moved item', file: move, find: "cell.settle('moveAdd', dropped, [restoring(move), add]);", replace: "cell.settle('moveAdd', dropped, []);" },
  { name: 'an item moved onto a new key does not remove it', file: move, find: "[{ op: 'remove', path: add.path }, move]);", replace: 'move);' },
  { name: 'the slot of an insertion is not told without the item', file: move, find: 'const slotWithoutItem = afterRemoval(insert.path, move.from);', replace: 'const slotWithoutItem = insert.path;' },
  { name: 'restoring moves lose their mark', file: 'transform/shifted.ts', find: "move.restoring === true ? { op: 'move', from, path, restoring: true } : ", replace: '' },
  { name: 'both moves of one item are kept', file: moves, find: "cell.settle('moveMove', dropped, movedTo(later, earlier.path, later.path));", replace: "cell.settle('moveMove', dropped, []);" },
  { name: 'an exchange made twice is undone', file: moves, find: 'if (tie && samePath(earlierSlot, earlierFrom) && samePath(laterSlot, laterFrom)) {', replace: 'if (Math.random() < 0) {' },
  { name: 'a cycle is not seen', file: moves, find: 'if (earlierIntoLater && laterIntoEarlier) {', replace: 'if (Math.random() < 0) {' },
  { name: 'two items at one key are both put there', file: moves, find: "cell.settle('moveKey', dropped, [restoring(earlier), later]);", replace: "cell.settle('moveKey', dropped, later);" },
  { name: 'an item and its container at one key', file: moves, find: "if (typeof outer.path.at(-1) === 'string' && samePath(innerSlot, outer.path)) {", replace: 'if (Math.random() < 0) {' },
  { name: 'an item moved into a moved container stays behind', file: moves, find: 'carried(guest.path, hostFrom, hostSlot)', replace: 'guest.path' },
  { name: 'two moves to one slot: the later comes first', file: moves, find: 'slotAfterInsertion(earlierSlot, laterSlot, true)', replace: 'slotAfterInsertion(earlierSlot, laterSlot, false)' },
  { name: 'pieces of a split do not meet the rest', file: grid, find: 'for (const piece of earlier) this.take({ op: piece, seq: row.seq }, at + width);', replace: 'for (const piece of earlier) this.crossed.push({ op: piece, seq: row.seq });' },
  { name: 'a move does not tie the branches it names', file: 'transform/branches.ts', find: 'if (source !== key) group = this.tie(group, this.of(source));', replace: 'void source;' },
  { name: 'guards of the earlier run are kept', file: 'transform/runs.ts', find: 'above.items(false)', replace: 'above.items(true)' },
  { name: 'conflict places stand still', file: grid, find: 'for (const track of this.tracks) follow(track, op);', replace: '' },
  { name: 'the bridge forgets what the author had pulled', file: 'bridge.ts', find: 'oldest = Math.min(oldest, baseOf(entry, base));', replace: '' },
  { name: 'the bridge does not take others past own changes', file: 'bridge.ts', find: 'others = [...crossed.value.changes];', replace: '' },
  { name: 'a squash drops insertions it still counts on', file: 'squash.ts', find: "if (entry.operation.op !== 'insert') this.drop(entry);", replace: 'this.drop(entry);' },
  { name: 'a squash forgets that inserts shift', file: 'squash.ts', find: 'this.writers.forgetInside(path.slice(0, -1));\n        this.writers.set', replace: 'this.writers.set' },
  { name: 'an inverse runs in the order of the patch', file: 'invert.ts', find: 'inverse.reverse()', replace: 'inverse' },
];
